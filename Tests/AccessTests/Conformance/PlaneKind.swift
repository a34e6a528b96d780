import Access
import Foundation
import Synchronization

/// Implementations of the control plane. What the suites here ask, any must answer alike.
enum PlaneKind: CaseIterable, Sendable {
  case sqlite, memory

  /// A new control plane, and another on the same tables, as a second process has one.
  func open() async throws -> OpenPlane {
    switch self {
    case .memory:
      let tables = MemoryTables()
      return OpenPlane(plane: MemoryControlPlane(tables), other: MemoryControlPlane(tables), folder: nil)
    case .sqlite:
      let folder = NSTemporaryDirectory() + "cordwood-plane-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let path = folder + "/control.sqlite"
      return OpenPlane(
        plane: try await ControlDatabase.open(path: path), other: try await ControlDatabase.open(path: path),
        folder: folder)
    }
  }
}

final class OpenPlane: Sendable {
  let plane: any ControlPlane
  let other: any ControlPlane
  private let folder: String?

  init(plane: any ControlPlane, other: any ControlPlane, folder: String?) {
    self.plane = plane
    self.other = other
    self.folder = folder
  }

  // A leftover folder in the temporary directory harms nobody.
  deinit { if let folder { try? FileManager.default.removeItem(atPath: folder) } }

  func user(_ name: String, _ role: Role = .user) async throws -> UserRecord {
    try await plane.accounts.createUser(
      name: name, looks: name, role: role, password: "pw of \(name)", hasDefaultPassword: false, createdAt: 5)
  }
}

/// Tables as somebody holds them who is told of changes and nothing else.
final class Mirror: Sendable {
  struct State: Sendable, Equatable {
    var users: [Int64: UserRecord] = [:]
    var tokens: [TokenHash: TokenRecord] = [:]
    var keys: [KeyRecord] = []
    var tenants: [AuditTenant] = []
    var revoked: Set<TokenRevocation> = []
    var queryTokens: [TokenHash: QueryTokenRecord] = [:]
    var grants: [Int64: [Grant]] = [:]
  }

  private let kept = Mutex(State())
  private let catalogChanges = Mutex(0)
  var state: State { kept.withLock { $0 } }
  var catalogChangeCount: Int { catalogChanges.withLock { $0 } }

  init(_ plane: any ControlPlane) async throws {
    for table in ControlTable.allCases {
      try await plane.changes.observe(table) { [weak self] change in
        self?.apply(change)
      }
    }
  }

  private func apply(_ change: ControlChange) {
    if case .catalog = change { catalogChanges.withLock { $0 += 1 } }
    kept.withLock { state in
      switch change {
      case .accounts(let change): state.apply(change)
      case .keys(.all(let keys)): state.keys = keys
      case .keys(.created(let key)): state.keys.append(key)
      case .tenants(.all(let tenants, let revoked)): (state.tenants, state.revoked) = (tenants, Set(revoked))
      case .tenants(.revoked(let revocation)): state.revoked.insert(revocation)
      case .tenants(.created(let tenant)): state.tenants.append(tenant)
      case .queryTokens(let change): state.apply(change)
      case .grants(.all(let grants)): state.grants = grants
      case .grants(.changed(let id, let grants)): state.grants[id] = grants.isEmpty ? nil : grants
      case .catalog: break
      }
    }
  }
}

extension Mirror.State {
  mutating func apply(_ change: AccountChange) {
    switch change {
    case .all(let all, let allTokens):
      users = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
      tokens = Dictionary(uniqueKeysWithValues: allTokens.map { ($0.hash, $0) })
    case .userCreated(let user): users[user.id] = user
    case .passwordChanged(let user, let kept):
      users[user.id] = user
      tokens = tokens.filter { $0.value.userID != user.id || $0.key == kept }
    case .userRemoved(let id):
      users[id] = nil
      tokens = tokens.filter { $0.value.userID != id }
    case .tokenIssued(let token, let ended):
      for hash in ended { tokens[hash] = nil }
      tokens[token.hash] = token
    case .tokensEnded(let ended): for hash in ended { tokens[hash] = nil }
    }
  }

  mutating func apply(_ change: QueryTokenChange) {
    switch change {
    case .all(let all): queryTokens = Dictionary(uniqueKeysWithValues: all.map { ($0.hash, $0) })
    case .issued(let token, let ended):
      for hash in ended { queryTokens[hash] = nil }
      queryTokens[token.hash] = token
    case .ended(let id): queryTokens = queryTokens.filter { $0.value.userID != id }
    case .expired(let now): queryTokens = queryTokens.filter { $0.value.expiresAt > now }
    }
  }
}

func token(_ text: String, of user: UserRecord, at time: Int64 = 10) -> TokenRecord {
  TokenRecord(hash: TokenHash(of: text), userID: user.id, issuedAt: time, expiresAt: time + 100)
}

func queryToken(
  _ text: String, of user: String, id: Int64? = nil, at time: Int64 = 10
) -> QueryTokenRecord {
  QueryTokenRecord(hash: TokenHash(of: text), user: user, userID: id, issuedAt: time, expiresAt: time + 100)
}
