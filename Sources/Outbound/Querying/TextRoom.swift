import Records

/// How much text may still go into a batch that rows of several are gathered into: a column of text holds
/// less than 2 GiB, and an answer should take far less.
///
/// As long as all batches that rows came from could go in whole, rows are not looked at one by one.
struct TextRoom {
  private let bytesMax: Int
  /// What all rows of the batches used so far could take.
  private var bound = 0
  /// What rows took since that passed the most.
  private var counted = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// One behind the last of the source's `rows` that goes in; the first of them all always does.
  ///
  /// - Parameters:
  ///   - isNew: Whether no row of the source's batch went in before.
  ///   - isFirst: Whether no row at all did.
  mutating func end(_ rows: Range<Int>, of source: MergeSource, isNew: Bool, isFirst: Bool) -> Int {
    if isNew { bound += source.batch?.textByteCountMax ?? 0 }
    if bound <= bytesMax { return rows.upperBound }
    let sizes = source.textBytes()
    var end = rows.lowerBound
    while end < rows.upperBound {
      if counted + sizes[end] > bytesMax, !(isFirst && end == rows.lowerBound) { break }
      counted += sizes[end]
      end += 1
    }
    return end
  }
}
