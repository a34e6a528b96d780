import APIs
import Access
import Codecs
import HTTP
import Records
import Routing

extension ConfigurationValues {
  /// What the audit API's tokens must be like.
  ///
  /// - Parameter isPrivate: Whether the legacy rule may be on by itself.
  func auditPolicy(isPrivate: Bool) throws(ConfigurationError) -> AuditCredentials.Policy {
    var policy = AuditCredentials.Policy()
    policy.audience = try text("audit.audience")
    policy.issuer = try text("audit.issuer")
    policy.leewaySeconds = try integer("audit.leeway_seconds")
    let word = try text("audit.legacy_tenant_keys")
    policy.legacy = LegacyTenantKeys(
      isOn: word == "on" || word == "auto" && isPrivate,
      secret: try optionalText("audit.secret") ?? LegacyTenantKeys.defaultSecret)
    guard isPrivate || !policy.legacy.isOn || !policy.legacy.hasDefaultSecret else {
      throw .refused(
        "audit.legacy_tenant_keys is on with the secret that everybody knows: set audit.secret, or turn it off"
      )
    }
    policy.keys = try auditKeys("audit.keys")
    policy.issuerGrants = AuditGrants(
      role: try role("audit.jwks_role"), isOperator: try flag("audit.jwks_operator"))
    policy.tenantGrants.isOperator = isPrivate
    policy.tokenHoursMax = isPrivate ? nil : try integer("audit.token_hours_max")
    return policy
  }

  private func auditKeys(_ path: String) throws(ConfigurationError) -> [AuditKey] {
    let (setting, entry) = tree.entry(path)
    guard case .list(let items) = entry.value else {
      throw .wrongValue(key: path, source: entry.source, expected: setting.kind.name)
    }
    var keys: [AuditKey] = []
    for (index, item) in items.enumerated() {
      let place = "\(path)[\(index)]"
      guard case .map(let members) = item else {
        throw .wrongValue(
          key: place, source: entry.source,
          expected: "a map {kid, secret, tenants, role, operator}")
      }
      let known = ["kid", "secret", "tenants", "role", "operator"]
      for member in members.keys.sorted() where !known.contains(member) {
        throw .unknownKey(key: "\(place).\(member)", source: entry.source, suggestion: nil)
      }
      keys.append(try auditKey(members, place: place, source: entry.source))
    }
    guard Set(keys.map(\.keyID)).count == keys.count else {
      throw .wrongValue(key: path, source: entry.source, expected: "a list without equal kids")
    }
    return keys
  }

  private func auditKey(
    _ members: [String: ConfigurationTree.Value], place: String, source: String
  ) throws(ConfigurationError) -> AuditKey {
    guard case .scalar(let keyID)? = members["kid"], !keyID.isEmpty else {
      throw .wrongValue(key: "\(place).kid", source: source, expected: "a non-empty text")
    }
    // RFC 7518 §3.2: a key as long as the hash. NUL is out since HMAC fills short keys up with zeros.
    guard case .scalar(let secret)? = members["secret"], secret.utf8.count >= 32, !secret.utf8.contains(0)
    else {
      throw .wrongValue(key: "\(place).secret", source: source, expected: "a text of at least 32 bytes")
    }
    let grants = try auditGrants(members, place: place, source: source)
    guard let list = members["tenants"] else {
      return AuditKey(keyID: keyID, secret: secret, tenants: nil, grants: grants)
    }
    guard !grants.isOperator else {
      throw .wrongValue(
        key: "\(place).operator", source: source, expected: "nothing, or no list of tenants beside it")
    }
    let expected = "a list of tenants' names, or left out"
    guard case .list(let items) = list, !items.isEmpty else {
      throw .wrongValue(key: "\(place).tenants", source: source, expected: expected)
    }
    var tenants: [String] = []
    for item in items {
      guard case .scalar(let name) = item, Tenant.isValid(name: name), name.isNormalized else {
        throw .wrongValue(key: "\(place).tenants", source: source, expected: expected)
      }
      tenants.append(name)
    }
    return AuditKey(keyID: keyID, secret: secret, tenants: tenants, grants: grants)
  }

  private func auditGrants(
    _ members: [String: ConfigurationTree.Value], place: String, source: String
  ) throws(ConfigurationError) -> AuditGrants {
    var grants = AuditGrants()
    if let value = members["role"] {
      guard case .scalar(let word) = value, let role = ConfigurationValues.auditRole(word) else {
        throw .wrongValue(key: "\(place).role", source: source, expected: "viewer, auditor or admin")
      }
      grants.role = role
    }
    switch members["operator"] {
    case nil, .scalar("false")?: break
    case .scalar("true")?: grants.isOperator = true
    default: throw .wrongValue(key: "\(place).operator", source: source, expected: "`true` or `false`")
    }
    return grants
  }

  private static func auditRole(_ word: String) -> Role? {
    let role = Role(word: word)
    return role == .viewer || role == .auditor || role == .admin ? role : nil
  }

  private func role(_ path: String) throws(ConfigurationError) -> Role {
    guard let role = ConfigurationValues.auditRole(try text(path)) else { bug("\(path) is one of the three") }
    return role
  }

  /// The provider of sign-ins; nil: none.
  func openID() throws(ConfigurationError) -> OpenIDSettings? {
    guard let issuer = try optionalText("oidc.issuer") else { return nil }
    guard let client = try optionalText("oidc.client_id"), let url = try optionalText("oidc.redirect_url")
    else {
      throw .refused("oidc.issuer needs oidc.client_id and oidc.redirect_url: what is registered there")
    }
    for (path, url) in [("oidc.issuer", issuer), ("oidc.redirect_url", url)] {
      guard OpenIDSettings.isSafe(url), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw .refused("\(path) is an address that begins with https:// (http:// on this machine alone)")
      }
    }
    guard url.hasBytes(to: OpenIDSettings.callbackPath) else {
      throw .refused("oidc.redirect_url ends with \(OpenIDSettings.callbackPath)")
    }
    var settings = OpenIDSettings(issuer: issuer, clientID: client, redirectURL: url)
    settings.clientSecret = try optionalText("oidc.client_secret")
    settings.nameClaim = try text("oidc.name_claim")
    settings.scopes = try text("oidc.scopes")
    guard settings.scopes.parts(at: " ").contains(where: { $0.hasBytes(of: "openid") }) else {
      throw .refused("oidc.scopes has openid among its words")
    }
    settings.title = try text("oidc.title")
    // Addresses are compared in lower case.
    let isAddress = settings.nameClaim.hasBytes(of: "email")
    let names = { (words: [String]) in isAddress ? words.map(\.asciiLowercased) : words }
    settings.allowed = names(try words("oidc.allowed"))
    settings.administrators = Set(names(try words("oidc.administrators")).map { Name($0) })
    return settings
  }

  /// The query-log API's logins, and the key of its hashes.
  ///
  /// - Parameter isPrivate: Whether anyone may be anyone, and a secret that everybody knows will do.
  func queryLog(
    isPrivate: Bool
  ) throws(ConfigurationError) -> (policy: QuerySessions.Policy, secret: String?) {
    var policy = QuerySessions.Policy()
    policy.tokenSeconds = try integer("querylog.token_minutes") * 60
    policy.needsPassword = !isPrivate
    let secret = try optionalText("querylog.secret")
    guard isPrivate || secret != QuerySeal.defaultSecret else {
      throw .refused("querylog.secret is the one that everybody knows: set another, or none for a random one")
    }
    return (policy, secret ?? (isPrivate ? QuerySeal.defaultSecret : nil))
  }

  /// Workflow clients by their keys.
  func clients(_ path: String) throws(ConfigurationError) -> [String: Tenant] {
    let (setting, entry) = tree.entry(path)
    guard let members = ConfigurationValues.members(entry.value) else {
      throw .wrongValue(key: path, source: entry.source, expected: setting.kind.name)
    }
    var clients: [String: Tenant] = [:]
    for (key, client) in members {
      guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw .wrongValue(key: path, source: entry.source, expected: "keys of visible ASCII characters")
      }
      guard Tenant.isValid(name: client), client.isNormalized else {
        throw .wrongValue(
          key: path, source: entry.source, expected: "clients' ids of 1 to 512 bytes, in Normalization Form C"
        )
      }
      clients[key] = Tenant(realm: .workflow, name: client)
    }
    return clients
  }

  /// The texts of an object, written as JSON or as a map; nil: neither.
  private static func members(_ value: ConfigurationTree.Value) -> [(String, String)]? {
    var pairs: [(String, String)] = []
    switch value {
    case .list: return nil
    case .map(let members):
      for (name, value) in members {
        guard case .scalar(let text) = value else { return nil }
        pairs.append((name, text))
      }
    case .scalar(let text):
      // What is wrong with it is not said: the text is all secrets.
      guard let tree = try? JSONTree(parsing: Array(text.utf8)), case .object(let members) = tree else {
        return nil
      }
      for member in members {
        guard case .string(let text) = member.value else { return nil }
        pairs.append((member.name, text))
      }
    }
    return pairs
  }

  /// Origins of pages, or `*`.
  func origins(_ path: String) throws(ConfigurationError) -> AllowedOrigins {
    try made(
      of: path, AllowedOrigins.init,
      expected: #"a list of "*" or of origins such as "https://app.example.com", without a path"#)
  }

  /// Whether there is `/docs`, and the page for people.
  func pages(isPrivate: Bool) throws(ConfigurationError) -> (docs: Bool, page: Bool) {
    (try isOn("server.docs", auto: isPrivate), try isOn("server.page", auto: true))
  }

  /// - Parameter auto: What `auto` means.
  func isOn(_ path: String, auto: Bool) throws(ConfigurationError) -> Bool {
    switch try text(path) {
    case "on": true
    case "auto": auto
    default: false
    }
  }

  func secretsKey() throws(ConfigurationError) -> SecretsKeySource {
    let path = try optionalText("audit.secrets_key_file")
    guard let command = try optionalText("audit.secrets_key_command") else {
      return path.map { .file($0) } ?? .dataDirectory
    }
    guard path == nil else {
      throw .refused("audit.secrets_key_file and audit.secrets_key_command: set one of them")
    }
    return .command(command)
  }

  func proxies(_ path: String) throws(ConfigurationError) -> TrustedProxies {
    try made(
      of: path, TrustedProxies.init,
      expected: "a list of addresses and networks such as 10.0.0.0/8, with no bits set behind the network's")
  }

  /// What `make` makes of a list of texts.
  private func made<Made>(
    of path: String, _ make: ([String]) -> Made?, expected: String
  ) throws(ConfigurationError) -> Made {
    let (_, entry) = tree.entry(path)
    if case .list(let items) = entry.value {
      let texts = items.compactMap { if case .scalar(let text) = $0 { text } else { nil } }
      if texts.count == items.count, let made = make(texts) { return made }
    }
    throw .wrongValue(key: path, source: entry.source, expected: expected)
  }

  /// A header field's name.
  func fieldName(_ path: String) throws(ConfigurationError) -> String {
    let (_, entry) = tree.entry(path)
    let name = try text(path)
    let isToken = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    // Authorization is where the audit API's tokens come, on the same routes.
    guard isToken, !name.asciiLowercased.hasBytes(of: "authorization") else {
      throw .wrongValue(
        key: path, source: entry.source, expected: "a header field's name other than Authorization")
    }
    return name
  }
}
