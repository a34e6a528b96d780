import Codecs
import Records

/// What a verified token says, once it was found to be for us.
struct TokenClaims: Sendable {
  /// When a token holds: nanoseconds since 1970.
  struct Window: Sendable, Hashable {
    /// Included.
    var start = Int64.min
    /// Not included.
    var end = Int64.max

    func contains(_ now: Int64) -> Bool { start <= now && now < end }
  }

  let tenant: Tenant
  let subject: String
  let role: Role
  let window: Window
  /// The claim `jti`, by which one token can be revoked; nil: it has none.
  let id: Name?
  /// Nanoseconds since 1970; nil: it does not say.
  let issuedAt: Int64?

  /// Bytes of `sub`.
  static let subjectBytesMax = 1_024

  /// The claim `tenant`, which decides about the key: read before anything is verified.
  static func tenant(of claims: JSONTree) -> Tenant? {
    guard case .string(let name)? = claims["tenant"], Tenant.isValid(name: name), name.isNormalized else {
      return nil
    }
    return Tenant(realm: .audit, name: name)
  }

  /// nil: not for this audience, not from this issuer, or a claim is missing or of the wrong kind.
  init?(_ claims: JSONTree, audience: String, issuer: String, leewaySeconds: Int) {
    guard let tenant = TokenClaims.tenant(of: claims),
      case .string(let subject)? = claims["sub"], !subject.isEmpty,
      subject.utf8.count <= TokenClaims.subjectBytesMax,
      case .string(let givenIssuer)? = claims["iss"], givenIssuer.hasBytes(of: issuer),
      TokenClaims.isFor(audience, claims["aud"]),
      let window = TokenClaims.window(claims, leewaySeconds: leewaySeconds)
    else { return nil }
    self.tenant = tenant
    self.subject = subject
    self.window = window
    id = if case .string(let text)? = claims["jti"] { Name(text) } else { nil }
    issuedAt = claims["iat"].flatMap(TokenClaims.nanoseconds)
    switch claims["role"] {
    case .string("admin"): role = .admin
    case .string("auditor"): role = .auditor
    default: role = .viewer
    }
  }

  static func isFor(_ audience: String, _ claim: JSONTree?) -> Bool {
    switch claim {
    case .string(let text): return text.hasBytes(of: audience)
    case .array(let items):
      let texts = items.compactMap { item in
        if case .string(let text) = item { text } else { nil }
      }
      return texts.count == items.count && texts.contains { $0.hasBytes(of: audience) }
    default: return false
    }
  }

  static func window(_ claims: JSONTree, leewaySeconds: Int) -> Window? {
    let (leeway, overflow) = Int64(leewaySeconds).multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return nil }
    var window = Window()
    if let claim = claims["exp"] {
      guard let time = nanoseconds(claim) else { return nil }
      let (end, overflow) = time.addingReportingOverflow(leeway)
      window.end = overflow ? .max : end
    }
    // A token from the future is one of a clock that cannot be trusted about the rest either.
    for name in ["nbf", "iat"] {
      guard let claim = claims[name] else { continue }
      guard let time = nanoseconds(claim) else { return nil }
      let (start, overflow) = time.subtractingReportingOverflow(leeway)
      window.start = max(window.start, overflow ? .min : start)
    }
    return window
  }

  /// Seconds since 1970 in nanoseconds; times beyond what they hold are the last one they hold.
  private static func nanoseconds(_ claim: JSONTree) -> Int64? {
    let seconds: Double?
    switch claim {
    case .int64(let whole):
      let (time, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
      return overflow ? (whole < 0 ? .min : .max) : time
    case .float64(let value): seconds = value
    case .number(let text): seconds = Double(text)
    case .null, .bool, .string, .array, .object: seconds = nil
    }
    guard let seconds, seconds.isFinite else { return nil }
    let time = (seconds * 1e9).rounded()
    return Int64(exactly: time) ?? (time < 0 ? .min : .max)
  }
}
