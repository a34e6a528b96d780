import NIOHTTP1
import Routing

extension RequestHead {
  /// The head as NIO's decoder read it.
  init(_ head: HTTPRequestHead) {
    self.init(
      RequestMethod(rawValue: head.method.rawValue), head.uri,
      headers: HeaderFields(head.headers.map { (name: $0.name, value: $0.value) }),
      version: head.version == .http1_1 ? .http11 : .http10)
  }
}
