/// What a user's token opens. Tokens of both uses are kept alike, by hashes that no token of the other use
/// can have: a bearer token has no blank.
enum TokenUse: Sendable {
  /// The sessions API, by `Authorization`.
  case bearer
  /// The page, by a cookie.
  case page

  func hash(of text: String) -> TokenHash {
    switch self {
    case .bearer: TokenHash(of: text)
    case .page: TokenHash(of: "page " + text)
    }
  }
}
