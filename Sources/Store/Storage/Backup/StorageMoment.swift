import Journaling
import Platform
import Records

/// One moment of a store that a server may have open: its manifest, and its journal as it was while the
/// manifest said that. Reads only; the journal's bytes stay readable as long as this lives.
struct StorageMoment {
  let state: ManifestState
  let tail: JournalTail

  private static let triesMax = 2_000
  private static let pauseNanosecondsMax: Int64 = 50_000_000

  /// The manifest is read, then the journal's end, and the manifest looked at again: if no edit came between,
  /// the two are of one moment. Else the same anew: it takes some milliseconds, edits are rarer.
  ///
  /// - Parameter pause: Waits so many nanoseconds, before the same is tried anew.
  init(
    directory: String, fileSystem: any FileSystem, registry: Registry, pause: (Int64) -> Void
  ) throws(StoreError) {
    let layout = StorageLayout(directory: directory)
    func newTail() throws(StoreError) -> JournalTail {
      do throws(JournalError) {
        return try JournalTail(directory: layout.journal, fileSystem: fileSystem, registry: registry)
      } catch { throw StoreError(error) }
    }
    var tail = try newTail()
    var damageCount = 0
    for attempt in 1...StorageMoment.triesMax {
      let look = try ManifestLook(layout.manifest, fileSystem)
      do throws(JournalError) { try tail.advance() } catch { throw StoreError(error) }
      if tail.isBehind {
        tail = try newTail()
        continue
      }
      if try look.isCurrent(fileSystem), let state = try look.state(registry, &damageCount) {
        (self.tail, self.state) = (tail, state)
        return
      }
      pause(min(Int64(attempt) * 1_000_000, StorageMoment.pauseNanosecondsMax))
    }
    throw .disk("the manifest in \(directory) changes faster than it can be read")
  }

  /// What the manifest alone says.
  static func manifest(
    directory: String, fileSystem: any FileSystem, registry: Registry
  ) throws(StoreError) -> ManifestState {
    let path = StorageLayout(directory: directory).manifest
    var damageCount = 0
    while true {
      if let state = try ManifestLook(path, fileSystem).state(registry, &damageCount) { return state }
    }
  }
}

/// The manifest's bytes as they were read, and whether they still are all there is.
private struct ManifestLook {
  let bytes: [UInt8]
  private let path: String
  private let identity: FileIdentity?
  /// Behind the last frame.
  private let end: Int

  init(_ path: String, _ fileSystem: any FileSystem) throws(StoreError) {
    self.path = path
    (identity, bytes) = try withDisk { () throws(DiskError) in
      let identity = try fileSystem.identity(path)
      let file = try fileSystem.open(path, writable: false)
      return (identity, try file.read(at: 0, count: try file.size()))
    }
    var end = ManifestFrame.fileHeaderBytes
    while let frame = ManifestFrame.parse(bytes, at: end) { end = frame.end }
    self.end = end
  }

  /// Whether the name leads to the same file, and no edit stands behind those that were read.
  func isCurrent(_ fileSystem: any FileSystem) throws(StoreError) -> Bool {
    try withDisk { () throws(DiskError) in
      guard try fileSystem.identity(path) == identity else { return false }
      let file = try fileSystem.open(path, writable: false)
      let size = try file.size()
      if size <= end { return true }
      let now = Array(bytes.prefix(end)) + (try file.read(at: end, count: size - end))
      var place = end
      while let frame = ManifestFrame.parse(now, at: place) {
        guard frame.payload.isEmpty else { return false }
        place = frame.end
      }
      return true
    }
  }

  /// What the edits add up to; nil: read again. A file that is written while it is read may lack bytes before
  /// some that are there, which looks like damage: what is seen so often in a row is.
  func state(_ registry: Registry, _ damageCount: inout Int) throws(StoreError) -> ManifestState? {
    do throws(StoreError) {
      return try ManifestScan(bytes, path: path, registry: registry).state
    } catch {
      damageCount += 1
      guard case .corrupt = error, damageCount < 4 else { throw error }
      return nil
    }
  }
}
