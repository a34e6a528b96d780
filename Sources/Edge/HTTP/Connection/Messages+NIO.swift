import NIOHTTP1
import Routing

extension ReceivedHead {
  /// The head as NIO's decoder read it.
  init(_ head: HTTPRequestHead) {
    self.init(
      head: RequestHead(
        RequestMethod(rawValue: head.method.rawValue), head.uri,
        headers: HeaderFields(head.headers.map { (name: $0.name, value: $0.value) }),
        version: head.version == .http1_0 || head.version == .http0_9 ? .http10 : .http11),
      version: WireVersion(major: head.version.major, minor: head.version.minor),
      // Of a stream of HTTP/2 nothing follows, and its end closes it.
      isKeepAlive: head.version.major >= 2 || head.isKeepAlive)
  }
}

extension RequestFault {
  init(_ error: HTTPParserError) {
    switch error {
    case .headerOverflow: self = .headersTooLong
    default: self = .malformed
    }
  }
}

extension HTTPVersion {
  init(_ version: WireVersion) { self.init(major: version.major, minor: version.minor) }
}

extension HTTPResponseHead {
  /// The head as NIO's encoder writes it.
  init(_ head: AnswerHead) {
    var headers = HTTPHeaders()
    headers.reserveCapacity(head.fields.count)
    for (name, value) in head.fields { headers.add(name: name, value: value) }
    self.init(
      version: HTTPVersion(head.version), status: HTTPResponseStatus(statusCode: head.status.code),
      headers: headers)
  }
}
