import Matching
import Platform
import Records

/// The rows a block is written of; those that the deletions hide are left out.
package enum BlockInput {
  /// Head rows, positions rising from part to part.
  case head([HeadPart], deletions: [PendingDeletion])
  /// The rows of other blocks of the partition, each with the deletions that are pending on it.
  case merged([(block: any BlockReading, deletions: [PendingDeletion])])
}

/// Where a block goes, and what it is.
package struct BlockPlace: Sendable {
  /// See ``BlockFacts/id``.
  package let id: UInt64
  /// Whose rows the block gets.
  package let partition: Partition
  /// The directory, which exists; path and temporary path lie in it.
  package let directory: String
  /// The file's last name.
  package let path: String
  /// What a file's name ends with until it is whole.
  package static let temporarySuffix = ".tmp"
  /// Its name until it is whole; a file of that name is replaced.
  package let temporaryPath: String
  /// No row is hidden by deletions up to this one.
  package let deletionsApplied: UInt64
  /// Whose block it is; nil: the store has no identity yet.
  package let origin: BlockOrigin?

  /// A place for one block.
  package init(
    id: UInt64, partition: Partition, directory: String, path: String, deletionsApplied: UInt64,
    origin: BlockOrigin? = nil
  ) {
    self.origin = origin
    self.id = id
    self.partition = partition
    self.directory = directory
    self.path = path
    temporaryPath = path + BlockPlace.temporarySuffix
    self.deletionsApplied = deletionsApplied
  }
}

/// Which store has written a block, and when.
package struct BlockOrigin: Sendable, Hashable {
  /// The store's identity.
  package let store: StoreID
  /// How many edits its manifest had when the block was begun: the edit that names the block came later.
  package let generation: UInt64

  /// Who, and when.
  package init(store: StoreID, generation: UInt64) {
    self.store = store
    self.generation = generation
  }
}

/// What a block's file says of itself, to somebody who does not know whose it is.
package struct BlockClaim: Sendable, Hashable {
  /// See ``BlockFacts/id``.
  package let id: UInt64
  /// nil: its realm or dataset is not known.
  package let partition: Partition?
  /// At least one.
  package let rowCount: Int
  /// Of the first and the last row.
  package let positions: ClosedRange<Int64>
  /// nil: written before blocks said so.
  package let origin: BlockOrigin?

  /// What was read.
  package init(
    id: UInt64, partition: Partition?, rowCount: Int, positions: ClosedRange<Int64>, origin: BlockOrigin?
  ) {
    self.id = id
    self.partition = partition
    self.rowCount = rowCount
    self.positions = positions
    self.origin = origin
  }
}

/// How blocks are written and read: Parquet in the server, something small in tests of what is above it.
package protocol BlockFormat: Sendable {
  /// Writes the block under its temporary path, syncs it, renames it and syncs the directory.
  ///
  /// - Parameter shouldStop: Asked now and then, may wait; true ends the writing.
  /// - Returns: nil, and no file, if there is no row or `shouldStop` said so.
  /// - Throws: What the disk or an input said. A file may be left under either name.
  func write(
    _ rows: BlockInput, to place: BlockPlace, on fileSystem: any FileSystem, shouldStop: () -> Bool
  ) throws(StoreError) -> BlockFacts?

  /// What the file at `path` says of itself; nil: it is no block that can be understood.
  ///
  /// - Throws: What the disk said, or `.laterVersion`.
  func claim(
    _ path: String, on fileSystem: any FileSystem, registry: Registry
  ) throws(StoreError) -> BlockClaim?

  /// Opens the block at `path`, which `facts` describe.
  ///
  /// - Throws: `.corrupt` if it is missing or not what was written, else what the disk said.
  func open(_ path: String, facts: BlockFacts, on fileSystem: any FileSystem)
    throws(StoreError) -> any BlockReading
}

/// An open block. Any number of threads may use it, also after its file was removed.
package protocol BlockReading: AnyObject, Sendable {
  /// Bytes it holds now beside the mapped file, about; grows as parts of it are first read. Nanoseconds.
  var memoryBytes: Int { get }
  /// From now on what is decoded for scans may be kept in `cache`, as long as `life` lasts, and taken from
  /// it. Called before anything else, on one thread.
  func keepPages(in cache: PageCache, while life: BlockLife)
  /// Whether an older version of the format has it than the one that is written now.
  func isOfOlderFormat() throws(StoreError) -> Bool
  /// The units that may hold rows which match `predicate` (the compiled `request.predicate`), its time and
  /// position bounds, and none of `deletions`.
  func units(_ request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion])
    throws(StoreError) -> [any ScanUnit]
  /// See ``PartitionSnapshot/members(start:end:)``.
  func members() throws(StoreError) -> Set<StoredMember>
  /// See ``GroupedCountAnswer``.
  func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> GroupedCountAnswer
  /// See ``TotalsAnswer``.
  func totals(_ request: TotalsRequest, predicate: CompiledPredicate, deletions: [PendingDeletion])
    throws(StoreError) -> TotalsAnswer
  /// See ``FrequentAnswer``.
  func frequentValues(
    _ request: FrequentRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> FrequentAnswer
}

extension BlockReading {
  /// None is known: for blocks without columns of members.
  package func members() throws(StoreError) -> Set<StoredMember> { [] }

  /// Nothing is known: for blocks without summaries.
  package func totals(
    _ request: TotalsRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> TotalsAnswer {
    TotalsAnswer(
      parts: [], remaining: try units(request.scan, predicate: predicate, deletions: deletions))
  }

  /// Nothing is known: for blocks without summaries.
  package func frequentValues(
    _ request: FrequentRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> FrequentAnswer {
    FrequentAnswer(
      parts: [], remaining: try units(request.scan, predicate: predicate, deletions: deletions))
  }
}

extension BlockReading {
  /// Keeps nothing.
  package func keepPages(in cache: PageCache, while life: BlockLife) {}
}

extension GroupedCountRequest {
  /// The scan whose rows, counted by the groups, answer it.
  package var scan: ScanRequest {
    var columns = groupBy.map { OutputColumn($0, type: .utf8) }
    if let bucketNanoseconds { columns.insert(.bucketTime(width: bucketNanoseconds), at: 0) }
    var scan = ScanRequest(
      columns: columns, predicate: predicate, start: start, end: end, positions: positions, order: .unordered)
    scan.damage = damage
    scan.cancellation = cancellation
    return scan
  }
}
