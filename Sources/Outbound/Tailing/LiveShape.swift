import Records

/// How matching rows become bytes on a wire. Shapes of equal names are the same: what one encoded is sent to
/// subscribers of the other.
package protocol LiveShape: Sendable {
  /// Tells shapes apart: all that changes the bytes must be in it.
  var name: String { get }
  /// Columns of the dataset's schema that ``encode(_:into:ends:)`` reads.
  var columns: [String] { get }

  /// Makes each row one message: appends its bytes to `bytes` and then `bytes.count` to `ends`, row by row. A
  /// message has all the framing its wire needs, so that messages can be sent one behind the other as they
  /// are.
  ///
  /// - Parameter batch: ``columns`` and `position` in any order, found by name; at least one row.
  func encode(_ batch: RecordBatch, into bytes: inout [UInt8], ends: inout [Int])
}

/// Messages as they go out, one behind the other. Shared by all who are sent them; immutable.
package final class LiveFrame: Sendable {
  /// The messages one after the other, as the shape writes them.
  package let bytes: [UInt8]
  /// At least one.
  package let messageCount: Int
  /// One behind the position of the last message's record.
  package let positionEnd: Int64
  private let budget: LiveBudget?

  /// - Parameter budget: Is charged with the bytes as long as the frame lives.
  init(bytes: [UInt8], messageCount: Int, positionEnd: Int64, budget: LiveBudget? = nil) {
    self.bytes = bytes
    self.messageCount = messageCount
    self.positionEnd = positionEnd
    self.budget = budget
    budget?.charge(bytes.count)
  }

  deinit { budget?.giveBack(bytes.count) }
}

/// What a subscriber is given next.
package enum LiveDelivery: Sendable {
  case frame(LiveFrame)
  /// At this place so many matching records are missing, because the subscriber's queue was full.
  case dropped(Int)
  /// What should come next cannot be read from the disk. Nothing follows.
  case failed(StoreError)
}
