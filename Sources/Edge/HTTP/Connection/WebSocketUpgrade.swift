import NIOCore
import NIOHTTP1
import Routing

extension HTTPConnection {
  /// Turns the connection into a WebSocket; this handler leaves it.
  func upgrade(_ handshake: WebSocketHandshake, subprotocol: String?) {
    guard let (live, made) = live, let session = made else { return }
    // Not kept here beside what the socket holds of it.
    self.live = nil
    guard let context, let codec else { return session.abandon() }
    let head = handshake.answer(chosen: subprotocol, date: connections.date)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    connections.remove(self)
    let channel = context.channel
    // Writing may have found that the client is gone: then no handler added now would ever hear of it.
    guard channel.isActive else { return session.abandon() }
    let decoder = WebSocketFrameReader(payloadBytesMax: WebSocketConnection.messageBytesMax)
    let socket = WebSocketConnection(service: service, live: live, session: session, loop: loop)
    let pipeline = context.pipeline.syncOperations
    do {
      // The socket writes at once: our encoder must be gone by then, and the frames' decoder must be there
      // before ours hands on what it holds.
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

extension WebSocketHandshake {
  /// The head of the answer that switches protocols.
  func answer(chosen: String?, date: String) -> HTTPResponseHead {
    var headers = HTTPHeaders([
      ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept), ("Date", date),
    ])
    if let chosen { headers.add(name: "Sec-WebSocket-Protocol", value: chosen) }
    return HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
  }
}
