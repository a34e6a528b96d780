import Blocks
import Journaling
import Platform
import Records

/// What is done to the files before a store is used.
struct StorageOpening {
  let layout: StorageLayout
  let fileSystem: any FileSystem
  let format: any BlockFormat
  let registry: Registry

  /// Makes the data directory and the missing ones above it, durably.
  func makeDirectory() throws(StoreError) {
    try StorageOpening.makeDirectory(layout.directory, fileSystem)
  }

  /// Makes the directory and the missing ones above it, durably.
  static func makeDirectory(_ path: String, _ fileSystem: any FileSystem) throws(StoreError) {
    try withDisk { () throws(DiskError) in
      var made = [path]
      while let parent = StorageOpening.parent(of: made[made.count - 1]), try !fileSystem.exists(parent) {
        made.append(parent)
      }
      try fileSystem.createDirectory(path)
      for directory in made.reversed() {
        try fileSystem.syncDirectory(StorageOpening.parent(of: directory) ?? "/")
      }
    }
  }

  /// The directory that holds `path`; nil for the root.
  static func parent(of path: String) -> String? {
    let parts = path.split(separator: "/")
    if parts.isEmpty { return nil }
    let above = parts.dropLast().joined(separator: "/")
    if path.hasPrefix("/") { return "/" + above }
    return above.isEmpty ? "." : above
  }

  /// Whether the directory holds nothing that only a manifest can explain. Throws if it is half restored.
  func isNew() throws(StoreError) -> Bool {
    let marker = "\(layout.directory)/\(StorageRestore.marker)"
    if try withDisk({ () throws(DiskError) in try fileSystem.exists(marker) }) {
      throw .corrupt(file: marker, offsetBytes: 0, reason: "a restore was stopped here: run it again")
    }
    return try withDisk { () throws(DiskError) in
      if try !names(layout.journal).isEmpty { return false }
      for tenant in try names(layout.blocks) {
        for dataset in try names("\(layout.blocks)/\(tenant)") {
          if try !names("\(layout.blocks)/\(tenant)/\(dataset)").isEmpty { return false }
        }
      }
      return true
    }
  }

  /// Judges what the manifest says of the store, before anything is written, and opens the anchor.
  ///
  /// - Parameter entropy: Gives a store its identity that has none.
  /// - Throws: `.corrupt` if the manifest is older than what else there is, or of another store.
  func begin(
    _ state: ManifestState, _ reading: AnchorReading, _ entropy: any EntropySource
  ) throws(StoreError) -> (anchor: Anchor, survey: StorageSurvey) {
    try StorageOpening.require(state, fits: reading, manifest: layout.manifest)
    var survey = try StorageSurvey(
      state, layout: layout, fileSystem: fileSystem, format: format, registry: registry)
    if let problem = try survey.judgeUnnamed().first { throw problem }
    var reading = reading
    // A store that has an identity had an anchor before it.
    if state.store != .none { reading.expect() }
    let id = StoreID(high: entropy.randomUInt64() | 1, low: entropy.randomUInt64())
    let anchor = try withDisk { () throws(DiskError) in
      let anchor = try Anchor.open(
        reading, store: state.store == .none ? id : state.store, fileSystem: fileSystem)
      if anchor.state.store == .none {
        try anchor.update(syncs: true) { $0.store = state.store == .none ? id : state.store }
      }
      return anchor
    }
    return (anchor, survey)
  }

  /// Throws if anchor and manifest are not of one store, or the manifest does not reach as far.
  static func require(
    _ state: ManifestState, fits reading: AnchorReading, manifest: String
  ) throws(StoreError) {
    if state.store.contradicts(reading.state.store) {
      throw .corrupt(
        file: reading.path, offsetBytes: 0,
        reason: "it is of another store than the manifest: one of them was put here from elsewhere")
    }
    if reading.state.generation > state.generation {
      throw .corrupt(
        file: manifest, offsetBytes: 0,
        reason: "it ends with edit \(state.generation), and edit \(reading.state.generation) was durable: "
          + "it is an older one, or was cut. Put back the one that belongs to the store")
    }
  }

  /// Removes what an earlier life left, and moves away what the store did not write. What cannot be moved
  /// stays.
  func tidy(_ survey: StorageSurvey, _ reporter: StoreReporter) throws(StoreError) {
    for stray in survey.strays { setAside(stray, reporter) }
    try withDisk { () throws(DiskError) in
      for path in survey.leftovers { try fileSystem.remove(path) }
      for directory in survey.unused { try removeUnusedTenant(directory) }
    }
    if !survey.leftovers.isEmpty { reporter.tell(.orphansRemoved(count: survey.leftovers.count)) }
  }

  /// Moves a file or folder to `lost+found`, under the same path, or a longer name if that is taken, and
  /// tells it.
  private func setAside(_ path: String, _ reporter: StoreReporter) {
    do throws(DiskError) { reporter.tell(.setAside(file: path, target: try moveAside(path))) } catch {
      // It is in nobody's way, only in the wrong place.
      reporter.tell(.setAside(file: path, target: nil))
    }
  }

  /// Moves a file or folder to `lost+found`, durably; where it is then.
  func moveAside(_ path: String) throws(DiskError) -> String {
    let base = layout.lostAndFound + path.dropFirst(layout.directory.count)
    let target = try fileSystem.unusedName(base)
    let above = StorageOpening.parent(of: target) ?? "/"
    try fileSystem.createDirectory(above)
    try fileSystem.rename(path, to: target)
    // The file may be all that there is of some records: no folder above it may be lost.
    var directory: String? = above
    while let next = directory, next.count >= layout.directory.count {
      try fileSystem.syncDirectory(next)
      directory = StorageOpening.parent(of: next)
    }
    try fileSystem.syncDirectory(StorageOpening.parent(of: path) ?? "/")
    return target
  }

  private func removeUnused(_ directory: String) throws(DiskError) {
    guard try fileSystem.isDirectory(directory), try names(directory).isEmpty else { return }
    try fileSystem.removeDirectory(directory)
  }

  /// Removes a tenant's directory that holds nothing but the tenant's name.
  func removeUnusedTenant(_ directory: String) throws(DiskError) {
    let held = try names(directory)
    let ours = [StorageLayout.tenantFile, StorageLayout.tenantFile + BlockPlace.temporarySuffix]
    guard held.allSatisfy({ ours.contains($0) }) else { return }
    for name in held { try fileSystem.remove("\(directory)/\(name)") }
    try removeUnused(directory)
  }

  /// Names in a directory; none if it does not exist or is a file.
  private func names(_ directory: String) throws(DiskError) -> [String] {
    guard try fileSystem.isDirectory(directory) else { return [] }
    return try fileSystem.list(directory)
  }
}
