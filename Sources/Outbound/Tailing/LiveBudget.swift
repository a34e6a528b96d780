import Synchronization

/// Bytes of the frames that live and of the queues' entries, held against a bound.
final class LiveBudget: Sendable {
  private let bytesMax: Int
  private let used = Atomic(0)

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  var bytesUsed: Int { used.load(ordering: .relaxed) }
  var bytesLeft: Int { max(0, bytesMax - bytesUsed) }

  func charge(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }
  func giveBack(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}
