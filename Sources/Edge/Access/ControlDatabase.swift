import Codecs
import GRDB
import Platform
import Records
import Synchronization

/// The control database, `DATA/control.sqlite`: users, tokens, containers, sessions, settings. SQLite in WAL mode with
/// `synchronous=FULL`: a change that was acknowledged survives a power loss.
///
/// Another process (`cordwood users`) may change it while the server runs; ``refresh()`` finds that out.
package final class ControlDatabase: Sendable {
  let pool: DatabasePool
  private let watchers = Mutex<[@Sendable (Database) throws -> Void]>([])
  private let seenVersion = Mutex<Int?>(nil)

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

  /// The tables. Never change a migration that was released: add one.
  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1: users, tokens, containers, sessions") { database in
      try database.execute(
        sql: """
          CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL,
            role TEXT NOT NULL, hasDefaultPassword INTEGER NOT NULL, createdAt INTEGER NOT NULL);
          CREATE TABLE tokens (
            hash TEXT PRIMARY KEY, userId INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            issuedAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL) WITHOUT ROWID;
          CREATE INDEX tokensOfUser ON tokens(userId, issuedAt);
          CREATE TABLE containers (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
            ownerId INTEGER NOT NULL REFERENCES users(id), createdAt INTEGER NOT NULL);
          CREATE INDEX containersOfOwner ON containers(ownerId);
          CREATE TABLE sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT, containerId INTEGER NOT NULL REFERENCES containers(id),
            name TEXT NOT NULL, createdAt INTEGER NOT NULL, isWritten INTEGER NOT NULL DEFAULT 0,
            UNIQUE (containerId, name));
          CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("2: audit tenants, API keys") { database in
      try database.execute(
        sql: """
          CREATE TABLE auditTenants (
            id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
            secret TEXT NOT NULL, createdAt INTEGER NOT NULL);
          CREATE TABLE apiKeys (
            id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, realm TEXT NOT NULL,
            name TEXT NOT NULL, tenant TEXT NOT NULL, role TEXT NOT NULL, createdAt INTEGER NOT NULL,
            revokedAt INTEGER);
          CREATE UNIQUE INDEX liveAPIKeys ON apiKeys(realm, name) WHERE revokedAt IS NULL;
          """)
    }
    migrator.registerMigration("3: tokens of the query-log API") { database in
      try database.execute(
        sql: """
          CREATE TABLE queryTokens (
            hash TEXT PRIMARY KEY, user TEXT NOT NULL, issuedAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL)
            WITHOUT ROWID;
          CREATE INDEX queryTokensByAge ON queryTokens(issuedAt);
          """)
    }
    migrator.registerMigration("4: what API keys are for, and whether they let in") { database in
      try database.execute(
        sql: """
          ALTER TABLE apiKeys ADD COLUMN isActive INTEGER NOT NULL DEFAULT 1;
          ALTER TABLE apiKeys ADD COLUMN description TEXT NOT NULL DEFAULT '';
          """)
    }
    migrator.registerMigration("5: forwarders, dead letters") { database in
      try database.execute(
        sql: """
          CREATE TABLE forwarders (name TEXT PRIMARY KEY) WITHOUT ROWID;
          CREATE TABLE forwardingCursors (
            forwarder TEXT NOT NULL, realm TEXT NOT NULL, tenant TEXT NOT NULL, position INTEGER NOT NULL,
            bytes INTEGER NOT NULL, countedEnd INTEGER NOT NULL, recordBytesMean INTEGER NOT NULL,
            oldestAt INTEGER, PRIMARY KEY (forwarder, realm, tenant)) WITHOUT ROWID;
          CREATE TABLE deadLetters (
            number INTEGER PRIMARY KEY AUTOINCREMENT, forwarder TEXT NOT NULL, realm TEXT NOT NULL,
            tenant TEXT NOT NULL, position INTEGER NOT NULL, recordID TEXT NOT NULL,
            timestamp INTEGER NOT NULL, ingestedAt INTEGER NOT NULL, refusedAt INTEGER NOT NULL,
            reason TEXT NOT NULL, status INTEGER NOT NULL, attempts INTEGER NOT NULL, entry TEXT NOT NULL,
            UNIQUE (forwarder, realm, tenant, position));
          """)
    }
    return migrator
  }

  func read<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(AccessError) -> Value {
    do { return try await pool.read(body) } catch { throw AccessError(error, doing: doing) }
  }

  /// Runs `body` in a transaction and, once that is on the disk, `applied`, before any later change: so what is kept in
  /// memory changes in the order of the transactions.
  func change<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Value,
    applied: @escaping @Sendable (Value) -> Void = { _ in }
  ) async throws(AccessError) -> Value {
    do {
      return try await pool.writeWithoutTransaction { database in
        var result: Value?
        try database.inTransaction(.immediate) {
          result = try body(database)
          return .commit
        }
        guard let result else { preconditionFailure("the transaction ran") }
        applied(result)
        return result
      }
    } catch {
      throw AccessError(error, doing: doing)
    }
  }

  /// Has `load` called now and whenever another process changed the database.
  func watch(_ load: @escaping @Sendable (Database) throws -> Void) throws(AccessError) {
    do {
      try pool.writeWithoutTransaction { database in
        if seenVersion.withLock({ $0 }) == nil {
          let version = try Int.fetchOne(database, sql: "PRAGMA data_version")
          seenVersion.withLock { $0 = version }
        }
        try load(database)
        watchers.withLock { $0.append(load) }
      }
    } catch {
      throw AccessError(error, doing: "read the control database")
    }
  }

  /// Loads anew what is kept in memory if another process changed the database. Cheap when nothing changed.
  package func refresh() async throws(AccessError) {
    do {
      try await pool.writeWithoutTransaction { [self] database in
        // Differs from the last look only if another connection has changed something.
        let version = try Int.fetchOne(database, sql: "PRAGMA data_version")
        guard version != seenVersion.withLock({ $0 }) else { return }
        for load in watchers.withLock({ $0 }) { try load(database) }
        seenVersion.withLock { $0 = version }
      }
    } catch {
      throw AccessError(error, doing: "read the control database")
    }
  }

  /// A random value of 32 bytes kept under `name`, made at its first use. Blocks on the disk.
  package func secret(
    _ name: String, entropy: any EntropySource = SystemEntropy()
  ) throws(AccessError) -> [UInt8] {
    let text = try setting("secret:" + name, orElse: Hex.text(entropy.bytes(32)))
    guard let bytes = Hex.bytes(text), bytes.count == 32 else {
      throw .database("the secret \(name) in the control database is damaged")
    }
    return bytes
  }

  /// The text kept under `name`: `fallback`, from now on, if there was none. Blocks on the disk.
  package func setting(_ name: String, orElse fallback: String) throws(AccessError) -> String {
    do {
      return try pool.write { database in
        try database.execute(
          sql: "INSERT OR IGNORE INTO settings (name, value) VALUES (?, ?)", arguments: [name, fallback])
        return try String.fetchOne(
          database, sql: "SELECT value FROM settings WHERE name = ?", arguments: [name])
          ?? fallback
      }
    } catch {
      throw AccessError(error, doing: "read the setting \(name)")
    }
  }

  /// Keeps `value` under `name`. Blocks on the disk.
  package func set(_ name: String, to value: String) throws(AccessError) {
    do {
      try pool.write { database in
        try database.execute(
          sql:
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          arguments: [name, value])
      }
    } catch {
      throw AccessError(error, doing: "keep the setting \(name)")
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
