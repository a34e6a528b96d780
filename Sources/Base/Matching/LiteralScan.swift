/// Searches the contiguous bytes of a text column and tells which rows hold the needle.
struct LiteralScan {
  let finder: LiteralFinder
  /// Only hits between characters of no word (``WordCharacters``) or the row's ends count.
  let isWholeWord: Bool

  /// Drops the rows of `rows` without a hit. Offsets ascend and end within `bytes` (callers check).
  func filter(offsets: Span<Int32>, bytes: Span<UInt8>, rows: inout Selection) {
    var found = Selection(rowCount: rows.rowCount, all: false)
    unsafe bytes.withUnsafeBufferPointer { text in
      for range in rows.ranges() { unsafe scan(range, offsets, text, bytes, &found) }
    }
    rows = found
  }

  /// Whether `text` has a hit.
  func matches(_ text: Span<UInt8>) -> Bool {
    unsafe text.withUnsafeBufferPointer { bytes in
      var position = 0
      while let hit = unsafe finder.firstIndex(in: bytes, from: position, end: bytes.count) {
        if !isWholeWord || isBounded(hit, 0..<bytes.count, text) { return true }
        position = hit + 1
      }
      return false
    }
  }

  /// Rows of one run are searched as one text; a hit is then looked up in the offsets.
  private func scan(
    _ range: Range<Int>, _ offsets: Span<Int32>, _ text: UnsafeBufferPointer<UInt8>, _ bytes: Span<UInt8>,
    _ found: inout Selection
  ) {
    let count = finder.needle.count
    let end = Int(offsets[range.upperBound])
    var row = range.lowerBound
    var position = Int(offsets[row])
    while let hit = unsafe finder.firstIndex(in: text, from: position, end: end) {
      row = LiteralScan.row(of: hit, from: row, before: range.upperBound, offsets)
      let rowEnd = Int(offsets[row + 1])
      let isInside = hit + count <= rowEnd
      if isInside, isWholeWord && !isBounded(hit, Int(offsets[row])..<rowEnd, bytes) {
        position = hit + 1
        continue
      }
      // One hit is enough; and where one crosses the row's end, later ones in the row do too.
      if isInside { found.insert(row) }
      row += 1
      if row == range.upperBound { return }
      position = rowEnd
    }
  }

  private func isBounded(_ hit: Int, _ row: Range<Int>, _ text: Span<UInt8>) -> Bool {
    WordCharacters.shared.isBounded(hit..<hit + finder.needle.count, in: row, text)
  }

  /// The row that holds byte `place`: steps double until past it, then halve. Rows before `from` end before
  /// it.
  private static func row(of place: Int, from: Int, before end: Int, _ offsets: Span<Int32>) -> Int {
    var low = from
    var step = 1
    while low + step < end, Int(offsets[low + step]) <= place {
      low += step
      step *= 2
    }
    var high = min(low + step, end)
    // offsets[low] <= place < offsets[high]
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(offsets[middle]) <= place { low = middle } else { high = middle }
    }
    return low
  }
}
