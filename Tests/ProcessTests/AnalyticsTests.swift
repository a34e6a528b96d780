import Foundation
import Testing

/// Cube's queries against the real program.
@Suite(.serialized) struct AnalyticsTests {
  /// The dashboard query of the audit system's page.
  static let example =
    #"{"measures":["logs.count"],"dimensions":["logs.severity"],"timeDimensions":[{"dimension":"logs.timestamp","granularity":"day","dateRange":"last 30 days"}],"order":{"logs.timestamp":"asc"},"pivotConfig":{"x":["logs.timestamp.day"],"y":["logs.severity"],"fillMissingDates":true,"joinDateRange":false}}"#

  static func day(_ ago: Int) -> String {
    String(ISO8601DateFormatter().string(from: Date().addingTimeInterval(-86_400 * Double(ago))).prefix(10))
  }

  static func load(_ client: AuditClient, _ query: String) throws -> (status: Int, rows: [[String: String?]])
  {
    let answer = try client.request("POST", "/cubejs-api/v1/load", body: "{\"query\":\(query)}")
    let rows = try answer.status == 200 ? answer.object()["data"] as? [[String: Any]] ?? [] : []
    return (answer.status, rows.map { $0.mapValues { $0 as? String } })
  }

  @Test func theExampleAndItsKin() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    var list: [String] = []
    for ago in [0, 1, 1, 1, 2, 29, 31] {
      list.append(
        AuditClient.entry(
          "a\(ago)", severity: ago == 2 ? "ERROR" : "INFO", time: AnalyticsTests.day(ago) + "T12:00:00Z",
          more: #","metadata":{"ms":\#(ago * 10),"source":"s\#(ago % 2)"}"#))
    }
    #expect(
      try client.request("POST", "/api/v1/logs/bulk", body: "[\(list.joined(separator: ","))]").status == 200)
    // Another tenant's entries are in no answer.
    let other = try AuditClient(port: server.port, tenant: "xyz")
    for _ in 0..<5 {
      _ = try other.create(AuditClient.entry("x", time: AnalyticsTests.day(1) + "T00:00:00Z"))
    }
    for _ in 0..<2 {
      let (status, rows) = try AnalyticsTests.load(client, AnalyticsTests.example)
      #expect(status == 200)
      func row(_ ago: Int, _ severity: String, _ count: String) -> [String: String?] {
        let time = AnalyticsTests.day(ago) + "T00:00:00.000"
        return [
          "logs.timestamp.day": time, "logs.timestamp": time, "logs.severity": severity, "logs.count": count,
        ]
      }
      #expect(
        rows == [row(29, "INFO", "1"), row(2, "ERROR", "1"), row(1, "INFO", "3")], "today is not among them")
      let encoded = AnalyticsTests.example.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      let byGet = try HTTPConnection(port: server.port).request(
        "GET", "/cubejs-api/v1/load?query=\(encoded)", headers: ["Authorization": client.token])
      #expect(byGet.status == 200, "the token without Bearer")
      #expect((try byGet.object()["data"] as? [Any])?.count == 3)
      let figures = try AnalyticsTests.load(
        client,
        #"{"measures":["logs.count","logs.avg.metadata.ms","logs.max.metadata.ms"],"dimensions":["logs.metadata.source"],"filters":[{"or":[{"member":"logs.action","operator":"startsWith","values":["a1"]},{"member":"logs.severity","operator":"equals","values":["ERROR"]}]}]}"#
      )
      #expect(
        figures.rows == [
          [
            "logs.metadata.source": "s1", "logs.count": "3", "logs.avg.metadata.ms": "10.0",
            "logs.max.metadata.ms": "10.0",
          ],
          [
            "logs.metadata.source": "s0", "logs.count": "1", "logs.avg.metadata.ms": "20.0",
            "logs.max.metadata.ms": "20.0",
          ],
        ])
      #expect(
        try AnalyticsTests.load(
          client, #"{"dimensions":["logs.action"],"order":[["logs.action","desc"]],"limit":2,"offset":1}"#
        ).rows == [["logs.action": "a29"], ["logs.action": "a2"]])
      #expect(try AnalyticsTests.load(client, #"{"measures":["logs.count"]}"#).rows == [["logs.count": "7"]])
      try server.archive()
    }
    for query in ["{}", #"{"measures":["workflows.count"]}"#, "3"] {
      #expect(try AnalyticsTests.load(client, query).status == 400, "\(query)")
    }
    #expect(try HTTPConnection(port: server.port).request("GET", "/cubejs-api/v1/meta").status == 401)
    let meta = try client.request("GET", "/cubejs-api/v1/meta")
    #expect(meta.text.contains(#""name":"logs.severity""#))
    let plan = try client.request("POST", "/cubejs-api/v1/load?explain=1", body: AnalyticsTests.example)
    #expect(plan.text.contains("scan audit"))
    #expect(server.stop() == 0)
  }

  /// 2025-10-26 has 25 hours in Berlin, and 02:00 comes twice.
  @Test func zonesAndComparisons() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    let times = ["25T21:30", "25T22:30", "26T00:30", "26T01:30", "26T22:30", "26T23:30"]
    let list = times.map { AuditClient.entry("a", time: "2025-10-\($0):00Z") }
    #expect(
      try client.request("POST", "/api/v1/logs/bulk", body: "[\(list.joined(separator: ","))]").status == 200)
    let other = try AuditClient(port: server.port, tenant: "xyz")
    for time in times { _ = try other.create(AuditClient.entry("x", time: "2025-10-\(time):00Z")) }
    func query(_ units: [String], _ more: String = "", zone: String = "Europe/Berlin") -> String {
      let dimensions = units.map { #"{"dimension":"logs.timestamp","granularity":"\#($0)"\#(more)}"# }
      return
        #"{"measures":["logs.count"],"timezone":"\#(zone)","timeDimensions":[\#(dimensions.joined(separator: ","))]}"#
    }
    func day(_ number: Int) -> String { "2025-10-\(number)T00:00:00.000" }
    for isArchived in [false, true] {
      for more in ["", #","dateRange":["2025-10-25","2025-10-27"]"#] {
        let days = try AnalyticsTests.load(client, query(["day"], more))
        #expect(
          days.rows.map { [$0["logs.timestamp.day"], $0["logs.count"]] }
            == [[day(25), "1"], [day(26), "4"], [day(27), "1"]], "\(more)")
        let hours = try AnalyticsTests.load(client, query(["hour", "month"], more))
        #expect(hours.rows.map { $0["logs.count"] } == ["1", "1", "2", "1", "1"])
        #expect(hours.rows[2]["logs.timestamp"] == "2025-10-26T02:00:00.000")
        #expect(Set(hours.rows.map { $0["logs.timestamp.month"] }) == ["2025-10-01T00:00:00.000"])
      }
      let plan = try client.request("POST", "/cubejs-api/v1/load?explain=1", body: query(["day"]))
      #expect(plan.text.contains("of a clock set"), "\(plan.text)")
      #expect(plan.text.contains("6 rows from summaries") == isArchived, "\(plan.text)")
      let compared = query(
        ["day"], #","compareDateRange":[["2025-10-25","2025-10-25"],["2025-10-26","2025-10-26"]]"#)
      let encoded = compared.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      for answer in [
        try client.request(
          "POST", "/cubejs-api/v1/load", body: #"{"query":\#(compared),"queryType":"multi"}"#),
        try client.request("GET", "/cubejs-api/v1/load?queryType=multi&query=\(encoded)"),
      ] {
        #expect(answer.status == 200, "\(answer.text)")
        let results = try answer.object()["results"] as? [[String: Any]] ?? []
        let rows = results.map { ($0["data"] as? [[String: String]] ?? []).map { $0["logs.count"] } }
        #expect(rows == [["1"], ["4"]])
      }
      #expect(try AnalyticsTests.load(client, compared).status == 400, "the client reads one result")
      if !isArchived { try server.archive() }
    }
    let many = Array(repeating: #"["2025-10-01","2025-10-31"]"#, count: 33).joined(separator: ",")
    for wrong in [
      query(["day"], zone: "Europe/Atlantis"), query(["day"], #","dateRange":["2025-10-02","2025-10-01"]"#),
      query(["day"], #","compareDateRange":[]"#), query(["day"], #","compareDateRange":[\#(many)]"#),
    ] {
      let answer = try client.request(
        "POST", "/cubejs-api/v1/load", body: #"{"query":\#(wrong),"queryType":"multi"}"#)
      #expect(answer.status == 400 && answer.text.hasPrefix(#"{"error":""#), "\(wrong) \(answer.text)")
    }
    #expect(server.stop() == 0)
  }
}
