import Foundation
import Testing

/// `?explain=1`: administrators see the plans of the queries behind an answer, others are told no.
@Suite(.serialized) struct PlanTests {
  /// Targets and the datasets that the plan's scans name, one a query.
  static let audit: [(target: String, scans: Int)] = [
    ("/api/v1/logs/stats?explain=1", 1), ("/api/v1/logs?explain=1&severity=ERROR", 2),
    ("/api/v1/logs?explain=1&page=3", 3),
  ]
  static let workflow: [(target: String, scans: Int)] = [
    ("/api/v1/metrics/overview?explain=1&days=3", 2), ("/api/v1/metrics/categories?explain=1", 2),
    ("/api/v1/logs?explain=1&status=SUCCESS", 2),
  ]
  static let cube = "/cubejs-api/v1/load?explain=1&query="

  @Test func administratorsSeePlansAndNobodyElse() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let users = try SessionsClient(port: server.port)
    let made = try users.post(
      "/api/keys", ["name": "plans", "realm": "workflow", "tenant": "client_1", "role": "admin"])
    #expect(made.status == 201)
    let key = try #require(try made.object()["key"] as? String)
    let user = WorkflowClient(port: server.port, key: WorkflowTests.keys[0])
    let admin = WorkflowClient(port: server.port, key: key)
    _ = try user.create(WorkflowClient.log("T-1", seconds: 2))
    #expect(try admin.total() == 1, "a client's keys are the client")
    func expectPlan(_ answer: HTTPAnswer, of dataset: String, scans: Int, _ target: String) {
      #expect(answer.status == 200, "\(target): \(answer.text)")
      #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
      let found = answer.text.split(separator: "\n").filter { $0.contains("scan \(dataset)") }
      #expect(found.count == scans, "\(target): \(answer.text)")
    }
    for (target, scans) in PlanTests.workflow {
      expectPlan(try admin.request("GET", target), of: "workflows", scans: scans, target)
      let refused = try user.request("GET", target)
      #expect(refused.status == 403)
      #expect(refused.text == #"{"detail":"Plans need the role admin"}"#)
    }
    let auditor = try AuditClient(port: server.port, tenant: "a", role: "auditor")
    let administrator = try AuditClient(port: server.port, tenant: "a")
    for (target, scans) in PlanTests.audit {
      expectPlan(try administrator.request("GET", target), of: "audit", scans: scans, target)
      let refused = try auditor.request("GET", target)
      #expect(refused.status == 403)
      #expect(refused.text == #"{"code":403,"msg":"Plans need the role admin","data":null}"#)
    }
    let workflows = PlanTests.cube + #"{"measures":["workflows.count"]}"#.escaped
    expectPlan(try admin.request("GET", workflows), of: "workflows", scans: 1, workflows)
    #expect(try user.request("GET", workflows).status == 403)
    let entries = PlanTests.cube + #"{"measures":["logs.count"]}"#.escaped
    expectPlan(try administrator.request("GET", entries), of: "audit", scans: 1, entries)
    #expect(try auditor.request("GET", entries).text == #"{"error":"Plans need the role admin"}"#)
    #expect(server.stop() == 0)
  }
}

extension String {
  /// Percent-encoded for a query.
  var escaped: String { addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }
}
