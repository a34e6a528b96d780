import Columnar
import Routing

/// Whether and how the answer to a request is compressed. Not for answers that have a secret beside what the
/// caller sent (BREACH), nor for live streams, which never come here.
struct AnswerCompression: Sendable {
  /// Shorter answers gain nothing: they fit into one packet anyway.
  static let bytesMin = 1024

  /// Whether answers of the route are ever compressed: then caches are told that they differ by
  /// `Accept-Encoding`.
  private let isOffered: Bool
  private let headers: HeaderFields

  init(_ head: RequestHead, mixesSecrets: Bool) {
    isOffered = !mixesSecrets
    headers = head.headers
  }

  /// Found when it is wanted: most answers are too short.
  private var coding: StreamCompressor.Coding? { AcceptedCodings(headers).best }

  /// The answer as it is sent. HEAD has the fields that GET has, so its body is compressed too.
  func apply(to answer: HTTPAnswer) -> HTTPAnswer {
    guard isOffered, answer.body.count > AnswerCompression.bytesMin, answer.status.mayHaveBody,
      AnswerCompression.isCompressible(answer.headers)
    else { return answer }
    var answer = answer
    answer.headers.append(AnswerCompression.vary)
    // Without memory for a compressor the answer goes as it is.
    guard let coding, let bytes = try? StreamCompressor(coding).finish(answer.body.span) else {
      return answer
    }
    answer.headers.append(("Content-Encoding", coding.rawValue))
    answer.body = bytes
    return answer
  }

  /// The fields that a streamed answer has besides `headers`, and what compresses its pieces; nil: nothing
  /// does.
  func begin(
    _ headers: [(name: String, value: String)]
  ) -> (fields: [(name: String, value: String)], compressor: StreamCompressor?) {
    guard isOffered, AnswerCompression.isCompressible(headers) else { return ([], nil) }
    // Without memory for a compressor the pieces go as they are.
    guard let coding, let compressor = try? StreamCompressor(coding) else {
      return ([AnswerCompression.vary], nil)
    }
    return ([AnswerCompression.vary, ("Content-Encoding", coding.rawValue)], compressor)
  }

  private static let vary = (name: "Vary", value: "Accept-Encoding")

  /// Text of any kind, and Arrow streams, whose buffers we leave as they are; Parquet is compressed already.
  private static func isCompressible(_ headers: [(name: String, value: String)]) -> Bool {
    var isText = false
    for (name, value) in headers {
      switch name.lowercased() {
      case "content-encoding": return false
      case "content-type":
        let type = value.prefix { $0 != ";" }.lowercased()
        isText =
          type.hasPrefix("text/") && type != "text/event-stream" || type.hasSuffix("json")
          || type.hasSuffix("javascript") || type.hasSuffix("+xml")
          || type == "application/vnd.apache.arrow.stream"
      default: break
      }
    }
    return isText
  }
}

extension HTTPStatus {
  /// RFC 9110, §6.4.1.
  var mayHaveBody: Bool { code >= 200 && code != 204 && code != 304 }
}
