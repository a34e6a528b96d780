import Access
import Forwarding
import Records
import Synchronization

/// What several control planes of one memory share, as processes share a database.
final class MemoryTables: Sendable {
  struct Container: Sendable {
    var id: Int64
    var name: String
    var identity: String
    var owner: Int64
    var createdAt: Int64
  }

  struct Session: Sendable {
    var id: Int64
    var container: Int64
    var name: String
    var createdAt: Int64
    var isWritten = false
  }

  struct Contents: Sendable {
    var users: [UserRecord] = []
    var tokens: [TokenRecord] = []
    var keys: [KeyRecord] = []
    var tenants: [AuditTenant] = []
    var queryTokens: [QueryTokenRecord] = []
    var looks: [Int64: String] = [:]
    var revoked: [TokenRevocation] = []
    var containers: [Container] = []
    var sessions: [Session] = []
    var settings: [String: String] = [:]
    var grants: [Int64: [Grant]] = [:]
    var views: [ViewScope: [SavedView]] = [:]
    var cursors: [String: [Tenant: SavedCursor]] = [:]
    var letters: [String: [DeadLetter]] = [:]
    var lastID: Int64 = 0
    /// How often each plane changed something.
    var changeCounts: [Int] = []
    /// Whether there is no room for any change.
    var isFull = false

    mutating func nextID() -> Int64 {
      lastID += 1
      return lastID
    }
  }

  let contents = Mutex(Contents())
}

/// A control plane without a database: shows that the ports can be had without SQLite.
final class MemoryControlPlane: ControlPlane {
  private struct Observer: Sendable {
    let table: ControlTable
    let apply: @Sendable (ControlChange) -> Void
  }

  private let tables: MemoryTables
  private let number: Int
  private let observers = Mutex<[Observer]>([])
  /// Changes of others that were told.
  private let seenCount = Mutex(0)

  var changes: any ControlChanges { self }
  var accounts: any AccountRepository { self }
  var keys: any KeyRepository { self }
  var tenants: any TenantRepository { self }
  var queryTokens: any QueryTokenRepository { self }
  var catalog: any CatalogRepository { self }
  var settings: any SettingRepository { self }
  var grants: any GrantRepository { self }
  var views: any ViewRepository { self }
  var forwarding: any ForwardingState { self }

  init(_ tables: MemoryTables) {
    self.tables = tables
    number = tables.contents.withLock { contents in
      contents.changeCounts.append(0)
      return contents.changeCounts.count - 1
    }
  }

  func close() async throws(AccessError) {}

  func read<Value: Sendable>(_ body: (MemoryTables.Contents) throws(AccessError) -> Value) throws(AccessError)
    -> Value
  {
    try body(tables.contents.withLock { $0 })
  }

  /// Changes everything or nothing, and tells it while nobody else can change anything.
  func change<Value: Sendable>(
    _ body: (inout MemoryTables.Contents) throws(AccessError) -> (Value, [ControlChange])
  ) throws(AccessError) -> Value {
    let result: Result<Value, AccessError> = tables.contents.withLock { contents in
      if contents.isFull { return .failure(.diskFull) }
      var changed = contents
      do throws(AccessError) {
        let (value, changes) = try body(&changed)
        changed.changeCounts[number] += 1
        contents = changed
        tell(changes)
        return .success(value)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  private func tell(_ changes: [ControlChange]) {
    let all = observers.withLock { $0 }
    for change in changes {
      for observer in all where observer.table == change.table { observer.apply(change) }
    }
  }

  private func foreignCount(_ contents: MemoryTables.Contents) -> Int {
    contents.changeCounts.reduce(0, +) - contents.changeCounts[number]
  }
}

extension MemoryControlPlane: ControlChanges {
  func observe(
    _ table: ControlTable, _ apply: @escaping @Sendable (ControlChange) -> Void
  ) async throws(AccessError) {
    tables.contents.withLock { contents in
      if let all = MemoryControlPlane.all(table, contents) { apply(all) }
      observers.withLock { $0.append(Observer(table: table, apply: apply)) }
    }
  }

  func catchUp() async throws(AccessError) {
    tables.contents.withLock { contents in
      let count = foreignCount(contents)
      guard seenCount.withLock({ $0 }) != count else { return }
      let observed = observers.withLock { Set($0.map(\.table)) }
      tell(observed.map { MemoryControlPlane.all($0, contents) ?? .catalog })
      seenCount.withLock { $0 = count }
    }
  }

  private static func all(_ table: ControlTable, _ contents: MemoryTables.Contents) -> ControlChange? {
    switch table {
    case .accounts: .accounts(.all(users: contents.users, tokens: contents.tokens))
    case .keys: .keys(.all(contents.keys))
    case .tenants: .tenants(.all(contents.tenants, revoked: contents.revoked))
    case .queryTokens: .queryTokens(.all(contents.queryTokens))
    case .grants: .grants(.all(contents.grants))
    case .catalog: nil
    }
  }
}

extension MemoryControlPlane: SettingRepository {
  func value(of name: String, orElse fallback: String) async throws(AccessError) -> String {
    try change { contents throws(AccessError) in
      let value = contents.settings[name] ?? fallback
      contents.settings[name] = value
      return (value, [])
    }
  }

  func set(_ name: String, to value: String) async throws(AccessError) {
    try change { contents throws(AccessError) in
      contents.settings[name] = value
      return ((), [])
    }
  }
}
