import Codecs
import Journaling
import Platform
import Records

/// The log of edits (Docs/formats/manifest.md), open for appending. Not shared between threads.
///
/// After a failed sync, or a failed write that could not be undone, it is poisoned: nothing more is written,
/// and whether the edit counts shows at the next start.
package final class Manifest {
  static let name = "manifest"
  static let temporaryName = "manifest.new"
  /// Below it the file is never compacted.
  static let compactionBytesMin = 1 << 20

  /// What the edits so far add up to.
  package private(set) var state: ManifestState
  /// Why nothing more is written, once so.
  package private(set) var failure: StoreError?
  /// What the disk refused of the things that no edit depends on, until they succeed: to mark the last edit,
  /// to write the file anew.
  package var trouble: StoreError? { compactionFailure ?? markFailure ?? anchorFailure }
  private var markFailure: StoreError?
  private var compactionFailure: StoreError?
  private var anchorFailure: StoreError?
  private let directory: String
  private let fileSystem: any FileSystem
  private var file: any File
  /// Where the next frame goes; everything before it but a mark is durable.
  private var end: Int
  private var number: UInt64
  private let compactionBytesMin: Int
  /// The file's length after it was last written anew.
  private var summaryBytes = 0
  /// Whether this process has written the whole file.
  private var isRewritten = false
  /// Whether a power cut may bring back the file that this one replaced.
  private var hasUnsyncedName = false
  /// Which file the name leads to as long as nobody else replaces it.
  private var identity: FileIdentity?
  /// Is told how far the file reaches, and knows whether another process has opened the store since.
  private var anchor: Anchor?

  private init(
    directory: String, fileSystem: any FileSystem, file: any File, scan: ManifestScan,
    compactionBytesMin: Int
  ) {
    self.directory = directory
    self.fileSystem = fileSystem
    self.file = file
    self.compactionBytesMin = compactionBytesMin
    state = scan.state
    end = scan.end
    number = scan.number
  }

  /// Opens the manifest in `directory`, which exists, or makes an empty one if there is none and `isNew`.
  ///
  /// - Parameters:
  ///   - isNew: Whether nothing else in the directory needs a manifest; if false, a missing one is damage.
  ///   - registry: What codes in edits mean.
  ///   - compactionBytesMin: See ``compactionBytesMin``; smaller in tests.
  ///   - begin: Judges what the file says (nothing, if there is none) before anything is written, and gives
  ///     the store's anchor.
  /// - Throws: `.corrupt` with file and byte for damage (nothing was changed), else what the disk said.
  package static func open(
    directory: String, fileSystem: any FileSystem, isNew: () throws(StoreError) -> Bool,
    registry: Registry = .standard, compactionBytesMin: Int = compactionBytesMin,
    begin: (ManifestState) throws(StoreError) -> Anchor? = { (_) throws(StoreError) in nil }
  ) throws(StoreError) -> Manifest {
    let path = directory + "/" + name
    let exists = try withDisk { () throws(DiskError) in try fileSystem.exists(path) }
    var bytes = ManifestFrame.fileHeader
    if exists {
      bytes = try withDisk { () throws(DiskError) in
        let file = try fileSystem.open(path, writable: false)
        return try file.read(at: 0, count: try file.size())
      }
    } else if try !isNew() {
      throw .corrupt(file: path, offsetBytes: 0, reason: "the manifest is missing")
    }
    let scan = try ManifestScan(bytes, path: path, registry: registry)
    let anchor = try begin(scan.state)
    if !exists { try make(in: directory, fileSystem: fileSystem) }
    let file = try withDisk { () throws(DiskError) in try fileSystem.open(path, writable: true) }
    let manifest = Manifest(
      directory: directory, fileSystem: fileSystem, file: file, scan: scan,
      compactionBytesMin: compactionBytesMin)
    try manifest.take(anchor)
    if !manifest.isRewritten { try manifest.rewrite(bytes, scan) }
    return manifest
  }

  private static func make(in directory: String, fileSystem: any FileSystem) throws(StoreError) {
    try withDisk { () throws(DiskError) in
      _ = try replace(with: ManifestFrame.fileHeader, in: directory, fileSystem: fileSystem)
      try fileSystem.rename(directory + "/" + temporaryName, to: directory + "/" + name)
      try fileSystem.syncDirectory(directory)
    }
  }

  /// Makes the store this process's: writes the file anew with the next epoch, and says so in the anchor.
  private func take(_ anchor: Anchor?) throws(StoreError) {
    let before = state
    if let known = anchor?.state {
      state.store = known.store
      state.epoch = max(known.epoch, state.epoch) + 1
    }
    compact()
    summaryBytes = end
    if let failure { throw failure }
    let epoch = state.epoch
    if !isRewritten { state = before }
    let generation = state.generation
    try withDisk { () throws(DiskError) in
      identity = try fileSystem.identity(directory + "/" + Manifest.name)
      try anchor?.update(syncs: true) { ($0.epoch, $0.generation) = (epoch, generation) }
    }
    self.anchor = anchor
  }

  /// Without room for a new file: what is kept is written once more in place, so that the sync has something
  /// to do.
  private func rewrite(_ bytes: [UInt8], _ scan: ManifestScan) throws(StoreError) {
    try withDisk { () throws(DiskError) in
      try file.write(bytes.span.extracting(0..<scan.end), at: 0)
      try file.write(ManifestFrame.fileHeader.span, at: 0)
      try Manifest.zero(file, from: scan.end)
      try file.sync()
      try fileSystem.syncDirectory(directory)
    }
  }

  /// Makes the changes durable together, then counts them.
  ///
  /// - Throws: `.poisoned`: the edit may count after a restart. Anything else: nothing changed.
  package func append(_ changes: [ManifestChange]) throws(StoreError) {
    if let failure { throw failure }
    try requireOwnership()
    do throws(ManifestCodingError) { try state.check(changes) } catch {
      bug("an edit agrees with the state it is made for: \(error.reason)")
    }
    let frame = ManifestFrame.encode(ManifestCoding.encode(changes), place: end, number: number + 1)
    do throws(DiskError) { try file.write(frame.span, at: end) } catch { throw undo(after: error) }
    do throws(DiskError) { try file.sync() } catch {
      throw poison("the manifest could not be synced: \(StoreError(error))")
    }
    number += 1
    end += frame.count
    do throws(ManifestCodingError) { try state.apply(changes) } catch {
      bug("an edit that agreed with the state is applied: \(error.reason)")
    }
    writeMark()
    noteInAnchor()
    compactIfLong()
  }

  /// Throws unless the name still leads to the file that is open, and no process has opened the store since.
  /// A file that is just gone is written anew: what it said is known here alone.
  private func requireOwnership() throws(StoreError) {
    try requireDurableName()
    let (found, isOurs) = try withDisk { () throws(DiskError) in
      (try fileSystem.identity(directory + "/" + Manifest.name), try anchor?.isOurs() ?? true)
    }
    guard isOurs, found == nil || found == identity else {
      throw poison("another process has opened the store in \(directory) and writes its manifest")
    }
    if found != nil || identity == nil { return }
    compact()
    if let error = failure ?? compactionFailure { throw error }
  }

  /// Throws unless a restart will find this file and not the one it replaced.
  private func requireDurableName() throws(StoreError) {
    if !hasUnsyncedName { return }
    do throws(DiskError) { try syncName() } catch {
      throw poison("the manifest's name could not be synced: \(StoreError(error))")
    }
    if hasUnsyncedName {
      throw .exhausted("no descriptor is left to make the manifest's name durable in \(directory)")
    }
  }

  /// Lets the anchor know how far the file reaches. Not synced: nothing but safety depends on it.
  private func noteInAnchor() {
    let generation = state.generation
    do throws(DiskError) {
      try anchor?.update(syncs: false) { $0.generation = generation }
      anchorFailure = nil
    } catch { anchorFailure = StoreError(error) }
  }

  /// As after each edit, but durable: at a clean stop.
  package func seal() throws(StoreError) {
    if let failure { throw failure }
    let generation = state.generation
    try withDisk { () throws(DiskError) in
      try anchor?.update(syncs: true) { $0.generation = generation }
    }
  }

  /// Says behind the edit that it was synced. Lost or torn it is just not there, so errors do not count; but
  /// what a failed write left must not stand where the next edit goes, so that starts behind it.
  private func writeMark() {
    let mark = ManifestFrame.encode([], place: end, number: number)
    do throws(DiskError) { try file.write(mark.span, at: end) } catch {
      markFailure = StoreError(error)
      failure = poisonUnlessCleared()
      return
    }
    markFailure = nil
    end += mark.count
  }

  /// Overwrites what a failed write left behind the last edit; the error to give.
  private func undo(after error: DiskError) -> StoreError {
    if let poisoned = poisonUnlessCleared() { return poisoned }
    return StoreError(error)
  }

  private func poisonUnlessCleared() -> StoreError? {
    do throws(DiskError) {
      try Manifest.zero(file, from: end)
      try file.sync()
      return nil
    } catch { return poison("the manifest could not be written: \(StoreError(error))") }
  }

  private func poison(_ reason: String) -> StoreError {
    let error = StoreError.poisoned(reason)
    failure = error
    return error
  }

  /// Overwrites the bytes from `offset` to the file's end with zeros; does not grow the file.
  private static func zero(_ file: any File, from offset: Int) throws(DiskError) {
    let size = try file.size()
    if size <= offset { return }
    try file.write([UInt8](repeating: 0, count: size - offset).span, at: offset)
  }
}

// Compaction
extension Manifest {
  /// A file that says `state` in one edit.
  static func file(of state: ManifestState) -> [UInt8] {
    let payload = ManifestCoding.encode(state.summary())
    var bytes = ManifestFrame.fileHeader
    bytes += ManifestFrame.encode(payload, place: bytes.count, number: 1)
    // The mark that says the edit before it is durable is, here, synced with it: the name is only given
    // afterwards.
    bytes += ManifestFrame.encode([], place: bytes.count, number: 1)
    return bytes
  }

  private func compactIfLong() {
    guard failure == nil, end >= compactionBytesMin, end >= 4 * summaryBytes else { return }
    compact()
    summaryBytes = end
  }

  private func compact() {
    let bytes = Manifest.file(of: state)
    let temporary = directory + "/" + Manifest.temporaryName
    let new: any File
    do throws(DiskError) {
      new = try Manifest.replace(with: bytes, in: directory, fileSystem: fileSystem)
    } catch {
      // The long file is still good; it is tried again when that has grown on. What is left of the new one
      // goes then or at start.
      compactionFailure = StoreError(error)
      return
    }
    compactionFailure = nil
    do throws(DiskError) {
      try fileSystem.rename(temporary, to: directory + "/" + Manifest.name)
      hasUnsyncedName = true
      file = try reopened(new)
      try syncName()
      identity = try fileSystem.identity(directory + "/" + Manifest.name)
    } catch {
      // Which of the two files a restart will find is open, so neither may be written.
      failure = .poisoned("the manifest could not be replaced: \(StoreError(error))")
      return
    }
    end = bytes.count
    number = 1
    isRewritten = true
  }

  /// The new file by the name it has now, so that errors name the one an operator finds; without a
  /// descriptor left, as it is open already.
  private func reopened(_ new: any File) throws(DiskError) -> any File {
    do throws(DiskError) {
      return try fileSystem.open(directory + "/" + Manifest.name, writable: true)
    } catch {
      guard error.isExhaustion else { throw error }
      return new
    }
  }

  /// Makes the file's name durable. Without a descriptor for that it is done before the next edit.
  private func syncName() throws(DiskError) {
    do throws(DiskError) {
      try fileSystem.syncDirectory(directory)
      hasUnsyncedName = false
    } catch {
      guard error.isExhaustion, !error.isFailedSync else { throw error }
    }
  }

  /// Writes `manifest.new`, synced.
  private static func replace(
    with bytes: [UInt8], in directory: String, fileSystem: any FileSystem
  ) throws(DiskError) -> any File {
    let temporary = directory + "/" + temporaryName
    if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
    let file = try fileSystem.create(temporary)
    try file.write(bytes.span, at: 0)
    try file.sync()
    return file
  }
}
