import Records

/// A set of rows 0 ..< `rowCount` as a bitmap: row r is bit r & 63 of word r >> 6. Bits beyond the last row
/// are 0.
package struct Selection: Sendable, Hashable {
  /// Rows that may be selected.
  package let rowCount: Int
  /// (rowCount + 63) / 64 words.
  package private(set) var words: [UInt64]

  /// All rows, or none.
  package init(rowCount: Int, all: Bool) {
    invariant(rowCount >= 0, "a number of rows")
    self.rowCount = rowCount
    self.words = [UInt64](repeating: all ? ~0 : 0, count: (rowCount + 63) >> 6)
    trimTail()
  }

  /// The rows in `rows`, in any order.
  package init(rowCount: Int, rows: some Sequence<Int>) {
    self.init(rowCount: rowCount, all: false)
    for row in rows { insert(row) }
  }

  /// The set bits of a validity bitmap (least significant bit first), or all rows for nil.
  package init(rowCount: Int, validity: Span<UInt8>?) {
    guard let validity else {
      self.init(rowCount: rowCount, all: true)
      return
    }
    invariant(validity.count * 8 >= rowCount, "a bit for each row")
    self.init(rowCount: rowCount, all: false)
    let whole = rowCount >> 6
    unsafe validity.withUnsafeBytes { bytes in
      // In bounds: word i < rowCount / 64 ends at byte 8 i + 8 <= validity.count.
      for index in 0..<whole {
        words[index] = UInt64(
          littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
      }
    }
    if whole < words.count {
      var last: UInt64 = 0
      for byte in whole * 8..<(rowCount + 7) >> 3 {
        last |= UInt64(validity[byte]) << UInt64((byte & 7) * 8)
      }
      words[whole] = last
      trimTail()
    }
  }

  /// Takes over words made elsewhere; bits beyond the last row are cleared.
  package init(rowCount: Int, words: [UInt64]) {
    invariant(words.count == (rowCount + 63) >> 6, "a bit for each row")
    self.rowCount = rowCount
    self.words = words
    trimTail()
  }

  private mutating func trimTail() {
    if rowCount & 63 != 0 { words[words.count - 1] &= (1 << UInt64(rowCount & 63)) - 1 }
  }

  /// How many rows are selected; O(rowCount / 64).
  package var count: Int {
    var total = 0
    for word in words { total &+= word.nonzeroBitCount }
    return total
  }

  /// Whether no row is selected. O(rows / 64).
  package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  /// Whether each row is selected. O(rows / 64).
  package var isFull: Bool { count == rowCount }

  /// The first selected row, or nil.
  package var first: Int? {
    guard let word = words.firstIndex(where: { $0 != 0 }) else { return nil }
    return word << 6 + words[word].trailingZeroBitCount
  }

  /// Whether `row` is selected, or selects or drops it.
  package subscript(row: Int) -> Bool {
    get {
      invariant(row >= 0 && row < rowCount, "a row of the selection")
      return words[row >> 6] & (1 << UInt64(row & 63)) != 0
    }
    set { if newValue { insert(row) } else { remove(row) } }
  }

  /// Selects `row`.
  package mutating func insert(_ row: Int) {
    invariant(row >= 0 && row < rowCount, "a row of the selection")
    words[row >> 6] |= 1 << UInt64(row & 63)
  }

  /// Drops `row`.
  package mutating func remove(_ row: Int) {
    invariant(row >= 0 && row < rowCount, "a row of the selection")
    words[row >> 6] &= ~(1 << UInt64(row & 63))
  }

  /// Selects all rows of `range`.
  package mutating func set(_ range: Range<Int>) {
    apply(range) { word, mask in word |= mask }
  }

  /// Drops all rows of `range`.
  package mutating func clear(_ range: Range<Int>) {
    apply(range) { word, mask in word &= ~mask }
  }

  private mutating func apply(_ range: Range<Int>, _ body: (inout UInt64, UInt64) -> Void) {
    invariant(range.lowerBound >= 0 && range.upperBound <= rowCount, "rows of the selection")
    guard !range.isEmpty else { return }
    let first = range.lowerBound >> 6
    let last = (range.upperBound - 1) >> 6
    let head = UInt64.max << UInt64(range.lowerBound & 63)
    let tail = UInt64.max >> UInt64(63 - ((range.upperBound - 1) & 63))
    if first == last {
      body(&words[first], head & tail)
      return
    }
    body(&words[first], head)
    for index in first + 1..<last { body(&words[index], ~0) }
    body(&words[last], tail)
  }

  /// Keeps the rows that `other` (of as many rows) has too.
  package mutating func formIntersection(_ other: Selection) {
    invariant(other.rowCount == rowCount, "selections over the same rows")
    for index in words.indices { words[index] &= other.words[index] }
  }

  /// Adds the rows of `other` (of as many rows).
  package mutating func formUnion(_ other: Selection) {
    invariant(other.rowCount == rowCount, "selections over the same rows")
    for index in words.indices { words[index] |= other.words[index] }
  }

  /// Drops the rows of `other` (of as many rows).
  package mutating func subtract(_ other: Selection) {
    invariant(other.rowCount == rowCount, "selections over the same rows")
    for index in words.indices { words[index] &= ~other.words[index] }
  }

  /// Selects exactly the rows that were not selected.
  package mutating func invert() {
    for index in words.indices { words[index] = ~words[index] }
    trimTail()
  }

  /// The selected rows as maximal runs, in order.
  package func ranges() -> [Range<Int>] {
    var result: [Range<Int>] = []
    var row = nextRow(from: 0, selected: true)
    while row < rowCount {
      let end = nextRow(from: row, selected: false)
      result.append(row..<end)
      row = nextRow(from: end, selected: true)
    }
    return result
  }

  /// The first row at or after `row` that is (or is not) selected; `rowCount` if there is none.
  private func nextRow(from row: Int, selected: Bool) -> Int {
    guard row < rowCount else { return rowCount }
    let flip: UInt64 = selected ? 0 : ~0
    var index = row >> 6
    var word = (words[index] ^ flip) & (~0 << UInt64(row & 63))
    while word == 0 {
      index += 1
      if index == words.count { return rowCount }
      word = words[index] ^ flip
    }
    return min(index << 6 + word.trailingZeroBitCount, rowCount)
  }

  /// The selected rows, ascending.
  package func indices() -> [Int32] {
    var rows: [Int32] = []
    rows.reserveCapacity(count)
    for index in words.indices {
      var word = words[index]
      let base = Int32(truncatingIfNeeded: index << 6)
      while word != 0 {
        rows.append(base &+ Int32(truncatingIfNeeded: word.trailingZeroBitCount))
        word &= word &- 1
      }
    }
    return rows
  }

  /// Calls `body` with each selected row, ascending.
  package func forEach(_ body: (Int) -> Void) {
    for index in words.indices {
      var word = words[index]
      while word != 0 {
        body(index << 6 + word.trailingZeroBitCount)
        word &= word &- 1
      }
    }
  }

  /// The rows `range` as a selection of their own, numbered from 0.
  package func slice(_ range: Range<Int>) -> Selection {
    invariant(range.lowerBound >= 0 && range.upperBound <= rowCount, "rows of the selection")
    var part = [UInt64](repeating: 0, count: (range.count + 63) >> 6)
    let first = range.lowerBound >> 6
    let shift = UInt64(range.lowerBound & 63)
    for index in part.indices {
      var word = words[first + index] >> shift
      if shift != 0, first + index + 1 < words.count { word |= words[first + index + 1] << (64 - shift) }
      part[index] = word
    }
    return Selection(rowCount: range.count, words: part)
  }

  /// Adds the rows of `part`, whose row 0 is row `start` here.
  package mutating func formUnion(_ part: Selection, at start: Int) {
    invariant(start >= 0 && start + part.rowCount <= rowCount, "rows of the selection")
    let first = start >> 6
    let shift = UInt64(start & 63)
    for index in part.words.indices {
      words[first + index] |= part.words[index] << shift
      let carried = shift == 0 ? 0 : part.words[index] >> (64 - shift)
      if carried != 0 { words[first + index + 1] |= carried }
    }
  }
}
