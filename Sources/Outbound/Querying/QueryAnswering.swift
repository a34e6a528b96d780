import Records

/// What answers queries: all that the APIs know of how and where they are computed.
///
/// An answer is of one moment of the store. A cancelled task and a released ``QueryAnswer`` end what is under
/// way for them.
package protocol QueryAnswering: Sendable {
  /// Begins to answer `request` for `tenant`; rows come with ``QueryAnswer/next()``. Counts, groups,
  /// quantiles and other measures are computed before it returns.
  ///
  /// - Throws: `.invalid`: the request does not fit the dataset. `.memoryExhausted`: running queries hold all
  ///   they may. What the store says.
  func run(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> QueryAnswer

  /// As ``run(_:for:)``, from row `offset` on, in the request's order.
  func run(_ request: QueryRequest, from offset: Int, for tenant: Tenant) async throws(StoreError)
    -> QueryAnswer

  /// How many records match.
  ///
  /// - Parameters:
  ///   - start: Nanoseconds since 1970, included; nil: no bound.
  ///   - end: Not included.
  func count(
    _ predicate: Predicate, in dataset: Dataset, start: Int64?, end: Int64?, for tenant: Tenant
  ) async throws(StoreError) -> Int

  /// Begins to summarize: totals, bars and the values of fields, gathered in as few scans as there are sets
  /// of rows to look at.
  ///
  /// - Parameter isGradual: Whether what is known of the newest rows is answered before the rest is.
  /// - Throws: As ``run(_:for:)``.
  func summarize(
    _ request: SummaryRequest, isGradual: Bool, for tenant: Tenant
  ) async throws(StoreError) -> any SummaryAnswers

  /// The fields that records of these times have, those of the schema first, then members of objects by
  /// name: what blocks have columns for, and what the newest ``FieldCatalog/sampleRows`` records have.
  func fields(
    of dataset: Dataset, matching predicate: Predicate, start: Int64?, end: Int64?, for tenant: Tenant
  ) async throws(StoreError) -> FieldCatalog

  /// How `request` would be answered, as a tree of text, a line a node, over the store as it is.
  func explain(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> String
}

extension QueryAnswering {
  /// The rows before are passed by reading their keys alone; page a thousand costs them, not their columns.
  package func run(
    _ request: QueryRequest, from offset: Int, for tenant: Tenant
  ) async throws(StoreError) -> QueryAnswer {
    guard offset > 0 else { return try await run(request, for: tenant) }
    let keys = try await run(request.passing(offset), for: tenant)
    while try await keys.next() != nil {}
    var rest = request
    if let last = keys.lastCursor { rest.cursor = last } else { rest.predicate = .none }
    return try await run(rest, for: tenant)
  }

  /// How many records match, by a grouped count without groups.
  package func count(
    _ predicate: Predicate, in dataset: Dataset, start: Int64? = nil, end: Int64? = nil, for tenant: Tenant
  ) async throws(StoreError) -> Int {
    let request = QueryRequest.count(predicate, in: dataset, start: start, end: end)
    let answer = try await run(request, for: tenant)
    guard let batch = try await answer.next(), let column = batch.column("count") else { return 0 }
    return column.withInt64 { $0.count > 0 ? Int($0[0]) : 0 }
  }
}

extension QueryRequest {
  /// How many rows match.
  package static func count(
    _ predicate: Predicate, in dataset: Dataset, start: Int64? = nil, end: Int64? = nil
  ) -> QueryRequest {
    QueryRequest(
      dataset: dataset, predicate: predicate, answer: .groups(GroupedCount(groupBy: [])), start: start,
      end: end)
  }

  /// The keys of the first `rowCount` rows: what is read to begin behind them.
  package func passing(_ rowCount: Int) -> QueryRequest {
    var passed = self
    passed.answer = .rows(columns: [ColumnPath("position")])
    passed.limit = rowCount
    return passed
  }
}
