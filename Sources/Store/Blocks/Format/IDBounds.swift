import Matching
import Records

/// Smallest and largest id of each data page of a block: which rows can have a certain id.
struct IDBounds: Sendable, Equatable {
  /// An id as a number of 128 bits, in the order of its bytes.
  struct Key: Sendable, Comparable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }

    /// nil unless `id` has 16 bytes.
    init?(_ id: [UInt8]) {
      guard id.count == 16 else { return nil }
      high = id[..<8].reduce(0) { $0 << 8 | UInt64($1) }
      low = id[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Those of the literals that are ids.
    static func all(_ literals: [Literal]) -> [Key] {
      literals.compactMap { if case .uuid(let id) = $0 { Key(id) } else { nil } }
    }

    static func < (a: Key, b: Key) -> Bool { a.high == b.high ? a.low < b.low : a.high < b.high }
  }

  let rowsPerDataPage: Int
  private(set) var pages: [ClosedRange<Key>] = []

  init(rowsPerDataPage: Int) { self.rowsPerDataPage = rowsPerDataPage }

  /// Adds the data pages of a row group.
  mutating func add(_ ids: Column) {
    ids.withUUIDs { bytes in
      func key(_ row: Int) -> Key {
        var words: (UInt64, UInt64) = (0, 0)
        for at in 0..<8 {
          words.0 = words.0 << 8 | UInt64(bytes[row * 16 + at])
          words.1 = words.1 << 8 | UInt64(bytes[row * 16 + 8 + at])
        }
        return Key(high: words.0, low: words.1)
      }
      for start in stride(from: 0, to: ids.rowCount, by: rowsPerDataPage) {
        var low = key(start)
        var high = low
        for row in start..<min(start + rowsPerDataPage, ids.rowCount) {
          let key = key(row)
          if key < low { low = key } else if high < key { high = key }
        }
        pages.append(low...high)
      }
    }
  }

  func encoded() -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: rowsPerDataPage)
    for page in pages {
      for word in [page.lowerBound.high, page.lowerBound.low, page.upperBound.high, page.upperBound.low] {
        writer.append(littleEndian: word.byteSwapped)
      }
    }
    return writer.bytes
  }

  /// - Parameter rowsPerPage: Rows of a page of the index, which holds whole data pages.
  init(_ bytes: Buffer, rowCount: Int, rowsPerPage: Int) throws(IndexError) {
    var reader = IndexReader(bytes)
    rowsPerDataPage = try reader.count(max: rowsPerPage)
    guard rowsPerDataPage > 0, rowsPerPage % rowsPerDataPage == 0 else {
      throw reader.error("impossible rows of a data page")
    }
    let pageCount = (rowCount + rowsPerDataPage - 1) / rowsPerDataPage
    let words = try reader.integers(pageCount * 4)
    guard reader.isAtEnd else { throw reader.error("bytes behind the ids") }
    pages.reserveCapacity(pageCount)
    for page in 0..<pageCount {
      let part = words[page * 4..<page * 4 + 4].map { UInt64(bitPattern: $0).byteSwapped }
      let (low, high) = (Key(high: part[0], low: part[1]), Key(high: part[2], low: part[3]))
      guard low <= high else { throw IndexError(offsetBytes: 0, reason: "ids the wrong way round") }
      pages.append(low...high)
    }
  }

  /// The data pages with a row of `rows` (of the block) that may hold one of the ids; as rows, cut to `rows`.
  func rows(_ rows: Range<Int>, thatMayHold ids: [Key]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    guard !rows.isEmpty else { return found }
    for page in rows.lowerBound / rowsPerDataPage...(rows.upperBound - 1) / rowsPerDataPage
    where ids.contains(where: { pages[page].contains($0) }) {
      let start = page * rowsPerDataPage
      found.append(max(start, rows.lowerBound)..<min(start + rowsPerDataPage, rows.upperBound))
    }
    return found
  }
}
