import Records

/// The sort key of each page's first row, for blocks sorted by text: which pages a value of the key can be
/// in.
///
/// A key is the texts of the sort key's columns with a NUL between them; texts hold no NUL, so keys compare
/// like the tuples.
struct PageKeys: Sendable, Equatable {
  /// Rising, one a page.
  private(set) var keys: [[UInt8]] = []

  init() {}

  /// Whether blocks of the dataset have them: times have bounds of their own.
  static func areKept(for schema: DatasetSchema) -> Bool { schema.sortKey != ["timestamp"] }

  /// Adds the pages of a row group.
  mutating func add(_ rows: RecordBatch, sortKey: [String], rowsPerPage: Int) {
    let columns = sortKey.map { rows.existing($0) }
    for row in stride(from: 0, to: rows.rowCount, by: rowsPerPage) {
      keys.append(Array(columns.map { PageKeys.text($0, row) }.joined(separator: [0])))
    }
  }

  private static func text(_ column: Column, _ row: Int) -> [UInt8] {
    if case .dictionary = column.storage {
      return column.withDictionary { keys, offsets, bytes in
        let value = Int(keys[row])
        return (Int(offsets[value])..<Int(offsets[value + 1])).map { bytes[$0] }
      }
    }
    return column.withText { offsets, bytes in
      (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }
    }
  }

  func encoded() -> [UInt8] {
    var writer = IndexWriter()
    for key in keys {
      writer.append(count: key.count)
      writer.append(raw: key)
    }
    return writer.bytes
  }

  init(_ bytes: Buffer, pageCount: Int) throws(IndexError) {
    var reader = IndexReader(bytes)
    for _ in 0..<pageCount {
      let key = try reader.raw(try reader.count(max: bytes.byteCount))
      if let last = keys.last, key.lexicographicallyPrecedes(last) { throw reader.error("keys that fall") }
      keys.append(key)
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the keys") }
  }

  /// The pages that rows with these first texts of the sort key can be in; all pages without any.
  func pages(startingWith texts: [[UInt8]], columnCount: Int) -> Range<Int> {
    guard !texts.isEmpty else { return 0..<keys.count }
    let low = Array(texts.joined(separator: [0]))
    // A row matches if its key is `low`, or starts with `low` and a NUL.
    let isWhole = texts.count == columnCount
    func isBehind(_ key: [UInt8]) -> Bool {
      guard key.starts(with: low) else { return low.lexicographicallyPrecedes(key) }
      return key.count > low.count && (isWhole || key[low.count] != 0)
    }
    // A page ends at the first key of the next one, which may be a match's too.
    let first = max(0, keys.partitioningIndex { !$0.lexicographicallyPrecedes(low) } - 1)
    return first..<max(first, keys.partitioningIndex(where: isBehind))
  }
}

extension Array {
  /// The first index from which on `belongsToSecond` is true; it must be false before.
  fileprivate func partitioningIndex(where belongsToSecond: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsToSecond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
