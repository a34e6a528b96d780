import Records

/// Bytes of request bodies, and of what reading them takes, over all connections.
package final class UploadBudget: Sendable {
  private let memory: MemoryBudget

  /// - Parameter memory: What the bytes are taken of.
  package init(_ memory: MemoryBudget) { self.memory = memory }

  /// One that stands alone.
  package convenience init(bytesMax: Int) {
    self.init(MemoryBudget("limits.upload_bytes_max", bytesMax: bytesMax))
  }

  /// All there is.
  package var bytesMax: Int { memory.bytesMax }
  /// Bytes taken now.
  package var usedBytes: Int { memory.bytesUsed }

  /// Takes `count` bytes; false, and nothing taken, when there are not so many left.
  package func take(_ count: Int) -> Bool { memory.tryTake(count) }

  /// Gives back what was taken.
  package func give(_ count: Int) { memory.give(back: count) }
}
