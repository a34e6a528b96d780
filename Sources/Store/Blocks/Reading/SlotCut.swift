import Records

/// The slots of time that a request covers whole, of a block whose summaries count by them, and the times
/// beside these. A slot counts as whole if what is missing of it lies outside the block.
struct SlotCut {
  /// nil: none.
  private(set) var whole: ClosedRange<Int64>?
  /// Starts, and ends (not included; nil: none), of what is to be read.
  private(set) var parts: [(start: Int64, end: Int64?)] = []

  /// - Parameters:
  ///   - start: The first time that is asked for and there, and `last` the last one.
  ///   - block: Of the block.
  ///   - width: See ``NumberSection/width``.
  init(_ start: Int64, _ last: Int64, of block: ClosedRange<Int64>, width: Int) {
    func slot(_ time: Int64) -> Int64 { NumberSection.slot(of: time, width: width) }
    var (first, end) = (slot(start), slot(last))
    let isFirstCut = start != block.lowerBound && slot(start - 1) == first
    let isLastCut = last != block.upperBound && slot(last + 1) == end
    if first == end, isFirstCut || isLastCut {
      parts = [(start, last.endBehind)]
      return
    }
    if isFirstCut {
      parts.append((start, NumberSection.times(ofSlot: first, width: width).upperBound.endBehind))
      first += 1
    }
    if isLastCut {
      parts.append((NumberSection.times(ofSlot: end, width: width).lowerBound, last.endBehind))
      end -= 1
    }
    if first <= end { whole = first...end }
  }
}
