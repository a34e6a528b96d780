import Foundation
import Testing

/// Times at the edges of what the server keeps: asked for and stored like any other.
@Suite(.serialized) struct EdgeDateTests {
  static let edges = ["1677-09-21T00:12:44Z", "1677-09-22", "2262-04-11", "2262-04-11T23:47:16.854775Z"]

  @Test func datesAtTheEdgesAreDates() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let audit = try AuditClient(port: server.port, tenant: "a")
    let workflow = WorkflowClient(port: server.port, key: WorkflowTests.keys[0])
    for time in EdgeDateTests.edges {
      _ = try audit.create(AuditClient.entry("x", time: time))
      let log = #"{"environment":"staging","executed_at":"\#(time)"}"#
      #expect(try workflow.request("POST", "/api/v1/logs", body: log).status == 201)
    }
    for time in EdgeDateTests.edges {
      for name in ["start", "end", "timestamp"] {
        #expect(try audit.request("GET", "/api/v1/logs?\(name)=\(time)").status == 200, "\(name) \(time)")
        #expect(try audit.request("GET", "/api/v1/logs/export?\(name)=\(time)").status == 200)
      }
      for name in ["start_date", "end_date"] {
        #expect(try workflow.request("GET", "/api/v1/logs?\(name)=\(time)").status == 200, "\(name) \(time)")
      }
    }
    #expect(try audit.list("?start=2262-04-11&end=2262-04-11").meta["total"] == 2)
    #expect(try audit.list("?timestamp=2262-04-11").meta["total"] == 2)
    #expect(try audit.list("?timestamp=1677-09-21T00:12:44Z").meta["total"] == 1)
    #expect(try workflow.total("?end_date=2262-04-11") == 4)
    var ranges =
      EdgeDateTests.edges.map { #"["\#($0)","\#($0)"]"# } + EdgeDateTests.edges.map { #""\#($0)""# }
    ranges.append(#"["\#(EdgeDateTests.edges[0])","\#(EdgeDateTests.edges[3])"]"#)
    for unit in ["second", "hour", "day", "week", "month", "quarter", "year"] {
      for word in ["last", "next"] { ranges.append(#""\#(word) 100000 \#(unit)s""#) }
      ranges.append(#""from 100000 \#(unit)s ago to now""#)
    }
    for range in ranges {
      for zone in ["UTC", "+18:00", "-18:00"] {
        for unit in ["hour", "day", "year"] {
          let query =
            #"{"measures":["logs.count"],"timezone":"\#(zone)","timeDimensions":[{"dimension":"logs.timestamp","granularity":"\#(unit)","dateRange":\#(range)}],"filters":[{"member":"logs.timestamp","operator":"notInDateRange","values":["2262-04-11"]}]}"#
          #expect(try AnalyticsTests.load(audit, query).status == 200, "\(range) \(zone) \(unit)")
        }
      }
    }
    for days in ["0", "100000"] {
      #expect(
        try audit.request("DELETE", "/api/v1/logs/cleanup?older_than_days=\(days)&before=2262-04-11").status
          == 200)
    }
    #expect(server.stop() == 0)
  }
}
