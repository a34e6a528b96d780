import Blocks
import Codecs
import Journaling
import Platform
import Records

/// The folder that a backup is in, or a store that is being restored: writes files, reads them back, and
/// knows which directories have to be synced.
struct BackupFolder {
  let path: String
  let fileSystem: any FileSystem
  private var unsynced: Set<String> = []

  /// What is read and written at once.
  static let chunkBytes = 1 << 20

  init(_ path: String, on fileSystem: any FileSystem) {
    self.path = path
    self.fileSystem = fileSystem
  }

  func path(of name: String) -> String { "\(path)/\(name)" }

  /// Makes the folder of `name` and those above it.
  mutating func makeFolder(of name: String) throws(StoreError) {
    var folder = StorageOpening.parent(of: path(of: name)) ?? "/"
    try withDisk { () throws(DiskError) in try fileSystem.createDirectory(folder) }
    while folder.utf8.count >= path.utf8.count, !unsynced.contains(folder) {
      unsynced.insert(folder)
      folder = StorageOpening.parent(of: folder) ?? "/"
    }
    unsynced.insert(folder)
  }

  /// Writes a file of `byteCount` bytes, those behind the source's as zeros, and syncs it. A file of that
  /// name is replaced.
  ///
  /// - Parameter told: Called after each chunk with its bytes.
  mutating func write(
    _ name: String, from source: BackupSource, byteCount: Int, told: (Int) -> Void = { _ in }
  ) throws(StoreError) -> BackupCatalogue.Entry {
    try makeFolder(of: name)
    let path = path(of: name)
    return try withDisk { () throws(DiskError) in
      if try fileSystem.exists(path) { try fileSystem.remove(path) }
      return try fill(fileSystem.create(path), name, from: source, byteCount: byteCount, told: told)
    }
  }

  /// As ``write(_:from:byteCount:told:)``, into a file that is there and empty.
  func fill(
    _ file: any File, _ name: String, from source: BackupSource, byteCount: Int, told: (Int) -> Void
  ) throws(DiskError) -> BackupCatalogue.Entry {
    var checksum: UInt32 = 0
    var at = 0
    while at < source.byteCount {
      let count = min(BackupFolder.chunkBytes, source.byteCount - at)
      let bytes = try source.read(at..<at + count)
      checksum = CRC32C.checksum(bytes, seed: checksum)
      try file.write(bytes.span, at: at)
      at += count
      told(count)
    }
    if at < byteCount {
      // Only the last byte is written: what lies between takes no room where files may have holes.
      try file.write([0].span, at: byteCount - 1)
      let zeros = [UInt8](repeating: 0, count: min(BackupFolder.chunkBytes, byteCount - at))
      while at < byteCount {
        let count = min(zeros.count, byteCount - at)
        checksum = CRC32C.checksum(zeros.span.extracting(0..<count), seed: checksum)
        at += count
      }
    }
    try file.sync()
    return BackupCatalogue.Entry(name: name, byteCount: byteCount, checksum: checksum)
  }

  mutating func write(_ name: String, bytes: [UInt8]) throws(StoreError) -> BackupCatalogue.Entry {
    try write(name, from: BackupSource(bytes), byteCount: bytes.count)
  }

  func rename(_ name: String, to target: String) throws(StoreError) {
    try withDisk { () throws(DiskError) in
      try fileSystem.rename(path(of: name), to: path(of: target))
    }
  }

  /// Syncs all directories in which names were made or changed, those further down first.
  mutating func sync() throws(StoreError) {
    let order = unsynced.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    try withDisk { () throws(DiskError) in
      for directory in order { try fileSystem.syncDirectory(directory) }
    }
    unsynced = []
  }

  /// Size and checksum of a file, read from its start to its end.
  func measure(_ name: String, told: (Int) -> Void = { _ in }) throws(StoreError) -> BackupCatalogue.Entry {
    try withDisk { () throws(DiskError) in
      let source = try BackupSource(fileSystem.open(path(of: name), writable: false))
      var checksum: UInt32 = 0
      var at = 0
      while at < source.byteCount {
        let count = min(BackupFolder.chunkBytes, source.byteCount - at)
        checksum = CRC32C.checksum(try source.read(at..<at + count), seed: checksum)
        at += count
        told(count)
      }
      return BackupCatalogue.Entry(name: name, byteCount: source.byteCount, checksum: checksum)
    }
  }

  /// Throws `.corrupt` unless the file is there and as `entry`, under the name `name`.
  func require(
    _ entry: BackupCatalogue.Entry, as name: String, told: (Int) -> Void = { _ in }
  ) throws(StoreError) {
    let path = path(of: name)
    guard try withDisk({ () throws(DiskError) in try fileSystem.exists(path) }) else {
      throw .corrupt(file: path, offsetBytes: 0, reason: "the backup names it, but it is missing")
    }
    let found = try measure(name, told: told)
    guard found.byteCount == entry.byteCount else {
      throw .corrupt(
        file: path, offsetBytes: min(found.byteCount, entry.byteCount),
        reason: "\(found.byteCount) bytes where \(entry.byteCount) were written")
    }
    guard found.checksum == entry.checksum else {
      throw .corrupt(
        file: path, offsetBytes: 0, reason: "the checksum of the whole file is not that of what was written")
    }
  }

  /// Removes a file, or a folder with all that it holds; nothing if there is none.
  func removeAll(_ name: String) throws(DiskError) {
    let path = path(of: name)
    if try fileSystem.isDirectory(path) {
      for child in try fileSystem.list(path) { try removeAll("\(name)/\(child)") }
      try fileSystem.removeDirectory(path)
    } else if try fileSystem.exists(path) {
      try fileSystem.remove(path)
    }
  }

  /// Throws unless so many bytes can still be written.
  func requireRoom(_ bytes: Int) throws(StoreError) {
    let free = try withDisk { () throws(DiskError) in try fileSystem.freeBytes(at: path) }
    if free < bytes {
      throw .diskFull("no room in \(path): \(bytes) bytes are to be written, \(free) are free")
    }
  }
}

/// Bytes that are copied: a file's, a mapping's, or an array's.
struct BackupSource {
  let byteCount: Int
  private let bytes: (Range<Int>) throws(DiskError) -> [UInt8]

  init(_ file: any File) throws(DiskError) {
    byteCount = try file.size()
    bytes = { (range) throws(DiskError) in try file.read(at: range.lowerBound, count: range.count) }
  }

  init(_ part: JournalTail.Part) {
    byteCount = part.usedBytes
    bytes = { (range) throws(DiskError) in part.read(range) }
  }

  init(_ array: [UInt8]) {
    byteCount = array.count
    bytes = { (range) throws(DiskError) in Array(array[range]) }
  }

  func read(_ range: Range<Int>) throws(DiskError) -> [UInt8] { try bytes(range) }
}
