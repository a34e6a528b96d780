import Routing

// From a request's head to its endpoint.
extension ConnectionMachine {
  mutating func ask(_ received: ReceivedHead, at moment: ConnectionMoment) {
    let head = received.head
    hasBegun = true
    served = Served(
      method: head.method, version: received.version, started: moment.now,
      // Behind an offer to upgrade the decoder reads no further request.
      isKeepAlive: received.isKeepAlive && !moment.isStopping && !head.headers.contains(name: "Upgrade"))
    enter(.admitting(head), at: moment)
    actions.append(.admit(head, givenID: head.givenID))
  }

  mutating func begin(_ request: AdmittedRequest, at moment: ConnectionMoment) {
    guard case .admitting(let head) = state else { return }
    served.id = request.origin.id
    served.address = request.origin.address
    served.originFields = request.verdict.originFields
    switch request.verdict.admission {
    case .refuse(let problem, let route, let errors):
      served.route = route
      served.errors = errors
      refuse(problem, head: head, at: moment)
    case .live(let endpoint):
      served.route = endpoint.route
      served.errors = endpoint.errors
      do throws(Problem) { enter(.asking(try LiveRequest(head, endpoint)), at: moment) } catch {
        refuse(error, head: head, at: moment)
      }
    case .accept(let endpoint):
      served.route = endpoint.route
      served.errors = endpoint.errors
      receive(head, for: endpoint, at: moment)
    }
    processWaiting(at: moment)
  }

  private mutating func receive(_ head: RequestHead, for endpoint: Endpoint, at moment: ConnectionMoment) {
    let contentLength = head.contentLength ?? 0
    let pieces = head.isPlain ? endpoint.traits.pieces : nil
    guard contentLength <= endpoint.bodyBytesMax || pieces != nil else {
      return refuse(tooLarge(endpoint), head: head, at: moment)
    }
    let hold = UploadHold(
      of: endpoint.traits.isOpen ? strangers : budget, tenant: endpoint.traits.tenant,
      address: served.address)
    var reception = Reception(head: head, endpoint: endpoint, hold: hold)
    reception.pieceBytes = min(pieces?.bytes ?? 0, endpoint.bodyBytesMax)
    if contentLength > 0, !head.dropsBody { reception.body.reserveCapacity(min(contentLength, 4 << 20)) }
    if head.expectsContinue { actions.append(.writeContinue(served.version)) }
    enter(.receiving(reception), at: moment)
  }

  /// Takes a piece of the body in; false: it was refused, and the request with it.
  mutating func append(
    _ bytes: Piece, to reception: inout Reception, at moment: ConnectionMoment
  ) -> Bool {
    let count = bytes.count
    // What comes behind a piece may be more than what is let in of a body, but for a moment.
    guard reception.pieceBytes > 0 || reception.byteCount + count <= reception.endpoint.bodyBytesMax else {
      reception.hold.giveBack()
      refuse(tooLarge(reception.endpoint), closing: true, at: moment)
      return false
    }
    reception.byteCount += count
    if reception.head.dropsBody { return true }
    guard reception.hold.take(count) else {
      reception.hold.giveBack()
      refuse(.tooManyUploads, closing: true, at: moment)
      return false
    }
    reception.body.append(contentsOf: bytes)
    return true
  }

  /// Bytes are announced that may be too many.
  mutating func expect(_ count: Int, at moment: ConnectionMoment) {
    guard case .receiving(var reception) = state, reception.pieceBytes == 0,
      count > reception.endpoint.bodyBytesMax - reception.byteCount
    else { return }
    reception.hold.giveBack()
    refuse(tooLarge(reception.endpoint), closing: true, at: moment)
  }

  mutating func dispatch(_ reception: Reception, at moment: ConnectionMoment) {
    enter(.responding, at: moment)
    served.hold = reception.hold
    let call = HTTPCall(id: served.id, head: reception.head, body: reception.body, address: served.address)
    // A compressed body may be a thousand times as long as it looks.
    let isShort =
      reception.endpoint.isShort && call.body.count <= Self.shortBodyBytes && reception.head.isPlain
    actions.append(.run(reception.endpoint, call, isShort: isShort))
  }

  // MARK: Refusals

  /// The bytes are no request.
  mutating func refuse(_ fault: RequestFault, freshID: String, at moment: ConnectionMoment) {
    let problem =
      switch fault {
      case .headersTooLong:
        Problem(431, "The header fields are longer than limits.header_bytes_max allows.")
      case .malformed: Problem(400, "This is not a well-formed HTTP/1.1 request.")
      }
    switch state {
    case .idle:
      served = Served(id: freshID, started: moment.now, isKeepAlive: false)
      refuse(problem, closing: true, at: moment)
    case .receiving(var reception):
      reception.hold.giveBack()
      refuse(problem, closing: true, at: moment)
    case .storing: actions.append(.close)
    case .admitting, .asking: refuse(problem, closing: true, at: moment)
    case .opening, .responding, .streaming: served.isKeepAlive = false
    case .discarding, .lingering, .closing, .closed: actions.append(.close)
    }
  }

  /// Answers a request that has not arrived whole. A small rest is dropped and the connection goes on; a
  /// large one is not waited for.
  private mutating func refuse(_ problem: Problem, head: RequestHead, at moment: ConnectionMoment) {
    let mayDrop =
      !head.expectsContinue && !head.headers.contains(name: "Transfer-Encoding")
      && head.contentLength ?? 0 <= 256 * 1024
    refuse(problem, closing: !mayDrop, at: moment)
  }

  mutating func refuse(_ problem: Problem, closing: Bool, at moment: ConnectionMoment) {
    if closing { served.isKeepAlive = false }
    actions.append(.report(problem, route: served.route, requestID: served.id))
    write(served.errors.answer(problem, served.id), isLast: false, at: moment)
    if closing { actions.append(.closeOutput) }
    enter(closing ? .lingering : .discarding, at: moment)
  }

  func tooLarge(_ endpoint: Endpoint) -> Problem {
    let key = endpoint.bodyBytesMax == limits.bodyBytesMax ? " (limits.body_bytes_max)" : ""
    return Problem(413, "The body is longer than \(endpoint.bodyBytesMax) bytes\(key).")
  }
}
