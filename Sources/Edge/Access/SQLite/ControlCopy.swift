import GRDB
import Platform

/// Copies of the control database, whether a server has it open or not.
package enum ControlCopy {
  /// How long it waits for others that hold the file.
  private static let busySeconds = 30.0

  /// Copies the database at `source`, as it is now, into the new file `target` of mode 600, and has SQLite
  /// verify it. Changes that are committed meanwhile do not wait and are not in it. Blocks on the disk; the
  /// file is not synced.
  ///
  /// - Returns: false: there is no such database.
  package static func make(of source: String, at target: String) throws(AccessError) -> Bool {
    do {
      guard try LocalFileSystem().exists(source) else { return false }
      try PrivateFile.makeIfMissing(target)
      var configuration = GRDB.Configuration()
      configuration.busyMode = .timeout(busySeconds)
      configuration.readonly = true
      let database = try DatabaseQueue(path: source, configuration: configuration)
      defer { close(database) }
      let copy = try DatabaseQueue(path: target)
      defer { close(copy) }
      try database.backup(to: copy)
      // One file with all in it, without a log beside it.
      try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
      if let fault = try copy.read({ try $0.integrityFault() }) {
        throw AccessError.database("\(source) is damaged: \(fault)")
      }
      return true
    } catch {
      throw AccessError(error, doing: "copy \(source)")
    }
  }

  private static func close(_ database: DatabaseQueue) {
    // All was written; what is left open ends with the process.
    do { try database.close() } catch { return }
  }
}
