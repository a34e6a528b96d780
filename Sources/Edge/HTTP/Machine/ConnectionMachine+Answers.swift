import Codecs
import Records
import Routing

// From an endpoint's outcome to the answer's end.
extension ConnectionMachine {
  mutating func finish(_ outcome: Result<EndpointOutcome, Problem>, at moment: ConnectionMoment) {
    served.hold?.giveBack()
    served.hold = nil
    guard case .responding = state else { return }
    switch (outcome, served.hasBegunStream) {
    case (.success(.answer(let answer)), false):
      finish(with: answer, at: moment)
    case (.success(.streamed), true):
      actions.append(.writeEnd(isLast: isLast(at: moment)))
      record(status: 200, at: moment)
      finishRequest(at: moment, closesItself: true)
    // An endpoint that streams and then answers, or says that it streamed and did not.
    case (.success, _): fail(Problem(500, "The answer was not written as it was begun."), at: moment)
    case (.failure(let problem), _): fail(problem, at: moment)
    }
  }

  private mutating func fail(_ problem: Problem, at moment: ConnectionMoment) {
    actions.append(.report(problem, route: served.route, requestID: served.id))
    guard !served.hasBegunStream else {
      // No terminating chunk: a cut answer must not look whole.
      record(status: problem.status, at: moment)
      enter(.closing, at: moment)
      actions.append(.close)
      return
    }
    finish(with: served.errors.answer(problem, served.id), at: moment)
  }

  /// The client is gone before its answer: what it asked for is ended with the task, which holds the body
  /// until then.
  mutating func abandon(at moment: ConnectionMoment) {
    let problem = Problem(499, "The client went away before the answer's end.")
    actions.append(.report(problem, route: served.route, requestID: served.id))
    record(status: 499, at: moment)
  }

  private mutating func finish(with answer: HTTPAnswer, at moment: ConnectionMoment) {
    if isLong(answer) {
      // What was changed is done: only who asked may be refused.
      if served.method != .get {
        answers.charge(answer.body.count)
      } else if !answers.tryTake(answer.body.count) {
        return fail(.tooManyAnswers, at: moment)
      }
    }
    write(answer, isLast: isLast(at: moment), at: moment)
    finishRequest(at: moment, closesItself: true)
  }

  private func isLong(_ answer: HTTPAnswer) -> Bool {
    answer.body.count >= Self.longAnswerBytes && answer.status.mayHaveBody && !served.isHead
  }

  /// The head of a streamed answer.
  mutating func beginStream(
    _ status: HTTPStatus, headers: [(name: String, value: String)], at moment: ConnectionMoment
  ) {
    guard case .responding = state, !served.hasBegunStream else { return }
    writeStreamHead(status, headers: headers, at: moment)
  }

  private mutating func writeStreamHead(
    _ status: HTTPStatus, headers: [(name: String, value: String)], at moment: ConnectionMoment
  ) {
    served.hasBegunStream = true
    // HTTP/1.0 knows no chunks: the end of the connection is the end of the answer.
    if served.version == .http10 { served.isKeepAlive = false }
    var fields = fields(headers, at: moment)
    if served.version.knowsChunks, !served.isHead { fields.append(("Transfer-Encoding", "chunked")) }
    actions.append(.writeHead(AnswerHead(version: served.version, status: status, fields: fields)))
  }

  /// Whether the next piece of a streamed answer is written. If it is, ``ConnectionEvent/pieceTaken`` is to
  /// follow.
  mutating func takePiece(at moment: ConnectionMoment) -> PieceVerdict {
    guard case .responding = state else { return .refuse }
    guard !served.isHead else { return .skip }
    writingSince = moment.now
    return .write
  }

  /// Writes a whole answer; one that is long was taken of ``answers``.
  mutating func write(_ answer: HTTPAnswer, isLast: Bool, at moment: ConnectionMoment) {
    // gRPC says in what follows how a call went; in HTTP/1.1 it stands before, for people.
    let isGRPC = !answer.trailers.isEmpty && served.version.knowsTrailers
    var fields = fields(answer.headers + (isGRPC ? [] : answer.trailers), at: moment)
    let hasBody = answer.status.mayHaveBody
    if hasBody { fields.append(("Content-Length", String(answer.body.count))) }
    actions.append(
      .writeHead(
        AnswerHead(version: served.version, status: isGRPC ? .ok : answer.status, fields: fields)))
    if isLong(answer) {
      actions.append(.writeLongBody(answer.body))
    } else if hasBody, !served.isHead, !answer.body.isEmpty {
      actions.append(.writeBody(answer.body))
    }
    if isGRPC { actions.append(.writeTrailers(answer.trailers)) }
    actions.append(.writeEnd(isLast: isLast))
    record(status: answer.status.code, at: moment)
  }

  private func fields(
    _ own: [(name: String, value: String)], at moment: ConnectionMoment
  ) -> [(name: String, value: String)] {
    var fields = own
    fields.reserveCapacity(own.count + served.originFields.count + 5)
    fields.append(("X-Request-Id", served.id))
    fields += served.originFields
    // RFC 6797, §7.1: over TLS alone. A year.
    if isSecure { fields.append(("Strict-Transport-Security", "max-age=31536000")) }
    fields.append(("Date", moment.date))
    if !served.isKeepAlive {
      fields.append(("Connection", "close"))
    } else if served.version == .http10 {
      fields.append(("Connection", "keep-alive"))
    }
    return fields
  }

  mutating func record(status: Int, at moment: ConnectionMoment) {
    let nanoseconds = moment.now > served.started ? moment.now - served.started : 0
    actions.append(
      .record(
        AnsweredRequest(
          route: served.route, method: served.method, status: status, nanoseconds: nanoseconds)))
  }

  // MARK: Live streams

  /// The session of a live stream is made, or failed.
  mutating func beginLive(_ problem: Problem?, at moment: ConnectionMoment) {
    guard case .opening(let request) = state, problem != nil || !moment.isStopping else {
      if problem == nil {
        actions += [.abandonLive, .close]
        if case .opening = state { enter(.closing, at: moment) }
      }
      return
    }
    if let problem { return fail(problem, at: moment) }
    if let handshake = request.handshake {
      actions.append(.upgrade(handshake, subprotocol: request.endpoint.subprotocol))
      record(status: 101, at: moment)
      return enter(.closed, at: moment)
    }
    writeStreamHead(
      .ok,
      headers: [
        ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
      ], at: moment)
    actions.append(.flush)
    record(status: 200, at: moment)
    actions.append(.startLive)
    enter(.streaming, at: moment)
  }

  mutating func endLive(_ reason: String, at moment: ConnectionMoment) {
    guard case .streaming = state else { return }
    let text = JSONWriter.object { text in
      text.member("type", "closed")
      text.member("reason", reason)
    }
    // Closed on our side: a stalled client would hold the connection for its rest.
    actions += [
      .writeBody(LiveForm.events.message("closed", text)), .writeEnd(isLast: false), .closeOutput,
    ]
    enter(.lingering, at: moment)
  }
}
