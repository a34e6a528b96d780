import Codecs
import Records

/// Encodes an answer piece by piece, so that answers of any size need the memory of one batch.
package protocol BatchEncoder: AnyObject {
  /// What comes before the first batch.
  func begin() throws(EncodingError) -> [UInt8]
  func encode(_ batch: RecordBatch) throws(EncodingError) -> [UInt8]
  /// What comes after the last batch. `cursor`: where the next page begins, if the format can say so.
  func end(cursor: String?) throws(EncodingError) -> [UInt8]
  /// Bytes of batches that it keeps until they are written, and of what writing them takes, about.
  var bytesHeld: Int { get }
}

extension BatchEncoder {
  /// None.
  package var bytesHeld: Int { 0 }
}

/// Why an answer could not be encoded: a library failed, which is our bug or lack of memory.
package struct EncodingError: Error, Sendable, Equatable {
  /// What the format cannot hold.
  package let reason: String
  /// An error of that reason.
  package init(reason: String) { self.reason = reason }
}

/// What an answer says of itself besides its rows.
package struct AnswerRemarks: Sendable {
  /// What the rows lack because files are damaged.
  package var incompleteness: Incompleteness?
  /// How sure groups are.
  package var approximation: Approximation?
  /// What was looked at for it, asked behind the last row; nil: it does not say.
  package var statistics: (@Sendable () -> AnswerStatistics?)?

  /// That it is whole and right, unless said otherwise.
  package init(incompleteness: Incompleteness? = nil, approximation: Approximation? = nil) {
    self.incompleteness = incompleteness
    self.approximation = approximation
  }
}

/// JSON (`{"rows":[…],"cursor":…,"incomplete":…,"exact":…,"statistics":…}`), NDJSON (an object a line) and
/// CSV (RFC 4180 with a header line).
///
/// Null columns are left out of objects and empty in CSV, where an empty text is `""`. Object columns are
/// JSON in all three.
package final class TextEncoder: BatchEncoder {
  private let format: OutputFormat
  private let fields: [Field]
  private let records: RecordWriter
  private let guardsCells: Bool
  private var writer = JSONWriter(capacity: 1 << 16)
  private var isFirst = true
  private let remarks: AnswerRemarks

  /// - Parameters:
  ///   - format: `.json`, `.ndjson` or `.csv`.
  ///   - remarks: Said in JSON, which alone has a place for all of them; NDJSON has a last line for
  ///     statistics.
  package init(
    format: OutputFormat, fields: [Field], style: RecordStyle = RecordStyle(),
    remarks: AnswerRemarks = AnswerRemarks()
  ) {
    self.remarks = remarks
    invariant(format != .arrow && format != .parquet, "a text format")
    self.format = format
    self.fields = fields
    guardsCells = style.guardsCells
    records = RecordWriter(fields: fields, style: style)
  }

  /// See ``BatchEncoder``.
  package func begin() -> [UInt8] {
    switch format {
    case .json: return Array("{\"rows\":[".utf8)
    case .csv:
      for (index, field) in fields.enumerated() {
        if index > 0 { writer.append(UInt8(ascii: ",")) }
        RecordWriter.appendField(Array(field.name.utf8).span, isGuarded: guardsCells, to: &writer)
      }
      writer.append(raw: "\r\n")
      return writer.takeBytes()
    case .ndjson, .arrow, .parquet: return []
    }
  }

  /// See ``BatchEncoder``.
  package func encode(_ batch: RecordBatch) -> [UInt8] {
    switch format {
    case .json:
      records.appendObjects(
        batch, separator: UInt8(ascii: ","), isFirst: isFirst, terminator: nil, to: &writer)
    case .csv: records.appendLines(batch, to: &writer)
    case .ndjson, .arrow, .parquet:
      records.appendObjects(batch, separator: nil, isFirst: isFirst, terminator: 10, to: &writer)
    }
    if batch.rowCount > 0 { isFirst = false }
    return writer.takeBytes()
  }

  /// See ``BatchEncoder``.
  package func end(cursor: String?) -> [UInt8] {
    guard format == .json else {
      guard format == .ndjson, let statistics = remarks.statistics?() else { return [] }
      writer.append(raw: "{")
      writer.member(statistics)
      writer.append(raw: "}\n")
      return writer.takeBytes()
    }
    writer.append(raw: "]")
    if let cursor {
      writer.append(raw: ",\"cursor\":")
      writer.appendString(cursor)
    }
    if let incompleteness = remarks.incompleteness {
      writer.append(
        raw: ",\"incomplete\":{\"files\":\(incompleteness.fileCount),"
          + "\"rows_max\":\(incompleteness.rowCountMax)}")
    }
    if let approximation = remarks.approximation {
      writer.append(raw: ",\"exact\":false,\"error_bound\":\(approximation.boundText ?? "null")")
    }
    if let statistics = remarks.statistics?() {
      writer.append(raw: ",")
      writer.member(statistics)
    }
    writer.append(raw: "}\n")
    return writer.takeBytes()
  }
}
