import Access
import Codecs
import Decoding
import Platform
import Querying
import Records
import Routing

/// Writing, listing, figures.
extension WorkflowRoutes {
  static let batchMax = 100

  func create(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      let (decoder, now) = (decoder.value, clock.now())
      let batch = try await store.decoding(body) { body, memory throws(Problem) in
        do throws(ValidationFailure) {
          return try decoder.decode(entry: body, now: now, within: memory)
        } catch {
          throw Problem(error)
        }
      }
      let write = RecordWrite(batch, .workflows, bodyBytes: body.count, salt: 1)
      return try await store.store(write, of: call, for: principal) { receipt in
        WorkflowResponses.created(UUIDv7.text(receipt.id(of: 0)))
      }
    }
  }

  func createBatch(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      let (decoder, now) = (decoder.value, clock.now())
      let batch = try await store.decoding(body) { body, memory throws(Problem) in
        do throws(ValidationFailure) { return try decoder.decode(list: body, now: now, within: memory) } catch
        {
          throw Problem(error)
        }
      }
      guard let batch else { return WorkflowResponses.created([]) }
      guard batch.rowCount <= WorkflowRoutes.batchMax else {
        throw Problem(400, "Maximum \(WorkflowRoutes.batchMax) logs per batch")
      }
      let write = RecordWrite(batch, .workflows, bodyBytes: body.count, salt: 2)
      return try await store.store(write, of: call, for: principal) { receipt in
        WorkflowResponses.created((0..<receipt.rowCount).map { UUIDv7.text(receipt.id(of: $0)) })
      }
    }
  }

  func list(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try WorkflowListRequest(call.query)
    let isPlan = try call.asksForPlan(principal)
    let predicate = Predicate.both(request.predicate, principal.filter)
    do throws(StoreError) {
      if isPlan {
        let queries = listing.queries(request.page, predicate, start: request.start, end: request.end)
        return try await engine.plans(of: queries, for: principal.tenant)
      }
      let (objects, total) = try await listing.page(
        request.page, predicate, start: request.start, end: request.end, for: principal.tenant)
      return WorkflowResponses.list(objects, total: total, request, client: principal.subject)
    } catch {
      throw Problem(error)
    }
  }

  func get(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let object = try await listing.record(named: call.parameters["id"], principal)
    return WorkflowResponses.log(object, client: principal.subject)
  }

  func health(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    .object { text in
      text.member("status", "healthy")
      text.member("service", identity.service)
      text.member("environment", identity.environment)
    }
  }

  func overview(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let days = try WorkflowRoutes.days(call.query)
    let isPlan = try call.asksForPlan(principal)
    do throws(StoreError) {
      if isPlan {
        let queries = WorkflowFigures.overviewQueries(principal, since: since(days))
        return try await engine.plans(of: [queries.statuses, queries.time], for: principal.tenant)
      }
      let figures = try await WorkflowFigures.overview(engine, principal, since: since(days))
      return WorkflowResponses.overview(figures, days: days, client: principal.subject)
    } catch {
      throw Problem(error)
    }
  }

  func categories(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let days = try WorkflowRoutes.days(call.query)
    let isPlan = try call.asksForPlan(principal)
    do throws(StoreError) {
      if isPlan {
        let queries = WorkflowFigures.categoryQueries(principal, since: since(days))
        return try await engine.plans(of: [queries.succeeded, queries.all], for: principal.tenant)
      }
      let figures = try await WorkflowFigures.categories(engine, principal, since: since(days))
      return WorkflowResponses.categories(figures, days: days)
    } catch {
      throw Problem(error)
    }
  }

  private func since(_ days: Int) -> Int64 {
    clock.now().subtractingClamped(Int64(days) * 86_400_000_000_000)
  }

  private static func days(_ items: QueryItems) throws(Problem) -> Int {
    var faults = ValidationFaults()
    let days = PageRequest.number(items, "days", fallback: 7, 1...90, &faults)
    try faults.refuse()
    return days
  }
}

/// The query of `GET /api/v1/logs` with an API key.
struct WorkflowListRequest {
  static let filters = ["environment", "status", "category", "ticket_id"]

  let page: PageRequest
  let predicate: Predicate
  let start: Int64?
  /// Not included.
  let end: Int64?
  /// As asked, for the answer: ``start``, the end that is included, filters.
  let asked: (start: Int64?, end: Int64?, values: [String: String])

  init(_ items: QueryItems) throws(Problem) {
    var faults = ValidationFaults()
    page = PageRequest(items, sizeName: "page_size", &faults)
    start = PageRequest.time(items, "start_date", &faults)?.lowerBound
    let last = PageRequest.time(items, "end_date", isEnd: true, &faults)?.upperBound
    end = last.flatMap(\.endBehind)
    try faults.refuse()
    var values: [String: String] = [:]
    for name in WorkflowListRequest.filters { values[name] = items[name] }
    asked = (start, last, values)
    let parts = WorkflowListRequest.filters.compactMap { name in
      values[name].map { Predicate.compare(ColumnPath(name), .equal, .string($0)) }
    }
    predicate = parts.isEmpty ? .all : .and(parts)
  }
}

/// Figures over a client's logs.
enum WorkflowFigures {
  struct Overview {
    var total = 0
    var succeeded = 0
    var failed = 0
    /// Over runs whose time is known and not zero; nil: there is none.
    var averageSeconds: Double?
  }

  struct Category {
    var name: String
    var count = 0
    var succeeded = 0
  }

  static func overview(
    _ engine: any QueryAnswering, _ principal: Principal, since: Int64
  ) async throws(StoreError) -> Overview {
    var figures = Overview()
    let (statuses, time) = overviewQueries(principal, since: since)
    for (status, count) in try await counts(engine, statuses, principal) {
      figures.total += count
      if status == "SUCCESS" { figures.succeeded += count }
      if status == "ERROR" || status == "FAILED" { figures.failed += count }
    }
    let answer = try await engine.run(time, for: principal.tenant)
    if let column = try await answer.next()?.columns.first, column.rowCount == 1, column.isValid(0) {
      figures.averageSeconds = column.withFloat64 { $0[0] }
    }
    return figures
  }

  static func categories(
    _ engine: any QueryAnswering, _ principal: Principal, since: Int64
  ) async throws(StoreError) -> [Category] {
    let (succeeded, all) = categoryQueries(principal, since: since)
    let good = Dictionary(
      try await counts(engine, succeeded, principal).map { ($0.0.map { Name($0) }, $0.1) },
      uniquingKeysWith: +)
    return try await counts(engine, all, principal)
      .map { name, count in
        let succeeded = good[name.map { Name($0) }] ?? 0
        return Category(name: name ?? "uncategorized", count: count, succeeded: succeeded)
      }
      .sorted { ($1.count, Name($0.name)) < ($0.count, Name($1.name)) }
  }

  /// What ``overview(_:_:since:)`` asks: how many logs a status has, and the average time.
  static func overviewQueries(
    _ principal: Principal, since: Int64
  ) -> (statuses: QueryRequest, time: QueryRequest) {
    let path = ColumnPath("execution_time_seconds")
    let time = QueryRequest(
      dataset: .workflows, predicate: .both(.compare(path, .notEqual, .float64(0)), principal.filter),
      answer: .aggregates(AggregateQuery(measures: [Measure(.avg(path))])), start: since)
    return (counts(principal, by: "status", since: since), time)
  }

  /// What ``categories(_:_:since:)`` asks: how many logs a category has, those that succeeded and all.
  static func categoryQueries(
    _ principal: Principal, since: Int64
  ) -> (succeeded: QueryRequest, all: QueryRequest) {
    let succeeded = Predicate.compare(ColumnPath("status"), .equal, .string("SUCCESS"))
    return (
      counts(principal, by: "category", since: since, filter: succeeded),
      counts(principal, by: "category", since: since)
    )
  }

  private static func counts(
    _ principal: Principal, by column: String, since: Int64, filter: Predicate = .all
  ) -> QueryRequest {
    QueryRequest(
      dataset: .workflows, predicate: .both(filter, principal.filter),
      answer: .groups(QueryRequest.GroupedCount(groupBy: [ColumnPath(column)])), start: since,
      limit: QueryRequest.limitMax, isDescending: false)
  }

  private static func counts(
    _ engine: any QueryAnswering, _ request: QueryRequest, _ principal: Principal
  ) async throws(StoreError) -> [(String?, Int)] {
    let answer = try await engine.run(request, for: principal.tenant)
    var found: [(String?, Int)] = []
    while let batch = try await answer.next() { found += LogListing.counts(batch) }
    return found
  }
}
