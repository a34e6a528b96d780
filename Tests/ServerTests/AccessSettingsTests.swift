import APIs
import Access
import Foundation
import HTTP
import Records
import Routing
import Server
import Testing

/// The settings of the audit and the workflow API.
@Suite struct AccessSettingsTests {
  private static func configuration(
    _ yaml: String = "", environment: [String: String] = [:], settings: [(String, String)] = []
  ) throws -> Configuration {
    try ConfigurationTests.configuration(yaml: yaml, environment: environment, settings: settings)
  }

  private static let secret = "a secret of thirty-two bytes or so"

  @Test func auditSettingsAreRead() throws {
    let yaml = """
      audit:
        audience: us
        issuer: them
        leeway_seconds: 5
        jwks_file: /etc/keys.json
        keys:
          - {kid: one, secret: \(Self.secret)}
          - {kid: two, secret: \(Self.secret), tenants: [acme, zeta], role: auditor}
          - {kid: ops, secret: \(Self.secret), operator: true}
      """
    let configuration = try Self.configuration(yaml)
    #expect(configuration.audit.audience == "us" && configuration.audit.issuer == "them")
    #expect(configuration.audit.leewaySeconds == 5)
    #expect(configuration.auditKeySetPath == "/etc/keys.json")
    #expect(configuration.audit.keys.map(\.keyID) == ["one", "two", "ops"])
    #expect(configuration.audit.keys.map(\.tenants) == [nil, ["acme", "zeta"], nil])
    #expect(
      configuration.audit.keys.map(\.grants) == [
        AuditGrants(), AuditGrants(role: .auditor), AuditGrants(isOperator: true),
      ])
    let defaults = try Self.configuration()
    #expect(defaults.audit.audience == "logserver" && defaults.audit.issuer == "issuer")
    #expect(defaults.audit.keys.isEmpty && defaults.auditKeySetPath == nil)
  }

  @Test func theLegacyRuleIsForDevelopmentOnLoopback() throws {
    func isOn(_ settings: [(String, String)]) throws -> Bool {
      try Self.configuration(settings: settings).audit.legacy.isOn
    }
    let others = [("environment", "production"), ("server.host", "0.0.0.0")]
    let own = "6f1d0c6c2b9e4f3aa0d76f1d0c6c2b9e"
    #expect(try isOn([]))
    #expect(try !isOn([("audit.legacy_tenant_keys", "off")]))
    for other in others {
      #expect(try !isOn([other, ("server.plain_http", "true")]), "\(other)")
      #expect(try !isOn([other, ("server.plain_http", "true"), ("audit.secret", own)]))
      #expect(
        try isOn([
          other, ("server.plain_http", "true"), ("audit.secret", own), ("audit.legacy_tenant_keys", "on"),
        ]))
      for secret in ["", "secret"] {
        let error = #expect(throws: ConfigurationError.self) {
          try isOn([other, ("audit.secret", secret), ("audit.legacy_tenant_keys", "on")])
        }
        guard case .refused? = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
      }
    }
  }

  @Test func brokenAuditKeysAreNamedAndNotShown() throws {
    let canary = "s3cret-canary-of-thirty-two-bytes-or-so"
    for keys in [
      "[{kid: a, secret: s3cret}]", "[{secret: \(canary)}]", "[{kid: '', secret: \(canary)}]", "[{kid: a}]",
      "[{kid: a, secret: \(canary), tenants: []}]", "[{kid: a, secret: \(canary), tenants: acme}]",
      "[{kid: a, secret: \(canary), tenants: ['']}]", "[{kid: a, secret: \(canary), tenant: acme}]",
      "{kid: a, secret: \(canary)}", "[\(canary)]", "[{kid: a, secret: [\(canary)]}]",
      "[{kid: a, secret: \(canary)}, {kid: a, secret: \(canary)2}]",
    ] {
      let error = #expect(throws: ConfigurationError.self, "\(keys)") {
        try Self.configuration("audit: {keys: \(keys)}")
      }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains("audit.keys") && !text.contains("s3cret"), "\(text)")
    }
  }

  @Test func workflowKeysAreReadInEveryForm() throws {
    let json = #"{"test_key_123":"client_1","test_key_456":"client_2"}"#
    let clients = [
      "test_key_123": Tenant(realm: .workflow, name: "client_1"),
      "test_key_456": Tenant(realm: .workflow, name: "client_2"),
    ]
    let yaml = "workflow:\n  api_keys:\n    test_key_123: client_1\n    test_key_456: client_2\n"
    #expect(try Self.configuration(yaml).workflowKeys == clients)
    #expect(try Self.configuration("workflow:\n  api_keys: '\(json)'\n").workflowKeys == clients)
    #expect(try Self.configuration(environment: ["API_KEYS": json]).workflowKeys == clients)
    #expect(try Self.configuration(environment: ["CORDWOOD_WORKFLOW_API_KEYS": json]).workflowKeys == clients)
    #expect(try Self.configuration(settings: [("workflow.api_keys", json)]).workflowKeys == clients)
    #expect(try Self.configuration(environment: ["API_KEYS": ""]).workflowKeys.isEmpty)
    #expect(try Self.configuration().workflowKeys.isEmpty)
  }

  @Test func brokenWorkflowKeysAreNamedAndNotShown() {
    for text in [
      "s3cret", #"{"s3cret":1}"#, #"{"s3cret":""}"#, #"{"":"s3cret"}"#, #"{"s3cret":"a","s3cret":"b"}"#,
      #"["s3cret"]"#, #"{"s3cret":"a"}x"#, #"{"s3cret é":"a"}"#, #"{"s3cret s":"a"}"#, #"{"s3cret":["a"]}"#,
    ] {
      let error = #expect(throws: ConfigurationError.self, "\(text)") {
        try Self.configuration(environment: ["API_KEYS": text])
      }
      let shown = "\(error.map { "\($0)" } ?? "")"
      #expect(shown.contains("workflow.api_keys") && shown.contains("environment API_KEYS"), "\(shown)")
      #expect(!shown.contains("s3cret"), "\(shown)")
    }
  }

  @Test func originsArePagesAddresses() throws {
    func origins(_ text: String) throws -> AllowedOrigins {
      try Self.configuration(environment: ["ALLOWED_ORIGINS": text]).allowedOrigins
    }
    #expect(try Self.configuration().allowedOrigins == .all)
    #expect(try origins("") == .all, "an empty one counts as none")
    #expect(try origins(#"["*"]"#) == .all)
    #expect(try origins(#"["https://a.example","*"]"#) == .all)
    #expect(try origins("[]") == AllowedOrigins([]))
    #expect(try origins("[]") != .all)
    let two = try origins(#"["https://A.example","http://localhost:3000"]"#)
    #expect(two == AllowedOrigins(["http://localhost:3000", "https://a.example"]))
    #expect(
      try Self.configuration("server: {allowed_origins: [https://a.example, http://localhost:3000]}")
        .allowedOrigins == two)
    for text in [
      "https://a.example", "*", #"["https://a.example/"]"#, #"["a.example"]"#, #"["https://"]"#, #"["null"]"#,
      #"["://a"]"#, #"["https://a b"]"#, #"["https://*.example"]"#, #"[["https://a.example"]]"#,
      #"{"a":"b"}"#,
      #"["https://a@b"]"#, #"[""]"#,
    ] {
      let error = #expect(throws: ConfigurationError.self, "\(text)") { try origins(text) }
      let shown = "\(error.map { "\($0)" } ?? "")"
      #expect(shown.contains("server.allowed_origins") && shown.contains("environment ALLOWED_ORIGINS"))
    }
  }

  @Test func aliasesAreNamesOfTheirOwn() throws {
    let environment = [
      "API_KEY_HEADER": "X-Key", "SERVICE_NAME": "central-logger", "ENVIRONMENT": "production",
    ]
    let configuration = try Self.configuration(environment: environment)
    #expect(configuration.workflowKeyHeader == "X-Key")
    #expect(configuration.serviceName == "central-logger")
    #expect(configuration.serviceEnvironment == "production")
    #expect(configuration.environment == .development, "ENVIRONMENT is not the server's own")
    let both = environment.merging(["CORDWOOD_SERVICE_NAME": "own"]) { $1 }
    #expect(try Self.configuration(environment: both).serviceName == "own")
    let defaults = try Self.configuration(environment: ["SERVICE_NAME": ""])
    #expect(defaults.serviceName == "cordwood" && defaults.serviceEnvironment == "development")
    #expect(defaults.workflowKeyHeader == "X-API-Key")
    for name in ["a b", "Authorization", "x:y", "é"] {
      #expect(throws: ConfigurationError.self) {
        try Self.configuration(environment: ["API_KEY_HEADER": name])
      }
    }
  }
}
