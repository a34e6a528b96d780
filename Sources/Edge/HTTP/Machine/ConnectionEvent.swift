import Routing

/// What happens to a connection. Everything ``ConnectionMachine`` learns, it learns by one of these.
enum ConnectionEvent<Piece: RandomAccessCollection<UInt8> & Sendable> {
  /// The next part of a request.
  case part(RequestPart<Piece>)
  /// So many bytes of the body's next chunk are still to come.
  case chunkAnnounced(Int)
  /// The router's word on the head that was to be admitted.
  case admitted(AdmittedRequest)
  /// The bytes are no request. `freshID` names the refusal where no request has begun.
  case broken(RequestFault, freshID: String)
  /// What ``ConnectionAction/resume`` came behind is done.
  case resumed
  /// The socket takes more again.
  case writable
  /// The client sends nothing more: it closed its side, or the connection.
  case inputClosed
  /// Whoever sends nothing more may be gone: that is to be found out.
  case probeDue
  /// How many bytes of a piece of the body are stored.
  case pieceStored(Result<Int, Problem>)
  /// The endpoint is done.
  case outcome(Result<EndpointOutcome, Problem>)
  /// The endpoint begins a streamed answer.
  case streamBegun(HTTPStatus, headers: [(name: String, value: String)])
  /// The socket took the last piece that was let through.
  case pieceTaken
  /// The live session is there, or why there is none.
  case liveOpened(Problem?)
  /// The live stream is over; why, in a word for the client.
  case liveEnded(reason: String)
  /// About once a second.
  case tick
  /// The server stops: no further request after the one being served.
  case quiesce
  /// The connection is gone.
  case inactive
}

/// A request as it arrives.
enum RequestPart<Piece: RandomAccessCollection<UInt8> & Sendable> {
  case head(ReceivedHead)
  case body(Piece)
  case end
}

/// A head, with what the codec alone knows of it.
struct ReceivedHead: Sendable {
  var head: RequestHead
  /// As sent: it comes back in the answer.
  var version: WireVersion
  /// Whether the client leaves the connection open for another request.
  var isKeepAlive: Bool
}

/// The numbers of a version of HTTP.
struct WireVersion: Sendable, Hashable {
  var major: Int
  var minor: Int

  /// Whether a body may come in chunks (RFC 9112, §7.1).
  var knowsChunks: Bool { major == 1 && minor >= 1 }
  /// Whether fields may follow a body whose length was told before.
  var knowsTrailers: Bool { major >= 2 }

  static let http10 = WireVersion(major: 1, minor: 0)
  static let http11 = WireVersion(major: 1, minor: 1)
}

/// What is known of a request once the router has seen its head.
struct AdmittedRequest: Sendable {
  var origin: RequestOrigin
  var verdict: RoutingVerdict
}

/// Why bytes are no request.
enum RequestFault: Sendable, Hashable {
  case headersTooLong
  case malformed
}

/// The world at the time of an event, as far as the machine needs it.
struct ConnectionMoment: Sendable {
  /// Nanoseconds of a clock that never goes back.
  var now: UInt64
  /// Whether the socket takes more without piling it up.
  var isWritable: Bool
  /// Whether the server stops.
  var isStopping: Bool
  /// Whether connections are short: more than half of those there may be are open.
  var isCrowded = false
  /// The value of the `Date` field.
  var date: String
}
