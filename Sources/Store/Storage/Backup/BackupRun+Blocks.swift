import Blocks
import Platform
import Records

// Blocks: never changed once they are named, but removed by the server while they are copied.
extension BackupRun {
  /// So many files may be held open, and so kept readable, when the moment is chosen.
  private static let openMax = 64
  private static let roundsMax = 100
  /// What is compared of the end of a block that the backup has already: its footer, with checksums.
  private static let tailBytes = 16 << 10

  /// Copies until all blocks of one moment are there.
  ///
  /// What takes long is copied first, from manifests that pass. When few are left, the moment is chosen and
  /// they are opened: open files stay readable, whatever becomes of their names.
  mutating func copyBlocks() throws(StoreError) -> StorageMoment {
    for _ in 1...BackupRun.roundsMax {
      let state = try StorageMoment.manifest(
        directory: request.directory, fileSystem: fileSystem, registry: request.registry)
      let missing = try missing(in: state)
      if missing.count <= BackupRun.openMax { break }
      for facts in missing { _ = try obtain(facts, from: try open(facts)) }
    }
    var gone: (path: String, generation: UInt64)?
    for _ in 1...BackupRun.roundsMax {
      let moment = try StorageMoment(
        directory: request.directory, fileSystem: fileSystem, registry: request.registry,
        pause: request.pause)
      var files: [(facts: BlockFacts, file: any File)] = []
      var lost: String?
      for facts in try missing(in: moment.state) {
        if let file = try open(facts) { files.append((facts, file)) } else { lost = path(of: facts) }
        // Before descriptors run out; what is copied now need not be in the next round.
        if files.count >= BackupRun.openMax { try take(&files) }
      }
      try take(&files)
      guard let lost else { return moment }
      if let gone, gone == (lost, moment.state.generation) {
        throw .corrupt(
          file: lost, offsetBytes: 0,
          reason: "the manifest names it, but it is missing. cordwood repair says what that loses")
      }
      gone = (lost, moment.state.generation)
    }
    throw .disk("blocks of \(request.directory) are replaced faster than they can be copied")
  }

  private mutating func take(_ files: inout [(facts: BlockFacts, file: any File)]) throws(StoreError) {
    for (facts, file) in files { _ = try obtain(facts, from: file) }
    files = []
  }

  /// Blocks of the state that are not there yet, oldest first; those that the backup before has are found to
  /// be there. Throws if there is no room for them.
  private mutating func missing(in state: ManifestState) throws(StoreError) -> [BlockFacts] {
    var missing: [BlockFacts] = []
    for facts in state.blocks.sorted(by: { $0.id < $1.id }) where blocks[facts.id] == nil {
      if let entry = try kept(facts) {
        blocks[facts.id] = entry
        report.keptFiles += 1
      } else {
        missing.append(facts)
      }
    }
    let bytes = missing.reduce(0) { $0 + $1.byteCount }
    done.bytesTotal = max(done.bytesTotal, done.bytesDone + bytes)
    try folder.requireRoom(bytes)
    return missing
  }

  private func path(of facts: BlockFacts) -> String { layout.block(facts.id, of: facts.partition) }

  private func name(of facts: BlockFacts) -> String {
    String(path(of: facts).dropFirst(request.directory.count + 1))
  }

  /// The store's file; nil: it is gone.
  private func open(_ facts: BlockFacts) throws(StoreError) -> (any File)? {
    do throws(DiskError) { return try fileSystem.open(path(of: facts), writable: false) } catch {
      if case .notFound = error { return nil }
      throw StoreError(error)
    }
  }

  /// What the backup before says of the block, if its file is that block's still.
  private mutating func kept(_ facts: BlockFacts) throws(StoreError) -> BackupCatalogue.Entry? {
    guard let entry = known[name(of: facts)], entry.byteCount == facts.byteCount else { return nil }
    let source = try open(facts)
    let isSame = try isSame(facts, as: source)
    if isSame, source == nil { report.rescued.append(path(of: facts)) }
    return isSame ? entry : nil
  }

  /// Whether the backup's file has the size and the end of the block's; of one that is gone, the size.
  private func isSame(_ facts: BlockFacts, as source: (any File)?) throws(StoreError) -> Bool {
    try withDisk { () throws(DiskError) in
      let path = folder.path(of: name(of: facts))
      guard try fileSystem.exists(path) else { return false }
      let copy = try fileSystem.open(path, writable: false)
      guard try copy.size() == facts.byteCount else { return false }
      guard let source else { return true }
      guard try source.size() == facts.byteCount else { return false }
      let count = min(facts.byteCount, BackupRun.tailBytes)
      let start = facts.byteCount - count
      return try copy.read(at: start, count: count) == source.read(at: start, count: count)
    }
  }

  /// Has the block in the backup, copied or found from a run that was stopped. Nothing if its file is gone.
  private mutating func obtain(_ facts: BlockFacts, from file: (any File)?) throws(StoreError) {
    guard blocks[facts.id] == nil, let file else { return }
    let name = name(of: facts)
    done.file = name
    if known[name] == nil, try isSame(facts, as: file), isSound(facts, at: folder.path(of: name)) {
      blocks[facts.id] = try folder.measure(name)
      report.keptFiles += 1
      return advance(facts.byteCount)
    }
    let source = try withDisk { () throws(DiskError) in try BackupSource(file) }
    guard source.byteCount == facts.byteCount else {
      throw .corrupt(
        file: path(of: facts), offsetBytes: min(source.byteCount, facts.byteCount),
        reason: "\(source.byteCount) bytes where \(facts.byteCount) were written")
    }
    let temporary = name + BlockPlace.temporarySuffix
    var entry = try copy(temporary, from: source, byteCount: facts.byteCount)
    if let problem = problems(facts, at: folder.path(of: temporary)).first {
      throw BackupRun.problem(problem, in: path(of: facts))
    }
    try folder.rename(temporary, to: name)
    entry.name = name
    blocks[facts.id] = entry
  }

  /// Copies a file and reads it back.
  mutating func copy(
    _ name: String, from source: BackupSource, byteCount: Int
  ) throws(StoreError) -> BackupCatalogue.Entry {
    var now = done
    let progress = progress
    let entry = try folder.write(name, from: source, byteCount: byteCount) { bytes in
      now.bytesDone += bytes
      progress(now)
    }
    try folder.require(entry, as: name)
    report.copiedFiles += 1
    report.copiedBytes += source.byteCount
    advance(source.byteCount)
    return entry
  }

  private func problems(_ facts: BlockFacts, at path: String) -> [StoreError] {
    BlockChecker.checksumProblems(of: facts, path: path, fileSystem: fileSystem).map(\.storeError)
  }

  private func isSound(_ facts: BlockFacts, at path: String) -> Bool { problems(facts, at: path).isEmpty }

  /// The copy is what was read: what is wrong with it is wrong with the store's file.
  private static func problem(_ error: StoreError, in path: String) -> StoreError {
    guard case .corrupt(_, let offset, let reason) = error else { return error }
    return .corrupt(
      file: path, offsetBytes: offset, reason: "\(reason). cordwood repair says what doing without it loses")
  }

  /// Reads back what was copied by earlier runs.
  mutating func verifyKept() throws(StoreError) {
    done.bytesTotal = done.bytesDone + report.catalogue.byteCount
    for entry in report.catalogue.files where known[entry.name] != nil {
      done.file = entry.name
      try folder.require(entry, as: entry.name)
      advance(entry.byteCount)
    }
  }
}
