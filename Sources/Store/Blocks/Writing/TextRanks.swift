import Codecs
import Matching
import Records

/// Ranks of texts among all distinct ones of a column, by bytes.
enum TextRanks {
  /// One key a row whose order is that of the texts of `columns` (one or two).
  static func keys(of batches: [RecordBatch], columns: [String], rowCount: Int) -> [UInt64] {
    invariant(columns.count <= 2, "two ranks of 32 bits make a key")
    var keys = [UInt64](repeating: 0, count: rowCount)
    for name in columns {
      var numbers: [Int32] = []
      numbers.reserveCapacity(rowCount)
      var index: [[UInt8]: Int32] = [:]
      for batch in batches { append(batch.existing(name), to: &numbers, &index) }
      var ranks = [UInt64](repeating: 0, count: index.count)
      for (rank, entry) in index.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }).enumerated() {
        ranks[Int(entry.value)] = UInt64(rank)
      }
      for row in keys.indices { keys[row] = keys[row] << 32 | ranks[Int(numbers[row])] }
    }
    return keys
  }

  /// Appends the number of each row's text; texts get numbers as they appear. Null is the empty text.
  private static func append(_ column: Column, to numbers: inout [Int32], _ index: inout [[UInt8]: Int32]) {
    let encoded = DictionaryEncoder.encode(column, valuesMax: 1 << 20)
    guard case .dictionary = encoded.storage else {
      encoded.withText { offsets, bytes in
        for row in 0..<encoded.rowCount {
          numbers.append(number(of: bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])), &index))
        }
      }
      return
    }
    encoded.withDictionary { keys, offsets, bytes in
      var ofKey: [Int32] = []
      for key in 0..<offsets.count - 1 {
        ofKey.append(number(of: bytes.extracting(Int(offsets[key])..<Int(offsets[key + 1])), &index))
      }
      for row in keys.indices { numbers.append(ofKey[Int(keys[row])]) }
    }
  }

  private static func number(of text: Span<UInt8>, _ index: inout [[UInt8]: Int32]) -> Int32 {
    let bytes = text.indices.map { text[$0] }
    if let known = index[bytes] { return known }
    let number = Int32(index.count)
    index[bytes] = number
    return number
  }
}
