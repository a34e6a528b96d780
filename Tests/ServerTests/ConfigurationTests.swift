import APIs
import Access
import Foundation
import HTTP
import Records
import Routing
import Server
import Testing

/// The layers of the configuration, their types, and what is refused.
@Suite struct ConfigurationTests {
  static func configuration(
    yaml: String = "", environment: [String: String] = [:], settings: [(String, String)] = []
  ) throws -> Configuration {
    var tree = ConfigurationTree()
    try tree.overlay(yaml: yaml, path: "cordwood.yaml")
    _ = try tree.overlay(environment: environment)
    for (path, text) in settings { try tree.overlay(path: path, text: text, source: "--set") }
    return try Configuration(tree)
  }

  @Test func defaultsAreThoseOfTheTable() throws {
    let configuration = try ConfigurationTests.configuration()
    #expect(configuration.environment == .development)
    #expect(configuration.host == "127.0.0.1")
    #expect(configuration.port == 8000)
    #expect(configuration.http.bodyBytesMax == 64 << 20)
    #expect(configuration.isOpen)
    #expect(configuration.archiveAgeSecondsMax == 60)
    #expect(configuration.archiveBytesMax == 384 << 20)
    #expect(configuration.retentionSeconds[.logs] == 0)
  }

  @Test func laterLayersWin() throws {
    let yaml = "server:\n  port: 1000\n  idle_seconds: 5\narchive: {max_age_seconds: 7}\n"
    let file = try ConfigurationTests.configuration(yaml: yaml)
    #expect(file.port == 1000)
    #expect(file.http.idleSeconds == 5)
    #expect(file.archiveAgeSecondsMax == 7)
    let environment = ["CORDWOOD_SERVER_PORT": "2000", "CORDWOOD_SERVER_EXTRA_PORTS": "[1, 2]", "HOME": "/"]
    let middle = try ConfigurationTests.configuration(yaml: yaml, environment: environment)
    #expect(middle.port == 2000)
    #expect(middle.extraPorts == [1, 2])
    #expect(middle.http.idleSeconds == 5)
    let top = try ConfigurationTests.configuration(
      yaml: yaml, environment: environment, settings: [("server.port", "3000")])
    #expect(top.port == 3000)
  }

  @Test func apiKeysAreRead() throws {
    let yaml = """
      environment: production
      native:
        api_keys:
          - {name: ops, key: abcdefghijklmnop0123456789, tenant: main, role: admin}
          - {name: shop, key: qrstuvwxyzabcdef0123456789, tenant: shop}
      """
    let configuration = try ConfigurationTests.configuration(yaml: yaml)
    #expect(configuration.apiKeys.count == 2)
    #expect(configuration.apiKeys[0].role == .admin)
    #expect(configuration.apiKeys[1].role == .user)
    #expect(configuration.apiKeys[1].tenant == Tenant(realm: .native, name: "shop"))
    #expect(!configuration.isOpen)
    let open = try ConfigurationTests.configuration(
      yaml: yaml, settings: [("server.host", "0.0.0.0"), ("server.plain_http", "true")])
    #expect(open.host == "0.0.0.0")
  }

  static let refused: [(String, String)] = [
    (
      "server:\n  prot: 1",
      "cordwood.yaml, line 2: there is no setting server.prot; did you mean server.port?"
    ),
    ("port: 1", "cordwood.yaml, line 1: there is no setting port; did you mean server.port?"),
    (
      "zebra: 1",
      "cordwood.yaml, line 1: there is no setting zebra; Docs/operating/configuration.md lists all keys"
    ),
    ("server:\n  port: many", "cordwood.yaml, line 2: server.port must be integer, 0 to 65535"),
    ("server:\n  port: 70000", "cordwood.yaml, line 2: server.port must be integer, 0 to 65535"),
    ("server:\n  port: [1]", "cordwood.yaml, line 2: server.port must be integer, 0 to 65535"),
    ("server: 7", "cordwood.yaml, line 1: server must be a map of settings"),
    ("- a", "cordwood.yaml: the configuration must be a map of settings"),
    ("environment: test", "cordwood.yaml, line 1: environment must be `development` or `production`"),
    (
      "native: {api_keys: [{name: a, key: short, tenant: t}]}",
      "cordwood.yaml, line 1: native.api_keys[0].key must be at least 16 visible ASCII characters"
    ),
    (
      "native: {api_keys: [{name: a, key: abcdefghijklmnop, tenant: t, rule: x}]}",
      "cordwood.yaml, line 1: there is no setting native.api_keys[0].rule; Docs/operating/configuration.md lists all keys"
    ),
    (
      "native: {api_keys: [{name: a, key: abcdefghijklmnop, tenant: t, role: boss}]}",
      "cordwood.yaml, line 1: native.api_keys[0].role must be reader, writer, user or admin"
    ),
  ]

  @Test(arguments: refused) func mistakesAreNamed(yaml: String, message: String) {
    do {
      _ = try ConfigurationTests.configuration(yaml: yaml)
      Issue.record("\(yaml) was accepted")
    } catch {
      #expect("\(error)" == message)
    }
  }

  @Test func brokenYAMLNamesItsLine() {
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationTests.configuration(yaml: "server:\n  port: [1\nx: }")
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("not well-formed YAML"))
  }

  @Test func nothingIsOpenToOthers() throws {
    let reachable = [("server.host", "0.0.0.0"), ("server.plain_http", "true")]
    for settings in [[("environment", "production")], reachable] {
      let configuration = try ConfigurationTests.configuration(settings: settings)
      #expect(!configuration.isOpen)
      #expect(!configuration.isPrivate)
    }
    #expect(try ConfigurationTests.configuration().isPrivate)
    let plain = #expect(throws: ConfigurationError.self) {
      try ConfigurationTests.configuration(settings: [("server.host", "0.0.0.0")])
    }
    #expect("\(plain.map { "\($0)" } ?? "")".contains("server.plain_http"))
  }

  @Test func secretsThatCanBeGuessedAreRefused() throws {
    for weak in [
      "0123456789abcdef", "1234567890123456789012345678", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "Tr0ub4dor&3-zyx!",
      "6f1d0c6c2b9e4f3aa0d7",
    ] {
      let yaml =
        "environment: production\nnative:\n  api_keys:\n    - {name: ops, key: \"\(weak)\", tenant: t}\n"
      let error = #expect(throws: ConfigurationError.self) {
        try ConfigurationTests.configuration(yaml: yaml)
      }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains("ops") && !text.contains(weak), "\(text)")
    }
    for strong in ["6f1d0c6c2b9e4f3aa0d76f1d0c6c2b9e", "cw_pJ7cUo3nTq9sVw1xYz2aBc3dEf4gHi5jKl6mNo7pQr8"] {
      let yaml =
        "environment: production\nnative:\n  api_keys:\n    - {name: ops, key: \(strong), tenant: t}\n"
      #expect(try ConfigurationTests.configuration(yaml: yaml).apiKeys.count == 1)
    }
    let published = ["workflow.api_keys": #"{"test_key_123":"client_1"}"#, "querylog.secret": "short"]
    for (path, value) in published {
      #expect(throws: ConfigurationError.self) {
        try ConfigurationTests.configuration(settings: [("environment", "production"), (path, value)])
      }
      _ = try ConfigurationTests.configuration(settings: [(path, value)])
    }
  }

  @Test func lokisPasswordLeavesItsURL() throws {
    let loki = try ConfigurationTests.configuration(
      settings: [("forwarding.loki.url", "http://ada:s3cret@loki:3100/")]
    ).loki
    #expect(loki.url == "http://loki:3100" && loki.user == "ada" && loki.password == "s3cret")
  }

  @Test func aCertificateNeedsItsKey() throws {
    for name in ["server.tls_certificate", "server.tls_key"] {
      #expect(throws: ConfigurationError.self) {
        try ConfigurationTests.configuration(settings: [(name, "x.pem")])
      }
    }
    let both = try ConfigurationTests.configuration(settings: [
      ("server.tls_certificate", "c.pem"), ("server.tls_key", "k.pem"),
    ])
    #expect(both.scheme == "https")
  }

  @Test func misspeltVariablesAreWarnedOf() throws {
    var tree = ConfigurationTree()
    let warnings = try tree.overlay(environment: [
      "CORDWOOD_SERVER_PROT": "1", "CORDWOOD_KEY": "x", "CORDWOOD_BINARY": "y",
    ])
    #expect(
      warnings == [
        "the environment variable CORDWOOD_SERVER_PROT is no setting; did you mean CORDWOOD_SERVER_PORT?"
      ])
  }

  @Test func errorsNeverShowValues() {
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationTests.configuration(yaml: "native: {api_keys: [{name: a, key: s3cret, tenant: t}]}")
    }
    #expect(!"\(error.map { "\($0)" } ?? "")".contains("s3cret"))
  }

  @Test func everyDefaultIsValid() throws {
    for setting in Setting.all where setting.path != "environment" {
      _ = try ConfigurationTests.configuration(settings: [(setting.path, setting.defaultText)])
    }
  }

  /// `SNAPSHOT_UPDATE=1` rewrites the table.
  @Test func theDocumentHasTheTable() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Docs/operating/configuration.md")
    var text = try String(contentsOf: path, encoding: .utf8)
    let start = try #require(text.range(of: "<!-- settings -->\n"))
    let end = try #require(text.range(of: "\n<!-- end of settings -->"))
    if ProcessInfo.processInfo.environment["SNAPSHOT_UPDATE"] == "1" {
      text.replaceSubrange(start.upperBound..<end.lowerBound, with: ConfigurationDocument.table)
      try text.write(to: path, atomically: true, encoding: .utf8)
      return
    }
    #expect(text[start.upperBound..<end.lowerBound] == ConfigurationDocument.table)
  }
}
