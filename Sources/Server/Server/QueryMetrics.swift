import Querying
import Routing

/// Figures of queries.
enum QueryMetrics {
  static func collect(_ endings: QueryEndings, into text: inout MetricsText) {
    let name = "cordwood_queries_ended_total"
    text.family(
      name, .counter,
      "Queries that did not come to their end: the client was gone, time or memory was used up."
    )
    for (reason, count) in [
      ("cancelled", endings.cancelled), ("deadline", endings.overdue), ("memory", endings.starved),
    ] { text.sample(name, [("reason", reason)], Double(count)) }
  }
}
