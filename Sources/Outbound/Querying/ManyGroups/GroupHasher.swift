import Codecs
import Records

/// Numbers that the groups of rows are known by in every unit, on every worker and in every pass: equal
/// groups have equal ones. Different groups may too, with a chance of 2^-64.
struct GroupHasher: Sendable {
  private let bucket: TimeBucket?
  private let columnCount: Int
  private var part: [UInt64] = []
  /// Of each text column.
  private var known: [KnownHashes]
  private(set) var hashes: [UInt64] = []

  init(bucket: TimeBucket?, columnCount: Int) {
    self.bucket = bucket
    self.columnCount = columnCount
    known = Array(repeating: KnownHashes(), count: columnCount)
  }

  /// Sets ``hashes`` to those of the rows of `batch`, whose columns begin as ``GroupTable`` has them.
  mutating func hash(_ batch: RecordBatch) {
    if hashes.count != batch.rowCount { hashes = [UInt64](repeating: 0, count: batch.rowCount) }
    if bucket != nil { hash(times: batch.columns[0]) }
    let first = bucket == nil ? 0 : 1
    for index in first..<first + columnCount {
      if index == 0 {
        known[index - first].hash(batch.columns[index], into: &hashes)
        continue
      }
      if part.count != batch.rowCount { part = [UInt64](repeating: 0, count: batch.rowCount) }
      known[index - first].hash(batch.columns[index], into: &part)
      for row in hashes.indices { hashes[row] = DistinctState.mix(hashes[row] &* 3 &+ part[row]) }
    }
  }

  private mutating func hash(times column: Column) {
    guard let bucket else { return }
    var (first, last, hash) = (Int64.max, Int64.min, UInt64(0))
    column.withInt64 { times in
      var hashes = hashes.mutableSpan
      for row in times.indices {
        let time = times[row]
        if time < first || time > last {
          let (key, range) = bucket.place(of: time)
          (first, last) = (range.lowerBound, range.upperBound)
          hash = DistinctState.mix(UInt64(bitPattern: key))
        }
        hashes[row] = hash
      }
    }
  }

  /// Lets go of the columns whose dictionaries were met last.
  mutating func forgetDictionaries() { known = Array(repeating: KnownHashes(), count: columnCount) }
}

/// Hashes of texts, those of a dictionary kept as long as batches share it.
private struct KnownHashes {
  /// Null is no text.
  private static let null: UInt64 = 0x5851_F42D_4C95_7F2D

  /// The column whose dictionary ``hashes`` is of.
  private var dictionary: Column?
  /// Of each of the dictionary's values; 0: not computed, or it is 0.
  private var hashes: [UInt64] = []

  /// Sets `result`, one a row, to the hash of each row of a text column.
  mutating func hash(_ column: Column, into result: inout [UInt64]) {
    switch column.storage {
    case .fixed: bug("group columns are read as text")
    case .text:
      column.withText { offsets, bytes in
        var result = result.mutableSpan
        for row in result.indices {
          result[row] = Hash64.xxh64(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
        }
      }
    case .dictionary: hashDictionary(column, into: &result)
    }
    column.withValidity { bits in
      guard let bits else { return }
      for row in result.indices where bits[row >> 3] & (1 << UInt8(row & 7)) == 0 {
        result[row] = KnownHashes.null
      }
    }
  }

  /// A value is hashed once, when the first row has it. Rows that are null get any hash.
  private mutating func hashDictionary(_ column: Column, into result: inout [UInt64]) {
    column.withDictionary { keys, offsets, bytes in
      if !(dictionary?.sharesDictionary(with: column) ?? false) {
        dictionary = column
        hashes = [UInt64](repeating: 0, count: offsets.count - 1)
      }
      var hashes = hashes.mutableSpan
      var result = result.mutableSpan
      column.withValidity { bits in
        for row in keys.indices {
          if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
          let key = Int(keys[row])
          if hashes[key] == 0 {
            hashes[key] = Hash64.xxh64(bytes.extracting(Int(offsets[key])..<Int(offsets[key + 1])))
          }
          result[row] = hashes[key]
        }
      }
    }
  }
}
