import Access
import Decoding
import EntryDecoding
import Forwarding
import Foundation
import Masking
import Records
import Server
import Testing

/// The ingest API's settings, and the ingest system's own file and variables.
@Suite struct IngestSettingsTests {
  static let file = """
    server: {host: "127.0.0.1", port: 8001, debug: true, log_level: "DEBUG"}
    security:
      rate_limit_rps: 1
      rate_limit_burst: 5
      admin_token: "logstack_admin123456789abcdef0123"
      api_keys:
        "logstack_1a2b3c4d5e6f7890abcdef12": {name: "payments-api", active: true, description: "Payments"}
        "logstack_9f8e7d6c5b4a3210fedcba98": {name: "user-service", active: false}
    wal:
      root_path: "./wal"
      segment_max_bytes: 134217728
      rotation_time_active_minutes: 5
      rotation_time_idle_hours: 1
      idle_threshold_minutes: 10
      min_rotation_bytes: 65536
      force_rotation_hours: 6
      token_wal_quota_bytes: 1000
      token_wal_quota_age_hours: 2
      disk_free_min_ratio: 0.10
      flush_endpoint_enabled: false
    loki:
      base_url: "http://loki.observability.svc.cluster.local:3100/"
      push_endpoint: "/push"
      timeout_seconds: 7
      max_retries: 3
      backoff_seconds: [1, 2]
      backoff_park_seconds: 9
      batch_max_entries: 10
      batch_max_bytes: 2048
    validation:
      entry_bytes_max: 100
      batch_entries_max: 7
      batch_bytes_max: 1000
      allowed_labels: ["service"]
      max_labels: 6
      max_label_value_length: 64
    masking:
      baseline_keys: ["password"]
      partial_rules: {authorization: {keep_prefix: 5}, mail: {mask_email: true}, key_long_name: {keep_suffix: 2}}
      tenant_overrides: {"logstack_1a2b3c4d5e6f7890abcdef12": ["iban"], user-service: ["x"]}
    """

  @Test func theFileOfTheIngestSystemIsTaken() throws {
    var tree = ConfigurationTree()
    try tree.overlay(yaml: IngestSettingsTests.file, path: "config.yaml")
    let configuration = try Configuration(tree)
    let ingest = configuration.ingest
    #expect(configuration.port == 8001 && configuration.logLevel == "debug")
    #expect(configuration.dataDirectory == "./wal" && configuration.diskFreeRatio == 0.1)
    #expect(ingest.rate == RequestRate(perSecond: 1, burst: 5))
    #expect(ingest.keys.map(\.name) == ["payments-api", "user-service"])
    #expect(ingest.keys.map(\.isActive) == [true, false])
    #expect(ingest.quota.bytesMax == 1000 && ingest.quota.ageSecondsMax == 7200 && !ingest.isFlushEnabled)
    #expect(
      ingest.limits.entryBytesMax == 100 && ingest.limits.entriesMax == 7
        && ingest.limits.batchBytesMax == 1000)
    #expect(ingest.masking.rules.baselineKeys == ["password"])
    #expect(ingest.masking.rules.partialRules.map(\.name) == ["authorization", "key_long_name", "mail"])
    #expect(ingest.masking.rules.overrides == ["payments-api": ["iban"], "user-service": ["x"]])
    let loki = configuration.loki
    #expect(loki.url == "http://loki.observability.svc.cluster.local:3100" && loki.pushPath == "/push")
    #expect(loki.backoffSeconds == [1, 2] && loki.parkSeconds == 9 && loki.timeoutSeconds == 7)
    #expect(loki.batchEntriesMax == 10 && loki.batchBytesMax == 2048)
    #expect(tree.warnings.count == 11, "\(tree.warnings)")
    #expect(tree.warnings.contains { $0.hasPrefix("config.yaml, line 1: server.debug has no effect here") })
  }

  @Test func ourOwnNamesWinInOneFile() throws {
    let yaml = "ingest: {rate_limit_rps: 3}\nsecurity: {rate_limit_rps: 9}\nwal: {root_path: w}\ndata_dir: d"
    let configuration = try ConfigurationTests.configuration(yaml: yaml)
    #expect(configuration.ingest.rate.perSecond == 3 && configuration.dataDirectory == "d")
    let environment = ["LOGSTACK_SECURITY_RATE_LIMIT_RPS": "5", "LOGSTACK_WAL_ROOT_PATH": "e"]
    let later = try ConfigurationTests.configuration(yaml: yaml, environment: environment)
    #expect(later.ingest.rate.perSecond == 5 && later.dataDirectory == "e")
    let own = try ConfigurationTests.configuration(
      environment: environment.merging(["CORDWOOD_INGEST_RATE_LIMIT_RPS": "6"]) { $1 })
    #expect(own.ingest.rate.perSecond == 6)
  }

  @Test func variablesOfTheIngestSystemAreTaken() throws {
    let configuration = try ConfigurationTests.configuration(environment: [
      "LOGSTACK_HOST": "localhost", "LOGSTACK_PORT": "81", "LOGSTACK_LOG_LEVEL": "WARNING",
      "LOGSTACK_LOKI_BASE_URL": "http://l:1", "LOGSTACK_MASKING_BASELINE_KEYS": #"["a","b"]"#,
      "LOGSTACK_MASKING_PARTIAL_RULES": #"{"a":{"keep_prefix":1}}"#,
      "LOGSTACK_SECURITY_ADMIN_TOKEN": "tokentoken",
      "LOGSTACK_VALIDATION_ENTRY_BYTES_MAX": "9", "LOGSTACK_WAL_WAL_ROOT_PATH": "w",
      "LOGSTACK_DEBUG": "false",
    ])
    #expect(
      configuration.host == "localhost" && configuration.port == 81 && configuration.logLevel == "warning")
    #expect(configuration.loki.url == "http://l:1" && configuration.ingest.adminToken == "tokentoken")
    #expect(configuration.ingest.masking.rules.baselineKeys == ["a", "b"])
    #expect(configuration.ingest.masking.rules.partialRules.count == 1)
    #expect(configuration.ingest.limits.entryBytesMax == 9 && configuration.dataDirectory == "w")
  }

  @Test func keysComeByPriority() throws {
    let yaml = "security: {api_keys: {file_token_1: {name: file}}}"
    func names(_ environment: [String: String]) throws -> [String] {
      try ConfigurationTests.configuration(yaml: yaml, environment: environment).ingest.keys.map {
        "\($0.token)=\($0.name)\($0.isActive ? "" : " off")"
      }
    }
    let json = [
      "LOGSTACK_SECURITY_API_KEYS": #"{"both_token_1":{"name":"json"},"json_token_1":{"name":"j"}}"#
    ]
    let single = [
      "LOGSTACK_API_KEY_A_B_TOKEN": "both_token_1", "LOGSTACK_API_KEY_A_B_NAME": "single",
      "LOGSTACK_API_KEY_A_B_ACTIVE": "0", "LOGSTACK_API_KEY_C_TOKEN": "last_token_1",
      "LOGSTACK_API_KEY_D_NAME": "no token",
    ]
    #expect(try names([:]) == ["file_token_1=file"])
    #expect(try names(json) == ["both_token_1=json", "json_token_1=j"])
    #expect(try names(single) == ["both_token_1=single off", "last_token_1=c"])
    #expect(
      try names(json.merging(single) { $1 }) == [
        "both_token_1=single off", "json_token_1=j", "last_token_1=c",
      ])
  }

  static let refused: [(String, String)] = [
    (
      "security: {rate_limit_rsp: 1}",
      "c, line 1: there is no setting security.rate_limit_rsp; did you mean security.rate_limit_rps?"
    ),
    ("wal: {root_pth: x}", "c, line 1: there is no setting wal.root_pth; did you mean wal.root_path?"),
    (
      "security: {rate_limit_rps: 0}",
      "c, line 1: ingest.rate_limit_rps must be number from 0.001 to 1000000.0"
    ),
    (
      "security: {rate_limit_rps: [1]}",
      "c, line 1: ingest.rate_limit_rps must be number from 0.001 to 1000000.0"
    ),
    (
      "server: {log_level: LOUD}",
      "c, line 1: server.log_level must be DEBUG, INFO, WARNING, ERROR or CRITICAL"
    ),
    ("security: 3", "c, line 1: security must be a map of settings"),
    (
      "security: {api_keys: {short: {name: a}}}",
      "c, line 1: ingest.api_keys[0] must be a token of 8 or more visible ASCII characters"
    ),
    (
      "security: {api_keys: {a_long_token: {name: a, activ: true}}}",
      "c, line 1: there is no setting ingest.api_keys[0].activ; Docs/operating/configuration.md lists all keys"
    ),
    (
      "security: {api_keys: {a_long_token: {name: a, active: perhaps}}}",
      "c, line 1: ingest.api_keys[0].active must be `true` or `false`"
    ),
    (
      "security: {api_keys: {a_long_token: {active: true}}}",
      "c, line 1: ingest.api_keys[0].name must be a text of 1 to 255 bytes"
    ),
    (
      "masking: {partial_rules: {a: {keep: 1}}}",
      "c, line 1: masking.partial_rules.a must be one of keep_prefix: N, keep_suffix: N, mask_email: true"
    ),
    ("masking: {heuristics: some}", "c, line 1: masking.heuristics must be `words` or `substring` or `off`"),
    (
      "masking: {detectors: [magic]}",
      "c, line 1: masking.detectors must be list of `email`, `bearer`, `jwt`, `card`, `iban`, `cloud_key`, "
        + "`secret`, `userinfo`, `private_key`"
    ),
    ("masking: {patterns: {a: b}}", "c, line 1: masking.patterns must be list of `{name, pattern}`"),
    ("masking: {patterns: [email]}", "c, line 1: masking.patterns[0] must be a map {name, pattern}"),
    (
      "masking: {patterns: [{name: a, patern: b}]}",
      "c, line 1: there is no setting masking.patterns[0].patern; Docs/operating/configuration.md lists "
        + "all keys"
    ),
    ("masking: {patterns: [{name: [a], pattern: b}]}", "c, line 1: masking.patterns[0].name must be a text"),
    ("masking: {patterns: [{name: a}]}", "c, line 1: masking.patterns[0].pattern must be a text"),
    (
      "masking:\n  patterns:\n  - {name: a, pattern: b}\n  - {name: b, pattern: '(c'}",
      "c, line 2: masking.patterns[1] (b): the regular expression has an opening parenthesis that is not "
        + "closed at character 1"
    ),
    (
      "masking: {patterns: [{name: a, pattern: '(b)(c)'}]}",
      "c, line 1: masking.patterns[0] (a): the regular expression has a second capture group (others are "
        + "written `(?:…)`) at character 4"
    ),
    (
      "masking: {patterns: [{name: a, pattern: 'b*'}]}",
      "c, line 1: masking.patterns[0] (a): the regular expression matches the empty text"
    ),
    (
      "masking: {patterns: [{name: a, pattern: '(b)\\1'}]}",
      "c, line 1: masking.patterns[0] (a): the regular expression uses a back-reference, which is not "
        + "supported, at character 4"
    ),
    (
      "masking: {patterns: [{name: a, pattern: '(?<=b)c'}]}",
      "c, line 1: masking.patterns[0] (a): the regular expression uses look-around, which is not "
        + "supported, at character 3"
    ),
    (
      "masking: {patterns: [{name: a, pattern: '\(String(repeating: "b", count: 1025))'}]}",
      "c, line 1: masking.patterns[0] (a): the regular expression has more than 1024 bytes"
    ),
    (
      "masking: {patterns: [{name: a, pattern: '(?s).{600}'}, {name: b, pattern: '(?s).{500}'}]}",
      "c, line 1: masking.patterns: the regular expressions have 11002 states together, more than 10000: use "
        + "fewer or smaller repetitions"
    ),
    (
      "masking: {patterns: [{name: a, pattern: b}, {name: a, pattern: c}]}",
      "c, line 1: masking.patterns[1] (a): another one has this name"
    ),
    (
      "masking: {patterns: [{name: jwt, pattern: b}]}",
      "c, line 1: masking.patterns[0] (jwt): a built-in detector has this name"
    ),
    (
      "masking: {patterns: [{name: a-b, pattern: b}]}",
      "c, line 1: masking.patterns[0] (a-b): its name must be 1 to 24 of the characters A-Z, a-z, 0-9 and _"
    ),
    (
      "masking: {patterns: [\((0..<33).map { "{name: a\($0), pattern: b}" }.joined(separator: ", "))]}",
      "c, line 1: masking.patterns: there are more than 32"
    ),
    ("loki: {base_url: loki}", "c, line 1: forwarding.loki.url must be a URL such as http://127.0.0.1:3100"),
    ("server: {port: 1, port: 2}", "c, line 1: a key stands twice in one map: port"),
    (
      "security: {api_keys: {a_long_token: {name: a}, a_long_token: {name: b}}}",
      "c, line 1: a key stands twice in one map: a name or token of your own"
    ),
  ]

  @Test(arguments: refused) func mistakesAreNamed(yaml: String, message: String) {
    do {
      var tree = ConfigurationTree()
      try tree.overlay(yaml: yaml, path: "c")
      _ = try Configuration(tree)
      Issue.record("\(yaml) was accepted")
    } catch {
      #expect("\(error)" == message)
      #expect(!"\(error)".contains("a_long_token"), "tokens are never shown")
    }
  }

  @Test func detectorsOfOnesOwnAreRead() throws {
    var tree = ConfigurationTree()
    try tree.overlay(yaml: "masking: {patterns: [{name: x, pattern: y}]}", path: "c")
    _ = try tree.overlay(environment: [
      "CORDWOOD_MASKING_PATTERNS":
        #"[{name: employee, pattern: "EMP-([0-9]{6})"}, {name: desk, pattern: 'D\d+'}]"#
    ])
    let masking = try Configuration(tree).ingest.masking
    #expect(
      try masking.rules.ownDetectors
        == PatternDetectors([
          .init(name: "employee", pattern: "EMP-([0-9]{6})"), .init(name: "desk", pattern: "D\\d+"),
        ]))
    #expect(masking.rules.detectors == Set(MaskingRules.Detector.allCases))
    let plan = MaskingPlan(masking.rules, for: Dataset.logs.schema)
    let report = try plan.apply(toJSON: Array(#"{"message":"EMP-123456 D7 a@b.cd"}"#.utf8))
    #expect(report.text == #"{"message":"EMP-****[employee] ****[desk] ****[email]"}"#)
  }

  @Test func tokensThatEverybodyKnowsStayOnLoopback() throws {
    for setting in [("environment", "production"), ("server.host", "0.0.0.0")] {
      let error = #expect(throws: ConfigurationError.self) {
        try ConfigurationTests.configuration(yaml: IngestSettingsTests.file, settings: [setting])
      }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains("payments-api") && !text.contains("1a2b3c4d"))
    }
    let own = IngestSettingsTests.file.replacingOccurrences(of: "logstack_1a2b", with: "logstack_mine")
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationTests.configuration(yaml: own, settings: [("environment", "production")])
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("ingest.admin_token"))
  }
}
