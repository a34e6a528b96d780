import Blocks
import Journaling
import Platform
import Records

/// A live block that cannot be read: what doing without it would lose.
package struct StorageLoss: Sendable, Hashable {
  /// What the manifest says of the block.
  package var facts: BlockFacts
  /// Of its file.
  package var path: String
  /// Whether the file is there.
  package var exists: Bool
  /// What is wrong with it, for people.
  package var reason: String
}

/// Lets a data directory that no server has open do without its damaged blocks. Blocking.
package enum StorageRepair {
  /// The blocks that are damaged or missing, by id; reads all blocks, as ``StorageChecker`` does, and changes
  /// nothing.
  ///
  /// - Throws: `.corrupt`: the manifest itself is damaged.
  package static func losses(
    directory: String, registry: Registry, fileSystem: any FileSystem = LocalFileSystem()
  ) throws(StoreError) -> [StorageLoss] {
    let reader = try StorageReader(directory: directory, fileSystem: fileSystem, registry: registry)
    var losses: [StorageLoss] = []
    for facts in reader.scan.state.blocks.sorted(by: { $0.id < $1.id }) {
      let path = reader.layout.block(facts.id, of: facts.partition)
      guard
        let problem = BlockChecker.problems(of: facts, path: path, fileSystem: fileSystem).first(where: {
          if case .corrupt = $0 { true } else { false }
        }), case .corrupt(_, let offset, let reason) = problem
      else { continue }
      let exists = try withDisk { () throws(DiskError) in try fileSystem.exists(path) }
      losses.append(
        StorageLoss(facts: facts, path: path, exists: exists, reason: "byte \(offset): \(reason)"))
    }
    return losses
  }

  /// Moves the files to `lost+found`, under the same path or a longer name if that is taken, and takes the
  /// blocks out of the manifest, in that order: stopped in between, the blocks are missing and the next run
  /// goes on.
  ///
  /// - Throws: What the disk said; whatever was not done yet is as it was.
  package static func accept(
    _ losses: [StorageLoss], directory: String, registry: Registry,
    fileSystem: any FileSystem = LocalFileSystem()
  ) throws(StoreError) {
    if losses.isEmpty { return }
    let opening = StorageOpening(
      layout: StorageLayout(directory: directory), fileSystem: fileSystem, format: ParquetBlocks(),
      registry: registry)
    let reading: AnchorReading
    do throws(JournalError) {
      reading = try AnchorReading(directory: directory, fileSystem: fileSystem)
    } catch { throw StoreError(error) }
    let manifest = try Manifest.open(
      directory: directory, fileSystem: fileSystem, isNew: { () throws(StoreError) in false },
      registry: registry,
      begin: { (state) throws(StoreError) in try opening.begin(state, reading, SystemEntropy()).anchor })
    for loss in losses {
      try withDisk { () throws(DiskError) in
        if try fileSystem.exists(loss.path) { _ = try opening.moveAside(loss.path) }
      }
    }
    try manifest.append(losses.map { .blockRemoved(id: $0.facts.id) })
    try manifest.seal()
  }
}
