import Records

/// The groups of an answer, in order, as batches: all at once, unless their text takes more than
/// ``bytesMax``. One consumer at a time.
final class GroupBatches: @unchecked Sendable {
  // Safe because: whoever has the answer awaits each call to next() before the following one.
  /// Text of a batch, about; a single group may have more.
  static let bytesMax = 16 << 20

  /// Of every batch.
  let fields: [Field]
  /// How many groups there are in all.
  let count: Int
  private let bytesMax: Int
  private let byteCount: (Int) -> Int
  private let batch: (Range<Int>) -> RecordBatch
  private var at = 0
  private var hasBegun = false

  /// - Parameters:
  ///   - fields: Of every batch.
  ///   - count: How many groups there are.
  ///   - byteCount: Bytes of text of a group.
  ///   - batch: Some groups as rows.
  init(
    fields: [Field], count: Int, bytesMax: Int = GroupBatches.bytesMax, byteCount: @escaping (Int) -> Int,
    batch: @escaping (Range<Int>) -> RecordBatch
  ) {
    self.fields = fields
    self.count = count
    self.bytesMax = bytesMax
    self.byteCount = byteCount
    self.batch = batch
  }

  /// The next groups; a batch without rows if there are none at all, then nil.
  func next() -> RecordBatch? {
    if hasBegun, at == count { return nil }
    hasBegun = true
    var end = at
    var bytes = 0
    while end < count {
      bytes += byteCount(end)
      if end > at, bytes > bytesMax { break }
      end += 1
    }
    defer { at = end }
    return batch(at..<end)
  }
}
