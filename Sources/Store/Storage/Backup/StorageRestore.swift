import Journaling
import Platform
import Records

/// What is to be restored, and where to.
package struct RestoreRequest: Sendable {
  /// The folder of a backup.
  package var source: String
  /// The data directory to be: missing, empty, or left by a restore that was stopped.
  package var directory: String
  /// false on file systems that are not the machine's: those have no locks.
  package var locks = true
  /// Where both directories are.
  package var fileSystem: any FileSystem = LocalFileSystem()
  /// Makes an empty file that its owner alone may read, for what must not be everybody's.
  package var makePrivate: @Sendable (String) throws(DiskError) -> Void

  /// A restore of the backup in `source`; both paths absolute.
  package init(
    source: String, directory: String,
    makePrivate: @escaping @Sendable (String) throws(DiskError) -> Void = {
      (path) throws(DiskError) in try PrivateFile.makeIfMissing(path)
    }
  ) {
    self.source = source
    self.directory = directory
    self.makePrivate = makePrivate
  }
}

/// Makes a data directory of a backup (Docs/formats/backup.md). What is restored starts as a store of its
/// own: positions, edits and ids of blocks go on far behind those that the store had given.
package enum StorageRestore {
  /// Stands in a directory that is being restored.
  static let marker = "RESTORING"

  /// Verifies all of the backup, then copies it, and reads back what was written; blocking.
  ///
  /// - Parameter progress: Called after each piece.
  /// - Throws: `.corrupt`: that file of the backup is damaged or missing; nothing was made. `.invalid`: the
  ///   directory is not for restoring into; nothing was changed. What a restore that failed later has left no
  ///   server starts on; the next restore replaces it.
  package static func run(
    _ request: RestoreRequest, progress: @escaping (BackupProgress) -> Void = { _ in }
  ) throws(StoreError) -> BackupCatalogue {
    let fileSystem = request.fileSystem
    let source = BackupTarget(request.source, on: fileSystem)
    try source.requireApart(from: request.directory)
    let catalogue = try self.catalogue(in: request.source, fileSystem)
    var run = RestoreRun(request, catalogue, progress)
    let lock = request.locks ? try run.lockSource(source) : nil
    defer { withExtendedLifetime(lock) {} }
    try run.requireEmpty()
    try run.verify()
    try StorageOpening.makeDirectory(request.directory, fileSystem)
    // As a server would: none may start here meanwhile.
    let owner = request.locks ? try BackupTarget(request.directory, on: fileSystem).lock() : nil
    defer { withExtendedLifetime(owner) {} }
    try run.requireEmpty()
    try run.restore()
    return catalogue
  }

  /// Verifies a backup: that all files that it names are there and as they were written. Changes nothing.
  ///
  /// - Throws: `.corrupt` with the first that is not.
  package static func verify(
    source: String, fileSystem: any FileSystem = LocalFileSystem(),
    progress: @escaping (BackupProgress) -> Void = { _ in }
  ) throws(StoreError) -> BackupCatalogue {
    let catalogue = try catalogue(in: source, fileSystem)
    var request = RestoreRequest(source: source, directory: "")
    request.fileSystem = fileSystem
    var run = RestoreRun(request, catalogue, progress)
    run.done.bytesTotal = catalogue.byteCount
    try run.verify()
    return catalogue
  }

  private static func catalogue(
    in source: String, _ fileSystem: any FileSystem
  ) throws(StoreError) -> BackupCatalogue {
    let path = "\(source)/\(BackupCatalogue.fileName)"
    guard try withDisk({ () throws(DiskError) in try fileSystem.exists(path) }) else {
      throw .invalid("\(source) is no backup, or one that was never finished: it has no backup.json")
    }
    return try BackupTarget.catalogue(in: source, fileSystem)
  }
}

/// One restore under way.
private struct RestoreRun {
  private static let markerText =
    "cordwood restore is at work here, or was stopped. No server starts before it is done: run it again.\n"
  private static let manifest = Manifest.name

  let request: RestoreRequest
  let catalogue: BackupCatalogue
  let progress: (BackupProgress) -> Void
  let source: BackupFolder
  var target: BackupFolder
  var done = BackupProgress()

  private var fileSystem: any FileSystem { request.fileSystem }

  init(
    _ request: RestoreRequest, _ catalogue: BackupCatalogue, _ progress: @escaping (BackupProgress) -> Void
  ) {
    self.request = request
    self.catalogue = catalogue
    self.progress = progress
    source = BackupFolder(request.source, on: request.fileSystem)
    target = BackupFolder(request.directory, on: request.fileSystem)
    done.bytesTotal = catalogue.byteCount * 3
  }

  /// Keeps backups out of the folder meanwhile. On a medium that cannot be written none can be made.
  func lockSource(_ source: BackupTarget) throws(StoreError) -> FileLock? {
    do throws(StoreError) { return try source.lock() } catch {
      if case .invalid = error { throw error }
      return nil
    }
  }

  /// Throws `.invalid` unless the directory may be restored into.
  func requireEmpty() throws(StoreError) {
    let path = request.directory
    let names = try withDisk { () throws(DiskError) in
      if try !fileSystem.exists(path) { return [String]() }
      guard try fileSystem.isDirectory(path) else {
        throw .failed(operation: .openDirectory, path: path, offsetBytes: 0, code: 20)
      }
      return try fileSystem.list(path)
    }
    if names.contains(StorageRestore.marker), !names.contains(RestoreRun.manifest) { return }
    guard let name = names.first(where: { $0 != "lost+found" && $0 != FileLock.name }) else { return }
    throw .invalid(
      "\(path) is not empty (\(name)): restore into a new directory, and let nothing there be overwritten")
  }

  /// Compares all of the backup with the catalogue.
  mutating func verify() throws(StoreError) {
    for entry in catalogue.files { try require(entry, as: entry.name, in: source) }
  }

  private mutating func require(
    _ entry: BackupCatalogue.Entry, as name: String, in folder: BackupFolder
  ) throws(StoreError) {
    done.file = name
    var now = done
    try folder.require(entry, as: name) { bytes in
      now.bytesDone += bytes
      progress(now)
    }
    done.bytesDone += entry.byteCount
  }

  /// The manifest comes last: without it no server starts on what is there.
  mutating func restore() throws(StoreError) {
    try clear()
    try target.requireRoom(catalogue.byteCount)
    _ = try target.write(StorageRestore.marker, bytes: Array(RestoreRun.markerText.utf8))
    try target.sync()
    let last = catalogue.files.filter { name(of: $0) == RestoreRun.manifest }
    // First the anchor: it says that there was a manifest.
    let first = catalogue.files.filter { name(of: $0) == Anchor.name }
    guard last.count == 1, first.count == 1 else {
      throw .corrupt(
        file: source.path(of: BackupCatalogue.fileName), offsetBytes: 0,
        reason: "the backup has no manifest or no anchor")
    }
    let rest = catalogue.files.filter { !first.contains($0) && !last.contains($0) }
    for entry in first + rest { try copy(entry, as: name(of: entry)) }
    for entry in first + rest { try require(entry, as: name(of: entry), in: target) }
    try target.sync()
    try copy(last[0], as: Manifest.temporaryName)
    try require(last[0], as: Manifest.temporaryName, in: target)
    try target.rename(Manifest.temporaryName, to: RestoreRun.manifest)
    try target.sync()
    try withDisk { () throws(DiskError) in
      try target.removeAll(StorageRestore.marker)
      try fileSystem.syncDirectory(request.directory)
    }
  }

  /// Removes what a restore before has left.
  private func clear() throws(StoreError) {
    try withDisk { () throws(DiskError) in
      guard try fileSystem.exists(target.path(of: StorageRestore.marker)) else { return }
      for name in try fileSystem.list(request.directory)
      where name != StorageRestore.marker && name != "lost+found" && name != FileLock.name {
        try target.removeAll(name)
      }
    }
  }

  /// Where a file goes, below the data directory.
  private func name(of entry: BackupCatalogue.Entry) -> String {
    let prefix = catalogue.state + "/"
    return entry.name.hasPrefix(prefix) ? String(entry.name.dropFirst(prefix.count)) : entry.name
  }

  private mutating func copy(_ entry: BackupCatalogue.Entry, as name: String) throws(StoreError) {
    done.file = name
    try target.makeFolder(of: name)
    let path = target.path(of: name)
    var now = done
    let written = try withDisk { () throws(DiskError) in
      let input = try BackupSource(fileSystem.open(source.path(of: entry.name), writable: false))
      if name == BackupRun.controlName || name == DataFiles.secretsKey { try request.makePrivate(path) }
      let file =
        try fileSystem.exists(path)
        ? try fileSystem.open(path, writable: true) : try fileSystem.create(path)
      return try target.fill(file, name, from: input, byteCount: input.byteCount) { bytes in
        now.bytesDone += bytes
        progress(now)
      }
    }
    done.bytesDone += entry.byteCount
    guard written.byteCount == entry.byteCount, written.checksum == entry.checksum else {
      throw .corrupt(
        file: source.path(of: entry.name), offsetBytes: 0,
        reason: "it changed while it was copied, or the disk gives other bytes than before")
    }
  }
}
