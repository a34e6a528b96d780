import Platform
import Records
import Synchronization

extension StorageEngine {
  /// Writes the rows of `rows` as a durable block file under its final name; no edit names it yet.
  func writeBlock(
    _ rows: any BlockRowSource, partition: Partition, deletionsApplied: UInt64
  ) throws(StoreError) -> BlockFacts {
    try prepareDirectory(of: partition)
    let id = takeBlockID()
    let path = layout.block(id, of: partition)
    let temporary = path + StorageLayout.temporarySuffix
    do throws(StoreError) {
      // Left over by an earlier life that gave the same id; the manifest does not name it.
      try withDisk { () throws(DiskError) in
        if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
      }
      let collector = FactsCollector(rows)
      let byteCount = try format.write(
        collector, id: id, partition: partition, deletionsApplied: deletionsApplied, to: temporary,
        on: fileSystem)
      try withDisk { () throws(DiskError) in
        try fileSystem.rename(temporary, to: path)
        try fileSystem.syncDirectory(layout.partitionDirectory(partition))
      }
      guard let bounds = collector.bounds else { preconditionFailure("a block has a row") }
      return BlockFacts(
        id: id, partition: partition, rowCount: collector.rowCount, byteCount: byteCount, bounds: bounds,
        ingested: collector.ingestedMin...collector.ingestedMax, deletionsApplied: deletionsApplied)
    } catch {
      discard(temporary)
      discard(path)
      throw error
    }
  }

  /// Commits an edit that names the new block `facts`, if any; removes the file again if the edit does not count.
  func commit(
    naming facts: BlockFacts?, _ make: (ManifestState) throws(StoreError) -> [ManifestChange]
  ) throws(StoreError) {
    do throws(StoreError) { try commit(make) } catch {
      // After a failed sync the edit may count: then the file must be there at the next start.
      if let facts, failure == nil { discard(layout.block(facts.id, of: facts.partition)) }
      throw error
    }
  }

  /// Removes a file that nothing names; what cannot be removed now is tried again later, or is an orphan at the next start.
  func discard(_ path: String) {
    trash.add(path)
    emptyTrash()
  }

  /// Makes the partition's directory with the tenant's name in it, all of it durable.
  private func prepareDirectory(of partition: Partition) throws(StoreError) {
    if directories.withLock({ $0.contains(partition) }) { return }
    let tenantDirectory = layout.tenantDirectory(partition.tenant)
    try withDisk { () throws(DiskError) in
      try fileSystem.createDirectory(layout.partitionDirectory(partition))
      let tenantFile = "\(tenantDirectory)/\(StorageLayout.tenantFile)"
      if try !fileSystem.exists(tenantFile) {
        let temporary = tenantFile + StorageLayout.temporarySuffix
        if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
        let file = try fileSystem.create(temporary)
        try file.write(Array("\(partition.tenant)\n".utf8).span, at: 0)
        try file.sync()
        try fileSystem.rename(temporary, to: tenantFile)
      }
      for directory in [tenantDirectory, layout.blocks, layout.directory] {
        try fileSystem.syncDirectory(directory)
      }
    }
    directories.withLock { _ = $0.insert(partition) }
  }
}
