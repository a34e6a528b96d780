import Codecs
import Foundation
import Records

/// The first bytes of a file, by which it is known that it is the one it was: a log only grows.
struct FileHead: Sendable, Hashable {
  static let bytesMax = 4096

  let byteCount: Int
  let hash: UInt64

  init(_ bytes: [UInt8]) {
    byteCount = bytes.count
    hash = Hash64.xxh64(bytes)
  }

  /// What the server keeps of it.
  var note: String { "\(byteCount)-\(String(hash, radix: 16))" }

  /// How many bytes a note is about; nil if it is none.
  static func byteCount(in note: String) -> Int? {
    note.split(separator: "-").first.flatMap { Int($0) }.flatMap { $0 <= bytesMax ? $0 : nil }
  }
}

/// An input of an import: a file, or standard input.
final class ImportSource {
  let name: String
  /// nil for standard input.
  let path: String?
  private let handle: FileHandle
  /// Bytes there are when the import begins; nil for standard input.
  let sizeBytes: Int?
  let device: UInt64
  let inode: UInt64

  /// Opens `path`; `-` is standard input.
  init(_ path: String) throws {
    if path == "-" {
      self.path = nil
      name = "standard input"
      handle = .standardInput
      sizeBytes = nil
      (device, inode) = (0, 0)
      return
    }
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard FileManager.default.fileExists(atPath: resolved) else { throw Failure("there is no file \(path)") }
    let attributes = try FileManager.default.attributesOfItem(atPath: resolved)
    guard attributes[.type] as? FileAttributeType != .typeDirectory else {
      throw Failure("\(path) is a folder; name the files in it")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw Failure("cannot read \(path)") }
    self.path = path
    self.handle = handle
    name = URL(fileURLWithPath: path).lastPathComponent
    sizeBytes = (attributes[.size] as? NSNumber)?.intValue ?? 0
    device = (attributes[.systemNumber] as? NSNumber)?.uint64Value ?? 0
    inode = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
  }

  deinit {
    // Nothing depends on how closing a file that was only read ends.
    if path != nil { try? handle.close() }
  }

  /// What the first `count` bytes are. The next read goes on behind them.
  func head(_ count: Int = FileHead.bytesMax) throws -> FileHead {
    try seek(to: 0)
    return FileHead(try read(count))
  }

  /// Whether `last`, the last piece that is stored of what was imported, is of this file as it is now.
  func has(_ last: ImportPart) throws -> Bool {
    guard let size = sizeBytes, last.range.upperBound <= Int64(size),
      let count = FileHead.byteCount(in: last.note)
    else { return false }
    let note = try head(count).note
    return last.note == note || last.note.hasPrefix(note + "-")
  }

  func seek(to offset: Int) throws {
    guard path != nil else { return }
    do { try handle.seek(toOffset: UInt64(offset)) } catch { throw Failure("cannot read \(name)") }
  }

  /// Up to `count` bytes; fewer only at the end.
  func read(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let data: Data?
      do { data = try handle.read(upToCount: count - bytes.count) } catch {
        throw Failure("cannot read \(name)")
      }
      guard let data, !data.isEmpty else { break }
      bytes += data
    }
    return bytes
  }
}
