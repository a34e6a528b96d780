import Encoding
import NIOHTTP1

extension HTTPRequestHead {
  /// The media type of the body in lower case, without parameters; nil if the request names none.
  var mediaType: String? {
    guard let type = headers.first(name: "Content-Type") else { return nil }
    let name = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    return name.isEmpty ? nil : name
  }

  /// Whether the body is JSON as far as the request says: a request that names no type is believed.
  var isJSON: Bool {
    guard let type = mediaType else { return true }
    return type == "application/json" || type.hasPrefix("application/") && type.hasSuffix("+json")
  }

  private var codings: [String] { headers[canonicalForm: "Content-Encoding"].map { $0.lowercased() } }

  /// Whether the body is sent as it is.
  var isPlain: Bool { codings.isEmpty || codings == ["identity"] }

  /// Whether the body is compressed with gzip.
  var isGzip: Bool { codings == ["gzip"] || codings == ["x-gzip"] }
}

extension OutputFormat {
  /// `?format=` wins over `Accept`.
  init(wantedBy call: HTTPCall) throws(Problem) {
    if let name = call.query["format"] {
      guard let format = OutputFormat(rawValue: name) else {
        let names = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(400, "format: one of \(names)", field: "format")
      }
      self = format
      return
    }
    let accept = call.head.headers[canonicalForm: "Accept"].joined(separator: ",")
    guard let format = OutputFormat(accept: accept) else {
      throw Problem(406, "Answers come as JSON, NDJSON, CSV, an Arrow stream or Parquet.")
    }
    self = format
  }
}
