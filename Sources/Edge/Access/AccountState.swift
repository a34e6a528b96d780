import Records

/// A token that the control plane had no room for.
struct UnkeptToken: Sendable, Expiring {
  let record: TokenRecord
  /// The password it was made for: another one ends it.
  let password: String

  var issuedAt: Int64 { record.issuedAt }
  var expiresAt: Int64 { record.expiresAt }
}

/// Users and tokens in memory, as the control plane's changes make them.
struct AccountState: Sendable {
  /// A user with the password as it is checked.
  struct Account: Sendable {
    let record: UserRecord
    /// nil: none that could be checked; nobody gets in.
    let password: PasswordHash?

    init(_ record: UserRecord) {
      self.record = record
      password = PasswordHash(record.password)
    }

    var id: Int64 { record.id }
    var name: String { record.name }
    var role: Role { record.role }
    var user: User { User(name: record.name, role: record.role, createdAt: record.createdAt) }
  }

  private(set) var users: [Int64: Account] = [:]
  private var idOfName: [Name: Int64] = [:]
  /// Users of before may look alike.
  private var idsOfLooks: [Name: Set<Int64>] = [:]
  var tokens: [TokenHash: TokenRecord] = [:]
  /// Those that the control plane had no room for.
  var unkept = UnkeptTokens<UnkeptToken>()

  func user(named name: String) -> Account? { idOfName[Name(name)].flatMap { users[$0] } }

  /// Whether a user has the name, or one that looks like it (``ShownName/looks(of:)``).
  func hasUser(named name: String, looking looks: String) -> Bool {
    idOfName[Name(name)] != nil || idsOfLooks[Name(looks)] != nil
  }

  mutating func apply(_ change: AccountChange) {
    switch change {
    case .all(let users, let tokens):
      let unkept = self.unkept
      self = AccountState()
      self.unkept = unkept
      for user in users { keep(user) }
      for token in tokens where self.users[token.userID] != nil { self.tokens[token.hash] = token }
    case .userCreated(let user): keep(user)
    case .passwordChanged(let user, let kept):
      keep(user)
      tokens = tokens.filter { $0.value.userID != user.id || $0.key == kept }
      if let kept, let token = unkept.remove(kept) {
        _ = unkept.add(UnkeptToken(record: token.record, password: user.password), hash: kept)
      }
    case .userRemoved(let id):
      if let user = users.removeValue(forKey: id) { forget(user) }
      tokens = tokens.filter { $0.value.userID != id }
    case .tokenIssued(let token, let ended):
      for hash in ended { tokens[hash] = nil }
      tokens[token.hash] = token
    case .tokensEnded(let ended):
      for hash in ended {
        tokens[hash] = nil
        unkept.remove(hash)
      }
    }
    // Whoever is gone, or has another password, has no such token.
    let users = self.users
    unkept.keepOnly { users[$1.record.userID]?.record.password == $1.password }
  }

  private mutating func keep(_ user: UserRecord) {
    users[user.id] = Account(user)
    idOfName[Name(user.name)] = user.id
    idsOfLooks[Name(ShownName.looks(of: user.name)), default: []].insert(user.id)
  }

  private mutating func forget(_ user: Account) {
    idOfName[Name(user.name)] = nil
    let looks = Name(ShownName.looks(of: user.name))
    idsOfLooks[looks]?.remove(user.id)
    if idsOfLooks[looks]?.isEmpty == true { idsOfLooks[looks] = nil }
  }
}
