import Foundation

/// What a traced server wrote, synced and answered, in order. Read from the output of `strace -f -yy`.
struct SyscallTrace {
  /// An answer as its first byte left.
  struct Answer {
    /// Files and folders of the data directory that were written and not synced since.
    let unsynced: Set<String>
    /// Those that were synced since the answer before.
    let synced: Set<String>
  }

  /// By the request's id.
  private(set) var answers: [String: Answer] = [:]
  private let folder: String
  private var unsynced: Set<String> = []
  private var synced: Set<String> = []
  /// Calls that have begun and not returned, by thread: the file a sync is of.
  private var syncing: [Substring: String] = [:]

  static let calls =
    "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,ftruncate,fallocate,fsync,fdatasync,"
    + "rename,renameat,renameat2,open,openat,unlink,unlinkat,mkdir,mkdirat"

  /// What starts a program so that `file` has its trace.
  static func launcher(into file: String) -> [String] {
    ["strace", "-D", "-f", "-q", "-yy", "-s", "512", "--seccomp-bpf", "-e", "trace=" + calls, "-o", file]
  }

  /// Whether this machine lets processes be traced: some containers do not.
  static let isPossible: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = launcher(into: "/dev/null") + ["true"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// - Parameter folder: The data directory.
  init(_ text: String, folder: String) {
    self.folder = folder
    for line in text.split(separator: "\n") { read(line) }
  }

  private mutating func read(_ line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return }
    let (thread, call) = (parts[0], parts[1].drop { $0 == " " })
    if call.hasPrefix("<... fsync resumed>") || call.hasPrefix("<... fdatasync resumed>") {
      if let path = syncing.removeValue(forKey: thread), call.hasSuffix("= 0") { sync(path) }
      return
    }
    let name = call.prefix { $0 != "(" }
    switch name {
    case "fsync", "fdatasync":
      guard let path = path(in: call) else { return }
      if call.hasSuffix("<unfinished ...>") { syncing[thread] = path } else { sync(path) }
    case "rename", "renameat", "renameat2": rename(call)
    case "open", "openat":
      if call.contains("O_CREAT"), let path = quoted(call).first { changeFolder(of: path) }
    case "unlink", "unlinkat": for path in quoted(call) { unsynced.remove(path) }
    case "mkdir", "mkdirat": for path in quoted(call) { changeFolder(of: path) }
    default:
      if let path = path(in: call) { change(path) } else { answer(call) }
    }
  }

  /// The file of the data directory that a call's first argument is a descriptor of.
  private func path(in call: Substring) -> String? {
    guard let start = call.firstIndex(of: "<") else { return nil }
    let path = call[call.index(after: start)...].prefix { $0 != ">" }
    return path.hasPrefix(folder) ? String(path) : nil
  }

  private func quoted(_ call: Substring) -> [String] {
    call.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 && $0.element.hasPrefix(folder) }.map { String($0.element) }
  }

  /// SQLite's index of its log is made anew from the log; the lock holds nothing; the anchor is synced before
  /// what rests on it (`AnchorTests`) and else may lag behind; the archiver edits the manifest whenever it is
  /// its turn, and an operation whose own edit is not synced has synced nothing.
  private func isKept(_ path: String) -> Bool {
    path.hasPrefix(folder) && !["-shm", "/lock", "/anchor", "/manifest"].contains { path.hasSuffix($0) }
  }

  private mutating func change(_ path: String) { if isKept(path) { unsynced.insert(path) } }

  private mutating func changeFolder(of path: String) {
    let parent = (path as NSString).deletingLastPathComponent
    if isKept(path), parent.hasPrefix(folder) { unsynced.insert(parent) }
  }

  private mutating func rename(_ call: Substring) {
    let paths = quoted(call)
    guard paths.count == 2 else { return }
    if unsynced.remove(paths[0]) != nil { unsynced.insert(paths[1]) }
    unsynced.insert((paths[1] as NSString).deletingLastPathComponent)
  }

  private mutating func sync(_ path: String) {
    unsynced.remove(path)
    synced.insert(path)
  }

  /// The first bytes of an answer name its request.
  private mutating func answer(_ call: Substring) {
    guard call.contains("\"HTTP/1.1 "),
      let id = call.range(of: "X-Request-Id: [^\\\\]*", options: .regularExpression)
    else { return }
    answers[String(call[id].dropFirst("X-Request-Id: ".count))] = Answer(unsynced: unsynced, synced: synced)
    synced = []
  }
}
