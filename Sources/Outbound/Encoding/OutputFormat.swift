import Records

/// The forms an answer can have.
package enum OutputFormat: String, Sendable, CaseIterable {
  case json, ndjson, csv, arrow, parquet

  /// The value of `Content-Type`.
  package var mediaType: String {
    switch self {
    case .json: "application/json"
    case .ndjson: "application/x-ndjson"
    case .csv: "text/csv"
    case .arrow: "application/vnd.apache.arrow.stream"
    case .parquet: "application/vnd.apache.parquet"
    }
  }

  /// The first format an `Accept` header (RFC 9110 §12.5.1) prefers; `*/*` and no header mean JSON. nil: none
  /// of ours is acceptable.
  package init?(accept: String?) {
    guard let accept, !accept.isEmpty else {
      self = .json
      return
    }
    var best: (format: OutputFormat, quality: Double)?
    for part in accept.parts(at: ",").prefix(64) {
      let pieces = part.parts(at: ";").map { $0.trimmed.asciiLowercased }
      guard let type = pieces.first, let format = OutputFormat(mediaRange: type) else { continue }
      let quality =
        pieces.dropFirst().first { $0.hasBytes(from: "q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      if quality > 0, quality > best?.quality ?? 0 { best = (format, quality) }
    }
    guard let best else { return nil }
    self = best.format
  }

  private init?(mediaRange: String) {
    switch mediaRange {
    case "*/*", "application/*", "application/json": self = .json
    case "application/x-ndjson", "application/jsonl", "application/ndjson": self = .ndjson
    case "text/csv", "text/*": self = .csv
    case "application/vnd.apache.arrow.stream": self = .arrow
    case "application/vnd.apache.parquet", "application/x-parquet": self = .parquet
    default: return nil
    }
  }
}
