import NIOHTTP1
import Records

/// How an answer's rows are written.
package enum AnswerFormat: String, Sendable, Hashable, CaseIterable {
  case json, ndjson, csv, arrow, parquet

  package var mediaType: String {
    switch self {
    case .json: "application/json"
    case .ndjson: "application/x-ndjson"
    case .csv: "text/csv; charset=utf-8"
    case .arrow: "application/vnd.apache.arrow.stream"
    case .parquet: "application/vnd.apache.parquet"
    }
  }

  /// Names of media types that mean this format.
  fileprivate var acceptedNames: [String] {
    switch self {
    case .json: ["application/json", "application/*", "*/*"]
    case .ndjson: ["application/x-ndjson", "application/ndjson", "application/jsonl"]
    case .csv: ["text/csv", "text/*"]
    case .arrow: ["application/vnd.apache.arrow.stream"]
    case .parquet: ["application/vnd.apache.parquet", "application/x-parquet"]
    }
  }

  /// By `?format=`, else by `Accept` (highest q, then the order given), else JSON; nil when none is acceptable.
  package static func choose(format: String?, accept: [String]) -> AnswerFormat? {
    if let format { return AnswerFormat(rawValue: format) }
    let items = accept.flatMap { $0.split(separator: ",") }
    guard !items.isEmpty else { return .json }
    var best: (format: AnswerFormat, quality: Double)?
    for item in items {
      let parts = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      guard let name = parts.first else { continue }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      guard quality > 0, let format = allCases.first(where: { $0.acceptedNames.contains(name) }) else {
        continue
      }
      if quality > best?.quality ?? 0 { best = (format, quality) }
    }
    return best?.format
  }
}

/// The encoded rows of one answer, piece by piece. Used by one task.
package protocol AnswerChunks: AnyObject {
  /// The next bytes; nil at the end.
  func next() async throws(StoreError) -> [UInt8]?
}

/// Answers the native API's questions.
package protocol NativeQueries: Sendable {
  /// Parses, checks and starts a query.
  ///
  /// - Throws: `invalid` for whatever is wrong with the body.
  func start(
    _ body: [UInt8], tenant: Tenant, format: AnswerFormat
  ) async throws(StoreError) -> sending any AnswerChunks

  /// Reads the body of a deletion: `{"dataset": …, "where": …}`.
  func deletion(_ body: [UInt8]) throws(StoreError) -> (dataset: Dataset, predicate: Predicate)
}
