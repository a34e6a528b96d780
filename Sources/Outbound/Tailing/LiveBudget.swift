import Records

/// Bytes of the frames that live and of the queues' entries, held against a bound.
final class LiveBudget: Sendable {
  private let memory: MemoryBudget

  init(_ memory: MemoryBudget) { self.memory = memory }

  var bytesUsed: Int { memory.bytesUsed }
  var bytesLeft: Int { memory.bytesLeft }

  func charge(_ bytes: Int) { memory.charge(bytes) }
  func giveBack(_ bytes: Int) { memory.give(back: bytes) }
}
