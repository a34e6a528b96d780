import Blocks
import Journaling
import Platform
import Records

/// What lies in the store's folders, held against the manifest (Docs/formats/manifest.md, What lies beside).
/// Reads only: a start looks before it changes anything, and a check says what a start would do.
struct StorageSurvey {
  /// A block that no edit names.
  struct Unnamed {
    let path: String
    let claim: BlockClaim
    let partition: Partition
  }

  /// Written by this store, and of no use to it.
  private(set) var leftovers: [String] = []
  /// Not written by this store, or not to be told: files and folders.
  private(set) var strays: [String] = []
  /// Whole blocks of this store whose rows are not archived as the manifest has it.
  private(set) var unnamed: [Unnamed] = []
  /// Blocks that an edit names and that are not there.
  private(set) var missing: [String] = []
  /// Folders of partitions without a block, then those of tenants without one.
  private(set) var unused: [String] = []

  private let layout: StorageLayout
  private let fileSystem: any FileSystem
  private let format: any BlockFormat
  private let registry: Registry
  private let state: ManifestState
  private var named: Set<String> = []

  /// Looks at every name below `blocks` and in `journal`, and into blocks that no edit names.
  ///
  /// - Throws: What the disk said, or `.laterVersion`.
  init(
    _ state: ManifestState, layout: StorageLayout, fileSystem: any FileSystem, format: any BlockFormat,
    registry: Registry
  ) throws(StoreError) {
    self.state = state
    self.layout = layout
    self.fileSystem = fileSystem
    self.format = format
    self.registry = registry
    named = Set(state.blocks.map { layout.block($0.id, of: $0.partition) })
    for name in try names(layout.blocks) {
      let path = "\(layout.blocks)/\(name)"
      if StorageLayout.isTenantName(name, registry), try isDirectory(path) {
        try lookAtTenant(path)
      } else {
        strays.append(path)
      }
    }
    for name in try names(layout.journal) where !JournalReader.isOwn(name) {
      strays.append("\(layout.journal)/\(name)")
    }
    missing = named.sorted()
  }

  private mutating func lookAtTenant(_ directory: String) throws(StoreError) {
    let strayCount = strays.count
    var isUsed = false
    for name in try names(directory) {
      let path = "\(directory)/\(name)"
      if name == StorageLayout.tenantFile || name == StorageLayout.tenantFile + BlockPlace.temporarySuffix {
        continue
      }
      if registry.dataset(named: name) != nil, try isDirectory(path) {
        isUsed = try lookAtPartition(path) || isUsed
      } else {
        strays.append(path)
      }
    }
    if !isUsed, strays.count == strayCount { unused.append(directory) }
  }

  /// Whether a named block is there, or one to be judged.
  private mutating func lookAtPartition(_ directory: String) throws(StoreError) -> Bool {
    var isUsed = false
    for name in try names(directory) {
      let path = "\(directory)/\(name)"
      if named.remove(path) != nil {
        isUsed = true
      } else if StorageLayout.blockID(of: name[...]) != nil {
        isUsed = try judge(path) || isUsed
      } else if name.hasSuffix(BlockPlace.temporarySuffix),
        StorageLayout.blockID(of: name.dropLast(BlockPlace.temporarySuffix.count)) != nil
      {
        leftovers.append(path)
      } else {
        strays.append(path)
      }
    }
    if !isUsed { unused.append(directory) }
    return isUsed
  }

  /// Whether the block, which no edit names, has rows that may be nowhere else.
  private mutating func judge(_ path: String) throws(StoreError) -> Bool {
    guard let claim = try format.claim(path, on: fileSystem, registry: registry),
      let partition = claim.partition, layout.block(claim.id, of: partition) == path,
      !state.store.contradicts(claim.origin?.store ?? .none)
    else {
      strays.append(path)
      return false
    }
    let isLater = claim.origin.map { $0.generation > state.generation } ?? false
    if !isLater, claim.positions.upperBound < state.archivedThrough(of: partition) {
      leftovers.append(path)
      return false
    }
    unnamed.append(Unnamed(path: path, claim: claim, partition: partition))
    return true
  }

  private func names(_ directory: String) throws(StoreError) -> [String] {
    try withDisk { () throws(DiskError) in
      try fileSystem.isDirectory(directory) ? try fileSystem.list(directory) : []
    }
  }

  private func isDirectory(_ path: String) throws(StoreError) -> Bool {
    try withDisk { () throws(DiskError) in try fileSystem.isDirectory(path) }
  }
}

// Blocks whose rows the manifest does not know
extension StorageSurvey {
  /// Decides about blocks that no edit names by what the journal holds. Reads all of the journal, but only if
  /// there are such blocks.
  ///
  /// - Returns: `.corrupt` for each whose rows are nowhere else: the manifest is older than its blocks.
  mutating func judgeUnnamed() throws(StoreError) -> [StoreError] {
    if unnamed.isEmpty { return [] }
    let frames = try journalPositions(Set(unnamed.map(\.partition)))
    var problems: [StoreError] = []
    for block in unnamed {
      guard let reason = judge(block, frames[block.partition] ?? []) else { continue }
      problems.append(.corrupt(file: block.path, offsetBytes: 0, reason: reason))
    }
    unnamed = []
    return problems
  }

  /// The positions of the partitions' frames. Throws if the journal is damaged: it may hold more.
  private func journalPositions(
    _ partitions: Set<Partition>
  ) throws(StoreError) -> [Partition: [Range<Int64>]] {
    var frames: [Partition: [Range<Int64>]] = [:]
    do throws(JournalError) {
      let reader = try JournalReader(
        directory: layout.journal, fileSystem: fileSystem, registry: registry
      ) { (frame) throws(JournalError) in
        guard let partition = frame.partition, partitions.contains(partition) else { return }
        let first = frame.header.firstPosition
        frames[partition, default: []].append(first..<first + Int64(frame.header.rowCount))
      }
      if let damage = reader.findings.first(where: \.isDamage) {
        throw .corrupt(file: damage.file, offsetBytes: damage.offsetBytes, reason: damage.reason)
      }
    } catch .disk(.notFound) {
      // No journal: it holds nothing.
      return [:]
    } catch { throw StoreError(error) }
    return frames
  }

  /// Why the block says that the manifest is older than it; nil if it does not.
  private mutating func judge(_ block: Unnamed, _ frames: [Range<Int64>]) -> String? {
    if let generation = block.claim.origin?.generation, generation > state.generation {
      return "it was written after edit \(generation) of the manifest, which ends with edit "
        + "\(state.generation): the manifest is older than its blocks. Put back the one that belongs to them"
    }
    let (low, high) = (block.claim.positions.lowerBound, block.claim.positions.upperBound)
    let archived = state.archivedThrough(of: block.partition)
    func isHeld(_ position: Int64) -> Bool { frames.contains { $0.contains(position) } }
    guard isHeld(high), low < archived || isHeld(low) else {
      return "its rows, positions \(low) to \(high), are not in the manifest (which knows those below "
        + "\(archived)) nor in the journal: the manifest is older than its blocks, or was cut. "
        + "Put back the one that belongs to them"
    }
    // Partly archived, partly in the journal: nothing of it is missed, but not surely so.
    if low < archived { strays.append(block.path) } else { leftovers.append(block.path) }
    return nil
  }
}

extension ManifestState {
  /// Rows of the partition below it are in blocks, or deleted.
  func archivedThrough(of partition: Partition) -> Int64 { partitions[partition]?.archivedThrough ?? 0 }
}
