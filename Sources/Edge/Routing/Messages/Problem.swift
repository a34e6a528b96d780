import Codecs
import Decoding

/// An error answer (RFC 9457, `application/problem+json`). Its texts name entries and fields, never values.
package struct Problem: Error, Sendable, Hashable {
  package var status: Int
  package var title: String
  package var detail: String
  /// Which record of the request, from 0.
  package var entry: Int?
  /// Which byte of the body, from 0.
  package var byte: Int?
  package var field: String?
  /// Which character of the field's text, from 0: Unicode scalars.
  package var character: Int?
  /// Seconds, for 429 and 503.
  package var retryAfterSeconds: Int?
  /// What happened, for the log only: may name files.
  package var cause: String?
  /// All that is wrong with fields, for 422.
  package var validation: [ValidationError] = []
  /// Methods a route has, for 405.
  package var allow: String?
  /// How far an import is stored, as the field `Cordwood-Import` says it.
  package var importStanding: String?
  /// The word for it in an API whose errors have one.
  package var code: String?

  package init(
    _ status: Int, _ detail: String, entry: Int? = nil, byte: Int? = nil, field: String? = nil,
    retryAfterSeconds: Int? = nil, allow: String? = nil
  ) {
    self.status = status
    self.title = HTTPStatus(status).reason
    self.detail = detail
    self.entry = entry
    self.byte = byte
    self.field = field
    self.retryAfterSeconds = retryAfterSeconds
    self.allow = allow
  }

  /// The answer that says so.
  package func answer(requestID: String) -> HTTPAnswer {
    answer(contentType: "application/problem+json") { text in
      text.name("type")
      text.value("about:blank")
      text.name("title")
      text.value(title)
      text.name("status")
      text.value(status)
      text.name("detail")
      text.value(detail)
      if let entry {
        text.name("entry")
        text.value(entry)
      }
      if let field {
        text.name("field")
        text.value(field)
      }
      if let character { text.member("character", character) }
      if let byte {
        text.name("byte")
        text.value(byte)
      }
      text.name("request_id")
      text.value(requestID)
    }
  }

  /// The answer that says so in an API's own JSON object.
  package func answer(
    contentType: String = "application/json", _ write: (inout JSONWriter) -> Void
  ) -> HTTPAnswer {
    HTTPAnswer(
      HTTPStatus(status), contentType: contentType, headers: headers,
      body: JSONWriter.object(write))
  }

  /// The header fields that go with it in every format.
  package var headers: [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    if let retryAfterSeconds { headers.append(("Retry-After", String(retryAfterSeconds))) }
    if let allow { headers.append(("Allow", allow)) }
    if let importStanding { headers.append(("Cordwood-Import", importStanding)) }
    // RFC 9110 §15.5.22, RFC 6455 §4.4.
    if status == 426 { headers += [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")] }
    if status == 401 { headers.append(("WWW-Authenticate", "Bearer realm=\"cordwood\"")) }
    return headers
  }
}

/// How an API's errors look on the wire, and its words for what every API refuses.
package final class ErrorFormat: Sendable {
  /// The answer that tells of a problem, given the request's id.
  package let answer: @Sendable (Problem, String) -> HTTPAnswer
  /// Said of paths that there are not.
  package let notFound: String
  /// Said of methods that a path has not, given those it has.
  package let methodNotAllowed: @Sendable (String) -> String
  /// Whether what is wrong with parameters is 422 and a list of them (``Problem/validation``), else 400 and a
  /// sentence.
  package let listsFaults: Bool

  package init(
    notFound: String = "Not Found",
    methodNotAllowed: @escaping @Sendable (String) -> String = { _ in "Method Not Allowed" },
    listsFaults: Bool = false,
    _ answer: @escaping @Sendable (Problem, String) -> HTTPAnswer
  ) {
    self.answer = answer
    self.notFound = notFound
    self.methodNotAllowed = methodNotAllowed
    self.listsFaults = listsFaults
  }

  /// RFC 9457.
  package static let problemDetails = ErrorFormat(methodNotAllowed: { "This path takes \($0)." }) {
    $0.answer(requestID: $1)
  }

  /// RFC 9457 with `detail` alone, as clients of three of the APIs expect it where no API has the path.
  package static let unknownPath = ErrorFormat { problem, _ in
    problem.answer(contentType: "application/problem+json") { $0.member("detail", problem.detail) }
  }
}
