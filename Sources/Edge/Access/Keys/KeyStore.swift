import Codecs
import Platform
import Records
import Synchronization

/// An API key of the control plane as listings show it: never the key itself, which nobody has but its user.
package struct StoredKey: Sendable, Hashable {
  /// One key that holds has it in the realm.
  package let name: String
  /// Whose records it reads and writes.
  package let tenant: Tenant
  /// What it may do.
  package let role: Role
  /// Nanoseconds since 1970.
  package let createdAt: Int64
  /// nil: it holds.
  package let revokedAt: Int64?
  /// Whether it lets in; an inactive one is known, and refused for what it is.
  package var isActive = true
  /// What it is for, in its maker's words; empty: not said.
  package var purpose = ""

  /// An active key whose purpose is not said.
  package init(
    name: String, tenant: Tenant, role: Role, createdAt: Int64, revokedAt: Int64? = nil
  ) {
    self.name = name
    self.tenant = tenant
    self.role = role
    self.createdAt = createdAt
    self.revokedAt = revokedAt
  }
}

/// API keys made by `cordwood keys`: in memory, and in the control plane as SHA-256 only.
package final class KeyStore: Sendable {
  fileprivate struct State {
    /// In the order they were made, revoked ones included.
    var keys: [StoredKey] = []
    /// Those that hold.
    var principals: [Realm: [TokenHash: Principal]] = [:]
    /// Those that hold and are inactive.
    var inactive: Set<TokenHash> = []
  }

  private let repository: any KeyRepository
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let state = Mutex(State())

  /// Realms whose routes take API keys.
  package static let realms: [Realm] = [.native, .workflow, .ingest]
  /// So that a key that got out can be found, and is known for what it is.
  private static let prefix = "cw_"
  private static let keyBytes = 32

  /// Loads all keys.
  ///
  /// - Throws: What the control plane says.
  package init(
    _ plane: any ControlPlane, clock: any WallClock, entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) {
    repository = plane.keys
    self.clock = clock
    self.entropy = entropy
    try await plane.changes.observe(.keys) { [weak self] change in
      guard case .keys(let change) = change else { return }
      self?.state.withLock { $0.apply(change) }
    }
  }

  /// In the order they were made, revoked ones included.
  package func keys() -> [StoredKey] { state.withLock { $0.keys } }

  /// Whether a key of `realm` was ever made. Revoked ones count: what is open without keys must not open
  /// again because somebody took a key away.
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
  ///   - name: Shown in listings and, for native keys, in logs; one key that holds may have it in the realm,
  ///     for ingest keys in any case.
  ///   - tenant: Whose records it reads and writes; for workflow keys the client's id, for ingest keys the
  ///     name.
  ///   - role: Workflow keys have the role `user` or `admin`, ingest keys `writer`.
  ///   - text: Makes the key's text of random bytes; nil: as other keys look.
  /// - Throws: `invalidName`, `keyExists`, or what the control plane says.
  package func create(
    realm: Realm, name: String, tenant: String, role: Role = .user, isActive: Bool = true,
    purpose: String = "", text make: (([UInt8]) -> String)? = nil
  ) async throws(AccessError) -> String {
    var key = StoredKey(
      name: name, tenant: try KeyStore.tenant(realm, name: name, tenant: tenant, role: role), role: role,
      createdAt: clock.now())
    key.isActive = isActive
    key.purpose = purpose
    let bytes = entropy.bytes(KeyStore.keyBytes)
    let text = make?(bytes) ?? KeyStore.prefix + Base64URL.text(bytes)
    try await repository.create(KeyRecord(hash: TokenHash(of: text), key: key))
    return text
  }

  private static func tenant(
    _ realm: Realm, name: String, tenant: String, role: Role
  ) throws(AccessError) -> Tenant {
    try ShownName.check(name, of: "A key's name")
    guard KeyStore.realms.contains(realm) else {
      throw .invalidName("The realm \(realm.name) has no API keys of its own.")
    }
    try ShownName.check(tenant, of: "A tenant's name", bytesMax: Tenant.nameBytesMax)
    guard Role.ofKeys(realm).contains(role) else {
      throw .invalidName("A key of the realm \(realm.name) cannot have the role \(role.rawValue).")
    }
    guard realm != .ingest || tenant.hasBytes(of: name) else {
      throw .invalidName("An ingest key's tenant is its own name.")
    }
    return Tenant(realm: realm, name: tenant)
  }

  /// Ends a key; another may have its name from then on.
  ///
  /// - Throws: `unknownKey`, or what the control plane says.
  package func revoke(name: String, realm: Realm) async throws(AccessError) {
    try await repository.revoke(name: name, realm: realm, at: clock.now())
  }
}

extension KeyStore.State {
  fileprivate mutating func apply(_ change: KeyChange) {
    switch change {
    case .all(let records):
      self = KeyStore.State()
      for record in records { add(record.key, record.hash) }
    case .created(let record): add(record.key, record.hash)
    }
  }

  private mutating func add(_ key: StoredKey, _ hash: TokenHash) {
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
