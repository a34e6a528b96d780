import Routing

// Bodies that are taken piece by piece.
extension ConnectionMachine {
  /// Goes on receiving, or has the next piece stored if it is there.
  mutating func goOn(with reception: Reception, at moment: ConnectionMoment) {
    guard reception.pieceBytes > 0, reception.body.count >= reception.pieceBytes,
      let pieces = reception.endpoint.traits.pieces
    else {
      return keep(reception)
    }
    let call = HTTPCall(
      id: served.id, head: reception.head, body: Array(reception.body.prefix(reception.pieceBytes)),
      address: served.address)
    enter(.storing(reception), at: moment)
    actions.append(.storePiece(pieces, call))
  }

  /// So many bytes of the piece are stored, or the request has failed: what came before stays stored.
  mutating func finishPiece(_ outcome: Result<Int, Problem>, at moment: ConnectionMoment) {
    guard case .storing(var reception) = state else { return }
    // The reception leaves the state while it changes, so that its buffer stays unique.
    enter(.discarding, at: moment)
    var problem: Problem?
    switch outcome {
    case .failure(let failure): problem = failure
    case .success(0):
      // Nothing in it is whole: a longer piece may be.
      let most = reception.endpoint.bodyBytesMax
      if reception.pieceBytes == most { problem = tooLarge(reception.endpoint) }
      reception.pieceBytes = min(reception.pieceBytes * 2, most)
    case .success(let count):
      reception.body.removeFirst(min(count, reception.body.count))
      reception.byteCount = reception.body.count
      reception.pieceBytes = min(
        reception.endpoint.traits.pieces?.bytes ?? 0, reception.endpoint.bodyBytesMax)
      reception.hold.giveBack()
      if !reception.hold.take(reception.byteCount) { problem = .tooManyUploads }
    }
    // What is stored stays so; nobody knows how much more comes.
    if problem == nil, moment.isStopping { problem = Problem(503, "The server stops.", retryAfterSeconds: 1) }
    if let problem {
      reception.hold.giveBack()
      refuse(problem, closing: true, at: moment)
    } else {
      goOn(with: reception, at: moment)
    }
    processWaiting(at: moment)
  }
}
