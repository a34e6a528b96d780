import Platform
import Records

/// A file's bytes: `memory` as reads see them, `durable` as a power cut leaves them.
final class Inode: @unchecked Sendable, Hashable {
  // Safe because: every access holds the lock of the disk it belongs to, but for mapped memory.
  let memory = SharedMemory(byteCount: SimulatedDisk.fileBytesMax)
  var size = 0
  var durable: [UInt8] = []
  /// Sectors written since the last sync.
  var dirty: Set<Int> = []

  static func == (one: Inode, other: Inode) -> Bool { one === other }
  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

enum Node {
  case directory
  case file(Inode)

  var inode: Inode? {
    if case .file(let inode) = self { inode } else { nil }
  }
}

/// Everything a disk knows, behind its lock.
struct SimulatedDiskState {
  static let sectorBytes = 512

  struct Trap {
    var kind: SimulatedDisk.Operation
    var left: Int
    var pathSuffix: String
    var fault: SimulatedDisk.Fault
  }

  /// One unsynced change of names: made or lost as a whole.
  struct NameChange {
    var names: [(path: String, node: Node?)]
    var directories: Set<String>
  }

  var generator: SeededGenerator
  var names: [String: Node] = [:]
  var durableNames: [String: Node] = [:]
  var pending: [NameChange] = []
  var quotaBytes: Int
  var traps: [Trap] = []
  var chances: [SimulatedDisk.Operation: (oneIn: Int, fault: SimulatedDisk.Fault)] = [:]
  var isDead = false
  var operations = 0
  var log: [String] = []
  let logs: Bool

  init(seed: UInt64, quotaBytes: Int, logs: Bool) {
    generator = SeededGenerator(seed: seed)
    self.quotaBytes = quotaBytes
    self.logs = logs
  }

  var usedBytes: Int { Set(names.values.compactMap(\.inode)).reduce(0) { $0 + $1.size } }

  static func error(_ fault: SimulatedDisk.Fault, _ operation: DiskOperation, _ path: String) -> DiskError {
    switch fault {
    case .full: .full(operation: operation, path: path)
    case .exhausted:
      .failed(
        operation: operation == .syncDirectory ? .openDirectory : operation, path: path, offsetBytes: 0,
        code: 24)
    case .error, .short: .failed(operation: operation, path: path, offsetBytes: 0, code: 5)
    }
  }

  /// Counts the operation; the fault it meets, if any.
  mutating func begin(
    _ kind: SimulatedDisk.Operation, _ path: String, detail: String
  ) -> SimulatedDisk.Fault? {
    operations += 1
    var fault: SimulatedDisk.Fault?
    for index in traps.indices where traps[index].kind == kind && path.hasSuffix(traps[index].pathSuffix) {
      traps[index].left -= 1
      if traps[index].left == 0 { fault = fault ?? traps[index].fault }
    }
    traps.removeAll { $0.left <= 0 }
    if fault == nil, let chance = chances[kind], generator.chance(oneIn: chance.oneIn) {
      fault = chance.fault
    }
    if logs {
      let end = fault.map { " !\($0)" } ?? ""
      log.append("\(kind.rawValue) \(path)\(detail)\(end)")
    }
    return fault
  }

  func isDirectory(_ path: String) -> Bool {
    if path.isEmpty { return true }
    if case .directory = names[path] { return true }
    return false
  }

  func requireDirectory(_ path: String, _ operation: DiskOperation) throws(DiskError) {
    if isDirectory(path) { return }
    if names[path] == nil { throw .notFound(path: path) }
    throw .failed(operation: operation, path: path, offsetBytes: 0, code: 20)
  }

  func children(of path: String) -> [String] {
    names.keys.filter { parent(of: $0) == path }.map { name in
      path.isEmpty ? name : String(name.dropFirst(path.utf8.count + 1))
    }
  }

  /// Changes names at once for readers; durable only with their directories.
  mutating func change(_ changes: [(path: String, node: Node?)]) {
    for (path, node) in changes { names[path] = node }
    pending.append(NameChange(names: changes, directories: Set(changes.map { parent(of: $0.path) })))
  }

  /// Makes the changes in the directory durable; `failing`: only the first few, in order.
  mutating func syncNames(in directory: String, failing: Bool) {
    var isFailing = failing && Bool.random(using: &generator)
    var left: [NameChange] = []
    for change in pending {
      guard change.directories.contains(directory) else {
        left.append(change)
        continue
      }
      if isFailing {
        left.append(change)
      } else {
        apply(change)
        isFailing = failing && Bool.random(using: &generator)
      }
    }
    pending = left
  }

  private mutating func apply(_ change: NameChange) {
    for (path, node) in change.names { durableNames[path] = node }
  }

  /// Writes to the cache; sometimes the system writes dirty sectors back by itself, in any order.
  mutating func write(_ bytes: Span<UInt8>, to inode: Inode, at offset: Int) {
    precondition(
      offset + bytes.count <= SimulatedDisk.fileBytesMax, "a simulated file stays under its bound")
    if bytes.isEmpty { return }
    inode.memory.write(bytes, at: offset)
    inode.size = max(inode.size, offset + bytes.count)
    let sectors = offset / Self.sectorBytes...(offset + bytes.count - 1) / Self.sectorBytes
    inode.dirty.formUnion(sectors)
    if generator.chance(oneIn: 8) {
      for sector in inode.dirty.sorted() where Bool.random(using: &generator) { keep(sector, of: inode) }
    }
  }

  /// Makes the file's bytes and size durable; `forgetting`: each sector only by chance, and none later.
  mutating func sync(_ inode: Inode, forgetting: Bool) {
    let size = inode.size
    if forgetting {
      for sector in inode.dirty.sorted() where Bool.random(using: &generator) { keep(sector, of: inode) }
      inode.dirty = []
      return
    }
    for sector in inode.dirty { keep(sector, of: inode) }
    inode.dirty = []
    if inode.durable.count < size {
      inode.durable.append(contentsOf: [UInt8](repeating: 0, count: size - inode.durable.count))
    }
  }

  private mutating func keep(_ sector: Int, of inode: Inode) {
    let range = sector * Self.sectorBytes..<min((sector + 1) * Self.sectorBytes, inode.size)
    if range.isEmpty { return }
    if inode.durable.count < range.upperBound {
      inode.durable.append(contentsOf: [UInt8](repeating: 0, count: range.upperBound - inode.durable.count))
    }
    inode.durable.replaceSubrange(range, with: inode.memory.read(range))
  }

  /// The state after a power cut; this one is dead afterwards.
  mutating func afterPowerCut() -> SimulatedDiskState {
    for change in pending where Bool.random(using: &generator) { apply(change) }
    pending = []
    var next = SimulatedDiskState(seed: generator.next(), quotaBytes: quotaBytes, logs: logs)
    var survivors: [Inode: Inode] = [:]
    // Sorted, so that the generator meets the files in one order.
    for (path, node) in durableNames.sorted(by: { $0.key < $1.key }) where hasParents(path) {
      guard let inode = node.inode else {
        next.durableNames[path] = .directory
        continue
      }
      if survivors[inode] == nil {
        for sector in inode.dirty.sorted() where Bool.random(using: &generator) { keep(sector, of: inode) }
        let survivor = Inode()
        survivor.durable = inode.durable
        survivor.size = inode.durable.count
        let durable = inode.durable
        survivor.memory.write(durable.span, at: 0)
        survivors[inode] = survivor
      }
      next.durableNames[path] = survivors[inode].map { .file($0) }
    }
    next.names = next.durableNames
    isDead = true
    return next
  }

  private func hasParents(_ path: String) -> Bool {
    let above = parent(of: path)
    if above.isEmpty { return true }
    guard case .directory = durableNames[above] else { return false }
    return hasParents(above)
  }
}
