import Codecs
import GRDB
import Platform
import Records
import Synchronization

/// An API key of the control database as listings show it: never the key itself, which nobody has but its user.
package struct StoredKey: Sendable, Hashable {
  package let name: String
  package let tenant: Tenant
  package let role: Role
  /// Nanoseconds since 1970.
  package let createdAt: Int64
  /// nil: it holds.
  package let revokedAt: Int64?
  /// Whether it lets in; an inactive one is known, and refused for what it is.
  package var isActive = true
  /// What it is for, in its maker's words; empty: not said.
  package var purpose = ""
}

/// API keys made by `cordwood keys`: in memory, and in the control database as SHA-256 only.
package final class KeyStore: Sendable {
  fileprivate struct State {
    /// In the order they were made, revoked ones included.
    var keys: [StoredKey] = []
    /// Those that hold.
    var principals: [Realm: [TokenHash: Principal]] = [:]
    /// Those that hold and are inactive.
    var inactive: Set<TokenHash> = []
  }

  private let database: ControlDatabase
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let state = Mutex(State())

  /// Realms whose routes take API keys.
  package static let realms: [Realm] = [.native, .workflow, .ingest]
  /// So that a key that got out can be found, and is known for what it is.
  private static let prefix = "cw_"
  private static let keyBytes = 32

  package init(
    database: ControlDatabase, clock: any WallClock, entropy: any EntropySource = SystemEntropy()
  ) throws(AccessError) {
    self.database = database
    self.clock = clock
    self.entropy = entropy
    try database.watch { [self] database in
      let loaded = try KeyStore.load(database)
      state.withLock { $0 = loaded }
    }
  }

  private static func load(_ database: Database) throws -> State {
    var state = State()
    for row in try Row.fetchAll(database, sql: "SELECT * FROM apiKeys ORDER BY id") {
      let realmName: String = row["realm"]
      let tenantName: String = row["tenant"]
      // A row that a later version wrote, or a damaged one, opens nothing.
      guard let realm = realms.first(where: { $0.name == realmName }), Tenant.isValid(name: tenantName),
        let role = Role(rawValue: row["role"]), Role.ofKeys(realm).contains(role),
        let hash = TokenHash(row["hash"])
      else { continue }
      let key = StoredKey(
        name: row["name"], tenant: Tenant(realm: realm, name: tenantName), role: role,
        createdAt: row["createdAt"], revokedAt: row["revokedAt"], isActive: row["isActive"],
        purpose: row["description"])
      state.add(key, hash)
    }
    return state
  }

  /// In the order they were made, revoked ones included.
  package func keys() -> [StoredKey] { state.withLock { $0.keys } }

  /// Whether a key of `realm` was ever made. Revoked ones count: what is open without keys must not open again because
  /// somebody took a key away.
  package func hasKeys(_ realm: Realm) -> Bool {
    state.withLock { $0.keys.contains { $0.tenant.realm == realm } }
  }

  /// Who has the key whose SHA-256 is `hash`; nil: nobody, or it is revoked, or of another realm.
  func principal(_ hash: TokenHash, realm: Realm) -> Principal? {
    state.withLock { $0.principals[realm]?[hash] }
  }

  /// Whether `hash` is that of a key of `realm` that holds but is inactive.
  func isInactive(_ hash: TokenHash, realm: Realm) -> Bool {
    state.withLock { $0.inactive.contains(hash) && $0.principals[realm]?[hash] == nil }
  }

  /// Makes a key and gives it out, this once.
  ///
  /// - Parameters:
  ///   - name: Shown in listings and, for native keys, in logs; one key that holds may have it in the realm, for ingest
  ///     keys in any case.
  ///   - tenant: Whose records it reads and writes; for workflow keys the client's id, for ingest keys the name.
  ///   - role: Workflow keys have the role `user` or `admin`, ingest keys `writer`.
  ///   - text: Makes the key's text of random bytes; nil: as other keys look.
  /// - Throws: `invalidName`, `keyExists`, or what the database says.
  package func create(
    realm: Realm, name: String, tenant: String, role: Role = .user, isActive: Bool = true,
    purpose: String = "", text make: (([UInt8]) -> String)? = nil
  ) async throws(AccessError) -> String {
    let key = StoredKey(
      name: name, tenant: try KeyStore.tenant(realm, name: name, tenant: tenant, role: role), role: role,
      createdAt: clock.now(), revokedAt: nil, isActive: isActive, purpose: purpose)
    let bytes = entropy.bytes(KeyStore.keyBytes)
    let text = make?(bytes) ?? KeyStore.prefix + Base64URL.text(bytes)
    let hash = TokenHash(of: text)
    _ = try await database.change("make the key") { database in
      let names = try String.fetchAll(
        database, sql: "SELECT name FROM apiKeys WHERE realm = ? AND revokedAt IS NULL",
        arguments: [realm.name])
      let folded = realm == .ingest ? name.lowercased() : name
      guard !names.contains(where: { (realm == .ingest ? $0.lowercased() : $0) == folded }) else {
        throw AccessError.keyExists
      }
      try database.execute(
        sql: """
          INSERT INTO apiKeys (hash, realm, name, tenant, role, createdAt, isActive, description)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          hash.text, realm.name, name, tenant, role.rawValue, key.createdAt, isActive, purpose,
        ])
    } applied: { [self] _ in
      state.withLock { $0.add(key, hash) }
    }
    return text
  }

  private static func tenant(
    _ realm: Realm, name: String, tenant: String, role: Role
  ) throws(AccessError) -> Tenant {
    try ShownName.check(name, of: "A key's name")
    guard KeyStore.realms.contains(realm) else {
      throw .invalidName("The realm \(realm.name) has no API keys of its own.")
    }
    guard Tenant.isValid(name: tenant) else {
      throw .invalidName("A tenant's name has 1 to \(Tenant.nameBytesMax) bytes and no NUL.")
    }
    guard Role.ofKeys(realm).contains(role) else {
      throw .invalidName("A key of the realm \(realm.name) cannot have the role \(role.rawValue).")
    }
    guard realm != .ingest || tenant == name else {
      throw .invalidName("An ingest key's tenant is its own name.")
    }
    return Tenant(realm: realm, name: tenant)
  }

  /// Ends a key; another may have its name from then on.
  ///
  /// - Throws: `unknownKey`, or what the database says.
  package func revoke(name: String, realm: Realm) async throws(AccessError) {
    let now = clock.now()
    _ = try await database.change("revoke the key") { database -> State in
      // In Swift, where names that look the same are one name, as in `create`.
      let rows = try Row.fetchAll(
        database, sql: "SELECT id, name FROM apiKeys WHERE realm = ? AND revokedAt IS NULL",
        arguments: [realm.name])
      guard let row = rows.first(where: { $0["name"] == name }) else { throw AccessError.unknownKey }
      let id: Int64 = row["id"]
      try database.execute(sql: "UPDATE apiKeys SET revokedAt = ? WHERE id = ?", arguments: [now, id])
      return try KeyStore.load(database)
    } applied: { [self] loaded in
      state.withLock { $0 = loaded }
    }
  }
}

extension KeyStore.State {
  fileprivate mutating func add(_ key: StoredKey, _ hash: TokenHash) {
    keys.append(key)
    guard key.revokedAt == nil else { return }
    let realm = key.tenant.realm
    guard key.isActive else {
      inactive.insert(hash)
      return
    }
    if realm == .ingest {
      principals[realm, default: [:]][hash] = IngestKeys.principal(of: key.tenant)
      return
    }
    // Workflow clients are known by their id: all of a client's keys are the client.
    let isClient = realm == .workflow
    principals[realm, default: [:]][hash] = Principal(
      tenant: key.tenant, subject: isClient ? key.tenant.name : key.name, role: key.role,
      credential: isClient
        ? WorkflowKeys.scope(of: key.tenant) : KeyDirectory.stableHash("key:" + hash.text))
  }
}
