import Codecs
import Querying
import Records
import Testing

@testable import APIs
@testable import Routing

/// Which of Cube's orders the engine is asked for, so that it need not have all groups.
@Suite struct CubeCutTests {
  private static let days = #""timeDimensions":[{"dimension":"logs.timestamp","granularity":"day"}]"#

  private static func request(_ query: String) throws -> QueryRequest {
    let tree = try JSONTree(parsing: Array(query.utf8))
    return try CubeQuery(tree, cube: .audit, now: CubeTests.now).request(filter: .all)
  }

  @Test(
    arguments: [
      // Without an order: by time, else the greatest first measure first, else by values.
      (#""dimensions":["logs.user_id"],"limit":7,"offset":5"#, "m0", 12),
      (CubeCutTests.days + #","limit":7"#, nil, 7),
      (#""dimensions":["logs.user_id"],"order":{"logs.users":"desc"}"#, "m1", 10_000),
      (#""dimensions":["logs.user_id","logs.action"],"order":{"logs.user_id":"asc"},"limit":3"#, nil, 3),
      (
        CubeCutTests.days + #","order":{"logs.timestamp":"asc"},"limit":3"#,
        nil, 3
      ),
      (
        CubeCutTests.days + #","order":{"logs.timestamp.day":"asc"},"limit":3"#,
        nil, 3
      ),
      // All groups.
      (#""dimensions":["logs.user_id"],"limit":7,"total":true"#, nil, QueryRequest.limitMax),
      (#""dimensions":["logs.user_id"],"order":{"logs.count":"asc"}"#, nil, QueryRequest.limitMax),
      (#""dimensions":["logs.user_id"],"order":{"logs.user_id":"desc"}"#, nil, QueryRequest.limitMax),
      (
        #""dimensions":["logs.user_id","logs.action"],"order":{"logs.action":"asc"}"#, nil,
        QueryRequest.limitMax
      ),
      (
        #""dimensions":["logs.user_id"],"order":[["logs.count","desc"],["logs.users","desc"]]"#, nil,
        QueryRequest.limitMax
      ),
    ] as [(String, String?, Int)])
  func ordersThatTheEngineHas(query: String, measure: String?, limit: Int) throws {
    let request = try CubeCutTests.request("{\"measures\":[\"logs.count\",\"logs.users\"],\(query)}")
    guard case .aggregates(let aggregates) = request.answer else {
      Issue.record("measures of groups")
      return
    }
    #expect(aggregates.orderBy == measure && request.limit == limit, "\(query)")
    #expect(request.isDescending == (measure != nil), "\(query)")
  }
}
