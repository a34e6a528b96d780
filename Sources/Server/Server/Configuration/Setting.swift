import APIs

/// What a setting's value may be.
package enum SettingKind: Sendable, Hashable {
  case text
  case choice([String])
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  case flag
  /// Text that may be empty, which means none.
  case optionalText
  case integers(ClosedRange<Int>)
  /// A list of texts.
  case texts
  /// A list of `{name, key, tenant, role, operator}`.
  case apiKeys
  /// A list of `{kid, secret, tenants, role, operator}`.
  case auditKeys
  /// A JSON object of keys and their clients' ids, as text or as a map.
  case clients
  /// A list of texts; of these, if there are any.
  case words([String]?)
  /// A map of tokens and their `{name, active, description}`.
  case ingestKeys
  /// A map of names and their `{keep_prefix}`, `{keep_suffix}` or `{mask_email}`.
  case partialRules
  /// A map of names and lists of names.
  case overrides
  /// A list of `{name, pattern}`.
  case detectors

  /// Whether text of the environment or the command line is YAML, not a text itself.
  var isStructured: Bool {
    switch self {
    case .text, .optionalText, .choice, .integer, .number, .flag, .clients: false
    case .integers, .texts, .apiKeys, .auditKeys, .words, .ingestKeys, .partialRules, .overrides,
      .detectors:
      true
    }
  }

  /// The type's name in the documentation and in errors.
  var name: String {
    switch self {
    case .text, .optionalText: "text"
    case .choice(let words): words.map { "`\($0)`" }.joined(separator: " or ")
    case .integer(let range): "integer, \(SettingKind.bounds(range))"
    case .number(let range): "number from \(range.lowerBound) to \(range.upperBound)"
    case .flag: "`true` or `false`"
    case .integers: "list of integers"
    case .texts: "list of texts"
    case .apiKeys: "list of `{name, key, tenant, role, operator}`"
    case .auditKeys: "list of `{kid, secret, tenants, role, operator}`"
    case .clients: "JSON object `{\"key\": \"client\"}`"
    case .words(let words):
      words.map { "list of " + $0.map { "`\($0)`" }.joined(separator: ", ") } ?? "list of texts"
    case .ingestKeys: "map of tokens and `{name, active, description}`"
    case .partialRules: "map of names and `{keep_prefix}`, `{keep_suffix}` or `{mask_email}`"
    case .overrides: "map of keys' names and lists of names"
    case .detectors: "list of `{name, pattern}`"
    }
  }

  private static func bounds(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}

/// One key of the configuration: everything about it in one place, the documentation included.
package struct Setting: Sendable, Hashable {
  /// `server.port`.
  package let path: String
  /// What values it takes.
  package let kind: SettingKind
  /// In YAML, as it would stand in the file.
  package let defaultText: String
  /// `bytes`, `seconds`, or empty.
  package let unit: String
  /// A sentence of the documentation.
  package let summary: String
  /// An environment variable of the system this one replaces; ``environmentName`` wins over it, and an empty
  /// one counts as none.
  package let alias: String?

  init(
    _ path: String, _ kind: SettingKind, default text: String, unit: String = "", alias: String? = nil,
    _ summary: String
  ) {
    self.alias = alias
    self.path = path
    self.kind = kind
    self.defaultText = text
    self.unit = unit
    self.summary = summary
  }

  /// `CORDWOOD_SERVER_PORT`.
  package var environmentName: String {
    "CORDWOOD_" + path.uppercased().replacing(".", with: "_")
  }

  /// Every key there is, in the order of the documentation.
  package static let all: [Setting] =
    general + openID + audit + workflow + queryLog + ingest + masking + forwarding + server + listen + limits
    + rates
    + live
    + storage
    + query + observing

  private static let bytes = 1...Int.max
  private static let seconds = 1...86_400_000

  private static let general: [Setting] = [
    Setting(
      "environment", .choice(["development", "production"]), default: "development",
      "`development` on loopback has a default user (admin, password admin) and, without API keys, an open native API. "
        + "`production`, and any other address, has neither."),
    Setting("data_dir", .text, default: "./data", "Where everything is stored; made if missing."),
    Setting(
      "admin_password", .optionalText, default: "",
      "Password of the user `admin` when the first start makes it; best by `CORDWOOD_ADMIN_PASSWORD`. Without one a random "
        + "password is made and shown once."),
    Setting(
      "auth.token_hours", .integer(1...8_760), default: "24", unit: "hours",
      "How long a token of the sessions API lives."),
    Setting(
      "native.api_keys", .apiKeys, default: "[]",
      "API keys. `role` is `reader`, `writer`, `user` (reads and writes) or `admin`. A key has at least 16 "
        + "characters. With `operator: true` an `admin` archives for all tenants and sees `/metrics`."
    ),
    Setting(
      "native.open_tenant", .text, default: "default",
      "In development without API keys: the tenant that requests without a credential act for."),
  ]

  private static let server: [Setting] = [
    Setting("server.host", .text, default: "127.0.0.1", "Address to listen on."),
    Setting("server.port", .integer(0...65_535), default: "8000", "Port to listen on; 0 picks a free one."),
    Setting(
      "server.extra_ports", .integers(0...65_535), default: "[]",
      "More ports on the same address, same routes."),
    Setting(
      "server.allowed_origins", .texts, default: #"["*"]"#, alias: "ALLOWED_ORIGINS",
      "Origins, such as `https://app.example.com`, whose pages may read answers below `/api/v1`, of `/cubejs-api` and of "
        + "`/health` (CORS); `*`: every origin's."),
    Setting(
      "server.trusted_proxies", .texts, default: "[]",
      """
      Proxies in front of the server: addresses and networks, such as `127.0.0.1` and `10.0.0.0/8`. What \
      they write into `X-Forwarded-For` is where a request comes from, for limits by address and in the \
      log; others' is not looked at. Their connections are not counted as one client's.
      """),
    Setting(
      "server.open_routes", .words(OperatorGate.names), default: "[]",
      """
      Paths that anybody may ask. The others of these need an operator's credential: a native key with \
      `operator: true`, or `ingest.admin_token`. In `development` on loopback all are open. `/healthz`, \
      `/health` and `/readyz` always are; `/readyz` says to others than administrators which check failed, \
      and no more.
      """),
    Setting(
      "server.docs", .choice(["auto", "on", "off"]), default: "auto",
      "Whether `GET /docs` shows what the server answers to. `auto`: in `development` on loopback only."),
    Setting(
      "server.page", .choice(["on", "off"]), default: "on",
      "Whether `/ui/` is a page for people, and `/` sends browsers there."),
    Setting(
      "server.tls_certificate", .optionalText, default: "",
      "A PEM file: the certificate, then those of its issuers. With `server.tls_key` every port speaks TLS. Both files are "
        + "read anew when they change."),
    Setting(
      "server.tls_key", .optionalText, default: "", "A PEM file: the certificate's private key."),
    Setting(
      "server.plain_http", .flag, default: "false",
      "Whether the server may listen on another address than loopback without TLS: for a proxy that "
        + "encrypts, on a network that nobody else reads."),
    Setting(
      "server.threads", .integer(0...256), default: "0",
      "Event loops for connections; 0: one a core, at most 4."),
    Setting(
      "server.shutdown_seconds", .integer(1...3600), default: "10", unit: "seconds",
      "How long requests may go on after SIGTERM or SIGINT before they are cut."),
    Setting(
      "server.request_seconds", .integer(seconds), default: "30", unit: "seconds",
      "How long a request may take to arrive; each 64 KiB received adds a second. Beyond: 408."),
    Setting(
      "server.idle_seconds", .integer(seconds), default: "75", unit: "seconds",
      "How long a connection may wait for its next request."),
    Setting(
      "server.stall_seconds", .integer(seconds), default: "30", unit: "seconds",
      "How long a client may take nothing of an answer before its connection is closed."),
    Setting(
      "server.heartbeat_seconds", .integer(1...3600), default: "30", unit: "seconds",
      "Between the heartbeats of a live stream, and between the pings of a WebSocket, whose client has 20 seconds to answer."
    ),
    Setting(
      "server.connections_max", .integer(1...1_000_000), default: "20000",
      "Open connections. One more gets 503; with TLS it is closed before the handshake. Never more than "
        + "the process may have descriptors, less a quarter of them (at most 1,024) for files."),
  ]

  private static let limits: [Setting] = [
    Setting(
      "limits.body_bytes_max", .integer(1...(1 << 30)), default: "67108864", unit: "bytes",
      "A request's body, also after decompression. Beyond: 413."),
    Setting(
      "limits.upload_bytes_max", .integer(bytes), default: "268435456", unit: "bytes",
      "All request bodies in memory at one time, long ones twice while they are decoded, and what reading "
        + "entries that are not plain takes. Beyond: 503."),
    Setting(
      "limits.share_max", .number(0.1...1), default: "0.75",
      """
      The part of `server.connections_max`, `live.subscribers_max` and `limits.upload_bytes_max` that one \
      address may hold, and one tenant of the latter two, while nobody else holds any; with others there, as \
      many times what is left. Beyond: 503. 1, and `development` on loopback: all. Behind a proxy, \
      name it in `server.trusted_proxies`.
      """),
    Setting(
      "limits.header_bytes_max", .integer(1024...(1 << 20)), default: "65536", unit: "bytes",
      "A request's header fields. Beyond: 431."),
    Setting(
      "limits.entries_max", .integer(1...10_000_000), default: "100000",
      "Records in one request. Beyond: 413."),
    Setting(
      "limits.entry_bytes_max", .integer(bytes), default: "1048576", unit: "bytes",
      "One record's JSON. Beyond: 400."),
    Setting(
      "limits.members_max", .integer(1...1_000_000), default: "1000", "Members of one object. Beyond: 400."),
    Setting(
      "limits.key_bytes_max", .integer(1...(1 << 20)), default: "1024", unit: "bytes",
      "A member's name. Beyond: 400."),
    Setting(
      "limits.depth_max", .integer(1...512), default: "64",
      "Containers in containers, the record counted. Beyond: 400."),
  ]
}
