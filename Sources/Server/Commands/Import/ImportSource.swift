import Foundation

/// An input of an import: a file, or a pipe, of which standard input is one.
final class ImportSource {
  /// Which file a path stands for at some moment.
  struct State: Sendable, Hashable {
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var sizeBytes = 0
    /// Nanoseconds since 1970.
    var changedAt: Int64 = 0
  }

  /// A file that was not changed for so long is not being written.
  static let restSeconds: Int64 = 60

  let name: String
  /// nil for standard input.
  let path: String?
  /// Of a file; nil of a pipe.
  let content: ContentReader?
  /// When the file was opened.
  let opened: State
  private let handle: FileHandle

  /// Opens `path`; `-` is standard input.
  ///
  /// - Parameter readsLists: See ``ContentReader``.
  init(_ path: String, readsLists: Bool = true) throws {
    guard path != "-" else {
      (self.path, name, content, opened) = (nil, "standard input", nil, State())
      handle = .standardInput
      return
    }
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let isDevice = path.utf8.starts(with: "/dev/fd/".utf8) || path.utf8.starts(with: "/proc/".utf8)
    let seen = isDevice ? path : resolved
    guard FileManager.default.fileExists(atPath: seen) else { throw Failure("there is no file \(path)") }
    let attributes = try FileManager.default.attributesOfItem(atPath: seen)
    let type = attributes[.type] as? FileAttributeType
    guard type != .typeDirectory else { throw Failure("\(path) is a folder") }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw Failure("cannot read \(path)") }
    self.path = path
    self.handle = handle
    name = URL(fileURLWithPath: path).lastPathComponent
    opened = ImportSource.state(attributes)
    // What cannot be read twice is read as it comes.
    let isFile = type == .typeRegular && (try? handle.seek(toOffset: 0)) != nil
    content = isFile ? try ContentReader(handle, name: name, readsLists: readsLists) : nil
  }

  deinit {
    // Nothing depends on how closing a file that was only read ends.
    if path != nil { try? handle.close() }
  }

  var isPipe: Bool { content == nil }
  /// Of a pipe.
  var descriptor: Int32 { handle.fileDescriptor }

  /// Bytes of text when the file was opened; nil: that is not known before it was read.
  var textBytes: Int? {
    content.flatMap { $0.isPlain ? $0.textBytes(ofFile: opened.sizeBytes) : nil }
  }

  /// Whether somebody may still be writing its last line.
  func isFresh(now: Int64) -> Bool {
    content?.isCompressed == false && now - opened.changedAt < ImportSource.restSeconds * 1_000_000_000
  }

  /// What ``path`` stands for now; nil: nothing.
  func state() -> State? {
    guard let path else { return nil }
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    // Gone, as between the two steps of a rotation.
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: resolved) else { return nil }
    return ImportSource.state(attributes)
  }

  private static func state(_ attributes: [FileAttributeKey: Any]) -> State {
    let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    return State(
      device: (attributes[.systemNumber] as? NSNumber)?.uint64Value ?? 0,
      inode: (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0,
      sizeBytes: (attributes[.size] as? NSNumber)?.intValue ?? 0,
      changedAt: Int64(min(max(changed, 0), 9_000_000_000) * 1e9))
  }
}
