import Records

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
  /// Swift compares names that look the same as equal, however their accents are encoded.
  private var idOfName: [String: Int64] = [:]
  var tokens: [TokenHash: TokenRecord] = [:]

  func user(named name: String) -> Account? { idOfName[name].flatMap { users[$0] } }

  mutating func apply(_ change: AccountChange) {
    switch change {
    case .all(let users, let tokens):
      self = AccountState()
      for user in users { keep(user) }
      for token in tokens where self.users[token.userID] != nil { self.tokens[token.hash] = token }
    case .userCreated(let user): keep(user)
    case .passwordChanged(let user, let kept):
      keep(user)
      tokens = tokens.filter { $0.value.userID != user.id || $0.key == kept }
    case .userRemoved(let id):
      if let user = users.removeValue(forKey: id) { idOfName[user.name] = nil }
      tokens = tokens.filter { $0.value.userID != id }
    case .tokenIssued(let token, let ended):
      for hash in ended { tokens[hash] = nil }
      tokens[token.hash] = token
    case .tokensEnded(let ended): for hash in ended { tokens[hash] = nil }
    }
  }

  private mutating func keep(_ user: UserRecord) {
    users[user.id] = Account(user)
    idOfName[user.name] = user.id
  }
}
