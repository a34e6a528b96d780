import Access
import EntryDecoding
import Foundation
import Forwarding
import Masking
import Records

extension ConfigurationValues {
  func flag(_ path: String) throws(ConfigurationError) -> Bool {
    let (setting, entry) = tree.entry(path)
    guard case .scalar(let text) = entry.value else { throw wrong(setting, entry) }
    switch text.lowercased() {
    case "true", "yes", "on", "1": return true
    case "false", "no", "off", "0": return false
    default: throw wrong(setting, entry)
    }
  }

  func words(_ path: String) throws(ConfigurationError) -> [String] {
    let (setting, entry) = tree.entry(path)
    guard case .words(let allowed) = setting.kind else { bug("\(path) is a list of texts") }
    guard case .list(let items) = entry.value else { throw wrong(setting, entry) }
    var words: [String] = []
    for item in items {
      guard case .scalar(let word) = item, !word.isEmpty, allowed?.contains(word) ?? true else {
        throw wrong(setting, entry)
      }
      words.append(word)
    }
    return words
  }

  func ingest() throws(ConfigurationError) -> IngestSettings {
    var settings = IngestSettings()
    settings.adminToken = try adminToken("ingest.admin_token")
    settings.keys = try ingestKeys("ingest.api_keys")
    settings.limits.entryBytesMax = try integer("ingest.entry_bytes_max")
    settings.limits.entriesMax = try integer("ingest.batch_entries_max")
    settings.limits.batchBytesMax = try integer("ingest.batch_bytes_max")
    settings.rate = RequestRate(
      perSecond: try number("ingest.rate_limit_rps"), burst: Double(try integer("ingest.rate_limit_burst")))
    // 0: no bound.
    let bytes = try integer("ingest.quota_bytes")
    let hours = try integer("ingest.quota_age_hours")
    settings.quota.bytesMax = bytes > 0 ? bytes : Int.max / 4
    settings.quota.ageSecondsMax = hours > 0 ? hours * 3600 : 100 * 365 * 86_400
    settings.isFlushEnabled = try flag("ingest.flush_enabled")
    settings.masking = try masking(keys: settings.keys)
    return settings
  }

  private func adminToken(_ path: String) throws(ConfigurationError) -> String? {
    guard let token = try optionalText(path) else { return nil }
    guard ConfigurationValues.isToken(token) else {
      throw .wrongValue(
        key: path, source: tree.entry(path).entry.source, expected: "8 or more visible ASCII characters")
    }
    return token
  }

  private static func isToken(_ token: String) -> Bool {
    token.utf8.count >= 8 && token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  private func ingestKeys(_ path: String) throws(ConfigurationError) -> [IngestKey] {
    let (setting, entry) = tree.entry(path)
    guard let items = ConfigurationValues.map(entry.value) else { throw wrong(setting, entry) }
    var keys: [IngestKey] = []
    // By their order: a token is never shown.
    for (index, (token, value)) in items.enumerated() {
      let place = "\(path)[\(index)]"
      guard ConfigurationValues.isToken(token) else {
        throw .wrongValue(
          key: place, source: entry.source, expected: "a token of 8 or more visible ASCII characters")
      }
      guard case .map(let members) = value else {
        throw .wrongValue(key: place, source: entry.source, expected: "a map {name, active, description}")
      }
      for member in members.keys.sorted() where !["name", "active", "description"].contains(member) {
        throw .unknownKey(key: "\(place).\(member)", source: entry.source, suggestion: nil)
      }
      keys.append(try ingestKey(token, members, place: place, source: entry.source))
    }
    return keys
  }

  private func ingestKey(
    _ token: String, _ members: [String: ConfigurationTree.Value], place: String, source: String
  ) throws(ConfigurationError) -> IngestKey {
    guard case .scalar(let name)? = members["name"], Tenant.isValid(name: name), name.utf8.count <= 255 else {
      throw .wrongValue(key: "\(place).name", source: source, expected: "a text of 1 to 255 bytes")
    }
    var isActive = true
    if let value = members["active"] {
      switch value {
      case .scalar("true"), .scalar("True"): isActive = true
      case .scalar("false"), .scalar("False"): isActive = false
      default: throw .wrongValue(key: "\(place).active", source: source, expected: "`true` or `false`")
      }
    }
    var purpose = ""
    if let value = members["description"] {
      guard case .scalar(let text) = value else {
        throw .wrongValue(key: "\(place).description", source: source, expected: "a text")
      }
      purpose = text
    }
    return IngestKey(name: name, token: token, isActive: isActive, purpose: purpose)
  }

  /// A map's members in the order of their names; an empty text counts as an empty map.
  private static func map(_ value: ConfigurationTree.Value) -> [(String, ConfigurationTree.Value)]? {
    switch value {
    case .map(let members): members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    case .scalar(""): []
    case .scalar, .list: nil
    }
  }

  private func masking(keys: [IngestKey]) throws(ConfigurationError) -> MaskingSettings {
    var settings = MaskingSettings()
    let names = try words("masking.apis")
    settings.realms = Set(registry.realms.filter { names.contains($0.name) })
    settings.rules.baselineKeys = try words("masking.baseline_keys")
    settings.rules.partialRules = try partialRules("masking.partial_rules")
    settings.rules.overrides = try overrides("masking.overrides", keys: keys)
    settings.rules.heuristics = MaskingRules.Heuristics(rawValue: try text("masking.heuristics")) ?? .words
    settings.rules.detectors = Set(try words("masking.detectors").compactMap(MaskingRules.Detector.init))
    settings.rules.ownDetectors = try detectors("masking.patterns")
    return settings
  }

  private func partialRules(_ path: String) throws(ConfigurationError) -> [MaskingRules.PartialRule] {
    let (setting, entry) = tree.entry(path)
    guard let items = ConfigurationValues.map(entry.value) else { throw wrong(setting, entry) }
    var rules: [MaskingRules.PartialRule] = []
    for (name, value) in items {
      guard !name.isEmpty, case .map(let members) = value, members.count == 1, let member = members.first,
        let partial = ConfigurationValues.partial(member.key, member.value)
      else {
        throw .wrongValue(
          key: "\(path).\(name)", source: entry.source,
          expected: "one of keep_prefix: N, keep_suffix: N, mask_email: true")
      }
      rules.append(MaskingRules.PartialRule(name, partial))
    }
    return rules.sorted { ($1.name.utf8.count, $0.name) < ($0.name.utf8.count, $1.name) }
  }

  private static func partial(
    _ name: String, _ value: ConfigurationTree.Value
  ) -> MaskingRules.Partial? {
    guard case .scalar(let text) = value else { return nil }
    switch name {
    case "keep_prefix": return Int(text).flatMap { (0...64).contains($0) ? .keepPrefix($0) : nil }
    case "keep_suffix": return Int(text).flatMap { (0...64).contains($0) ? .keepSuffix($0) : nil }
    case "mask_email": return text.lowercased() == "true" ? .maskEmail : nil
    default: return nil
    }
  }

  private func overrides(
    _ path: String, keys: [IngestKey]
  ) throws(ConfigurationError) -> [String: [String]] {
    let (setting, entry) = tree.entry(path)
    guard let items = ConfigurationValues.map(entry.value) else { throw wrong(setting, entry) }
    var overrides: [String: [String]] = [:]
    for (index, (owner, value)) in items.enumerated() {
      guard case .list(let list) = value else {
        throw .wrongValue(key: "\(path)[\(index)]", source: entry.source, expected: "a list of names")
      }
      var words: [String] = []
      for item in list {
        guard case .scalar(let word) = item, !word.isEmpty else {
          throw .wrongValue(key: "\(path)[\(index)]", source: entry.source, expected: "a list of names")
        }
        words.append(word)
      }
      // The ingest system's file has tokens here.
      let name = keys.first { $0.token == owner }?.name ?? owner
      overrides[name, default: []] += words
    }
    return overrides
  }

  func loki() throws(ConfigurationError) -> LokiSettings {
    var settings = LokiSettings()
    let url = "forwarding.loki.url"
    if var text = try optionalText(url) {
      while text.hasSuffix("/") { text.removeLast() }
      let isURL = text.hasPrefix("http://") || text.hasPrefix("https://")
      guard isURL, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.hasSuffix(":") else {
        throw .wrongValue(
          key: url, source: tree.entry(url).entry.source, expected: "a URL such as http://127.0.0.1:3100")
      }
      (settings.url, settings.user, settings.password) = ConfigurationValues.withoutUser(text)
    }
    settings.user = try optionalText("forwarding.loki.user") ?? settings.user
    settings.password = try optionalText("forwarding.loki.password") ?? settings.password
    guard settings.user?.utf8.contains(UInt8(ascii: ":")) != true else {
      throw .wrongValue(
        key: "forwarding.loki.user", source: tree.entry("forwarding.loki.user").entry.source,
        expected: "a name without a colon")
    }
    let path = "forwarding.loki.push_path"
    settings.pushPath = try text(path)
    guard settings.pushPath.hasPrefix("/"), settings.pushPath.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw .wrongValue(
        key: path, source: tree.entry(path).entry.source, expected: "a path that begins with /")
    }
    settings.isJSON = try text("forwarding.loki.format") == "json"
    settings.tenant = try headerText("forwarding.loki.tenant")
    settings.bearerToken = try headerText("forwarding.loki.bearer_token")
    settings.batchEntriesMax = try integer("forwarding.loki.batch_entries_max")
    settings.batchBytesMax = try integer("forwarding.loki.batch_bytes_max")
    settings.timeoutSeconds = try integer("forwarding.loki.timeout_seconds")
    settings.backoffSeconds = try integers("forwarding.loki.backoff_seconds")
    settings.parkSeconds = try integer("forwarding.loki.park_seconds")
    settings.isRequiredForReady = try flag("forwarding.loki.required_for_ready")
    return settings
  }

  /// A URL without its user and password, and those: a URL is shown where they must not be.
  private static func withoutUser(_ url: String) -> (url: String, user: String?, password: String?) {
    guard var parts = URLComponents(string: url), parts.user != nil || parts.password != nil else {
      return (url, nil, nil)
    }
    let (user, password) = (parts.user, parts.password)
    parts.user = nil
    parts.password = nil
    return (parts.string ?? url, user, password)
  }

  /// What can stand in a header field.
  private func headerText(_ path: String) throws(ConfigurationError) -> String? {
    guard let text = try optionalText(path) else { return nil }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .wrongValue(
        key: path, source: tree.entry(path).entry.source, expected: "visible ASCII characters")
    }
    return text
  }
}
