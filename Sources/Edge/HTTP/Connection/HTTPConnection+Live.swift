import NIOCore
import NIOHTTP1
import NIOWebSocket
import Routing
import Tailing

/// A request for a live stream, once its head was found right.
struct LiveRequest {
  let head: RequestHead
  let endpoint: LiveEndpoint
  /// nil: Server-Sent Events.
  let handshake: WebSocketHandshake?

  /// - Throws: 400 for a broken handshake, 426 for a request that asks for neither form.
  init(_ head: RequestHead, _ endpoint: LiveEndpoint) throws(Problem) {
    self.head = head
    self.endpoint = endpoint
    handshake = WebSocketHandshake.isOffered(head) ? try WebSocketHandshake(head) : nil
    guard handshake != nil || LiveRequest.wantsEvents(head) else {
      throw Problem(426, "This path takes WebSockets, and Accept: text/event-stream.")
    }
  }

  private static func wantsEvents(_ head: RequestHead) -> Bool {
    head.headers[list: "Accept"].contains {
      $0.prefix { $0 != ";" }.utf8.elementsEqualIgnoringCase("text/event-stream")
    }
  }
}

// Live streams
extension HTTPConnection {
  /// The request is whole: makes the session, off the event loop, and then begins the stream.
  func open(_ request: LiveRequest) {
    enter(.responding)
    let form: LiveForm = request.handshake == nil ? .events : .webSocket
    let live = LiveConnection(form: form, endpoint: request.endpoint, limits: service.limits, loop: loop)
    let opening = LiveEndpoint.Opening(
      form: form, lastEventID: request.head.headers.first(name: "Last-Event-ID"),
      wake: { [weak live] in live?.wake() })
    let endpoint = request.endpoint
    let handshake = request.handshake
    task = Task {
      let outcome: Result<LiveSession, Problem>
      do throws(Problem) { outcome = .success(try await endpoint.open(opening)) } catch {
        outcome = .failure(error)
      }
      self.loop.execute {
        self.begin(outcome, live, handshake: handshake, subprotocol: endpoint.subprotocol)
      }
    }
  }

  private func begin(
    _ outcome: Result<LiveSession, Problem>, _ live: LiveConnection, handshake: WebSocketHandshake?,
    subprotocol: String?
  ) {
    task = nil
    switch outcome {
    case .failure(let problem):
      guard case .responding = state else { return }
      service.failed(problem, route: served.route, requestID: served.id)
      write(served.errors.answer(problem, served.id))
      finishRequest()
    case .success(let session):
      guard case .responding = state, let context, !service.isStopping else {
        session.abandon()
        self.context?.close(promise: nil)
        return
      }
      if let handshake {
        upgrade(context, handshake, chosen: subprotocol, live, session)
      } else {
        let headers = [
          ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
        ]
        beginStream(.ok, headers: headers)
        context.flush()
        enter(.streaming(live))
        record(status: 200)
        live.start(session, through: self)
      }
    }
  }

  /// Turns the connection into a WebSocket; this handler leaves it.
  private func upgrade(
    _ context: ChannelHandlerContext, _ handshake: WebSocketHandshake, chosen: String?,
    _ live: LiveConnection,
    _ session: LiveSession
  ) {
    let head = handshake.answer(chosen: chosen, date: service.connections(on: loop).date)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    record(status: 101)
    enter(.closed)
    service.connections(on: loop).remove(self)
    let channel = context.channel
    // Writing may have found that the client is gone: then no handler added now would ever hear of it.
    guard channel.isActive else { return session.abandon() }
    let decoder = WebSocketFrameDecoder(maxFrameSize: WebSocketConnection.messageBytesMax)
    let socket = WebSocketConnection(service: service, live: live, session: session, loop: loop)
    let pipeline = context.pipeline.syncOperations
    do {
      // The socket writes at once: our encoder must be gone by then, and the frames' decoder must be there before ours
      // hands on what it holds.
      pipeline.removeHandler(codec.encoder, promise: nil)
      try pipeline.addHandlers(
        [ByteToMessageHandler(decoder), socket], position: .after(codec.decoder))
      pipeline.removeHandler(self, promise: nil)
      pipeline.removeHandler(codec.decoder, promise: nil)
    } catch {
      session.abandon()
      channel.close(promise: nil)
    }
  }
}

extension HTTPConnection: LiveOutlet {
  var isWritable: Bool { context?.channel.isWritable ?? false }

  func send(_ bytes: ByteBuffer) {
    context?.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
  }

  func end(_ close: WebSocketClose, _ reason: String) {
    guard case .streaming = state else { return }
    let text = JSONText.object { text in
      text.member("type", "closed")
      text.member("reason", reason)
    }
    send(ByteBuffer(bytes: LiveForm.events.message("closed", text.bytes)))
    context?.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    // A stalled client would hold the connection for its rest.
    context?.close(mode: .output, promise: nil)
    enter(.lingering)
  }
}
