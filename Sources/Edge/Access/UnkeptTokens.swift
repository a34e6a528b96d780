/// Tokens that hold though the disk had no room for them: in memory, until there is room, or the server
/// stops. So who must make room can log in to do so.
struct UnkeptTokens<Token: Expiring & Sendable>: Sendable {
  /// Beyond so many a login is refused as without room: each has cost a password, or is where nobody needs
  /// one.
  private static var countMax: Int { 1_000 }

  private(set) var tokens: [TokenHash: Token] = [:]

  /// Whether there was room in memory.
  mutating func add(_ token: Token, hash: TokenHash) -> Bool {
    guard tokens.count < UnkeptTokens.countMax else { return false }
    tokens[hash] = token
    return true
  }

  /// Forgets it; the token, if it was here.
  @discardableResult mutating func remove(_ hash: TokenHash) -> Token? { tokens.removeValue(forKey: hash) }

  mutating func keepOnly(_ isWanted: (TokenHash, Token) -> Bool) {
    if !tokens.isEmpty { tokens = tokens.filter(isWanted) }
  }
}
