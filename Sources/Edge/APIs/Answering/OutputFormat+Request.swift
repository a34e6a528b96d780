import Encoding
import Records
import Routing

extension OutputFormat {
  /// `?format=` wins over `Accept`.
  package init(wantedBy call: HTTPCall) throws(Problem) {
    if let name = call.query["format"] {
      guard let format = OutputFormat(word: name) else {
        let names = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(400, "format: one of \(names)", field: "format")
      }
      self = format
      return
    }
    let accept = call.head.headers[list: "Accept"].joined(separator: ",")
    guard let format = OutputFormat(accept: accept) else {
      throw Problem(406, "Answers come as JSON, NDJSON, CSV, an Arrow stream or Parquet.")
    }
    self = format
  }
}
