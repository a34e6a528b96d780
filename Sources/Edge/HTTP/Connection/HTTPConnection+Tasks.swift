import NIOCore
import NIOHTTP1
import Records
import Routing

// What takes time: the router's word, endpoints, live sessions, the last answer.
extension HTTPConnection {
  func writeEnd(isLast: Bool) {
    guard let context else { return }
    let end = wrapOutboundOut(.end(takeTrailers()))
    guard isLast else { return context.writeAndFlush(end, promise: nil) }
    // Closing at once would drop what the socket has not taken yet.
    let written = loop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in self.close() }
    context.writeAndFlush(end, promise: written)
  }

  /// Closes the connection, or the stream of HTTP/2. A stream whose client still sends is reset after a
  /// while: at once, the client might take the reset for the answer.
  func close() {
    guard codec == nil, !isRequestWhole else { return abandon() }
    loop.scheduleTask(in: .seconds(Int64(Machine.lingerSeconds))) { self.abandon() }
  }

  /// Past the encoder, which writes whole chunks: so it comes before the size of the next.
  func writeZero() {
    guard let context, let codec else { return }
    do {
      let encoder = try context.pipeline.syncOperations.context(handler: codec.encoder)
      encoder.writeAndFlush(NIOAny(ByteBuffer(string: "0")), promise: nil)
    } catch {
      // Without an encoder nothing can be answered any more.
      abandon()
    }
  }

  func writeLong(_ bytes: [UInt8]) {
    let (answers, count) = (service.answers, bytes.count)
    guard let context else { return answers.give(back: count) }
    let written = loop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in answers.give(back: count) }
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: written)
  }

  func admit(_ head: RequestHead, _ origin: RequestOrigin) {
    take(.admitted(AdmittedRequest(origin: origin, verdict: service.router.route(head, origin: origin))))
  }

  func run(_ endpoint: Endpoint, _ call: HTTPCall, isShort: Bool) {
    let compression = AnswerCompression(call.head, mixesSecrets: endpoint.traits.mixesSecrets)
    let stream = ConnectionStream(
      connection: self, compression: compression, isHead: call.head.method == .head)
    task = Task(executorPreference: isShort ? connections.executor : nil) {
      let outcome = await endpoint.answer(
        call, through: stream, compression: compression, isOnLoop: isShort)
      self.onLoop { self.finish(.outcome(outcome)) }
    }
  }

  /// Stores a piece of a body, off the event loop.
  func store(_ pieces: BodyPieces, _ call: HTTPCall) {
    task = Task {
      let outcome: Result<Int, Problem>
      do throws(Problem) { outcome = .success(try await pieces.take(call)) } catch {
        outcome = .failure(error)
      }
      self.onLoop { self.finish(.pieceStored(outcome)) }
    }
  }

  /// Makes a live stream's session, off the event loop.
  func open(_ request: LiveRequest) {
    let holders =
      (request.endpoint.tenant.map { [ShareHolder.tenant($0)] } ?? []) + [ShareHolder.address(address)]
    let service = service
    guard service.streamOpened(by: holders) else {
      return finish(.liveOpened(Problem(503, "Too many live streams are open.", retryAfterSeconds: 5)))
    }
    let form: LiveForm = request.handshake == nil ? .events : .webSocket
    let connection = LiveConnection(
      form: form, endpoint: request.endpoint, limits: service.limits, memory: service.answers, loop: loop)
    let opening = LiveEndpoint.Opening(
      form: form, lastEventID: request.head.headers.first(name: "Last-Event-ID"),
      wake: { [weak connection] in connection?.wake() })
    task = Task {
      let outcome: Result<LiveSession, Problem>
      do throws(Problem) { outcome = .success(try await request.endpoint.open(opening)) } catch {
        outcome = .failure(error)
      }
      self.onLoop {
        switch outcome {
        case .success(var session):
          let ended = session.ended
          session.ended = {
            ended()
            service.streamClosed(by: holders)
          }
          self.live = (connection, session)
          self.finish(.liveOpened(nil))
        case .failure(let problem):
          service.streamClosed(by: holders)
          self.finish(.liveOpened(problem))
        }
      }
    }
  }

  private func finish(_ event: Event) {
    task = nil
    take(event)
  }

  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.inEventLoop { body() } else { loop.execute(body) }
  }
}

extension HTTPConnection: LiveOutlet {
  var isWritable: Bool { context?.channel.isWritable ?? false }

  func send(_ bytes: ByteBuffer, holding memory: MemoryReservation?) {
    context?.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: memory?.promise(on: loop))
  }

  func end(_ close: WebSocketClose, _ reason: String) { take(.liveEnded(reason: reason)) }
}
