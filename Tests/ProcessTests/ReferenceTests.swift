import Foundation
import Testing

/// The OpenAPI document tells the truth, and what it tells of never fails with 5xx.
@Suite(.serialized) struct ReferenceTests {
  @Test func everythingDocumentedIsServed() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let document = try server.request("GET", "/openapi.json").object()
    #expect(document["openapi"] as? String == "3.1.0")
    let paths = try #require(document["paths"] as? [String: [String: Any]])
    var identifiers: Set<String> = []
    for (path, methods) in paths {
      let concrete = path.replacingOccurrences(of: "{dataset}", with: "logs")
        .replacingOccurrences(of: "\\{[a-z]+\\}", with: "x", options: .regularExpression)
      for (method, operation) in methods {
        let details = operation as? [String: Any] ?? [:]
        #expect(identifiers.insert(details["operationId"] as? String ?? "").inserted, "\(path)")
        let answer = try server.request(method.uppercased(), concrete)
        // Nothing was ever stored under this id, and whoever asks may know.
        // There is no such file of the page, and nothing waits to be downloaded.
        if path == "/ui/-/{hash}/{file}" || path == "/ui/v1/downloads/{token}" { continue }
        if path == "/api/v1/verify/{id}" {
          #expect(answer.text.contains("Log entry not found"))
          continue
        }
        #expect(
          answer.status != 404 && answer.status != 405 && answer.status < 500,
          "\(method) \(path): \(answer.status)")
        let needs = details["security"] as? [[String: Any]] ?? []
        let isNative = needs.contains { $0["nativeKey"] != nil }
        // The query-log and the ingest API say 403 where nothing is shown; so does the page's without its
        // header field.
        let says403 = needs.contains { need in
          ["queryToken", "ingestKey", "ingestAdmin", "pageCookie"].contains { need[$0] != nil }
        }
        if !needs.isEmpty, !isNative {
          #expect(answer.status == (says403 ? 403 : 401), "\(method) \(path)")
        }
      }
    }
    let root = try server.request("GET", "/").object()
    for route in try #require(root["endpoints"] as? [String]) { #expect(paths[route] != nil, "\(route)") }
    let page = try server.request("GET", "/docs")
    #expect(page.status == 200 && page.text.contains("/api/v1/logs/export"))
    #expect(server.stop() == 0)
    let quiet = try ServerProcess(data: folder.path + "/data", arguments: ["--set", "server.docs=off"])
    #expect(try quiet.request("GET", "/docs").status == 404)
    #expect(try quiet.request("GET", "/openapi.json").status == 200)
    #expect(quiet.stop() == 0)
  }

  /// Schemathesis makes requests from the document, well-formed and not, with each kind of credential.
  @Test func generatedRequestsNeverFailTheServer() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let user = try SessionsClient(port: server.port)
    let audit = try AuditClient(port: server.port, tenant: "abc")
    for header in [
      "Authorization: Bearer \(user.token)", "Authorization: Bearer \(audit.token)",
      "X-API-Key: \(WorkflowTests.keys[0])",
    ] {
      let tools = ProcessInfo.processInfo.environment["CORDWOOD_PYTHONPATH"] ?? Tool.root + "/.deps/python"
      let run = try Tool.run(
        [
          "python3", "-m", "schemathesis.cli", "run", server.url + "/openapi.json", "--checks",
          "not_a_server_error",
          "--header", header, "--max-examples", "10", "--seed", "7", "--no-color", "--warnings", "off",
          "--phases",
          "examples,coverage,fuzzing", "--generation-database", "none", "--max-time", "12",
          "--exclude-path", "/api/auth/logout", "--exclude-path", "/api/auth/refresh",
          // It knows no lines of JSON and no journal; Fuzz/PushFuzz.swift and Fuzz/ShipperFuzz.swift do.
          "--exclude-path-regex", "_bulk$|/Export$|/upload$",
        ], environment: ["PYTHONPATH": tools], in: folder)
      #expect(run.status == 0, "\(header.prefix(20)) \(run.text.suffix(3_000)) \(run.errors.suffix(1_000))")
    }
    #expect(try server.request("GET", "/healthz").status == 200)
    #expect(server.stop() == 0)
    try Program.expectSound(folder.path + "/data", in: folder)
  }
}
