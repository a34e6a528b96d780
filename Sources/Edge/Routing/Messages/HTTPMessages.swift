import Codecs
import Records

/// A request as an endpoint sees it: complete, within its limits.
package struct HTTPCall: Sendable {
  /// Appears in the answer (`X-Request-Id`), in problem bodies and in the log.
  package let id: String
  package let head: RequestHead
  package let body: [UInt8]
  /// The client's address.
  package let address: String
  /// The route's name, for logs; empty until it is found.
  package private(set) var route = ""
  /// What the route's path leaves open.
  package private(set) var parameters = PathParameters()

  package init(id: String, head: RequestHead, body: [UInt8], address: String) {
    self.id = id
    self.head = head
    self.body = body
    self.address = address
  }

  /// The same call with another body, compressed in this way.
  package func replacingBody(_ body: [UInt8], coding: String?) -> HTTPCall {
    var fields = head.headers.filter { !$0.hasBytes(of: "content-encoding") }
    if let coding { fields.add(name: "content-encoding", value: coding) }
    var call = HTTPCall(
      id: id, head: RequestHead(head.method, head.target, headers: fields, version: head.version), body: body,
      address: address)
    call.route = route
    call.parameters = parameters
    return call
  }

  /// The call once its route is found.
  func at(_ route: Route, _ parameters: PathParameters) -> HTTPCall {
    var call = self
    call.route = route.name
    call.parameters = parameters
    return call
  }

  /// The target without its query.
  package var path: String { head.path }
  package var query: QueryItems { head.query }
  package var origin: RequestOrigin { RequestOrigin(id: id, address: address) }
  package var authorization: String? { head.headers.first(name: "Authorization") }
}

/// The values of a path's parameters, escapes resolved.
package struct PathParameters: Sendable {
  private let names: [String]
  private let values: [String]

  package init(names: [String] = [], values: [String] = []) {
    self.names = names
    self.values = values
  }

  /// Traps on a name that the route's path does not have: our own bug.
  package subscript(name: String) -> String {
    guard let index = names.firstIndex(of: name) else { bug("the path has this parameter") }
    return values[index]
  }
}

/// Where a request comes from.
package struct RequestOrigin: Sendable, Hashable {
  /// As ``HTTPCall/id``.
  package let id: String
  /// The client's IP address; empty if it has none.
  package let address: String

  package init(id: String, address: String) {
    self.id = id
    self.address = address
  }
}

/// An answer that is complete in memory.
package struct HTTPAnswer: Sendable {
  package var status: HTTPStatus
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Fields behind the body, which is how gRPC says how a call went: then HTTP/2's status is 200, and
  /// ``status`` is for HTTP/1.1, where these stand before the body, and for metrics.
  package var trailers: [(name: String, value: String)] = []

  package init(
    _ status: HTTPStatus, contentType: String, headers: [(name: String, value: String)] = [],
    body: [UInt8]
  ) {
    self.status = status
    self.headers = [("Content-Type", contentType)] + headers
    self.body = body
  }

  /// How a query would run, as a tree of text.
  package static func plan(_ tree: String) -> HTTPAnswer {
    HTTPAnswer(.ok, contentType: "text/plain; charset=utf-8", body: Array((tree + "\n").utf8))
  }

  /// An answer with a JSON body.
  package static func json(_ status: HTTPStatus, _ body: [UInt8]) -> HTTPAnswer {
    HTTPAnswer(status, contentType: "application/json", body: body)
  }

  /// An answer with one JSON object.
  package static func object(
    _ status: HTTPStatus = .ok, _ write: (inout JSONWriter) -> Void
  ) -> HTTPAnswer {
    .json(status, JSONWriter.object(write))
  }
}

/// What an endpoint came to.
package enum EndpointOutcome: Sendable {
  case answer(HTTPAnswer)
  /// The answer was written through the ``AnswerStream`` and is complete.
  case streamed
}

/// Where an accepted request goes.
package final class Endpoint: Sendable {
  package typealias Respond = @Sendable (HTTPCall, any AnswerStream) async throws(Problem) -> EndpointOutcome

  /// What else there is to know of it.
  package struct Traits: Sendable {
    /// As ``Route/mixesSecrets``.
    package var mixesSecrets = false
    /// As ``Route/isOpen``.
    package var isOpen = false
    /// Whose records it is about; nil: nobody's that is known.
    package var tenant: Tenant?
    /// How a body is taken that may be longer than what one may have; nil: as a whole.
    package var pieces: BodyPieces?

    package init(mixesSecrets: Bool = false, isOpen: Bool = false, tenant: Tenant? = nil) {
      self.mixesSecrets = mixesSecrets
      self.isOpen = isOpen
      self.tenant = tenant
    }
  }

  /// The route's name in metrics: one of a fixed few.
  package let route: String
  /// The most bytes of body it takes.
  package let bodyBytesMax: Int
  /// Whether it may run on the connection's event loop when its body is small: it computes for microseconds,
  /// then waits.
  package let isShort: Bool
  /// How its errors look.
  package let errors: ErrorFormat
  package let traits: Traits
  package let respond: Respond

  package init(
    route: String, bodyBytesMax: Int, isShort: Bool, errors: ErrorFormat = .problemDetails,
    traits: Traits = Traits(), respond: @escaping Respond
  ) {
    self.traits = traits
    self.errors = errors
    self.route = route
    self.bodyBytesMax = bodyBytesMax
    self.isShort = isShort
    self.respond = respond
  }
}

/// What is decided once a request's head is there, before its body is read.
package enum Admission: Sendable {
  case accept(Endpoint)
  /// A stream of records as they come: a WebSocket, or Server-Sent Events.
  case live(LiveEndpoint)
  case refuse(Problem, route: String, errors: ErrorFormat = .problemDetails)
}

/// Decides about requests by their heads: routes, credentials, media types. Called on event loops: must not
/// block.
package protocol RequestRouter: Sendable {
  func route(_ head: RequestHead, origin: RequestOrigin) -> RoutingVerdict
}

/// The router's word on a request.
package struct RoutingVerdict: Sendable {
  package let admission: Admission
  /// Header fields for every answer to the request, whoever gives it: whether a page of its origin may read
  /// it (CORS).
  package let originFields: [(name: String, value: String)]

  package init(_ admission: Admission, originFields: [(name: String, value: String)] = []) {
    self.admission = admission
    self.originFields = originFields
  }
}
