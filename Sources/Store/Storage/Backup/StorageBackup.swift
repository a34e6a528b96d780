import Blocks
import Journaling
import Platform
import Records

/// What is to be copied, and where to.
package struct BackupRequest: Sendable {
  /// The data directory, whether a server has it open or not.
  package var directory: String
  /// The folder that the backup is in, or will be.
  package var target: String
  /// What codes on the disk mean.
  package var registry: Registry
  /// Noted in the catalogue: the program's version.
  package var program = ""
  /// Whether files that were copied before are read back too.
  package var verifiesAll = false
  /// false on file systems that are not the machine's: those have no locks.
  package var locks = true
  /// Where both directories are.
  package var fileSystem: any FileSystem = LocalFileSystem()
  /// Gives the time in the catalogue.
  package var clock: any WallClock = SystemClock()
  /// Copies the control data as they are now into a file of this path, which is not there; false: the store
  /// has none. Called when the records' moment is fixed, so that they are never older than it.
  package var copyControl: @Sendable (String) throws(StoreError) -> Bool = { (_) throws(StoreError) in false }

  /// Waits so many nanoseconds, when the store changed just then.
  package var pause: @Sendable (Int64) -> Void = { DiskThread.pause(nanoseconds: $0) }

  /// A backup of `directory` into `target`; both paths absolute.
  package init(directory: String, target: String, registry: Registry) {
    self.directory = directory
    self.target = target
    self.registry = registry
  }
}

/// What a backup is doing.
package struct BackupProgress: Sendable, Hashable {
  /// Below the backup's folder.
  package var file = ""
  /// Read and written so far.
  package var bytesDone = 0
  /// As far as is known yet.
  package var bytesTotal = 0
}

/// What a backup came to.
package struct BackupReport: Sendable {
  /// What the folder holds now.
  package var catalogue = BackupCatalogue()
  /// Copied by this run.
  package var copiedFiles = 0
  /// Bytes of these.
  package var copiedBytes = 0
  /// Files that the backup before had too.
  package var keptFiles = 0
  /// Files that no longer belonged to it.
  package var removedFiles = 0
  /// Blocks that are gone from the store though it needs them; the backup before had them.
  package var rescued: [String] = []
  /// Why what no longer belongs to it could not all be removed; the next run does.
  package var removalFailure: StoreError?

  /// Nothing yet.
  package init() {}
}

/// Copies a store, also one that a server has open, into a folder (Docs/formats/backup.md). Nothing of the
/// store is changed, and no lock of it is taken.
///
/// The folder's catalogue is replaced when all is there and synced, and only then goes what no longer belongs
/// to it: whatever stops a run, the backup before stays whole.
package enum StorageBackup {
  /// Blocking, for as long as reading and writing what is new takes.
  ///
  /// - Parameter progress: Called after each piece.
  /// - Throws: `.invalid`: the folder is none for a backup of this store; nothing was changed. `.corrupt`:
  ///   the store is damaged. Blocks that were copied stay for the next run; they belong to no backup.
  package static func run(
    _ request: BackupRequest, progress: @escaping (BackupProgress) -> Void = { _ in }
  ) throws(StoreError) -> BackupReport {
    let target = BackupTarget(request.target, on: request.fileSystem)
    try target.requireApart(from: request.directory)
    let state = try StorageMoment.manifest(
      directory: request.directory, fileSystem: request.fileSystem, registry: request.registry)
    let previous = try target.previous(of: state)
    try target.make()
    let lock = request.locks ? try target.lock() : nil
    defer { withExtendedLifetime(lock) {} }
    var run = BackupRun(request, target: target, previous: previous, progress: progress)
    do throws(StoreError) { return try run.run() } catch {
      run.discard()
      throw error
    }
  }
}

/// One run of a backup.
struct BackupRun {
  let request: BackupRequest
  let target: BackupTarget
  let previous: BackupCatalogue?
  let progress: (BackupProgress) -> Void
  var folder: BackupFolder
  var report = BackupReport()
  var done = BackupProgress()
  /// What the folder has of blocks, by id.
  var blocks: [UInt64: BackupCatalogue.Entry] = [:]
  /// Entries of the backup before, by name.
  let known: [String: BackupCatalogue.Entry]
  /// The folder of what belongs to this backup alone.
  let state: String
  /// Whether the catalogue may be this run's already.
  private var isNamed = false

  var fileSystem: any FileSystem { request.fileSystem }
  var layout: StorageLayout { StorageLayout(directory: request.directory) }

  init(
    _ request: BackupRequest, target: BackupTarget, previous: BackupCatalogue?,
    progress: @escaping (BackupProgress) -> Void
  ) {
    self.request = request
    self.target = target
    self.previous = previous
    self.progress = progress
    folder = BackupFolder(request.target, on: request.fileSystem)
    known = Dictionary(uniqueKeysWithValues: (previous?.files ?? []).map { ($0.name, $0) })
    state = BackupTarget.nextState(behind: previous?.state)
  }

  mutating func run() throws(StoreError) -> BackupReport {
    try withDisk { () throws(DiskError) in try folder.removeAll(state) }
    let moment = try copyBlocks()
    report.catalogue.madeAt = request.clock.now()
    report.catalogue.files = moment.state.blocks.compactMap { blocks[$0.id] }
    try copyTenantNames(moment.state)
    try copyState(moment)
    if request.verifiesAll { try verifyKept() }
    try checkState(moment)
    try folder.sync()
    try finish(moment)
    do throws(StoreError) { report.removedFiles = try target.removeAllBut(report.catalogue) } catch {
      report.removalFailure = error
    }
    return report
  }

  /// Removes what belongs to a run that failed alone; what cannot be removed is removed by the next.
  func discard() {
    if isNamed { return }
    do throws(DiskError) { try folder.removeAll(state) } catch { return }
  }

  /// Takes note of bytes that were copied or read back.
  mutating func advance(_ bytes: Int) {
    done.bytesDone += bytes
    done.bytesTotal = max(done.bytesTotal, done.bytesDone)
    progress(done)
  }

  /// The catalogue, at last: from here on the backup is this one.
  private mutating func finish(_ moment: StorageMoment) throws(StoreError) {
    report.catalogue.program = request.program
    report.catalogue.store = moment.state.store
    report.catalogue.epoch = moment.state.epoch
    report.catalogue.generation = moment.state.generation
    report.catalogue.journalEnd = moment.tail.end
    report.catalogue.state = state
    for (tenant, position) in moment.state.nextPositions {
      let next = max(position, moment.tail.nextPositions[tenant] ?? 0)
      report.catalogue.nextPositions[tenant.description] = next
    }
    for (tenant, position) in moment.tail.nextPositions where moment.state.nextPositions[tenant] == nil {
      report.catalogue.nextPositions[tenant.description] = position
    }
    report.catalogue.files.sort { $0.name < $1.name }
    let temporary = BackupCatalogue.fileName + ".new"
    _ = try folder.write(temporary, bytes: report.catalogue.text)
    isNamed = true
    try folder.rename(temporary, to: BackupCatalogue.fileName)
    try folder.sync()
  }
}
