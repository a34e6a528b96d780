import GRDB
import Platform
import Records

/// What is wrong with a control database: its log by SQLite's checksums (``ControlLog``), its pages by those
/// of the last stop (``ControlSeal``), and what SQLite itself finds.
package enum ControlDamage {
  /// What pages and log say by their checksums. Reads all of both; nothing is changed.
  package static func findings(in database: String) throws(DiskError) -> [FileFinding] {
    [try ControlSeal.finding(of: database), try ControlLog(of: database).finding].compactMap { $0 }
  }

  /// The finding in a sentence, with what to do.
  static func text(of finding: FileFinding) -> String {
    "\(finding.file), byte \(finding.offsetBytes): \(finding.reason). Nothing was changed. Restore "
      + "control.sqlite from a backup, and take away control.sqlite-wal and -shm beside it; or see what "
      + "`cordwood repair` would do without"
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
      try fileSystem.syncDirectory(PathName.directory(of: database))
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
    let target = try fileSystem.unusedName("\(folder)/\(PathName.last(of: path))")
    let file = try fileSystem.open(path, writable: false)
    try PrivateFile.write(file.read(at: 0, count: file.size()), to: target)
    try fileSystem.syncDirectory(folder)
  }
}
