/// The status of an answer (RFC 9110, §15; RFC 6585).
package struct HTTPStatus: Sendable, Hashable, ExpressibleByIntegerLiteral {
  package let code: Int

  package init(_ code: Int) { self.code = code }
  package init(integerLiteral code: Int) { self.code = code }

  package static let ok: HTTPStatus = 200
  package static let created: HTTPStatus = 201
  package static let accepted: HTTPStatus = 202
  package static let serviceUnavailable: HTTPStatus = 503

  /// What the code means in words; empty for codes that nobody registered.
  package var reason: String { HTTPStatus.reasons[code] ?? "" }

  private static let reasons: [Int: String] = [
    100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted",
    204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
    304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required",
    412: "Precondition Failed", 413: "Payload Too Large", 414: "URI Too Long",
    415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed",
    421: "Misdirected Request", 422: "Unprocessable Entity", 423: "Locked", 424: "Failed Dependency",
    426: "Upgrade Required", 428: "Precondition Required", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    505: "HTTP Version Not Supported", 507: "Insufficient Storage",
  ]
}
