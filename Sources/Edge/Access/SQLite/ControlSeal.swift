import Codecs
import Platform
import Records

/// Checksums of a database that nobody has open, in a file beside it (`DATABASE.sum`; see
/// Docs/formats/control.md): SQLite keeps none of its pages. Written by the last who closes the database,
/// removed by the first who opens it. They hold for the file as it was left: one that was written to since,
/// by an earlier version or by hand, has another time.
package enum ControlSeal {
  private static let magic = Array("CWCTLSUM".utf8)
  private static let version: UInt32 = 1
  private static let pageBytes = 4096
  private static let headerBytes = 32
  private static let fileSystem = LocalFileSystem()
  /// Of a page's checksum, and of the file's own.
  private static let sumBytes = 4
  /// Pages that are read at once.
  private static let runPages = 256

  static func path(of database: String) -> String { database + ".sum" }

  /// Holds the database against its checksums, if there are some, no log is beside it, and nobody has written
  /// to it since. Reads all of it.
  ///
  /// - Returns: nil: it is as it was left, or nobody knows how that was.
  package static func finding(of database: String) throws(DiskError) -> FileFinding? {
    let path = path(of: database)
    guard try fileSystem.exists(path) else { return nil }
    guard try fileSystem.exists(database) else { return nil }
    guard try !hasLog(database) else { return nil }
    let kept = try fileSystem.open(path, writable: false)
    guard let sums = Sums(try kept.read(at: 0, count: try kept.size())) else {
      return FileFinding(
        file: path, offsetBytes: 0, reason: "the checksums of the control database are damaged",
        isDamage: false)
    }
    guard try fileSystem.modifiedAt(database) == sums.modifiedAt else { return nil }
    let file = try fileSystem.open(database, writable: false)
    let size = try file.size()
    let reason = "it is not as the last stop left it, though nobody has written to it since"
    var offset = 0
    var page = 0
    while offset < size {
      let run = try file.read(at: offset, count: min(size - offset, pageBytes * runPages))
      for start in stride(from: 0, to: run.count, by: pageBytes) {
        let bytes = run.span.extracting(start..<min(start + pageBytes, run.count))
        guard sums.isSum(of: page, CRC32C.checksum(bytes)) else {
          return FileFinding(file: database, offsetBytes: offset + start, reason: reason, isDamage: true)
        }
        page += 1
      }
      offset += run.count
    }
    if size == sums.size { return nil }
    return FileFinding(file: database, offsetBytes: size, reason: reason, isDamage: true)
  }

  /// Whether there is more of the database than its file says.
  private static func hasLog(_ database: String) throws(DiskError) -> Bool {
    let log = database + "-wal"
    guard try fileSystem.exists(log) else { return false }
    return try fileSystem.open(log, writable: false).size() > 0
  }

  /// Removes the checksums, for good: the database is about to change.
  static func remove(of database: String) throws(DiskError) {
    let path = path(of: database)
    guard try fileSystem.exists(path) else { return }
    try fileSystem.remove(path)
    try fileSystem.syncDirectory(PathName.directory(of: path))
  }

  /// Writes the checksums of the database, which nobody may have open.
  static func write(of database: String) throws(DiskError) {
    guard try !hasLog(database) else { return }
    guard let modifiedAt = try fileSystem.modifiedAt(database) else { return }
    let file = try fileSystem.open(database, writable: false)
    let size = try file.size()
    var bytes = magic
    bytes.append(littleEndian: version)
    bytes.append(littleEndian: UInt32(pageBytes))
    bytes.append(littleEndian: UInt64(size))
    bytes.append(littleEndian: UInt64(bitPattern: modifiedAt))
    for offset in stride(from: 0, to: size, by: pageBytes * runPages) {
      let run = try file.read(at: offset, count: min(size - offset, pageBytes * runPages))
      for start in stride(from: 0, to: run.count, by: pageBytes) {
        let page = run.span.extracting(start..<min(start + pageBytes, run.count))
        bytes.append(littleEndian: CRC32C.checksum(page))
      }
    }
    bytes.append(littleEndian: CRC32C.checksum(bytes))
    let path = path(of: database)
    try PrivateFile.write(bytes, to: path)
    try PrivateFile.give(path, toOwnerOf: database)
    try fileSystem.syncDirectory(PathName.directory(of: path))
  }

  /// The content of such a file.
  private struct Sums {
    private let bytes: [UInt8]
    /// Of the database.
    let size: Int
    /// Nanoseconds since 1970.
    let modifiedAt: Int64

    /// nil: damaged, or of a later version.
    init?(_ bytes: [UInt8]) {
      let end = bytes.count - sumBytes
      guard end >= headerBytes, Array(bytes.prefix(magic.count)) == magic,
        bytes.littleEndian(UInt32.self, at: 8) == version,
        bytes.littleEndian(UInt32.self, at: 12) == UInt32(pageBytes),
        bytes.littleEndian(UInt32.self, at: end) == CRC32C.checksum(bytes.span.extracting(..<end)),
        let size = Int(exactly: bytes.littleEndian(UInt64.self, at: 16)),
        (end - headerBytes) / sumBytes == size / pageBytes + (size % pageBytes == 0 ? 0 : 1)
      else { return nil }
      self.bytes = bytes
      self.size = size
      modifiedAt = Int64(bitPattern: bytes.littleEndian(UInt64.self, at: 24))
    }

    func isSum(of page: Int, _ sum: UInt32) -> Bool {
      let offset = headerBytes + page * sumBytes
      guard offset + sumBytes < bytes.count else { return false }
      return bytes.littleEndian(UInt32.self, at: offset) == sum
    }
  }
}
