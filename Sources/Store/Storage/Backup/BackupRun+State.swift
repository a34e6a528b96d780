import Blocks
import Journaling
import Platform
import Records

// What belongs to one backup alone: journal, manifest, anchor, control data.
extension BackupRun {
  /// A copy begins so many edits, and ids, behind the store it is of: nothing that the store wrote after the
  /// backup can be taken for something that the copy wrote.
  static let lead: UInt64 = 1 << 32
  static let controlName = "control.sqlite"
  /// Small files of the data directory that a backup has as they are, where they are there: the name by which
  /// importers know the store, and the key of sealed secrets.
  static let smallFiles = [DataFiles.identity, DataFiles.secretsKey]

  private func name(_ file: String) -> String { "\(state)/\(file)" }

  /// The files that tell people whose folder it is.
  mutating func copyTenantNames(_ moment: ManifestState) throws(StoreError) {
    let tenants = Set(moment.blocks.map(\.partition.tenant)).sorted { $0.description < $1.description }
    for tenant in tenants {
      let path = "\(layout.tenantDirectory(tenant))/\(StorageLayout.tenantFile)"
      let name = String(path.dropFirst(request.directory.count + 1))
      let text = Array("\(tenant)\n".utf8)
      let isThere = try withDisk { () throws(DiskError) in try fileSystem.exists(folder.path(of: name)) }
      if isThere, let entry = known[name], entry.byteCount == text.count {
        report.catalogue.files.append(entry)
      } else {
        report.catalogue.files.append(try folder.write(name, bytes: text))
      }
    }
  }

  mutating func copyState(_ moment: StorageMoment) throws(StoreError) {
    try folder.makeFolder(of: name(BackupRun.controlName))
    done.file = name(BackupRun.controlName)
    progress(done)
    // After the moment of the records: what they refer to is there.
    if try request.copyControl(folder.path(of: name(BackupRun.controlName))) {
      try withDisk { () throws(DiskError) in
        try fileSystem.open(folder.path(of: name(BackupRun.controlName)), writable: true).sync()
      }
      report.catalogue.files.append(try folder.measure(name(BackupRun.controlName)))
    }
    let parts = moment.tail.parts
    try folder.requireRoom(parts.reduce(0) { $0 + $1.usedBytes })
    for part in parts {
      done.file = name("journal/\(part.name)")
      let entry = try copy(done.file, from: BackupSource(part), byteCount: part.byteCount)
      do throws(JournalError) { try part.requireReadable() } catch { throw StoreError(error) }
      report.catalogue.files.append(entry)
    }
    let next = try BackupRun.restored(moment.state)
    try write("manifest", Manifest.file(of: next))
    try write(Anchor.name, AnchorState(restored: next, moment.tail).file)
    try copySmallFiles()
  }

  private mutating func write(_ file: String, _ bytes: [UInt8]) throws(StoreError) {
    report.catalogue.files.append(try folder.write(name(file), bytes: bytes))
  }

  private mutating func copySmallFiles() throws(StoreError) {
    for file in BackupRun.smallFiles {
      let path = request.directory + "/" + file
      let bytes = try withDisk { () throws(DiskError) -> [UInt8]? in
        guard try fileSystem.exists(path) else { return nil }
        let file = try fileSystem.open(path, writable: false)
        return try file.read(at: 0, count: try file.size())
      }
      if let bytes { try write(file, bytes) }
    }
  }

  /// The state that a restored store starts with.
  private static func restored(_ state: ManifestState) throws(StoreError) -> ManifestState {
    var next = state
    do throws(ManifestCodingError) {
      try next.apply([
        .generation(state.generation &+ lead),
        .nextIDs(block: state.nextBlockID &+ lead, deletion: state.nextDeletionID &+ lead),
      ])
    } catch { bug("raising numbers agrees with any state: \(error.reason)") }
    return next
  }

  /// Reads manifest, anchor and journal as a start would.
  func checkState(_ moment: StorageMoment) throws(StoreError) {
    let directory = folder.path(of: state)
    _ = try StorageReader(directory: directory, fileSystem: fileSystem, registry: request.registry)
    do throws(JournalError) {
      let reader = try JournalReader(
        directory: directory + "/journal", fileSystem: fileSystem, registry: request.registry
      ) { (_) throws(JournalError) in }
      if let damage = reader.findings.first(where: \.isDamage) {
        throw .corrupt(file: damage.file, offsetBytes: damage.offsetBytes, reason: damage.reason)
      }
    } catch { throw StoreError(error) }
  }
}

extension AnchorState {
  /// The anchor of a restored store: what was given behind its end by the store it is a copy of, nobody
  /// knows.
  fileprivate init(restored state: ManifestState, _ tail: JournalTail) {
    self.init()
    store = state.store
    epoch = state.epoch
    generation = state.generation
    allowance = AnchorState.unknownAllowance
    firstSegment = tail.firstSegment
    synced = tail.end
    sequence = tail.sequence
  }
}
