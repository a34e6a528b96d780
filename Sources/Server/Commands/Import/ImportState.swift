import Codecs
import Foundation

/// What a file is recognised by, whatever its name: device, inode, and a hash of its first bytes.
struct FileIdentity: Sendable, Hashable {
  static let headBytesMax = 4096

  var device: UInt64
  var inode: UInt64
  /// How many first bytes ``headHash`` covers: a log only grows, so they stay.
  var headBytes: Int
  var headHash: UInt64
}

/// How far an import of one file into one store has come. Kept in a small file of its own, so that an
/// interrupted import goes on where it was.
struct ImportState: Sendable, Hashable {
  var identity: FileIdentity
  /// Everything before is stored.
  var offset: Int
  var lineCount: Int
  /// The range sent and perhaps not acknowledged: sent again with the same key and the same bytes.
  var pending: Range<Int>?
  /// Nanoseconds since 1970.
  var startedAt: Int64

  /// The state as JSON.
  var json: [UInt8] {
    var members: [JSONTree.Member] = [
      JSONTree.Member("version", .int64(1)),
      JSONTree.Member("device", .string(String(identity.device, radix: 16))),
      JSONTree.Member("inode", .string(String(identity.inode, radix: 16))),
      JSONTree.Member("head_bytes", .int64(Int64(identity.headBytes))),
      JSONTree.Member("head_hash", .string(String(identity.headHash, radix: 16))),
      JSONTree.Member("offset", .int64(Int64(offset))),
      JSONTree.Member("lines", .int64(Int64(lineCount))),
      JSONTree.Member("started_at", .int64(startedAt)),
    ]
    if let pending {
      members.append(
        JSONTree.Member(
          "pending", .array([.int64(Int64(pending.lowerBound)), .int64(Int64(pending.upperBound))])))
    }
    return Array(JSONTree.object(members).text.utf8) + [10]
  }

  init(identity: FileIdentity, startedAt: Int64) {
    self.identity = identity
    self.startedAt = startedAt
    offset = 0
    lineCount = 0
    pending = nil
  }

  /// Reads what ``json`` wrote; nil for anything else.
  init?(json text: [UInt8]) {
    guard let tree = try? JSONTree(parsing: text),  // a damaged state is as good as none
      tree["version"] == .int64(1),
      case .string(let device)? = tree["device"], let device = UInt64(device, radix: 16),
      case .string(let inode)? = tree["inode"], let inode = UInt64(inode, radix: 16),
      case .int64(let headBytes)? = tree["head_bytes"],
      case .string(let hash)? = tree["head_hash"], let hash = UInt64(hash, radix: 16),
      case .int64(let offset)? = tree["offset"], case .int64(let lines)? = tree["lines"], offset >= 0
    else { return nil }
    identity = FileIdentity(device: device, inode: inode, headBytes: Int(headBytes), headHash: hash)
    self.offset = Int(offset)
    lineCount = Int(lines)
    // States of earlier versions have none and need none: they are of no session.
    startedAt = if case .int64(let time)? = tree["started_at"] { time } else { 0 }
    if case .array(let ends)? = tree["pending"], ends.count == 2, case .int64(let start) = ends[0],
      case .int64(let end) = ends[1], start >= 0, start <= end
    {
      pending = Int(start)..<Int(end)
    }
  }
}

/// Where import states are kept.
struct ImportStateFile: Sendable {
  let path: String

  /// - Parameter target: Store, dataset, service and style: another target is another import of the same
  ///   file.
  init(directory: String, device: UInt64, inode: UInt64, target: String) {
    let name = Hash64.xxh64(Array("\(device)/\(inode)/\(target)".utf8))
    path = directory + "/" + String(name, radix: 16) + ".json"
  }

  /// `$XDG_STATE_HOME/cordwood/import`, else `~/.local/state/cordwood/import`.
  static func defaultDirectory(environment: [String: String]) -> String {
    if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") { return base + "/cordwood/import" }
    return (environment["HOME"] ?? ".") + "/.local/state/cordwood/import"
  }

  func load() -> ImportState? {
    // No file, or an unreadable one: the import begins at the beginning.
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
    return ImportState(json: [UInt8](data))
  }

  /// Replaces the file in one step.
  func save(_ state: ImportState) throws {
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(state.json).write(to: url, options: .atomic)
    } catch {
      throw Failure("cannot write the state file \(path), without which an import cannot be resumed")
    }
  }
}
