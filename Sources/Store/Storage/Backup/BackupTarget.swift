import Blocks
import Platform
import Records

/// The folder that backups of one store go into: whether it may, and what does not belong in it.
struct BackupTarget {
  let path: String
  let fileSystem: any FileSystem

  /// Says whose folder it is before there is a catalogue.
  static let marker = "CORDWOOD-BACKUP"
  private static let markerText =
    "A backup made by cordwood backup; backup.json says what belongs to it. Without that, nothing does yet.\n"
  private static let statePrefix = "state-"

  init(_ path: String, on fileSystem: any FileSystem) {
    self.path = path
    self.fileSystem = fileSystem
  }

  /// The folder of the next backup's own files.
  static func nextState(behind state: String?) -> String {
    let number = state.flatMap { Int($0.dropFirst(statePrefix.count)) } ?? 0
    return statePrefix + String(number + 1)
  }

  /// Throws `.invalid` if one of the two lies in the other, by whatever names.
  func requireApart(from directory: String) throws(StoreError) {
    for (inner, outer) in [(path, directory), (directory, path)]
    where try BackupTarget.folder(outer, holding: inner, fileSystem) != nil {
      throw .invalid("\(inner) lies in \(outer): choose a folder outside of it")
    }
  }

  /// The name above `inner`, or it itself, that leads to `outer`; nil: none does.
  private static func folder(
    _ outer: String, holding inner: String, _ fileSystem: any FileSystem
  ) throws(StoreError) -> String? {
    try withDisk({ () throws(DiskError) in
      guard let identity = try fileSystem.identity(outer) else { return nil }
      var folder: String? = inner
      while let next = folder {
        if try fileSystem.identity(next) == identity { return next }
        let above = StorageOpening.parent(of: next)
        folder = above == next ? nil : above
      }
      return nil
    })
  }

  /// The backup that is there; nil: none yet. Changes nothing.
  ///
  /// - Throws: `.invalid`: the folder is not empty and no backup, or one of another store or a later moment;
  ///   `.corrupt`: its catalogue is damaged.
  func previous(of state: ManifestState) throws(StoreError) -> BackupCatalogue? {
    let names = try withDisk { () throws(DiskError) in
      if try !fileSystem.exists(path) { return [String]() }
      guard try fileSystem.isDirectory(path) else {
        throw .failed(operation: .openDirectory, path: path, offsetBytes: 0, code: 20)
      }
      return try fileSystem.list(path)
    }
    guard names.contains(BackupCatalogue.fileName) else {
      let foreign = names.filter { $0 != "lost+found" && $0 != FileLock.name }
      guard foreign.isEmpty || foreign.contains(BackupTarget.marker) else {
        throw .invalid(
          "\(path) is not empty and no backup (\(foreign[0])): choose an empty or a new folder")
      }
      return nil
    }
    let catalogue = try BackupTarget.catalogue(in: path, fileSystem)
    if catalogue.store.contradicts(state.store) {
      throw .invalid("\(path) is a backup of another store: choose another folder")
    }
    if catalogue.generation > state.generation {
      throw .invalid(
        "\(path) is a backup of a later state of this store (edit \(catalogue.generation); the store has "
          + "\(state.generation)): choose another folder, so that it stays")
    }
    return catalogue
  }

  /// The catalogue of the backup in `path`.
  static func catalogue(in path: String, _ fileSystem: any FileSystem) throws(StoreError) -> BackupCatalogue {
    let name = "\(path)/\(BackupCatalogue.fileName)"
    let bytes = try withDisk { () throws(DiskError) in
      let file = try fileSystem.open(name, writable: false)
      return try file.read(at: 0, count: try file.size())
    }
    return try BackupCatalogue(bytes, path: name)
  }

  /// Makes the folder, durably, with the marker in it.
  func make() throws(StoreError) {
    var folder = BackupFolder(path, on: fileSystem)
    if try withDisk({ () throws(DiskError) in try fileSystem.exists(folder.path(of: BackupTarget.marker)) }) {
      return
    }
    try StorageOpening.makeDirectory(path, fileSystem)
    _ = try folder.write(BackupTarget.marker, bytes: Array(BackupTarget.markerText.utf8))
    try folder.sync()
  }

  /// Keeps other runs out of the folder.
  func lock() throws(StoreError) -> FileLock {
    do throws(FileLockError) { return try FileLock(directory: path) } catch {
      switch error {
      case .held(_, let process):
        let who = process.map { " (process \($0))" } ?? ""
        throw .invalid("\(path) is in use by a server, or another backup or restore\(who)")
      case .disk(let error): throw StoreError(error)
      }
    }
  }

  /// Removes files and folders of earlier runs that the catalogue does not name; how many files. What a
  /// backup has not made stays.
  func removeAllBut(_ catalogue: BackupCatalogue) throws(StoreError) -> Int {
    let named = Set(catalogue.files.map(\.name))
    return try withDisk { () throws(DiskError) in
      let folder = BackupFolder(path, on: fileSystem)
      var count = 0
      for name in try fileSystem.list(path)
      where name.hasPrefix(BackupTarget.statePrefix) && name != catalogue.state {
        try folder.removeAll(name)
      }
      guard try fileSystem.isDirectory(folder.path(of: "blocks")) else { return 0 }
      for tenant in try fileSystem.list(folder.path(of: "blocks")) {
        let tenantName = "blocks/\(tenant)"
        guard try fileSystem.isDirectory(folder.path(of: tenantName)) else { continue }
        for dataset in try fileSystem.list(folder.path(of: tenantName)) {
          count += try removeUnnamed(in: "\(tenantName)/\(dataset)", named, folder)
        }
      }
      return count
    }
  }

  private func removeUnnamed(
    in name: String, _ named: Set<String>, _ folder: BackupFolder
  ) throws(DiskError) -> Int {
    guard try fileSystem.isDirectory(folder.path(of: name)) else { return 0 }
    var count = 0
    for file in try fileSystem.list(folder.path(of: name)) where !named.contains("\(name)/\(file)") {
      let isOurs = file.hasSuffix(".parquet") || file.hasSuffix(".parquet" + BlockPlace.temporarySuffix)
      guard isOurs else { continue }
      try fileSystem.remove(folder.path(of: "\(name)/\(file)"))
      count += 1
    }
    return count
  }
}
