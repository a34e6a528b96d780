/// The names that the ingest system's `config.yaml` and environment have for our settings: that file is taken
/// as it is.
enum IngestSystemNames {
  enum Meaning: Sendable, Hashable {
    /// Another name for the setting.
    case setting(String)
    /// The setting `logging.level` in other words.
    case logLevel
    /// Taken without effect, because.
    case ignored(String)
  }

  private static let forwardsAtOnce = "records are forwarded as soon as they are on the disk"
  private static let labels = "labels are those of the API's description"

  /// By path in the file.
  static let file: [String: Meaning] = [
    "server.debug": .ignored("logging.level says how much is logged"),
    "server.log_level": .logLevel,
    "security.rate_limit_rps": .setting("ingest.rate_limit_rps"),
    "security.rate_limit_burst": .setting("ingest.rate_limit_burst"),
    "security.admin_token": .setting("ingest.admin_token"),
    "security.api_keys": .setting("ingest.api_keys"),
    "masking.tenant_overrides": .setting("masking.overrides"),
    "wal.root_path": .setting("data_dir"),
    "wal.wal_root_path": .setting("data_dir"),
    "wal.segment_max_bytes": .ignored(
      "one journal serves all keys; journal.segment_bytes is its segments' size"),
    "wal.rotation_time_active_minutes": .ignored(forwardsAtOnce),
    "wal.rotation_time_idle_hours": .ignored(forwardsAtOnce),
    "wal.idle_threshold_minutes": .ignored(forwardsAtOnce),
    "wal.min_rotation_bytes": .ignored(forwardsAtOnce),
    "wal.force_rotation_hours": .ignored(forwardsAtOnce),
    "wal.token_wal_quota_bytes": .setting("ingest.quota_bytes"),
    "wal.token_wal_quota_age_hours": .setting("ingest.quota_age_hours"),
    "wal.disk_free_min_ratio": .setting("health.disk_free_ratio"),
    "wal.flush_endpoint_enabled": .setting("ingest.flush_enabled"),
    "loki.base_url": .setting("forwarding.loki.url"),
    "loki.push_endpoint": .setting("forwarding.loki.push_path"),
    "loki.timeout_seconds": .setting("forwarding.loki.timeout_seconds"),
    "loki.max_retries": .ignored("tries go on; forwarding.loki.backoff_seconds says when"),
    "loki.backoff_seconds": .setting("forwarding.loki.backoff_seconds"),
    "loki.backoff_park_seconds": .setting("forwarding.loki.park_seconds"),
    "loki.batch_max_entries": .setting("forwarding.loki.batch_entries_max"),
    "loki.batch_max_bytes": .setting("forwarding.loki.batch_bytes_max"),
    "validation.entry_bytes_max": .setting("ingest.entry_bytes_max"),
    "validation.batch_entries_max": .setting("ingest.batch_entries_max"),
    "validation.batch_bytes_max": .setting("ingest.batch_bytes_max"),
    "validation.allowed_labels": .ignored(labels),
    "validation.max_labels": .ignored(labels),
    "validation.max_label_value_length": .ignored(labels),
  ]

  /// By environment variable: `LOGSTACK_`, the section but `server`, the key.
  static let environment: [String: Meaning] = {
    var names: [String: Meaning] = [
      "LOGSTACK_HOST": .setting("server.host"), "LOGSTACK_PORT": .setting("server.port"),
      "LOGSTACK_MASKING_BASELINE_KEYS": .setting("masking.baseline_keys"),
      "LOGSTACK_MASKING_PARTIAL_RULES": .setting("masking.partial_rules"),
    ]
    for (path, meaning) in file {
      let key = path.hasPrefix("server.") ? String(path.dropFirst("server.".count)) : path
      names["LOGSTACK_" + key.uppercased().replacing(".", with: "_")] = meaning
    }
    return names
  }()

  static let keyPrefix = "LOGSTACK_API_KEY_"

  /// The level that goes by this name there; nil: none does.
  static func logLevel(_ name: String) -> String? {
    switch name.lowercased() {
    case "debug": "debug"
    case "info": "info"
    case "warning", "warn": "warning"
    case "error", "critical": "error"
    default: nil
    }
  }

  /// Keys that the environment defines one by one, `LOGSTACK_API_KEY_{NAME}_{TOKEN|NAME|ACTIVE|DESCRIPTION}`:
  /// members by token. Whatever else begins like that is told in `warnings`.
  static func keys(
    in environment: [String: String], warnings: inout [String]
  ) -> [String: ConfigurationTree.Value] {
    var groups: [String: [String: String]] = [:]
    for (variable, text) in environment where variable.hasPrefix(keyPrefix) {
      let rest = variable.dropFirst(keyPrefix.count)
      guard let mark = rest.lastIndex(of: "_"), mark > rest.startIndex,
        ["TOKEN", "NAME", "ACTIVE", "DESCRIPTION"].contains(rest[rest.index(after: mark)...])
      else {
        warnings.append(
          "the environment variable \(variable) is none of \(keyPrefix)NAME_TOKEN, _NAME, _ACTIVE, _DESCRIPTION"
        )
        continue
      }
      groups[String(rest[..<mark]), default: [:]][String(rest[rest.index(after: mark)...])] = text
    }
    var keys: [String: ConfigurationTree.Value] = [:]
    for (name, fields) in groups.sorted(by: { $0.key < $1.key }) {
      guard let token = fields["TOKEN"], !token.isEmpty else {
        warnings.append("\(keyPrefix)\(name)_TOKEN is missing, so there is no such key")
        continue
      }
      let isActive = ["true", "1", "yes", "on"].contains((fields["ACTIVE"] ?? "true").lowercased())
      var members: [String: ConfigurationTree.Value] = [
        "name": .scalar(fields["NAME"] ?? name.lowercased()), "active": .scalar(isActive ? "true" : "false"),
      ]
      if let text = fields["DESCRIPTION"] { members["description"] = .scalar(text) }
      keys[token] = .map(members)
    }
    return keys
  }
}
