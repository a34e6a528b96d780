import Synchronization

/// Bytes of request bodies, and of what reading them takes, over all connections.
package final class UploadBudget: Sendable {
  /// All there is.
  package let bytesMax: Int
  private let used = Atomic<Int>(0)

  package init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Bytes taken now.
  package var usedBytes: Int { used.load(ordering: .relaxed) }

  /// Takes `count` bytes; false, and nothing taken, when there are not so many left.
  package func take(_ count: Int) -> Bool {
    let after = used.wrappingAdd(count, ordering: .relaxed).newValue
    if after <= bytesMax { return true }
    used.wrappingSubtract(count, ordering: .relaxed)
    return false
  }

  /// Gives back what was taken.
  package func give(_ count: Int) { used.wrappingSubtract(count, ordering: .relaxed) }
}
