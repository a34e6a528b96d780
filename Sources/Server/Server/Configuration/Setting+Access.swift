extension Setting {
  static let audit: [Setting] = [
    Setting(
      "audit.audience", .text, default: "logserver",
      "What a token of the audit API says in its claim `aud`, alone or among others."),
    Setting("audit.issuer", .text, default: "issuer", "What a token says in its claim `iss`."),
    Setting(
      "audit.leeway_seconds", .integer(0...3_600), default: "0", unit: "seconds",
      "How far the clocks of issuer and server may be apart when `exp`, `nbf` and `iat` are looked at."),
    Setting(
      "audit.legacy_tenant_keys", .choice(["auto", "on", "off"]), default: "auto",
      """
      Whether MD5(tenant + `audit.secret`) signs for a tenant, so that whoever knows the secret signs for all. `auto`: in \
      `development` on loopback only.
      """),
    Setting(
      "audit.secret", .optionalText, default: "",
      """
      The secret of the legacy rule; without one it is `secret`, with which the rule can be on in `development` on loopback \
      only.
      """),
    Setting(
      "audit.jwks_file", .optionalText, default: "",
      "A JWK set with the public keys of an issuer (RS256, ES256). Read anew when it changes."),
    Setting(
      "audit.secrets_key_file", .optionalText, default: "",
      """
      A file (mode 600) with the key that encrypts tenants' secrets in the control database: 64 hexadecimal \
      digits. Further lines are keys of before: what they sealed is sealed anew at the start. Without a file \
      `secrets.key` in the data directory is made.
      """),
    Setting(
      "audit.secrets_key_command", .optionalText, default: "",
      """
      A command for `/bin/sh` that says what would stand in that file, run once at the start: for keys that \
      are kept elsewhere.
      """),
    Setting(
      "audit.jwks_role", .choice(["viewer", "auditor", "admin"]), default: "admin",
      "The highest role that tokens of that issuer can have."),
    Setting(
      "audit.jwks_operator", .flag, default: "false",
      "Whether that issuer's tokens of the role `admin` see and make tenants."),
    Setting(
      "audit.token_hours_max", .integer(1...87_600), default: "8760", unit: "hours",
      """
      How far ahead a token's `exp` may be. Beyond, and without one: 401. In `development` on loopback \
      tokens need none.
      """),
    Setting(
      "audit.cleanup_default_days", .integer(0...100_000), default: "90", unit: "days",
      "How long ago entries must have arrived for a cleanup that says nothing else to remove them."),
    Setting(
      "audit.keys", .auditKeys, default: "[]",
      """
      Secrets that sign with HS256, of 32 bytes at least. `tenants` is a list of those it may sign for; \
      without it, all. `role` is the highest its tokens can have (`viewer`, `auditor`, `admin`; without it \
      `admin`). With `operator: true`, which a key for some tenants cannot have, its tokens of the role \
      `admin` see and make tenants.
      """),
  ]

  static let openID: [Setting] = [
    Setting(
      "oidc.issuer", .optionalText, default: "",
      """
      A provider of OpenID Connect by which people sign in to the page, as its tokens name it in `iss`: \
      `https://login.example.com/realms/staff`. Without one there is none.
      """),
    Setting("oidc.client_id", .optionalText, default: "", "What the provider calls this server."),
    Setting(
      "oidc.client_secret", .optionalText, default: "",
      """
      The secret that goes with it; best by `CORDWOOD_OIDC_CLIENT_SECRET`. Without one PKCE alone protects \
      the sign-in.
      """
    ),
    Setting(
      "oidc.redirect_url", .optionalText, default: "",
      """
      Where the provider sends people back to, as it is registered there: the address by which browsers know \
      this server, and `/ui/v1/oidc/callback`.
      """),
    Setting(
      "oidc.name_claim", .text, default: "email",
      """
      The claim that says who somebody is; it must be nobody else's, now and later. `email` counts only with \
      `email_verified`. The user is called `oidc:` and what it says.
      """),
    Setting(
      "oidc.scopes", .text, default: "openid email profile",
      "What the provider is asked for, `openid` among it."),
    Setting(
      "oidc.title", .text, default: "single sign-on", "What people know the provider by: on the button."),
    Setting(
      "oidc.allowed", .words(nil), default: "[]",
      """
      Who may sign in: what the claim says of them, or `@example.com` for all addresses of a domain. With \
      none everybody whom the provider lets in: with one that anybody can join, anybody.
      """),
    Setting(
      "oidc.administrators", .words(nil), default: "[]",
      "Who becomes an administrator with their first sign-in: what the claim says of them."),
  ]

  static let workflow: [Setting] = [
    Setting(
      "workflow.api_keys", .clients, default: "{}", alias: "API_KEYS",
      "Keys of the workflow API and the client each belongs to; more come from `cordwood keys create`."),
    Setting(
      "workflow.api_key_header", .text, default: "X-API-Key", alias: "API_KEY_HEADER",
      "The header field that carries a key of the workflow API."),
    Setting(
      "service.name", .text, default: "cordwood", alias: "SERVICE_NAME", "The service's name in `/health`."),
    Setting(
      "service.environment", .text, default: "development", alias: "ENVIRONMENT",
      "The deployment's name in `/health`. Nothing else follows from it; the server's own is `environment`."),
  ]

  static let queryLog: [Setting] = [
    Setting(
      "querylog.secret", .optionalText, default: "", alias: "JWT_SECRET_KEY",
      """
      The key of the query log's hashes. Records verify only with the key they were written with. Without one: in \
      `development` on loopback the documented default, else a random one in the control database.
      """),
    Setting(
      "querylog.token_minutes", .integer(1...525_600), default: "30", unit: "minutes",
      alias: "ACCESS_TOKEN_EXPIRE_MINUTES", "How long a token of the query-log API lives."),
  ]

  static let rates: [Setting] =
    [("tenant", "Of each tenant"), ("key", "Of each key, or user of a token")].flatMap { holder, of in
      [
        ("requests", "requests with a credential"), ("rows", "records that are stored"),
        ("bytes", "bytes of bodies as they are sent"),
      ].map { unit, what in
        Setting(
          "limits.rates.\(holder).\(unit)", .number(0...1e12), default: "0",
          "\(of): \(what) a second, over all APIs. Beyond: 429 with Retry-After. 0: no limit.")
      }
    } + [
      Setting(
        "limits.rates.burst_seconds", .number(1...86_400), default: "10", unit: "seconds",
        "So many seconds' worth of each rate may come at once from who was quiet.")
    ]

  static let live: [Setting] = [
    Setting(
      "live.subscribers_max", .integer(1...1_000_000), default: "10000",
      "Live streams open at one time. One more gets 503."),
    Setting(
      "live.queue_messages_max", .integer(1...10_000_000), default: "10000",
      "Records that wait for one subscriber. Those beyond it are left out of its stream, which is told how many."
    ),
    Setting(
      "live.queue_bytes_max", .integer(1024...Int.max), default: "1048576", unit: "bytes",
      "Bytes that wait for one subscriber, as `live.queue_messages_max`."),
  ]
}
