import Access
import Records

extension MemoryControlPlane: AccountRepository {
  func createUser(
    name: String, looks: String, role: Role, password: String, hasDefaultPassword: Bool, createdAt: Int64
  ) async throws(AccessError) -> UserRecord {
    try change { contents throws(AccessError) in
      guard
        !contents.users.contains(where: {
          $0.name.hasBytes(of: name) || contents.looks[$0.id]?.hasBytes(of: looks) == true
        })
      else {
        throw .userExists
      }
      let user = UserRecord(
        id: contents.nextID(), name: name, role: role, password: password,
        hasDefaultPassword: hasDefaultPassword, createdAt: createdAt)
      contents.users.append(user)
      contents.looks[user.id] = looks
      return (user, [.accounts(.userCreated(user))])
    }
  }

  func setPassword(
    _ password: String, of user: UserRecord, keeping kept: TokenHash?
  ) async throws(AccessError) {
    try change { contents throws(AccessError) in
      guard let index = contents.users.firstIndex(where: { $0.id == user.id }) else { throw .unknownUser }
      let changed = user.with(password: password)
      contents.users[index] = changed
      contents.tokens.removeAll { $0.userID == user.id && $0.hash != kept }
      contents.queryTokens.removeAll { $0.userID == user.id }
      return (
        (), [.queryTokens(.ended(userID: user.id)), .accounts(.passwordChanged(changed, kept: kept))]
      )
    }
  }

  func removeUser(_ user: UserRecord, heir: UserRecord?) async throws(AccessError) {
    try change { contents throws(AccessError) in
      let owned = contents.containers.indices.filter { contents.containers[$0].owner == user.id }
      if !owned.isEmpty {
        guard let heir, heir.id != user.id else { throw .ownsContainers(owned.count) }
        for index in owned { contents.containers[index].owner = heir.id }
      }
      contents.users.removeAll { $0.id == user.id }
      contents.tokens.removeAll { $0.userID == user.id }
      contents.queryTokens.removeAll { $0.userID == user.id }
      contents.grants[user.id] = nil
      contents.views = contents.views.filter { $0.key.userID != user.id }
      guard contents.users.contains(where: { $0.role == .admin }) else { throw .lastAdministrator }
      return (
        (),
        [
          .queryTokens(.ended(userID: user.id)), .grants(.changed(userID: user.id, [])),
          .accounts(.userRemoved(id: user.id)), .catalog,
        ]
      )
    }
  }

  func issue(
    _ token: TokenRecord, password: String, replacing old: TokenHash?, tokensMax: Int
  ) async throws(AccessError) {
    try change { contents throws(AccessError) in
      guard contents.users.first(where: { $0.id == token.userID })?.password == password else {
        throw .wrongPassword
      }
      if let old {
        guard let index = contents.tokens.firstIndex(where: { $0.hash == old }) else { throw .unknownUser }
        contents.tokens.remove(at: index)
      }
      contents.tokens.append(token)
      let own = contents.tokens.filter { $0.userID == token.userID }.sorted {
        ($1.issuedAt, $0.hash.text) < ($0.issuedAt, $1.hash.text)
      }
      let surplus = Set(own.dropFirst(tokensMax).map(\.hash))
      contents.tokens.removeAll { surplus.contains($0.hash) }
      return ((), [.accounts(.tokenIssued(token, ended: Array(surplus) + (old.map { [$0] } ?? [])))])
    }
  }

  func end(_ token: TokenHash) async throws(AccessError) {
    try change { contents throws(AccessError) in
      contents.tokens.removeAll { $0.hash == token }
      return ((), [.accounts(.tokensEnded([token]))])
    }
  }

  func endExpired(_ tokens: [TokenHash], now: Int64) async throws(AccessError) {
    try change { contents throws(AccessError) in
      let ended = contents.tokens.filter { tokens.contains($0.hash) || $0.expiresAt <= now }.map(\.hash)
      contents.tokens.removeAll { ended.contains($0.hash) }
      return ((), [.accounts(.tokensEnded(ended))])
    }
  }
}

extension MemoryControlPlane: QueryTokenRepository {
  func issue(
    _ token: QueryTokenRecord, password: String?, endingOldest surplus: Int
  ) async throws(AccessError) {
    try change { contents throws(AccessError) in
      if let id = token.userID {
        let current = contents.users.first { $0.id == id }?.password
        guard let current, password ?? current == current else { throw .wrongPassword }
      }
      let oldest = contents.queryTokens.sorted { $0.issuedAt < $1.issuedAt }.prefix(max(0, surplus))
      let ended = oldest.map(\.hash)
      contents.queryTokens.removeAll { ended.contains($0.hash) }
      contents.queryTokens.append(token)
      return ((), [.queryTokens(.issued(token, ended: ended))])
    }
  }

  func endExpired(now: Int64) async throws(AccessError) {
    try change { contents throws(AccessError) in
      contents.queryTokens.removeAll { $0.expiresAt <= now }
      return ((), [.queryTokens(.expired(now: now))])
    }
  }
}

extension MemoryControlPlane: KeyRepository {
  func create(_ key: KeyRecord) async throws(AccessError) {
    try change { contents throws(AccessError) in
      let realm = key.key.tenant.realm
      func folded(_ name: String) -> String { realm == .ingest ? name.lowercased() : name }
      let isThere = contents.keys.contains {
        $0.key.tenant.realm == realm && $0.key.revokedAt == nil
          && folded($0.key.name) == folded(key.key.name)
      }
      guard !isThere else { throw .keyExists }
      contents.keys.append(key)
      return ((), [.keys(.created(key))])
    }
  }

  func revoke(name: String, realm: Realm, at time: Int64) async throws(AccessError) {
    try change { contents throws(AccessError) in
      let index = contents.keys.firstIndex {
        $0.key.tenant.realm == realm && $0.key.revokedAt == nil && $0.key.name == name
      }
      guard let index else { throw .unknownKey }
      let old = contents.keys[index].key
      var key = StoredKey(
        name: old.name, tenant: old.tenant, role: old.role, createdAt: old.createdAt, revokedAt: time)
      key.isActive = old.isActive
      key.purpose = old.purpose
      contents.keys[index] = KeyRecord(hash: contents.keys[index].hash, key: key)
      return ((), [.keys(.all(contents.keys))])
    }
  }
}

extension MemoryControlPlane: TenantRepository {
  func replaceSecrets(_ tenants: [AuditTenant]) async throws(AccessError) {
    try change { contents throws(AccessError) in
      for tenant in tenants {
        for index in contents.tenants.indices where contents.tenants[index].key == tenant.key {
          contents.tenants[index] = tenant
        }
      }
      return ((), [])
    }
  }

  func revoke(_ revocation: TokenRevocation, now: Int64, countMax: Int) async throws(AccessError) {
    try change { contents throws(AccessError) in
      contents.revoked.removeAll { if case .token(_, _, let until) = $0 { until <= now } else { false } }
      contents.revoked.append(revocation)
      return ((), [.tenants(.revoked(revocation))])
    }
  }

  func create(_ tenant: AuditTenant) async throws(AccessError) {
    try change { contents throws(AccessError) in
      guard !contents.tenants.contains(where: { $0.key == tenant.key }) else { throw .tenantExists }
      contents.tenants.append(tenant)
      return ((), [.tenants(.created(tenant))])
    }
  }
}
