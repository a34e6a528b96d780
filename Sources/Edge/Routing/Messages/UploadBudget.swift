import Records

/// Bytes of request bodies, and of what reading them takes, over all connections.
package final class UploadBudget: Sendable {
  private let memory: MemoryBudget
  private let shares: FairShares?

  /// - Parameters:
  ///   - memory: What the bytes are taken of.
  ///   - share: The part that the bodies of one tenant or address may take while there are no others; 1: all.
  package init(_ memory: MemoryBudget, share: Double = 1) {
    self.memory = memory
    shares = FairShares(share: share)
  }

  /// One that stands alone.
  package convenience init(bytesMax: Int, share: Double = 1) {
    self.init(MemoryBudget("limits.upload_bytes_max", bytesMax: bytesMax), share: share)
  }

  /// All there is.
  package var bytesMax: Int { memory.bytesMax }
  /// Bytes taken now.
  package var usedBytes: Int { memory.bytesUsed }

  /// Takes `count` bytes; false, and nothing taken, when there are not so many left.
  package func take(_ count: Int) -> Bool { memory.tryTake(count) }

  /// Gives back what was taken.
  package func give(_ count: Int) { memory.give(back: count) }

  /// While three quarters are left nobody is in anybody's way, and nobody is counted: the usual case costs
  /// nothing.
  fileprivate var isAmple: Bool { memory.bytesLeft >= bytesMax - bytesMax / 4 }

  fileprivate func takeShare(_ count: Int, for holders: [ShareHolder]) -> Bool {
    shares?.tryTake(count, for: holders, left: memory.bytesLeft) ?? true
  }

  fileprivate func giveShare(_ count: Int, of holders: [ShareHolder]) {
    shares?.give(back: count, of: holders)
  }

  fileprivate var isShared: Bool { shares != nil }
}

/// What the body of one request holds of a budget.
package struct UploadHold: Sendable {
  private let budget: UploadBudget
  private let tenant: Tenant?
  private let address: String
  /// What it holds.
  package private(set) var byteCount = 0
  /// Of ``byteCount``, those that count as their holders'.
  private var sharedCount = 0

  /// Nothing yet.
  ///
  /// - Parameters:
  ///   - tenant: Whose records the body brings; nil: nobody's that is known.
  ///   - address: Where it comes from.
  package init(of budget: UploadBudget, tenant: Tenant?, address: String) {
    self.budget = budget
    self.tenant = tenant
    self.address = address
  }

  private var holders: [ShareHolder] {
    (tenant.map { [.tenant($0)] } ?? []) + (address.isEmpty ? [] : [.address(address)])
  }

  /// Takes `count` bytes more; false, and nothing taken, when there are not so many left, or not for these
  /// holders.
  package mutating func take(_ count: Int) -> Bool {
    guard budget.isShared, !budget.isAmple else {
      guard budget.take(count) else { return false }
      byteCount += count
      return true
    }
    // What came while there was plenty counts as well.
    let amount = byteCount - sharedCount + count
    let holders = holders
    guard budget.takeShare(amount, for: holders) else { return false }
    guard budget.take(count) else {
      budget.giveShare(amount, of: holders)
      return false
    }
    byteCount += count
    sharedCount += amount
    return true
  }

  /// Gives all of it back.
  package mutating func giveBack() {
    budget.give(byteCount)
    if sharedCount > 0 { budget.giveShare(sharedCount, of: holders) }
    byteCount = 0
    sharedCount = 0
  }
}
