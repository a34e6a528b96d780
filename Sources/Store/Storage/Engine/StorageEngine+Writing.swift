import Blocks
import Journaling
import Platform
import Records
import Synchronization

extension StorageEngine {
  /// Writes the rows as a durable block file under its final name; no edit names it yet. nil if there is no
  /// row.
  ///
  /// - Throws: `.stopping` if `shouldStop` said so; no file is left.
  func writeBlock(
    _ rows: BlockInput, partition: Partition, deletionsApplied: UInt64, shouldStop: () -> Bool
  ) throws(StoreError) -> BlockFacts? {
    try prepareDirectory(of: partition)
    let id = takeBlockID()
    let path = layout.block(id, of: partition)
    let place = BlockPlace(
      id: id, partition: partition, directory: layout.partitionDirectory(partition), path: path,
      deletionsApplied: deletionsApplied, origin: origin())
    var isStopped = false
    do throws(StoreError) {
      let facts = try format.write(rows, to: place, on: fileSystem) {
        isStopped = isStopped || shouldStop()
        return isStopped
      }
      if facts == nil, isStopped { throw .stopping }
      return facts
    } catch {
      discard(place.temporaryPath)
      discard(path)
      throw error
    }
  }

  /// Commits an edit that names the new block `facts`, if any; removes the file again if the edit does not
  /// count.
  func commit(
    naming facts: BlockFacts?, _ make: (ManifestState) throws(StoreError) -> [ManifestChange]
  ) throws(StoreError) {
    do throws(StoreError) { try commit(make) } catch {
      // After a failed sync the edit may count: then the file must be there at the next start.
      if let facts, failure == nil { discard(layout.block(facts.id, of: facts.partition)) }
      throw error
    }
  }

  /// Removes a file that nothing names; what cannot be removed now is tried again later, or is an orphan at
  /// the next start.
  func discard(_ path: String) {
    trash.add(path)
    emptyTrash()
  }

  /// Makes the partition's directory with the tenant's name in it, all of it durable.
  private func prepareDirectory(of partition: Partition) throws(StoreError) {
    try withDisk { () throws(DiskError) in try home.check() }
    if directories.withLock({ $0.contains(partition) }) { return }
    do throws(DiskError) { try makeDirectory(of: partition) } catch {
      // A name whose sync failed stays without a durable copy for good: an unused directory is made anew.
      removeUnusedDirectory(of: partition)
      throw StoreError(error)
    }
    directories.withLock { _ = $0.insert(partition) }
  }

  private func removeUnusedDirectory(of partition: Partition) {
    do throws(DiskError) {
      let directory = layout.partitionDirectory(partition)
      guard try fileSystem.list(directory).isEmpty else { return }
      try fileSystem.removeDirectory(directory)
      let opening = StorageOpening(
        layout: layout, fileSystem: fileSystem, format: format, registry: options.journal.registry)
      try opening.removeUnusedTenant(layout.tenantDirectory(partition.tenant))
    } catch {
      // What made us come here is told. What cannot be removed now is an empty directory, which goes at the
      // next start.
      return
    }
  }

  private func makeDirectory(of partition: Partition) throws(DiskError) {
    let tenantDirectory = layout.tenantDirectory(partition.tenant)
    try fileSystem.createDirectory(layout.partitionDirectory(partition))
    let tenantFile = "\(tenantDirectory)/\(StorageLayout.tenantFile)"
    if try !fileSystem.exists(tenantFile) {
      let temporary = tenantFile + BlockPlace.temporarySuffix
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
}
