import NIOCore
import NIOWebSocket
import Records
import Routing

/// A connection after its handshake: the client's frames in, a ``LiveConnection``'s bytes out.
///
/// Keeps what RFC 6455 asks of a server beyond what the frame decoder does: masks, fragments, UTF-8, the
/// closing handshake. A peer that answers no ping is closed. On the channel's event loop only.
final class WebSocketConnection: ChannelInboundHandler, LoopConnection, LiveOutlet {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = ByteBuffer

  /// The most bytes of a client's message: clients have little to say here.
  static let messageBytesMax = 64 * 1024
  /// How long the peer may take for its half of the closing handshake.
  private static let closeSeconds: Int64 = 2
  /// Between a ping and the end without a pong.
  private static let pongSeconds: Int64 = 20

  private let service: HTTPService
  private let live: LiveConnection
  /// Until it begins.
  private var session: LiveSession?
  private let loop: any EventLoop
  private var context: ChannelHandlerContext?
  private var input = WebSocketInput(messageBytesMax: WebSocketConnection.messageBytesMax)
  private var nextPing = NIODeadline.now()
  private var pongDeadline: NIODeadline?
  /// Set once our close frame is sent: then nothing more is, and what still comes is dropped.
  private var closeDeadline: NIODeadline?

  init(
    service: HTTPService, live: LiveConnection, session: LiveSession, loop: any EventLoop
  ) {
    self.service = service
    self.live = live
    self.session = session
    self.loop = loop
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    service.connections(on: loop).add(self)
    // Not all at the same moment, when thousands came back together.
    let spread = Int64.random(in: 0..<max(Int64(service.limits.heartbeatSeconds) * 1000, 1))
    nextPing = .now() + .milliseconds(spread)
    if let session { live.start(session, through: self) }
    session = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    live.over()
    service.connections(on: loop).remove(self)
    self.context = nil
    context.fireChannelInactive()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { live.proceed() }
    context.fireChannelWritabilityChanged()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let event = input.take(unwrapInboundIn(data)) else { return }
    switch event {
    case .close(let code): answerClose(code)
    case .failed(let close, let reason): fail(close, reason)
    case .pong: pongDeadline = nil
    case .ping(let payload):
      // A client that reads nothing gets no answers: they would pile up.
      if closeDeadline == nil, isWritable {
        send(ByteBuffer(bytes: WebSocketFrames.pong(payload)), holding: nil)
      }
    case .text(let text): if closeDeadline == nil { live.received(text) }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Half a connection is none: nobody is left to answer a ping.
    if case .some(.inputClosed) = event as? ChannelEvent { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case WebSocketFrameReader.Fault.tooLong:
      fail(.messageTooBig, "a frame has at most \(WebSocketConnection.messageBytesMax) bytes")
    case is WebSocketFrameReader.Fault: fail(.protocolError, "a broken frame")
    case is ByteToMessageDecoderError where closeDeadline != nil:
      // What comes behind a frame that could not be read: dropped until the peer closes.
      break
    default: context.close(promise: nil)
    }
  }

  // MARK: The stream

  var isWritable: Bool { closeDeadline == nil && context?.channel.isWritable ?? false }

  func send(_ bytes: ByteBuffer, holding memory: MemoryReservation?) {
    guard closeDeadline == nil, let context else { return }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: memory?.promise(on: loop))
  }

  func end(_ close: WebSocketClose, _ reason: String) { sendClose(close.rawValue, reason) }

  // MARK: Closing

  /// The peer broke a rule: it is told which, and what it still sends is dropped.
  private func fail(_ close: WebSocketClose, _ reason: String) {
    live.over()
    sendClose(close.rawValue, reason)
  }

  /// The peer's half of the closing handshake: ours follows, if it has not gone before.
  private func answerClose(_ code: UInt16) {
    live.over()
    sendClose(code, "")
    context?.close(promise: nil)
  }

  private func sendClose(_ code: UInt16, _ reason: String) {
    guard closeDeadline == nil, let context else { return }
    closeDeadline = .now() + .seconds(WebSocketConnection.closeSeconds)
    let frame = ByteBuffer(bytes: WebSocketFrames.close(code, reason: reason))
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
  }

  // MARK: Time

  func tick(_ now: NIODeadline) {
    if let closeDeadline {
      if now >= closeDeadline { context?.close(promise: nil) }
      return
    }
    if let pongDeadline, now >= pongDeadline {
      live.over()
      context?.close(promise: nil)
      return
    }
    if now >= nextPing {
      nextPing = now + .seconds(Int64(service.limits.heartbeatSeconds))
      // Who takes nothing just now is not pinged: how long that may last the stream decides.
      if isWritable {
        if pongDeadline == nil { pongDeadline = now + .seconds(WebSocketConnection.pongSeconds) }
        send(ByteBuffer(bytes: WebSocketFrames.ping([])), holding: nil)
      }
    }
    live.tick(now)
  }

  func quiesce() { live.finish(.goingAway, "the server stops") }

  func abandon() { context?.close(promise: nil) }
}
