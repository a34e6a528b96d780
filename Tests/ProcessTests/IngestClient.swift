import Foundation

/// Calls the ingest API with a token.
struct IngestClient {
  let port: Int
  var token: String? = IngestClient.payments

  static let payments = "logstack_1a2b3c4d5e6f7890abcdef12"
  static let users = "logstack_9f8e7d6c5b4a3210fedcba98"
  static let admin = "logstack_admin123456789abcdef0123"

  /// The ingest system's own file, as its documentation shows it.
  static func file(rps: Int = 1_000_000, burst: Int = 1_000_000, more: String = "", loki: String? = nil)
    -> String
  {
    """
    server:
      host: "127.0.0.1"
      port: 8000
      debug: false
      log_level: "INFO"
    security:
      rate_limit_rps: \(rps)
      rate_limit_burst: \(burst)
      admin_token: "\(admin)"
      api_keys:
        \(payments):
          name: "payments-api"
          active: true
        \(users):
          name: "user-service"
          active: true
        \(admin):
          name: "admin"
          active: true
          description: "flush"
    masking:
      baseline_keys: ["password", "token", "authorization", "api_key", "secret", "card_number", "email"]
      partial_rules:
        authorization:
          keep_prefix: 5
        email:
          mask_email: true
    wal:
      wal_root_path: "./wal"
      segment_max_bytes: 134217728
      token_wal_quota_bytes: 2147483648
    \(loki.map { "loki:\n  base_url: \"\($0)\"\n  timeout_seconds: 30\n  max_retries: 3" } ?? "")
    \(more)
    """
  }

  static func entry(_ message: String = "m", more: String = "") -> String {
    #"{"timestamp":"2025-09-24T12:00:00.000Z","level":"INFO","message":"\#(message)","service":"payments-api","env":"prod"\#(more)}"#
  }

  func request(_ method: String, _ path: String, body: String = "", headers: [String: String] = [:]) throws
    -> HTTPAnswer
  {
    var all = headers
    if let token { all["Authorization"] = "Bearer \(token)" }
    if !body.isEmpty, all["Content-Type"] == nil { all["Content-Type"] = "application/json" }
    return try HTTPConnection(port: port).request(method, path, headers: all, body: Array(body.utf8))
  }

  func ingest(_ entries: String..., key: String? = nil, headers: [String: String] = [:]) throws -> HTTPAnswer
  {
    let member = key.map { ",\"idempotency_key\":\"\($0)\"" } ?? ""
    return try request(
      "POST", "/v1/logs:ingest", body: "{\"entries\":[\(entries.joined(separator: ","))]\(member)}",
      headers: headers)
  }
}

/// A server with the ingest system's file.
struct IngestBench {
  let folder: TemporaryFolder
  let config: String
  var data: String { folder.path + "/data" }

  init(_ file: String) throws {
    folder = try TemporaryFolder()
    config = folder.path + "/config.yaml"
    try file.write(toFile: config, atomically: true, encoding: .utf8)
  }

  func start(_ arguments: [String] = [], environment: [String: String] = [:]) throws -> ServerProcess {
    try ServerProcess(data: data, arguments: ["--config", config] + arguments, environment: environment)
  }
}
