import Codecs
import Records

/// How columns lie in a file so that every reader of Parquet takes them (Docs/formats/block.md, "Columns";
/// decision 0035): ids as text, times in microseconds, what is left of them in a column of its own.
enum StoredForm {
  /// The columns of the file for a column of the schema, the first of its name.
  static func fields(of field: Field) -> [Field] {
    switch field.type {
    case .uuid: return [Field(field.name, .utf8, isNullable: field.isNullable)]
    case .timestamp:
      let time = Field(field.name, .int64, isNullable: field.isNullable)
      guard let rest = restName(of: field.name) else { return [time] }
      return [time, Field(rest, .int64, isNullable: field.isNullable)]
    case .int64, .float64, .bool, .utf8, .json: return [field]
    }
  }

  /// What is written for a column of an id or a time, as ``fields(of:)`` has it; others as they are.
  static func columns(of column: Column, named name: String) -> [Column] {
    switch column.type {
    case .uuid: return [UUIDTexts.texts(of: column)]
    case .timestamp:
      var micros: [Int64] = []
      var rests: [Int64] = []
      micros.reserveCapacity(column.rowCount)
      rests.reserveCapacity(column.rowCount)
      column.withInt64 { times in
        for row in times.indices {
          let micro = times[row].flooredMicroseconds
          micros.append(micro)
          rests.append(times[row] &- micro &* 1_000)
        }
      }
      let columns = [micros, rests].map {
        Column(
          type: .int64, rowCount: $0.count, validity: column.validity, storage: .fixed(Buffer(copying: $0)))
      }
      return restName(of: name) == nil ? [columns[0]] : columns
    case .int64, .float64, .bool, .utf8, .json: return [column]
    }
  }

  /// The column of the nanoseconds beyond a time's microsecond, 0 to 999. nil: there is none, since
  /// `ingested_at` has whole milliseconds, those of its row's id.
  static func restName(of name: String) -> String? {
    name.hasBytes(of: "ingested_at") ? nil : name + "_nanos"
  }

  /// The times that `micros` and `rests` (nil: all 0, or not asked for) stand for. Numbers that are no time
  /// of ours wrap.
  static func times(_ micros: Column, rests: Column?) -> Column {
    var times: [Int64] = []
    times.reserveCapacity(micros.rowCount)
    micros.withInt64 { micros in
      guard let rests else {
        // The first microsecond there is begins before the least time.
        let least = Int64.min / 1_000
        for row in micros.indices { times.append(micros[row] < least ? .min : micros[row] &* 1_000) }
        return
      }
      rests.withInt64 { rests in
        for row in micros.indices { times.append(micros[row] &* 1_000 &+ rests[row]) }
      }
    }
    return Column(
      type: .timestamp, rowCount: times.count, validity: micros.validity,
      storage: .fixed(Buffer(copying: times)))
  }

  /// Bounds of times in nanoseconds that have these in microseconds, those beyond Int64 cut.
  static func bounds(ofMicroseconds range: ClosedRange<Int64>) -> ClosedRange<Int64> {
    let (low, isLow) = range.lowerBound.multipliedReportingOverflow(by: 1_000)
    let (high, isHigh) = range.upperBound.multipliedReportingOverflow(by: 1_000)
    let (last, isOver) = high.addingReportingOverflow(999)
    let least = isLow ? (range.lowerBound < 0 ? Int64.min : .max) : low
    let most = isHigh ? (range.upperBound < 0 ? Int64.min : .max) : isOver ? .max : last
    // Bounds of a damaged file may lie anywhere.
    return least...max(least, most)
  }
}

extension Int64 {
  /// Whole microseconds in so many nanoseconds, rounded down.
  fileprivate var flooredMicroseconds: Int64 { self / 1_000 - (self % 1_000 < 0 ? 1 : 0) }
}
