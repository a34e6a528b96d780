import Access
import Codecs
import Records
import Routing

/// New entries of the tenant as they are written.
extension AuditRoutes {
  /// - Throws: 400 or 422 for filters that make no sense.
  func stream(_ call: HTTPCall, _ principal: Principal) throws(Problem) -> LiveEndpoint {
    try call.head.checkQuery()
    let asked = try AuditFilter(call.query)
    let (authorization, token) = (call.authorization, call.query["token"])
    let credentials = credentials
    return LiveEndpoint(
      route: "/api/v1/logs/stream", errors: .audit,
      mayListen: {
        // Any refusal ends the stream; why is for the access log of the next request.
        let now = try? credentials.authenticate(authorization: authorization, queryToken: token)
        return now?.tenant == principal.tenant
      },
      open: { opening async throws(Problem) in try await open(opening, asked, principal) })
  }

  private func open(
    _ opening: LiveEndpoint.Opening, _ asked: AuditFilter, _ principal: Principal
  ) async throws(Problem) -> LiveSession {
    let partition = Partition(tenant: principal.tenant, dataset: .audit)
    var style = style(of: principal)
    style.times = .microsecondsWithOffset
    let shape = RecordShape(
      "audit", form: opening.form, dataset: .audit, columns: AuditRoutes.columns, style: style,
      marks: streams.marks(of: partition))
    var session = try await streams.session(
      opening, of: partition, filter: .both(asked.bounded, principal.filter), shape: shape,
      counter: connections)
    session.reply = { $0.hasBytes(of: "ping") ? "pong" : nil }
    return session
  }
}

extension AuditFilter {
  /// The filter with its bounds of time.
  fileprivate var bounded: Predicate {
    let time = ColumnPath("timestamp")
    var parts = [predicate]
    if let start { parts.append(.compare(time, .greaterOrEqual, .timestamp(start))) }
    if let end { parts.append(.compare(time, .less, .timestamp(end))) }
    return parts.count == 1 ? predicate : .and(parts)
  }
}
