import Access
import Querying
import Records
import Routing

extension RouteParameter {
  /// `?explain=1`.
  static let explain = RouteParameter.query(
    "explain", JSONSchema.flag, "How it would run, as text, for administrators")
}

extension HTTPCall {
  /// Whether the caller asks how the request would run (`?explain=1`) instead of its answer.
  ///
  /// - Throws: 403 for those who are no administrators.
  func asksForPlan(_ principal: Principal) throws(Problem) -> Bool {
    guard query.flag("explain") else { return false }
    guard principal.role.allows(.administer) else { throw Problem(403, "Plans need the role admin") }
    return true
  }
}

extension QueryAnswering {
  /// The plans of queries that make up one answer, with a blank line between them.
  func plans(
    of requests: [QueryRequest], for tenant: Tenant
  ) async throws(StoreError) -> HTTPAnswer {
    var trees: [String] = []
    for request in requests { trees.append(try await explain(request, for: tenant)) }
    return .plan(trees.joined(separator: "\n\n"))
  }
}
