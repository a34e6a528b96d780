import Forwarding
import GRDB
import Platform

/// The control plane of one node: the control database, `DATA/control.sqlite`. SQLite in WAL mode with
/// `synchronous=FULL`: a change that was acknowledged survives a power loss. Changes that come at one time
/// share a transaction and its sync (``ChangeQueue``).
///
/// Nothing but ``change(_:telling:_:)`` writes: the pool is nobody else's.
///
/// Another process (`cordwood users`) may change it while the server runs; ``catchUp()`` finds that out.
package final class ControlDatabase: ControlPlane {
  private let pool: DatabasePool
  private let path: String
  /// Shared by all who have the database open.
  private let lock: SharedLock
  private let queue = ChangeQueue()
  /// Told on the writer's turn.
  let observers = ControlObservers()

  /// See ``ControlPlane``.
  package var changes: any ControlChanges { self }
  /// See ``ControlPlane``.
  package var accounts: any AccountRepository { SQLiteAccounts(database: self) }
  /// See ``ControlPlane``.
  package var keys: any KeyRepository { SQLiteKeys(database: self) }
  /// See ``ControlPlane``.
  package var tenants: any TenantRepository { SQLiteTenants(database: self) }
  /// See ``ControlPlane``.
  package var queryTokens: any QueryTokenRepository { SQLiteQueryTokens(database: self) }
  /// See ``ControlPlane``.
  package var catalog: any CatalogRepository { SQLiteCatalog(database: self) }
  /// See ``ControlPlane``.
  package var grants: any GrantRepository { SQLiteGrants(database: self) }
  /// See ``ControlPlane``.
  package var views: any ViewRepository { SQLiteViews(database: self) }
  /// See ``ControlPlane``.
  package var settings: any SettingRepository { SQLiteSettings(database: self) }
  /// See ``ControlPlane``.
  package var forwarding: any ForwardingState { SQLiteForwarding(database: self) }

  /// How long a change waits for another process that is changing something.
  private static let busySeconds = 5.0

  /// Opens `path`, made with mode 600 if missing, and brings its tables up to date. Blocks on the disk, for
  /// as long as reading all of the database and its log takes.
  ///
  /// - Throws: `database`: damaged (``ControlDamage``); nothing was changed then.
  package init(path: String) throws(AccessError) {
    self.path = path
    do {
      lock = try SharedLock(path + ".lock")
      try PrivateFile.give(path + ".lock", toOwnerOf: path)
      // Who finds it open was told already, or somebody before.
      if lock.takeAlone() {
        if let damage = try ControlDamage.findings(in: path).first(where: \.isDamage) {
          throw AccessError.database(ControlDamage.text(of: damage))
        }
        try ControlSeal.remove(of: path)
        try ControlDatabase.syncLog(of: path)
      }
      try lock.share()
      try PrivateFile.makeIfMissing(path)
      var configuration = GRDB.Configuration()
      configuration.busyMode = .timeout(ControlDatabase.busySeconds)
      configuration.label = "control"
      pool = try DatabasePool(path: path, configuration: configuration)
      try pool.writeWithoutTransaction(ControlDatabase.syncEachCommit)
      // Opening it changes it, unsynced; from here on each change is synced before the next is begun.
      try ControlDatabase.syncLog(of: path)
      let migrator = ControlDatabase.migrator
      if try pool.read(migrator.hasBeenSuperseded) {
        throw AccessError.database(
          "\(path) was written by a newer version of Cordwood: start that version, or restore a copy from before"
        )
      }
      try migrator.migrate(pool)
      // The files may be new: their names must survive as what is in them.
      try LocalFileSystem().syncDirectory(PathName.directory(of: path))
    } catch {
      throw AccessError(error, doing: "open \(path)")
    }
  }

  /// Once the pool is open: opening it sets `synchronous=NORMAL`, which syncs no commit, whatever its
  /// configuration has prepared.
  private static func syncEachCommit(_ database: Database) throws {
    try database.execute(sql: "PRAGMA synchronous = FULL")
    guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
      throw AccessError.database("SQLite does not sync the control database")
    }
  }

  /// A log that a killed process left may be in memory alone.
  private static func syncLog(of path: String) throws(DiskError) {
    let (files, log) = (LocalFileSystem(), path + "-wal")
    if try files.exists(log) { try files.open(log, writable: true).sync() }
  }

  /// As ``init(path:)``, on a thread that may block.
  package static func open(path: String) async throws(AccessError) -> ControlDatabase {
    try await DiskThread(name: "control").run { () throws(AccessError) in try ControlDatabase(path: path) }
  }

  func read<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(AccessError) -> Value {
    do { return try await pool.read(body) } catch { throw AccessError(error, doing: doing) }
  }

  /// Reads between two changes: none is under way, and all that were committed were told.
  func readBetweenChanges(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Void
  ) async throws(AccessError) {
    do {
      try await pool.writeWithoutTransaction { database in try database.readOnly { try body(database) } }
    } catch { throw AccessError(error, doing: doing) }
  }

  /// Runs `body` in a transaction and, once that is on the disk, tells what changed, before any later change:
  /// so what is kept in memory changes in the order of the changes. Each change is made whole or not at all,
  /// whatever becomes of others in its transaction.
  ///
  /// - Parameter body: May run twice, the first time for nothing: must depend on the database alone.
  func change<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Value,
    telling changes: @escaping @Sendable (Value) -> [ControlChange] = { _ in [] }
  ) async throws(AccessError) -> Value {
    let result: Result<Value, AccessError> = await withCheckedContinuation { continuation in
      let change = WaitingChange(doing: doing, body: body, telling: changes, continuation)
      switch queue.enqueue(change) {
      case .isFull: change.fail(.overloaded)
      case .commitIsDue: commitWaiting()
      case .waits: break
      }
    }
    return try result.get()
  }

  /// The same for changes without a result.
  func change(
    _ doing: String, telling changes: [ControlChange] = [],
    _ body: @escaping @Sendable (Database) throws -> Void
  ) async throws(AccessError) {
    let _: Bool = try await change(doing) { database in
      try body(database)
      return true
    } telling: { _ in
      changes
    }
  }

  /// One commit a turn of the writer, so that what reads between changes gets its turn.
  private func commitWaiting() {
    pool.asyncWriteWithoutTransaction { [self] database in
      queue.commitWaiting(on: database, telling: observers.tell)
      if queue.isCommitDue() { commitWaiting() }
    }
  }

  /// Writes the database anew without the bytes of what was replaced or deleted, and cuts its log. Costs as
  /// much as there is in it; nothing else may be changed meanwhile.
  func scrub(_ doing: String) async throws(AccessError) {
    do {
      try await pool.writeWithoutTransaction { database in
        try database.execute(sql: "VACUUM")
        try database.checkpoint(.truncate)
      }
    } catch { throw AccessError(error, doing: doing) }
  }

  /// Closes the files; nothing may be asked afterwards. What the log holds is in the database then: a bit of
  /// the log that turns while nobody runs would take the changes behind it back.
  package func close() throws(AccessError) {
    defer { lock.release() }
    do {
      do {
        try pool.writeWithoutTransaction { database in _ = try database.checkpoint(.truncate) }
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        // Others have it open: whoever closes it last does that.
      }
      try pool.close()
      // Likewise.
      if lock.takeAlone() { try ControlSeal.write(of: path) }
    } catch { throw AccessError(error, doing: "close the control database") }
  }
}

extension AccessError {
  /// What a failure of SQLite, or of the disk under it, means here.
  init(_ error: any Error, doing: String) {
    switch error {
    case let error as AccessError: self = error
    case let error as DatabaseError where error.isOfFullDisk: self = .diskFull
    case let error as DatabaseError:
      self = .database("cannot \(doing): \(error.message ?? "\(error.resultCode)")")
    case DiskError.full: self = .diskFull
    default: self = .database("cannot \(doing): \(error)")
    }
  }
}

extension DatabaseError {
  /// Without room for the log's index in shared memory SQLite speaks of an I/O error.
  var isOfFullDisk: Bool {
    resultCode == .SQLITE_FULL || extendedResultCode == .SQLITE_IOERR_SHMSIZE
  }
}
