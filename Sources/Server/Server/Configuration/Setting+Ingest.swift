extension Setting {
  static let ingest: [Setting] = [
    Setting(
      "ingest.admin_token", .optionalText, default: "",
      "The token for `/v1/admin/…` of the ingest API. It may not ingest unless it is also a key. Read anew while running."
    ),
    Setting(
      "ingest.api_keys", .ingestKeys, default: "{}",
      """
      Keys of the ingest API: each token with the name of its tenant, whether it is `active`, and a `description`. More come \
      from `cordwood keys create` and `POST /v1/admin/tokens/generate`. Read anew while running.
      """),
    Setting(
      "ingest.entry_bytes_max", .integer(1...(64 << 20)), default: "32768", unit: "bytes",
      "One entry's JSON. Beyond: 422. Read anew while running."),
    Setting(
      "ingest.batch_entries_max", .integer(1...1_000_000), default: "500",
      "Entries in one request. Beyond: 422. Read anew while running."),
    Setting(
      "ingest.batch_bytes_max", .integer(1...(256 << 20)), default: "1048576", unit: "bytes",
      "The entries of one request together. Beyond: 422. Read anew while running."),
    Setting(
      "ingest.rate_limit_rps", .number(0.001...1_000_000), default: "2000",
      "Requests a second that a key may go on making. Beyond: 429 with Retry-After. Read anew while running."),
    Setting(
      "ingest.rate_limit_burst", .integer(1...1_000_000_000), default: "10000",
      "Requests that a key which was quiet may make at once. Read anew while running."),
    Setting(
      "ingest.quota_bytes", .integer(0...Int.max), default: "2147483648", unit: "bytes",
      """
      What a key may have that is not forwarded; from 80 % of it on the key's requests get 429. 0: no bound. Counts only with \
      `forwarding.loki.url`.
      """),
    Setting(
      "ingest.quota_age_hours", .integer(0...87_600), default: "24", unit: "hours",
      "How old the oldest entry of a key that is not forwarded may be, likewise."),
    Setting(
      "ingest.flush_enabled", .flag, default: "true", "Whether `POST /v1/admin/flush` forwards what waits."),
  ]

  static let masking: [Setting] = [
    Setting(
      "masking.apis", .words(["native", "sessions", "querylog", "audit", "workflow", "ingest"]),
      default: "[ingest]",
      "The APIs whose records are masked, by realm. Read anew while running."
    ),
    Setting(
      "masking.baseline_keys", .words(nil),
      default: """
        [password, passwd, passphrase, token, authorization, api_key, apikey, api-key, access_key, secret, card_number, cvv, \
        credential, private_key, cookie, session_id, sessionid, session-id, connection_string, \
        connectionstring, connection-string, email]
        """,
      "Members whose name has one of these in it, in any case, are masked. Read anew while running."),
    Setting(
      "masking.partial_rules", .partialRules,
      default: "{authorization: {keep_prefix: 5}, email: {mask_email: true}}",
      """
      What is left of a masked text: by name, `keep_prefix: n`, `keep_suffix: n` (at most a quarter of the \
      text) or `mask_email: true`. Of several names in a member's name the longest counts; nothing is left where \
      another rule masks the member too. Read anew while running.
      """),
    Setting(
      "masking.overrides", .overrides, default: "{}",
      "More names, by the key's name (or token) whose entries they mask. Read anew while running."),
    Setting(
      "masking.heuristics", .choice(["words", "substring", "off"]), default: "words",
      """
      Whether members are masked whose name has a telling word (card, credit, ssn, phone, pass, key, auth, \
      private, otp, pin, …): as a word of its own (`userPhone`, `api-key`), anywhere in it (short words not), or \
      never. Read anew while running.
      """),
    Setting(
      "masking.detectors", .words(maskingDetectors),
      default: "[email, bearer, jwt, card, iban, cloud_key, secret, userinfo, private_key]",
      "What is masked inside of texts, messages included, whatever the member's name. Read anew while running."
    ),
    Setting(
      "masking.patterns", .detectors, default: "[]",
      """
      Detectors of your own beside these, at most 32: what a regular expression (RE2's syntax, at most \
      1,024 bytes) finds becomes `****[name]`, or what its capture group holds, if it has one. `name` has 1 \
      to 24 letters, digits and `_`. [More](../masking.md#detectors-of-your-own). Read anew while running.
      """),
  ]

  /// Names of the value detectors.
  static let maskingDetectors = [
    "email", "bearer", "jwt", "card", "iban", "cloud_key", "secret", "userinfo", "private_key",
  ]

  static let forwarding: [Setting] = [
    Setting(
      "forwarding.loki.url", .optionalText, default: "",
      "Where a Grafana Loki is, `http://loki:3100`. Without one nothing is forwarded."),
    Setting(
      "forwarding.loki.push_path", .text, default: "/loki/api/v1/push", "The path that takes entries there."),
    Setting(
      "forwarding.loki.format", .choice(["protobuf", "json"]), default: "protobuf",
      "How entries are sent: protobuf with snappy, which every Loki takes, or JSON with gzip."),
    Setting(
      "forwarding.loki.tenant", .optionalText, default: "",
      "The `X-Scope-OrgID` that is sent along; empty: none."),
    Setting(
      "forwarding.loki.bearer_token", .optionalText, default: "",
      "A token that is sent along as `Authorization: Bearer`; empty: none."),
    Setting(
      "forwarding.loki.user", .optionalText, default: "",
      "A name for Loki (HTTP Basic), where no bearer token is set. One in the URL is taken out of it."),
    Setting("forwarding.loki.password", .optionalText, default: "", "That user's password."),
    Setting(
      "forwarding.loki.batch_entries_max", .integer(1...100_000), default: "1000", "Entries of one push."),
    Setting(
      "forwarding.loki.batch_bytes_max", .integer(1024...(64 << 20)), default: "1048576", unit: "bytes",
      "Bytes of one push before compression; one entry may be larger."),
    Setting(
      "forwarding.loki.timeout_seconds", .integer(1...3600), default: "30", unit: "seconds",
      "How long a push may take."),
    Setting(
      "forwarding.loki.backoff_seconds", .integers(1...3600), default: "[5, 10, 20]", unit: "seconds",
      "Waits before each further try of a push that failed."),
    Setting(
      "forwarding.loki.park_seconds", .integer(1...86_400), default: "60", unit: "seconds",
      "The wait when the last of these has failed; then they begin anew."),
    Setting(
      "forwarding.loki.required_for_ready", .flag, default: "true",
      "Whether `/readyz` fails while Loki is not ready."),
  ]
}
