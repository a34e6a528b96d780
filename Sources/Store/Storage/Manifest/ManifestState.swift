import Blocks
import Records

/// What the edits so far add up to.
package struct ManifestState: Sendable, Hashable {
  /// One partition's part.
  package struct PartitionState: Sendable, Hashable {
    /// By smallest position; their position ranges are disjoint.
    package var blocks: [BlockFacts] = []
    /// Rows below it are in blocks, or deleted.
    package var archivedThrough: Int64 = 0
    /// By id; those that may still hide a row somewhere.
    package var deletions: [Deletion] = []
  }

  /// Those that ever had a row archived or deleted.
  package private(set) var partitions: [Partition: PartitionState] = [:]
  /// The least position that a tenant's next record may get.
  package private(set) var nextPositions: [Tenant: Int64] = [:]
  /// Above every id a block has had.
  package private(set) var nextBlockID: UInt64 = 1
  /// Above every id a deletion has had.
  package private(set) var nextDeletionID: UInt64 = 1
  /// The store's identity; none: not drawn yet.
  package internal(set) var store = StoreID.none
  /// How often the store was opened for writing.
  package internal(set) var epoch: UInt64 = 0
  /// How many edits there ever were.
  package private(set) var generation: UInt64 = 0
  /// The least position that records of a tenant get whom nobody knows yet.
  package private(set) var positionBase: Int64 = 0
  /// Where each live block and each unfinished deletion is.
  private var blockPartitions: [UInt64: Partition] = [:]
  private var deletionPartitions: [UInt64: Partition] = [:]

  /// The state before the first edit.
  package init() {}

  /// Makes all of `changes`, or throws why they contradict the state, of which then some are made. O(changes
  /// and what is known of their partitions), as long as nobody holds a copy of the state.
  mutating func apply(_ changes: [ManifestChange]) throws(ManifestCodingError) {
    generation &+= 1
    for change in changes {
      if let problem = apply(change) { throw ManifestCodingError(offsetBytes: 0, reason: problem) }
    }
  }

  /// Throws why the changes contradict the state. Costs as ``apply(_:)``.
  func check(_ changes: [ManifestChange]) throws(ManifestCodingError) {
    var part = ManifestState()
    part.nextBlockID = nextBlockID
    part.nextDeletionID = nextDeletionID
    part.store = store
    for partition in partitions(touchedBy: changes) {
      guard let state = partitions[partition] else { continue }
      part.partitions[partition] = state
      for block in state.blocks { part.blockPartitions[block.id] = partition }
      for deletion in state.deletions { part.deletionPartitions[deletion.id] = partition }
    }
    // Ids are unique over all partitions.
    for change in changes {
      switch change {
      case .blockAdded(let facts): part.blockPartitions[facts.id] = blockPartitions[facts.id]
      case .deletionAdded(let deletion):
        part.deletionPartitions[deletion.id] = deletionPartitions[deletion.id]
      case .blockRemoved, .archivedThrough, .deletionFinished, .nextPosition, .nextIDs, .deletionsApplied,
        .store, .epoch, .generation, .positionBase:
        continue
      }
    }
    try part.apply(changes)
  }

  /// The partitions whose part of the state the changes change.
  func partitions(touchedBy changes: [ManifestChange]) -> Set<Partition> {
    var touched: Set<Partition> = []
    for change in changes {
      switch change {
      case .blockAdded(let facts): touched.insert(facts.partition)
      case .blockRemoved(let id), .deletionsApplied(let id, _):
        if let partition = blockPartitions[id] { touched.insert(partition) }
      case .archivedThrough(let partition, _): touched.insert(partition)
      case .deletionAdded(let deletion): touched.insert(deletion.partition)
      case .deletionFinished(let id):
        if let partition = deletionPartitions[id] { touched.insert(partition) }
      case .nextPosition, .nextIDs, .store, .epoch, .generation, .positionBase: continue
      }
    }
    return touched
  }

  /// What to tell the journal when it is opened: the archived-through positions, and the floors of positions.
  package var archivedThrough: [Partition: Int64] { partitions.mapValues(\.archivedThrough) }

  /// What is known of a live block; nil: it is not live. O(blocks of its partition).
  package func facts(of block: UInt64) -> BlockFacts? {
    guard let partition = blockPartitions[block] else { return nil }
    return partitions[partition]?.blocks.first { $0.id == block }
  }

  /// All live blocks, in no order.
  package var blocks: [BlockFacts] { partitions.values.flatMap(\.blocks) }

  /// One edit that says everything.
  func summary() -> [ManifestChange] {
    var changes: [ManifestChange] = [.nextIDs(block: nextBlockID, deletion: nextDeletionID)]
    if store != .none { changes.append(.store(store)) }
    changes += [.epoch(epoch), .generation(generation), .positionBase(positionBase)]
    // Sorted, so that the same state makes the same bytes.
    for partition in partitions.keys.sorted(by: { $0.precedes($1) }) {
      let state = partitions[partition] ?? PartitionState()
      changes.append(.archivedThrough(partition, position: state.archivedThrough))
      changes += state.deletions.map { .deletionAdded($0) }
      changes += state.blocks.map { .blockAdded($0) }
    }
    for tenant in nextPositions.keys.sorted(by: { $0.description < $1.description }) {
      changes.append(.nextPosition(tenant, position: nextPositions[tenant] ?? 0))
    }
    return changes
  }

  /// The reason the change is impossible, or nil once it is applied.
  private mutating func apply(_ change: ManifestChange) -> String? {
    switch change {
    case .blockAdded(let facts): return add(facts)
    case .blockRemoved(let id):
      guard let partition = blockPartitions.removeValue(forKey: id) else {
        return "block \(id) is removed but not live"
      }
      partitions[partition]?.blocks.removeAll { $0.id == id }
    case .archivedThrough(let partition, let position):
      let before = partitions[partition]?.archivedThrough ?? 0
      guard position >= before else { return "archived through \(position) after \(before)" }
      partitions[partition, default: PartitionState()].archivedThrough = position
      raise(partition.tenant, to: position)
    case .deletionAdded(let deletion):
      guard deletionPartitions[deletion.id] == nil else { return "deletion \(deletion.id) is added twice" }
      deletionPartitions[deletion.id] = deletion.partition
      partitions[deletion.partition, default: PartitionState()].deletions.append(deletion)
      nextDeletionID = max(nextDeletionID, deletion.id &+ 1)
    case .deletionFinished(let id):
      guard let partition = deletionPartitions.removeValue(forKey: id) else {
        return "deletion \(id) is finished but not known"
      }
      partitions[partition]?.deletions.removeAll { $0.id == id }
    case .nextPosition(let tenant, let position): raise(tenant, to: position)
    case .nextIDs(let block, let deletion):
      nextBlockID = max(nextBlockID, block)
      nextDeletionID = max(nextDeletionID, deletion)
    case .store(let id):
      guard !store.contradicts(id) else { return "another store's identity" }
      store = id
    case .epoch(let count): epoch = max(epoch, count)
    case .generation(let count): generation = count
    case .positionBase(let position): positionBase = max(positionBase, position)
    case .deletionsApplied(let block, let through): return setDeletions(of: block, applied: through)
    }
    return nil
  }

  private mutating func add(_ facts: BlockFacts) -> String? {
    guard blockPartitions[facts.id] == nil else { return "block \(facts.id) is added twice" }
    var state = partitions[facts.partition] ?? PartitionState()
    let index = state.blocks.firstIndex { $0.bounds.positionMin > facts.bounds.positionMin }
    let place = index ?? state.blocks.count
    if place > 0, state.blocks[place - 1].positionEnd > facts.bounds.positionMin {
      return "block \(facts.id) overlaps block \(state.blocks[place - 1].id)"
    }
    if let index, state.blocks[index].bounds.positionMin < facts.positionEnd {
      return "block \(facts.id) overlaps block \(state.blocks[index].id)"
    }
    state.blocks.insert(facts, at: place)
    partitions[facts.partition] = state
    blockPartitions[facts.id] = facts.partition
    nextBlockID = max(nextBlockID, facts.id &+ 1)
    raise(facts.partition.tenant, to: facts.positionEnd)
    return nil
  }

  private mutating func setDeletions(of block: UInt64, applied: UInt64) -> String? {
    guard let partition = blockPartitions[block],
      let index = partitions[partition]?.blocks.firstIndex(where: { $0.id == block })
    else { return "deletions are applied to block \(block), which is not live" }
    let before = partitions[partition]?.blocks[index].deletionsApplied ?? 0
    partitions[partition]?.blocks[index].deletionsApplied = max(before, applied)
    return nil
  }

  private mutating func raise(_ tenant: Tenant, to position: Int64) {
    if position > nextPositions[tenant] ?? 0 { nextPositions[tenant] = position }
  }
}
