import Routing

/// What is to be done for a connection, in the order given.
enum ConnectionAction: Sendable {
  /// Ask the router; its word comes back as ``ConnectionEvent/admitted(_:)``. `givenID` is the client's own
  /// name for the request, if it is a harmless one.
  case admit(RequestHead, givenID: String?)
  /// Tell the client to go on sending.
  case writeContinue(WireVersion)
  /// Not flushed.
  case writeHead(AnswerHead)
  /// Not flushed.
  case writeBody([UInt8])
  /// Not flushed. Its bytes are taken of the memory for answers, and given back once the socket took them.
  case writeLongBody([UInt8])
  /// What follows the body, once it ends. In HTTP/2 alone.
  case writeTrailers([(name: String, value: String)])
  /// Flushed. `isLast`: the connection is closed once the socket took it all.
  case writeEnd(isLast: Bool)
  case flush
  /// Run the endpoint, on the event loop if `isShort`; its outcome comes back.
  case run(Endpoint, HTTPCall, isShort: Bool)
  /// Store a piece of the body; ``ConnectionEvent/pieceStored(_:)`` comes back.
  case storePiece(BodyPieces, HTTPCall)
  case cancelTask
  /// After ``ConnectionMachine/probeMilliseconds``: ``ConnectionEvent/probeDue``.
  case scheduleProbe
  /// The first digit, a zero, of the size of the next chunk, or of the last one's. Flushed.
  case writeZero
  /// Make the live session; ``ConnectionEvent/liveOpened(_:)`` comes back.
  case openLive(LiveRequest)
  /// Switch to WebSocket frames and begin the session there; this machine is done.
  case upgrade(WebSocketHandshake, subprotocol: String?)
  /// Begin the session in the body of the answer whose head was written.
  case startLive
  case proceedLive
  case tickLive
  /// The server stops: say so, and end.
  case finishLive
  /// The connection is gone.
  case stopLive
  /// The session that was made is not wanted.
  case abandonLive
  /// Log what went wrong on our side.
  case report(Problem, route: String, requestID: String)
  /// Count an answered request.
  case record(AnsweredRequest)
  /// Read on: parts were held back.
  case read
  /// Once all before is done: ``ConnectionEvent/resumed``.
  case resume
  /// Close our side; the client may still send.
  case closeOutput
  case close
}

/// The first line and the fields of an answer.
struct AnswerHead: Sendable {
  var version: WireVersion
  var status: HTTPStatus
  var fields: [(name: String, value: String)]
}

/// What metrics keep of a request.
struct AnsweredRequest: Sendable, Hashable {
  var route: String
  var method: RequestMethod
  var status: Int
  /// From the head to the answer's end.
  var nanoseconds: UInt64
}

/// What becomes of a piece of a streamed answer.
enum PieceVerdict: Sendable, Hashable {
  case write
  /// The answer has no body (HEAD).
  case skip
  /// The connection is gone.
  case refuse
}
