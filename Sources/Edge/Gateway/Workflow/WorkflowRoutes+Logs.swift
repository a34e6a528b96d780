import Access
import Codecs
import Decoding
import NIOHTTP1
import Platform
import Querying
import Records

/// Writing, listing, figures.
extension WorkflowRoutes {
  static let batchMax = 100

  func create(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let receipt = try await store.withBody(of: call) { body throws(Problem) -> AppendReceipt in
      let batch: RecordBatch
      do throws(ValidationFailure) { batch = try decoder.decode(entry: body, now: clock.now()) } catch {
        throw Problem(error)
      }
      return try await store.append(
        batch, of: call, bodyBytes: body.count, for: principal, salt: 1, dataset: .workflows)
    }
    return WorkflowResponses.created(UUIDv7.text(receipt.firstID))
  }

  func createBatch(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let receipt = try await store.withBody(of: call) { body throws(Problem) -> AppendReceipt? in
      let batch: RecordBatch?
      do throws(ValidationFailure) { batch = try decoder.decode(list: body, now: clock.now()) } catch {
        throw Problem(error)
      }
      guard let batch else { return nil }
      guard batch.rowCount <= WorkflowRoutes.batchMax else {
        throw Problem(400, "Maximum \(WorkflowRoutes.batchMax) logs per batch")
      }
      return try await store.append(
        batch, of: call, bodyBytes: body.count, for: principal, salt: 2, dataset: .workflows)
    }
    let ids = (0..<(receipt?.rowCount ?? 0)).compactMap { index in
      receipt.map { UUIDv7.text(UUIDv7.incremented($0.firstID, by: index)) }
    }
    return WorkflowResponses.created(ids)
  }

  func list(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try WorkflowListRequest(call.query)
    do throws(StoreError) {
      let (objects, total) = try await listing.page(
        request.page, .both(request.predicate, principal.filter), start: request.start,
        end: request.end.map { $0 == .max ? $0 : $0 + 1 }, for: principal.tenant)
      return WorkflowResponses.list(objects, total: total, request, client: principal.subject)
    } catch {
      throw Problem(error)
    }
  }

  func get(_ id: String, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let object: [UInt8]?
    do throws(StoreError) {
      object =
        if let id = UUIDv7.flexible(id) {
          try await listing.record(id, filter: principal.filter, for: principal.tenant)
        } else { nil }
    } catch {
      throw Problem(error)
    }
    guard let object else { throw Problem(404, "Log not found") }
    return WorkflowResponses.log(object, client: principal.subject)
  }

  func health() -> HTTPAnswer {
    var text = JSONText()
    text.beginObject()
    text.member("status", "healthy")
    text.member("service", identity.service)
    text.member("environment", identity.environment)
    text.endObject()
    return .json(.ok, text)
  }

  func overview(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let days = try WorkflowRoutes.days(call.query)
    do throws(StoreError) {
      let figures = try await WorkflowFigures.overview(engine, principal, since: since(days))
      return WorkflowResponses.overview(figures, days: days, client: principal.subject)
    } catch {
      throw Problem(error)
    }
  }

  func categories(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let days = try WorkflowRoutes.days(call.query)
    do throws(StoreError) {
      let figures = try await WorkflowFigures.categories(engine, principal, since: since(days))
      return WorkflowResponses.categories(figures, days: days)
    } catch {
      throw Problem(error)
    }
  }

  private func since(_ days: Int) -> Int64 { clock.now() - Int64(days) * 86_400_000_000_000 }

  private static func days(_ items: QueryItems) throws(Problem) -> Int {
    var errors: [ValidationError] = []
    let days = PageRequest.number(items, "days", fallback: 7, 1...90, &errors)
    guard errors.isEmpty else { throw Problem(ValidationFailure(errors)) }
    return days
  }
}

/// The query of `GET /api/v1/logs` with an API key.
struct WorkflowListRequest {
  static let filters = ["environment", "status", "category", "ticket_id"]

  let page: PageRequest
  let predicate: Predicate
  let start: Int64?
  let end: Int64?
  /// As asked, for the answer.
  let values: [String: String]

  init(_ items: QueryItems) throws(Problem) {
    guard items.isWellFormed else {
      throw Problem(400, "The query has a broken escape, or text that is not UTF-8")
    }
    var errors: [ValidationError] = []
    page = PageRequest(items, sizeName: "page_size", errors: &errors)
    start = PageRequest.time(items, "start_date", &errors)
    end = PageRequest.time(items, "end_date", isEnd: true, &errors)
    guard errors.isEmpty else { throw Problem(ValidationFailure(errors)) }
    var values: [String: String] = [:]
    for name in WorkflowListRequest.filters { values[name] = items[name] }
    self.values = values
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
    _ engine: QueryEngine, _ principal: Principal, since: Int64
  ) async throws(StoreError) -> Overview {
    var figures = Overview()
    for (status, count) in try await counts(engine, principal, by: "status", since: since) {
      figures.total += count
      if status == "SUCCESS" { figures.succeeded += count }
      if status == "ERROR" || status == "FAILED" { figures.failed += count }
    }
    figures.averageSeconds = try await average(engine, principal, since: since)
    return figures
  }

  static func categories(
    _ engine: QueryEngine, _ principal: Principal, since: Int64
  ) async throws(StoreError) -> [Category] {
    let succeeded = Predicate.compare(ColumnPath("status"), .equal, .string("SUCCESS"))
    let good = Dictionary(
      try await counts(engine, principal, by: "category", since: since, filter: succeeded),
      uniquingKeysWith: +)
    return try await counts(engine, principal, by: "category", since: since)
      .map { Category(name: $0.0 ?? "uncategorized", count: $0.1, succeeded: good[$0.0] ?? 0) }
      .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
  }

  private static func counts(
    _ engine: QueryEngine, _ principal: Principal, by column: String, since: Int64, filter: Predicate = .all
  ) async throws(StoreError) -> [(String?, Int)] {
    let request = QueryRequest(
      dataset: .workflows, predicate: .both(filter, principal.filter),
      answer: .groups(QueryRequest.GroupedCount(groupBy: [ColumnPath(column)])), start: since,
      limit: QueryRequest.limitMax, isDescending: false)
    let answer = try await engine.run(request, for: principal.tenant)
    var found: [(String?, Int)] = []
    while let batch = try await answer.next() { found += LogListing.counts(batch) }
    return found
  }

  private static func average(
    _ engine: QueryEngine, _ principal: Principal, since: Int64
  ) async throws(StoreError) -> Double? {
    let path = ColumnPath("execution_time_seconds")
    let request = QueryRequest(
      dataset: .workflows, predicate: .both(.compare(path, .notEqual, .float64(0)), principal.filter),
      answer: .aggregates(AggregateQuery(measures: [Measure(.avg(path))])), start: since)
    let answer = try await engine.run(request, for: principal.tenant)
    guard let column = try await answer.next()?.columns.first, column.rowCount == 1, column.isValid(0) else {
      return nil
    }
    return column.withFloat64 { $0[0] }
  }
}
