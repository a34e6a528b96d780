/// Figures of one partition.
package struct PartitionUsage: Sendable, Hashable {
  package var partition: Partition
  package var headRows: Int
  package var headBytes: Int
  package var blockRows: Int
  package var blockBytes: Int
  package var blockCount: Int
  package init(
    partition: Partition, headRows: Int, headBytes: Int, blockRows: Int, blockBytes: Int, blockCount: Int
  ) {
    self.partition = partition
    self.headRows = headRows
    self.headBytes = headBytes
    self.blockRows = blockRows
    self.blockBytes = blockBytes
    self.blockCount = blockCount
  }
}

/// What operators and other modules may ask of the store besides reading and writing.
package protocol StoreControl: Sendable {
  /// Archives what the head holds of the wanted tenants when called; returns when it is in blocks.
  func archive(_ isWanted: @escaping @Sendable (Tenant) -> Bool) async throws(StoreError)
  /// Hides the matching rows with positions below the snapshot's end at once and for good; returns how many.
  func delete(_ predicate: Predicate, from partition: Partition) async throws(StoreError) -> Int
  /// Removes blocks whose rows are all older (by `ingested_at`) than their dataset's retention age; returns
  /// rows removed.
  func retain() async throws(StoreError) -> Int
  /// Figures of every partition that has rows, in no order.
  func usage() async throws(StoreError) -> [PartitionUsage]
  /// nil while healthy; else why writes would be refused now, whatever the reason, without secrets. If that
  /// cannot be found out, why not. May wait for the disk.
  func writeFailure() async -> StoreError?
  /// Files whose rows no answer has, damaged or missing, as far as they were come upon, by name.
  func damagedFiles() async -> [DamagedFile]
}

extension StoreControl {
  /// Archives everything the head holds when called; returns when it is in blocks.
  package func archive() async throws(StoreError) { try await archive { _ in true } }
}
