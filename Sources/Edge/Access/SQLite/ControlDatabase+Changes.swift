import GRDB
import Synchronization

/// Who is told of which changes, and what the database looked like when others' changes were told last.
final class ControlObservers: Sendable {
  private struct Observer: Sendable {
    let table: ControlTable
    let apply: @Sendable (ControlChange) -> Void
  }

  private let observers = Mutex<[Observer]>([])
  /// The last `data_version`; nil: nobody observes.
  let seenVersion = Mutex<Int?>(nil)

  var tables: Set<ControlTable> { observers.withLock { Set($0.map(\.table)) } }

  func add(_ table: ControlTable, _ apply: @escaping @Sendable (ControlChange) -> Void) {
    observers.withLock { $0.append(Observer(table: table, apply: apply)) }
  }

  /// Holds no lock while it tells: the writer's turn keeps the order.
  func tell(_ changes: [ControlChange]) {
    let all = observers.withLock { $0 }
    for change in changes {
      for observer in all where observer.table == change.table { observer.apply(change) }
    }
  }
}

extension ControlDatabase: ControlChanges {
  /// See ``ControlChanges``. On the writer's turn: no change comes between the contents and the first change
  /// told.
  package func observe(
    _ table: ControlTable, _ apply: @escaping @Sendable (ControlChange) -> Void
  ) async throws(AccessError) {
    try await readBetweenChanges("read the control database") { [observers] database in
      if observers.seenVersion.withLock({ $0 }) == nil {
        let version = try ControlDatabase.version(database)
        observers.seenVersion.withLock { $0 = version }
      }
      if let all = try ControlDatabase.contents(of: table, database) { apply(all) }
      observers.add(table, apply)
    }
  }

  /// What another process changed is not told table by table: all that is observed is read anew.
  package func catchUp() async throws(AccessError) {
    try await readBetweenChanges("read the control database") { [observers] database in
      let version = try ControlDatabase.version(database)
      guard version != observers.seenVersion.withLock({ $0 }) else { return }
      var changes: [ControlChange] = []
      for table in observers.tables {
        changes.append(try ControlDatabase.contents(of: table, database) ?? .catalog)
      }
      observers.tell(changes)
      observers.seenVersion.withLock { $0 = version }
    }
  }

  /// Differs from the last look only if another connection has changed something.
  private static func version(_ database: Database) throws -> Int? {
    try Int.fetchOne(database, sql: "PRAGMA data_version")
  }

  /// nil for the catalog, which nobody keeps as a whole.
  private static func contents(of table: ControlTable, _ database: Database) throws -> ControlChange? {
    switch table {
    case .accounts: .accounts(try SQLiteAccounts.all(database))
    case .keys: .keys(.all(try SQLiteKeys.all(database)))
    case .tenants:
      .tenants(
        .all(try SQLiteTenants.all(database), revoked: try SQLiteTenants.revocations(database)))
    case .queryTokens: .queryTokens(.all(try SQLiteQueryTokens.all(database)))
    case .grants: .grants(.all(try SQLiteGrants.all(database)))
    case .catalog: nil
    }
  }
}
