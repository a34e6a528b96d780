import Matching
import Records

/// How a query would run, as a tree: one line a node, the outermost first.
package struct QueryPlan: CustomStringConvertible {
  /// Without a line break at its end.
  package let description: String

  init(_ query: PreparedQuery, snapshot: any PartitionSnapshot) throws(StoreError) {
    let request = query.request
    var lines: [String] = []
    func add(_ text: String) { lines.append(String(repeating: "  ", count: lines.count) + text) }
    switch request.answer {
    case .rows(let columns):
      let units = try snapshot.plan(
        query.scan(positionEnd: request.cursor?.positionEnd ?? snapshot.positionEnd))
      add("limit \(request.limit)")
      add("project \(columns.map(\.description).joined(separator: ", "))")
      let key = (request.orderColumns + ["position"]).joined(separator: ", ")
      add("merge by \(key) \(request.isDescending ? "descending" : "ascending")")
      add(QueryPlan.filter(request))
      add("scan \(request.dataset.name): \(units.count) units, at most \(QueryPlan.rows(units)) rows")
    case .groups(let groups):
      let answer = try snapshot.groupedCounts(query.groupedCount(groups))
      if request.limit < QueryRequest.limitMax { add("limit \(request.limit)") }
      add(
        groups.isOrderedByCount
          ? "order by count \(request.isDescending ? "descending" : "ascending")" : "order by group")
      let bucket = groups.bucketNanoseconds.map { ["bucket of \($0) ns"] } ?? []
      let by = (bucket + groups.groupBy.map(\.description)).joined(separator: ", ")
      add(by.isEmpty ? "count" : "count by \(by)")
      add(QueryPlan.filter(request))
      let proved = answer.counts.values.reduce(0, +)
      add(
        "scan \(request.dataset.name): \(proved) rows from summaries, \(answer.remaining.count) units, at most "
          + "\(QueryPlan.rows(answer.remaining)) rows")
    case .aggregates(let aggregates):
      guard let plan = query.aggregates else { bug("aggregates are planned") }
      let known = try plan.sources(in: snapshot)
      if request.limit < QueryRequest.limitMax { add("limit \(request.limit)") }
      if aggregates.offset > 0 { add("offset \(aggregates.offset)") }
      let direction = request.isDescending ? "descending" : "ascending"
      add("order by \(aggregates.orderBy ?? "group") \(direction)")
      let by = (aggregates.bucket.map { [$0.text] } ?? []) + aggregates.groupBy.map(\.description)
      let measures = aggregates.measures.map(\.text).joined(separator: "; ")
      add("aggregate \(measures)" + (by.isEmpty ? "" : " by \(by.joined(separator: ", "))"))
      add(QueryPlan.filter(request))
      let isKnown = !known.counts.isEmpty || !known.totals.isEmpty
      let proved = isKnown ? "\(known.rowCount) rows from summaries, " : ""
      add(
        "scan \(request.dataset.name): \(proved)\(known.units.count) units, at most "
          + "\(QueryPlan.rows(known.units)) rows")
    }
    description = lines.joined(separator: "\n")
  }

  private static func rows(_ units: [any ScanUnit]) -> Int { units.reduce(0) { $0 + $1.rowCountMax } }

  private static func filter(_ request: QueryRequest) -> String {
    var parts = [Expression.print(request.predicate)]
    if let start = request.start { parts.append("time from \(start)") }
    if let end = request.end { parts.append("time before \(end)") }
    return "filter \(parts.joined(separator: "; "))"
  }
}
