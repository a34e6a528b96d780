import APIs
import Access
import Decoding
import HTTP
import Records
import Routing

/// Reads settings with their types; an error names key, source and what was expected, never the value.
struct ConfigurationValues {
  let tree: ConfigurationTree
  let registry: Registry

  func text(_ path: String) throws(ConfigurationError) -> String {
    let (setting, entry) = tree.entry(path)
    guard case .scalar(let text) = entry.value else { throw wrong(setting, entry) }
    if case .choice(let words) = setting.kind, !words.contains(text) { throw wrong(setting, entry) }
    guard !text.isEmpty else { throw wrong(setting, entry) }
    return text
  }

  /// nil: empty.
  func optionalText(_ path: String) throws(ConfigurationError) -> String? {
    let (setting, entry) = tree.entry(path)
    guard case .scalar(let text) = entry.value else { throw wrong(setting, entry) }
    return text.isEmpty ? nil : text
  }

  func integer(_ path: String) throws(ConfigurationError) -> Int {
    let (setting, entry) = tree.entry(path)
    guard case .integer(let range) = setting.kind else { bug("\(path) is an integer") }
    guard case .scalar(let text) = entry.value, let number = Int(text.filter { $0 != "_" }),
      range.contains(number)
    else { throw wrong(setting, entry) }
    return number
  }

  func number(_ path: String) throws(ConfigurationError) -> Double {
    let (setting, entry) = tree.entry(path)
    guard case .number(let range) = setting.kind else { bug("\(path) is a number") }
    guard case .scalar(let text) = entry.value, let number = Double(text), range.contains(number) else {
      throw wrong(setting, entry)
    }
    return number
  }

  func integers(_ path: String) throws(ConfigurationError) -> [Int] {
    let (setting, entry) = tree.entry(path)
    guard case .integers(let range) = setting.kind else {
      bug("\(path) is a list of integers")
    }
    guard case .list(let items) = entry.value else { throw wrong(setting, entry) }
    var numbers: [Int] = []
    for item in items {
      guard case .scalar(let text) = item, let number = Int(text), range.contains(number) else {
        throw wrong(setting, entry)
      }
      numbers.append(number)
    }
    return numbers
  }

  func tenant(_ path: String) throws(ConfigurationError) -> Tenant {
    let (setting, entry) = tree.entry(path)
    let name = try text(path)
    guard Tenant.isValid(name: name) else { throw wrong(setting, entry) }
    return Tenant(realm: .native, name: name)
  }

  func apiKeys(_ path: String) throws(ConfigurationError) -> [APIKey] {
    let (setting, entry) = tree.entry(path)
    guard case .list(let items) = entry.value else { throw wrong(setting, entry) }
    var keys: [APIKey] = []
    for (index, item) in items.enumerated() {
      let place = "\(path)[\(index)]"
      guard case .map(let members) = item else {
        throw .wrongValue(
          key: place, source: entry.source, expected: "a map {name, key, tenant, role, operator}")
      }
      for member in members.keys.sorted()
      where !["name", "key", "tenant", "role", "operator"].contains(member) {
        throw .unknownKey(key: "\(place).\(member)", source: entry.source, suggestion: nil)
      }
      keys.append(try apiKey(members, place: place, source: entry.source))
    }
    let names = Set(keys.map(\.name))
    let secrets = Set(keys.map(\.key))
    guard names.count == keys.count, secrets.count == keys.count else {
      throw .wrongValue(key: path, source: entry.source, expected: "a list without equal names or equal keys")
    }
    return keys
  }

  private func apiKey(
    _ members: [String: ConfigurationTree.Value], place: String, source: String
  ) throws(ConfigurationError) -> APIKey {
    func word(_ name: String) throws(ConfigurationError) -> String {
      guard case .scalar(let text)? = members[name], !text.isEmpty else {
        throw .wrongValue(key: "\(place).\(name)", source: source, expected: "a non-empty text")
      }
      return text
    }
    let key = try word("key")
    guard key.utf8.count >= 16, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .wrongValue(key: "\(place).key", source: source, expected: "at least 16 visible ASCII characters")
    }
    let tenant = try word("tenant")
    guard Tenant.isValid(name: tenant), tenant.isNormalized else {
      throw .wrongValue(
        key: "\(place).tenant", source: source,
        expected: "1 to 512 bytes without NUL, in Normalization Form C")
    }
    guard let role = Role(rawValue: members["role"] == nil ? "user" : try word("role")) else {
      throw .wrongValue(key: "\(place).role", source: source, expected: "reader, writer, user or admin")
    }
    let isOperator: Bool
    switch members["operator"] {
    case nil, .scalar("false")?: isOperator = false
    case .scalar("true")? where role == .admin: isOperator = true
    default:
      throw .wrongValue(
        key: "\(place).operator", source: source, expected: "`true` (with the role admin) or `false`")
    }
    return APIKey(
      name: try word("name"), key: key, tenant: Tenant(realm: .native, name: tenant), role: role,
      isOperator: isOperator)
  }

  /// - Parameter isPrivate: Whether all who ask are one: then nobody has to leave room for others.
  func httpLimits(isPrivate: Bool) throws(ConfigurationError) -> HTTPLimits {
    var limits = HTTPLimits()
    limits.bodyBytesMax = try integer("limits.body_bytes_max")
    limits.uploadBytesMax = try integer("limits.upload_bytes_max")
    limits.headerBytesMax = try integer("limits.header_bytes_max")
    limits.connectionCountMax = try integer("server.connections_max")
    limits.streamCountMax = try integer("live.subscribers_max")
    limits.idleSeconds = try integer("server.idle_seconds")
    limits.requestSeconds = try integer("server.request_seconds")
    limits.heartbeatSeconds = try integer("server.heartbeat_seconds")
    limits.shareMax = isPrivate ? 1 : try number("limits.share_max")
    limits.stallSeconds = try integer("server.stall_seconds")
    return limits
  }

  /// All there is, what of it queries may hold, and the part that decoded pages may.
  func memory() throws(ConfigurationError) -> (whole: Int, queries: Int, pages: Double) {
    (
      try integer("memory.bytes_max"), try integer("query.memory_bytes_max"),
      try number("storage.page_cache_ratio")
    )
  }

  func rates() throws(ConfigurationError) -> RateSettings {
    func limits(of holder: String) throws(ConfigurationError) -> RateLimits {
      RateLimits(
        requests: try number("limits.rates.\(holder).requests"),
        rows: try number("limits.rates.\(holder).rows"), bytes: try number("limits.rates.\(holder).bytes"))
    }
    var rates = RateSettings()
    rates.tenant = try limits(of: "tenant")
    rates.key = try limits(of: "key")
    rates.burstSeconds = try number("limits.rates.burst_seconds")
    return rates
  }

  func decodingLimits() throws(ConfigurationError) -> DecodingLimits {
    var limits = DecodingLimits()
    limits.entriesMax = try integer("limits.entries_max")
    limits.entryBytesMax = try integer("limits.entry_bytes_max")
    limits.membersMax = try integer("limits.members_max")
    limits.keyBytesMax = try integer("limits.key_bytes_max")
    limits.depthMax = try integer("limits.depth_max")
    return limits
  }

  func wrong(_ setting: Setting, _ entry: ConfigurationTree.Entry) -> ConfigurationError {
    .wrongValue(key: setting.path, source: entry.source, expected: setting.kind.name)
  }
}
