import GRDB
import Platform
import Records

/// What is wrong with a control database: its log by SQLite's checksums (``ControlLog``), its pages by those
/// of the last stop (``ControlSeal``), and what SQLite itself finds.
package struct ControlDamage: Sendable, Hashable {
  /// Which file.
  package var file: String
  /// Where in it.
  package var offsetBytes: Int
  /// For people.
  package var reason: String
  /// false: nothing is lost; a start puts it right.
  package var isDamage: Bool

  package init(file: String, offsetBytes: Int, reason: String, isDamage: Bool) {
    self.file = file
    self.offsetBytes = offsetBytes
    self.reason = reason
    self.isDamage = isDamage
  }

  /// In one sentence, with what to do.
  var text: String {
    "\(file), byte \(offsetBytes): \(reason). Nothing was changed. Restore control.sqlite from a backup, and "
      + "take away control.sqlite-wal and -shm beside it; or see what `cordwood repair` would do without"
  }

  /// What pages and log say by their checksums. Reads all of both; nothing is changed.
  package static func findings(
    in database: String, fileSystem: any FileSystem = LocalFileSystem()
  ) throws(DiskError) -> [ControlDamage] {
    var findings: [ControlDamage] = []
    if let pages = try ControlSeal.finding(of: database) {
      findings.append(
        ControlDamage(
          file: pages.path, offsetBytes: pages.offsetBytes, reason: pages.reason, isDamage: pages.isDamage))
    }
    let log = try ControlLog(of: database, fileSystem: fileSystem)
    if let frames = log.finding {
      findings.append(
        ControlDamage(
          file: log.path, offsetBytes: frames.offsetBytes, reason: frames.reason, isDamage: frames.isDamage))
    }
    return findings
  }
}

extension Database {
  /// What SQLite finds wrong with its pages and indexes; nil: nothing. Reads all of them.
  func integrityFault() throws -> String? {
    let verdict = try String.fetchOne(self, sql: "PRAGMA integrity_check(1)") ?? "SQLite says nothing"
    return verdict.hasBytes(of: "ok") ? nil : verdict
  }
}

/// Lets a control database that nobody has open do without what is damaged of it. Blocking.
package enum ControlRepair {
  /// Makes the database one that opens: what its log holds up to the damage is kept, what follows is lost,
  /// and pages are taken as they are. Files that change are copied into `folder` before, which exists.
  ///
  /// - Throws: `database`: SQLite finds no sound database in what is left.
  package static func accept(_ database: String, copiesIn folder: String) throws(AccessError) {
    do {
      let fileSystem = LocalFileSystem()
      let lock = try SharedLock(database + ".lock")
      guard lock.takeAlone() else {
        throw AccessError.database("\(database) is in use by another command: try again when it is done")
      }
      defer { lock.release() }
      try keep(database, in: folder, fileSystem)
      let log = try ControlLog(of: database)
      try keep(log.path, in: folder, fileSystem)
      if log.finding?.isDamage == true { try PrivateFile.write(log.taken(), to: log.path) }
      try ControlSeal.remove(of: database)
      try fileSystem.syncDirectory(ControlDatabase.directory(of: database))
      lock.release()
      try ControlDatabase(path: database).close()
      let queue = try DatabaseQueue(path: database)
      let fault = try queue.read { try $0.integrityFault() }
      try queue.close()
      if let fault {
        throw AccessError.database("\(database) is damaged: \(fault). Restore it from a backup")
      }
    } catch { throw AccessError(error, doing: "repair \(database)") }
  }

  private static func keep(
    _ path: String, in folder: String, _ fileSystem: LocalFileSystem
  ) throws(DiskError) {
    guard try fileSystem.exists(path) else { return }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    var target = "\(folder)/\(name)"
    for number in 1..<10_000 where try fileSystem.exists(target) { target = "\(folder)/\(name).\(number)" }
    let file = try fileSystem.open(path, writable: false)
    try PrivateFile.write(file.read(at: 0, count: file.size()), to: target)
    try fileSystem.syncDirectory(folder)
  }
}
