import Codecs
import Platform
import Records
import Synchronization

/// A disk that a seed repeats. Everything a power cut may take is taken as the generator says: written
/// sectors that were not synced survive in any subset, creations, renames and removals not synced with their
/// directory likewise.
///
/// A file's memory is reserved once (``fileBytesMax``), so mappings show later writes and outlive the file.
package final class SimulatedDisk: FileSystem {
  /// What can be made to fail, and what the log names.
  package enum Operation: String, Sendable, Hashable, CaseIterable {
    case createDirectory, list, exists, isDirectory, create, open, rename, remove, removeDirectory,
      syncDirectory
    case freeBytes, size, write, read, sync, map

    /// What errors call it.
    var asked: DiskOperation {
      switch self {
      case .createDirectory: .createDirectory
      case .list: .list
      case .exists, .isDirectory: .look
      case .create: .create
      case .open: .open
      case .rename: .rename
      case .remove: .remove
      case .removeDirectory: .removeDirectory
      case .syncDirectory: .syncDirectory
      case .freeBytes, .size: .measure
      case .write: .write
      case .read: .read
      case .sync: .sync
      case .map: .map
      }
    }
  }

  /// How an operation fails.
  package enum Fault: Sendable, Hashable {
    /// With EIO, doing nothing. A file's sync that fails also forgets: what it should have kept is kept or
    /// dropped by chance, counts as clean, and reads still show it until the power cut. A directory's sync
    /// that fails keeps some of the changes; the others wait for the next sync, as with file systems that
    /// keep a journal of their own.
    case error
    /// With ENOSPC; a write has written some of its bytes before.
    case full
    /// With EMFILE, doing nothing; of a directory's sync its opening.
    case exhausted
    /// A write: with EIO after some of its bytes.
    case short
  }

  /// The largest a file may grow (trap beyond). Reserved address space, not memory.
  package static let fileBytesMax = 64 << 20

  let state: Mutex<SimulatedDiskState>

  /// An empty disk whose files may hold `quotaBytes` together.
  package init(seed: UInt64, quotaBytes: Int = 1 << 40, logs: Bool = false) {
    state = Mutex(SimulatedDiskState(seed: seed, quotaBytes: quotaBytes, logs: logs))
  }

  private init(_ next: SimulatedDiskState) { state = Mutex(next) }

  /// Fails the `count`-th operation of `kind` from now (1: the next) whose path ends with `suffix`, once.
  package func fail(
    _ kind: Operation, after count: Int = 1, pathSuffix suffix: String = "", with fault: Fault = .error
  ) {
    state.withLock {
      $0.traps.append(.init(kind: kind, left: count, pathSuffix: suffix, fault: fault))
    }
  }

  /// Fails each operation of `kind` with the chance 1 : `oneIn`; 0 ends it.
  package func failRandomly(_ kind: Operation, oneIn: Int, with fault: Fault = .error) {
    state.withLock { $0.chances[kind] = oneIn > 0 ? (oneIn, fault) : nil }
  }

  /// Forgets every fault asked for.
  package func failNothing() {
    state.withLock {
      $0.traps = []
      $0.chances = [:]
    }
  }

  /// Changes how many bytes files may hold together.
  package func setQuota(_ bytes: Int) { state.withLock { $0.quotaBytes = bytes } }

  /// The disk as found after a power cut. This one answers every later call with EIO.
  package func crash() -> SimulatedDisk { SimulatedDisk(state.withLock { $0.afterPowerCut() }) }

  /// The disk as found after the process was killed: nothing is lost, nothing becomes durable. This one
  /// answers every later call with EIO.
  package func kill() -> SimulatedDisk {
    SimulatedDisk(
      state.withLock { old in
        var next = old
        next.traps = []
        next.chances = [:]
        // The files move on to the next disk; handles of this one are refused from now on.
        old.isDead = true
        return next
      })
  }

  /// Flips one bit of the file, in the cache and on the platter.
  package func rot(_ path: String, offset: Int, bit: Int) {
    state.withLock { state in
      guard let inode = state.names[normalized(path)]?.inode, offset < inode.size else { return }
      let flip = UInt8(1) << UInt8(bit & 7)
      inode.memory.write([inode.memory.read(offset..<offset + 1)[0] ^ flip].span, at: offset)
      if offset < inode.durable.count { inode.durable[offset] ^= flip }
    }
  }

  /// Paths of all files, sorted.
  package func files() -> [String] {
    state.withLock { state in state.names.filter { $0.value.inode != nil }.map(\.key).sorted() }
  }

  /// The file's bytes as reads see them; empty if it does not exist.
  package func contents(_ path: String) -> [UInt8] {
    state.withLock { state in
      guard let inode = state.names[normalized(path)]?.inode else { return [] }
      return inode.memory.read(0..<inode.size)
    }
  }

  /// The operations so far, one text each (`write a/b 0+512`), if the disk was made with `logs`.
  package func log() -> [String] { state.withLock { $0.log } }

  /// How many operations were asked for so far.
  package func operationCount() -> Int { state.withLock { $0.operations } }

  package func createDirectory(_ path: String) throws(DiskError) {
    try access(.createDirectory, path) { state, path throws(DiskError) in
      var made = ""
      for part in path.split(separator: "/") {
        made = made.isEmpty ? String(part) : "\(made)/\(part)"
        switch state.names[made] {
        case .directory: continue
        case .file: throw .failed(operation: .createDirectory, path: path, offsetBytes: 0, code: 17)
        case nil: state.change([(made, .directory)])
        }
      }
    }
  }

  package func list(_ path: String) throws(DiskError) -> [String] {
    try access(.list, path) { state, path throws(DiskError) in
      try state.requireDirectory(path, .list)
      return state.children(of: path).sorted()
    }
  }

  package func exists(_ path: String) throws(DiskError) -> Bool {
    try access(.exists, path) { state, path in path.isEmpty || state.names[path] != nil }
  }

  package func isDirectory(_ path: String) throws(DiskError) -> Bool {
    try access(.isDirectory, path) { state, path in
      if case .directory = state.names[path] { true } else { path.isEmpty }
    }
  }

  /// Files are told apart; a directory is known by its name alone.
  package func identity(_ path: String) throws(DiskError) -> FileIdentity? {
    try access(.exists, path) { state, path in
      switch state.names[path] {
      case .file(let inode):
        FileIdentity(device: 1, inode: UInt64(UInt(bitPattern: ObjectIdentifier(inode))))
      case .directory: FileIdentity(device: 2, inode: Hash64.xxh64(Array(path.utf8)))
      case nil: path.isEmpty ? FileIdentity(device: 2, inode: 0) : nil
      }
    }
  }

  package func create(_ path: String) throws(DiskError) -> any File {
    try access(.create, path) { state, path throws(DiskError) in
      if state.names[path] != nil {
        throw .failed(operation: .create, path: path, offsetBytes: 0, code: 17)
      }
      try state.requireDirectory(parent(of: path), .create)
      let inode = Inode()
      state.change([(path, .file(inode))])
      return SimulatedFile(disk: self, inode: inode, path: path, isWritable: true)
    }
  }

  package func open(_ path: String, writable: Bool) throws(DiskError) -> any File {
    try access(.open, path) { state, path throws(DiskError) in
      switch state.names[path] {
      case .file(let inode):
        return SimulatedFile(disk: self, inode: inode, path: path, isWritable: writable)
      case .directory: throw .failed(operation: .open, path: path, offsetBytes: 0, code: 21)
      case nil: throw .notFound(path: path)
      }
    }
  }

  package func rename(_ source: String, to target: String) throws(DiskError) {
    let target = normalized(target)
    try access(.rename, source) { state, source throws(DiskError) in
      guard let node = state.names[source] else { throw .notFound(path: source) }
      let isTaken = state.names[target].map { $0.inode == nil || node.inode == nil } ?? false
      if isTaken { throw .failed(operation: .rename, path: source, offsetBytes: 0, code: 21) }
      guard state.isDirectory(parent(of: target)) else { throw .notFound(path: source) }
      if source == target { return }
      // With a directory goes what it holds, all of it in one change.
      let held = state.names.filter { $0.key.hasPrefix(source + "/") }.sorted { $0.key < $1.key }
      var changes: [(path: String, node: Node?)] = [(source, nil), (target, node)]
      for (name, node) in held { changes += [(name, nil), (target + name.dropFirst(source.count), node)] }
      state.change(changes)
    }
  }

  package func remove(_ path: String) throws(DiskError) {
    try access(.remove, path) { state, path throws(DiskError) in
      switch state.names[path] {
      case .file: state.change([(path, nil)])
      case .directory: throw .failed(operation: .remove, path: path, offsetBytes: 0, code: 21)
      case nil: throw .notFound(path: path)
      }
    }
  }

  package func removeDirectory(_ path: String) throws(DiskError) {
    try access(.removeDirectory, path) { state, path throws(DiskError) in
      try state.requireDirectory(path, .removeDirectory)
      guard state.children(of: path).isEmpty else {
        throw .failed(operation: .removeDirectory, path: path, offsetBytes: 0, code: 39)
      }
      state.change([(path, nil)])
    }
  }

  package func syncDirectory(_ path: String) throws(DiskError) {
    let outcome: DiskError? = try accessOrFault(.syncDirectory, path) {
      state, path, fault throws(DiskError) in
      try state.requireDirectory(path, .syncDirectory)
      if fault != .exhausted { state.syncNames(in: path, failing: fault != nil) }
      return fault.map { SimulatedDiskState.error($0, .syncDirectory, path) }
    }
    if let outcome { throw outcome }
  }

  package func freeBytes(at path: String) throws(DiskError) -> Int {
    try access(.freeBytes, path) { state, _ in max(0, state.quotaBytes - state.usedBytes) }
  }

  package func totalBytes(at path: String) throws(DiskError) -> Int {
    try access(.freeBytes, path) { state, _ in state.quotaBytes }
  }

  private func access<Value>(
    _ kind: Operation, _ path: String,
    _ body: (inout SimulatedDiskState, String) throws(DiskError) -> Value
  ) throws(DiskError) -> Value {
    try accessOrFault(kind, path) { state, path, fault throws(DiskError) in
      if let fault { throw SimulatedDiskState.error(fault, kind.asked, path) }
      return try body(&state, path)
    }
  }

  /// Counts and logs the operation and hands its fault, if any, to `body`.
  func accessOrFault<Value>(
    _ kind: Operation, _ path: String, detail: String = "",
    _ body: (inout SimulatedDiskState, String, Fault?) throws(DiskError) -> Value
  ) throws(DiskError) -> Value {
    let path = normalized(path)
    // The result leaves the lock in a box: it may be a file, which is Sendable, or plain values.
    let result: Result<Value, DiskError> = state.withLock { state in
      let fault = state.begin(kind, path, detail: detail)
      if state.isDead {
        return .failure(.failed(operation: kind.asked, path: path, offsetBytes: 0, code: 5))
      }
      do throws(DiskError) { return .success(try body(&state, path, fault)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

/// The components of `path`, joined; the root is the empty text.
func normalized(_ path: String) -> String {
  path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}

func parent(of path: String) -> String {
  path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
}
