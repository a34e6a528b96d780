import Forwarding
import GRDB
import Platform

/// The control plane of one node: the control database, `DATA/control.sqlite`. SQLite in WAL mode with
/// `synchronous=FULL`: a change that was acknowledged survives a power loss.
///
/// Another process (`cordwood users`) may change it while the server runs; ``catchUp()`` finds that out.
package final class ControlDatabase: ControlPlane {
  let pool: DatabasePool
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
  package var settings: any SettingRepository { SQLiteSettings(database: self) }
  /// See ``ControlPlane``.
  package var forwarding: any ForwardingState { SQLiteForwarding(database: self) }

  /// How long a change waits for another process that is changing something.
  private static let busySeconds = 5.0

  /// Opens `path`, made with mode 600 if missing, and brings its tables up to date. Blocks on the disk.
  package init(path: String) throws(AccessError) {
    do {
      try PrivateFile.makeIfMissing(path)
      var configuration = GRDB.Configuration()
      configuration.busyMode = .timeout(ControlDatabase.busySeconds)
      configuration.label = "control"
      configuration.prepareDatabase { database in
        try database.execute(sql: "PRAGMA synchronous = FULL")
      }
      pool = try DatabasePool(path: path, configuration: configuration)
      let migrator = ControlDatabase.migrator
      if try pool.read(migrator.hasBeenSuperseded) {
        throw AccessError.database(
          "\(path) was written by a newer version of Cordwood: start that version, or restore a copy from before"
        )
      }
      try migrator.migrate(pool)
    } catch {
      throw AccessError(error, doing: "open \(path)")
    }
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

  /// Runs `body` in a transaction and, once that is on the disk, tells what changed, before any later change:
  /// so what is kept in memory changes in the order of the transactions.
  func change<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Value,
    telling changes: @escaping @Sendable (Value) -> [ControlChange] = { _ in [] }
  ) async throws(AccessError) -> Value {
    do {
      return try await pool.writeWithoutTransaction { [observers] database in
        var result: Value?
        try database.inTransaction(.immediate) {
          result = try body(database)
          return .commit
        }
        guard let result else { preconditionFailure("the transaction ran") }
        observers.tell(changes(result))
        return result
      }
    } catch {
      throw AccessError(error, doing: doing)
    }
  }

  /// The same for changes without a result.
  ///
  /// Not the above with nothing as the result: with optimisation the compiler (6.3.1) frees memory of such a task in
  /// the wrong order, which ends the process.
  func change(
    _ doing: String, telling changes: [ControlChange] = [],
    _ body: @escaping @Sendable (Database) throws -> Void
  ) async throws(AccessError) {
    do {
      let isDone = try await pool.writeWithoutTransaction { [observers] database -> Bool in
        try database.inTransaction(.immediate) {
          try body(database)
          return .commit
        }
        observers.tell(changes)
        return true
      }
      precondition(isDone, "the transaction ran")
    } catch {
      throw AccessError(error, doing: doing)
    }
  }

  /// Closes the files; nothing may be asked afterwards.
  package func close() throws(AccessError) {
    do { try pool.close() } catch { throw AccessError(error, doing: "close the control database") }
  }
}

extension AccessError {
  /// What a failure of SQLite, or of the disk under it, means here.
  init(_ error: any Error, doing: String) {
    switch error {
    case let error as AccessError: self = error
    case let error as DatabaseError where error.resultCode == .SQLITE_FULL: self = .diskFull
    case let error as DatabaseError:
      self = .database("cannot \(doing): \(error.message ?? "\(error.resultCode)")")
    case DiskError.full: self = .diskFull
    default: self = .database("cannot \(doing): \(error)")
    }
  }
}
