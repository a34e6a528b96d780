import Codecs
import Platform
import Records
import Synchronization

/// One segment: its file and a mapping of all of it. The mapping stays valid while anything holds this
/// object, also after the file was removed.
final class SegmentFile: Sendable {
  static let headerBytes = 64
  static let magic: UInt64 = 0x4C4E_5255_4F4A_5743
  static let version: UInt8 = 1

  let number: UInt32
  let file: any File
  let mapping: Buffer
  private let fileMapping: (any FileMapping)?

  /// See `FileMapping`.
  var failedByte: Int? { fileMapping?.failedByte }
  var byteCount: Int { mapping.byteCount }
  var path: String { file.path }

  private init(number: UInt32, file: any File, mapping: Buffer) {
    self.number = number
    self.file = file
    self.mapping = mapping
    fileMapping = mapping.fileMapping
  }

  /// Throws if bytes of the file could not be read: what was seen there may have been zeros.
  func requireReadable() throws(JournalError) {
    guard let byte = failedByte else { return }
    throw .corrupt(file: path, offsetBytes: byte, reason: "the disk does not give this page")
  }

  /// See `FileMapping`.
  func letGo(_ range: Range<Int>) { fileMapping?.letGo(range) }

  static func name(_ number: UInt32) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".seg"
  }

  /// The number in a segment's file name; nil for other files.
  static func number(of name: String) -> UInt32? {
    guard name.hasSuffix(".seg"), let number = UInt32(name.dropLast(4)), self.name(number) == name else {
      return nil
    }
    return number
  }

  /// Whether a segment that is being made has such a name.
  static func isTemporary(_ name: String) -> Bool {
    name.hasSuffix(".tmp") && self.number(of: String(name.dropLast(4)) + ".seg") != nil
  }

  /// Makes a segment durable, empty and ready: zeros, header, sync, rename, directory sync. After an error a
  /// file of that number may be left; the next try replaces it.
  static func create(
    number: UInt32, byteCount: Int, directory: String, fileSystem: any FileSystem
  ) throws(DiskError) -> SegmentFile {
    let path = directory + "/" + name(number)
    let temporary = String(path.dropLast(4)) + ".tmp"
    if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
    let file = try fileSystem.create(temporary)
    do throws(DiskError) {
      try writeZeros(to: file, 0..<byteCount)
      try file.write(header(number: number, byteCount: byteCount).span, at: 0)
      try file.sync()
      try fileSystem.rename(temporary, to: path)
      try fileSystem.syncDirectory(directory)
      // Opened by its last name, so that errors name the file an operator finds.
      let opened = try fileSystem.open(path, writable: true)
      return SegmentFile(number: number, file: opened, mapping: try opened.map(0..<byteCount))
    } catch {
      // The room is given back. What cannot be removed now is replaced by the next try, which fails and says
      // so if it cannot, or removed at start.
      try? fileSystem.remove(temporary)
      throw error
    }
  }

  /// Opens an existing segment.
  static func open(
    number: UInt32, path: String, fileSystem: any FileSystem, writable: Bool
  ) throws(JournalError) -> SegmentFile {
    let segment: SegmentFile
    do throws(DiskError) {
      let file = try fileSystem.open(path, writable: writable)
      let size = try file.size()
      segment = SegmentFile(number: number, file: file, mapping: try file.map(0..<size))
    } catch { throw .disk(error) }
    let bytes = segment.mapping
    let expected = header(number: number, byteCount: bytes.byteCount)
    guard bytes.byteCount >= headerBytes, bytes.byteCount & 7 == 0 else {
      throw .corrupt(file: path, offsetBytes: 0, reason: "the segment's size is wrong")
    }
    let difference = bytes.withSpan(of: UInt8.self) { span in
      expected.indices.first { span[$0] != expected[$0] }
    }
    if let difference {
      if let later = laterVersion(bytes) { throw .laterVersion(file: path, version: later) }
      throw .corrupt(file: path, offsetBytes: difference, reason: "the segment's header is broken")
    }
    return segment
  }

  /// The version in a header that is whole, if it is later than ours.
  private static func laterVersion(_ bytes: Buffer) -> Int? {
    bytes.slice(0..<headerBytes).withSpan(of: UInt8.self) { span in
      let isWhole = CRC32C.checksum(span.extracting(0..<60)) == UInt32(span.littleEndian32(60))
      return isWhole && span[8] > version ? Int(span[8]) : nil
    }
  }

  /// Overwrites `range` with zeros.
  static func writeZeros(to file: any File, _ range: Range<Int>) throws(DiskError) {
    let piece = [UInt8](repeating: 0, count: min(range.count, 1 << 20))
    var at = range.lowerBound
    while at < range.upperBound {
      let count = min(piece.count, range.upperBound - at)
      try file.write(piece.span.extracting(0..<count), at: at)
      at += count
    }
  }

  private static func header(number: UInt32, byteCount: Int) -> [UInt8] {
    let buffer = WriteBuffer(capacity: headerBytes)
    buffer.append(magic)
    buffer.append(version)
    buffer.appendZeros(7)
    buffer.append(number)
    buffer.append(UInt32(0))
    buffer.append(UInt64(byteCount))
    buffer.appendZeros(28)
    buffer.append(buffer.withSpan(0..<60) { CRC32C.checksum($0) })
    return buffer.withSpan(0..<headerBytes) { $0.array(0..<headerBytes) }
  }
}

/// Where the next segment comes from: made when asked, or ahead of need on another thread.
protocol SegmentSource: AnyObject, Sendable {
  /// The directory that segments are made in, and in no other of its name.
  func stay(in home: KnownDirectory)
  /// The segment will be needed soon.
  func prepare(_ number: UInt32)
  /// The segment, of at least `byteCount` bytes. May block while it is being made.
  func take(_ number: UInt32, byteCount: Int) throws(DiskError) -> SegmentFile
}

/// Makes segments when they are asked for: the simulation's way.
final class InlineSegments: SegmentSource {
  private let directory: String
  private let fileSystem: any FileSystem
  private let segmentBytes: Int
  private let home = Mutex<KnownDirectory?>(nil)

  init(directory: String, fileSystem: any FileSystem, segmentBytes: Int) {
    self.directory = directory
    self.fileSystem = fileSystem
    self.segmentBytes = segmentBytes
  }

  func stay(in home: KnownDirectory) { self.home.withLock { $0 = home } }

  func prepare(_ number: UInt32) {}

  func take(_ number: UInt32, byteCount: Int) throws(DiskError) -> SegmentFile {
    try home.withLock { $0 }?.check()
    let size = max(segmentBytes, (byteCount + 4095) & ~4095)
    return try SegmentFile.create(
      number: number, byteCount: size, directory: directory, fileSystem: fileSystem)
  }
}
