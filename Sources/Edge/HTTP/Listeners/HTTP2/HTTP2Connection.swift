import NIOCore
import NIOHTTP2
import NIOSSL
import Routing

/// HTTP/2 on a connection (RFC 9113): each stream has an ``HTTPConnection`` of its own, as each connection of
/// HTTP/1.1 has. Looks after the connection itself: one without streams is closed after a while, and one that
/// the server stops says so (GOAWAY) and ends with its streams.
final class HTTP2Connection: ChannelInboundHandler, LoopConnection, @unchecked Sendable {
  // Safe because: all state is touched on the channel's event loop only.
  typealias InboundIn = HTTP2Frame

  /// Requests at one time.
  private static let streamsMax = 64
  /// What may be on its way of all streams; a stream has 64 KiB of it.
  private static let windowBytes = 1 << 20
  /// Until a connection on which something went wrong is closed, whatever its streams do.
  private static let windingUpSeconds: Int64 = 10

  private let service: HTTPService
  private let connections: LoopConnections
  private var context: ChannelHandlerContext?
  private var streamCount = 0
  private var idleSince = NIODeadline.now()
  private var isWindingUp = false

  private init(_ service: HTTPService, loop: any EventLoop) {
    self.service = service
    connections = service.connections(on: loop)
  }

  /// Appends what speaks HTTP/2 to the pipeline.
  static func configure(
    _ channel: any Channel, from peer: ConnectionPeer, for service: HTTPService, isSecure: Bool
  ) throws {
    let connection = HTTP2Connection(service, loop: channel.eventLoop)
    let management = NIOHTTP2ServerConnectionManagementHandler(
      eventLoop: channel.eventLoop,
      configuration: .init(maxIdleTime: nil, maxAge: nil, maxGraceTime: nil, keepalive: nil))
    var settings = NIOHTTP2Handler.ConnectionConfiguration()
    settings.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: streamsMax),
      HTTP2Setting(parameter: .maxHeaderListSize, value: service.limits.headerBytesMax),
    ]
    settings.targetWindowSize = windowBytes
    let pipeline = channel.pipeline.syncOperations
    _ = try pipeline.configureHTTP2Pipeline(
      mode: .server, connectionConfiguration: settings,
      streamConfiguration: NIOHTTP2Handler.StreamConfiguration(),
      streamDelegate: management.http2StreamDelegate
    ) { stream in
      stream.eventLoop.makeCompletedFuture {
        connection.begin(stream)
        try stream.pipeline.syncOperations.addHandlers(
          HTTP2FramePayloadToHTTP1ServerCodec(),
          HTTPConnection(service: service, peer: peer, loop: stream.eventLoop, isSecure: isSecure))
      }
    }
    try pipeline.addHandlers(management, connection)
  }

  private func begin(_ stream: any Channel) {
    streamCount += 1
    stream.closeFuture.whenComplete { _ in
      self.streamCount -= 1
      self.idleSince = .now()
      if self.streamCount == 0, self.isWindingUp { self.abandon() }
    }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connections.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    connections.remove(self)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connections.remove(self)
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A client of HTTP/2 that sends nothing more is gone.
    if case ChannelEvent.inputClosed = event { return abandon() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case is IOError, is ChannelError, is NIOSSLError, is BoringSSLError: abandon()
    default:
      // Of one stream, which is reset, or of the connection, which has been told: others' calls end as they
      // would, and no more begin.
      windUp()
      loop.scheduleTask(in: .seconds(HTTP2Connection.windingUpSeconds)) { self.abandon() }
    }
  }

  private var loop: any EventLoop { connections.loop }

  /// Says that no more streams are taken, and ends with those there are.
  private func windUp() {
    guard !isWindingUp else { return }
    isWindingUp = true
    context?.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
  }

  // MARK: LoopConnection

  func tick(_ now: NIODeadline) {
    let idleSeconds = Int64(service.limits.idleSeconds)
    guard streamCount == 0, now - idleSince >= .seconds(idleSeconds) else { return }
    // Who does not answer to that is closed on all the same.
    if isWindingUp || now - idleSince >= .seconds(idleSeconds + HTTP2Connection.windingUpSeconds) {
      abandon()
    } else {
      windUp()
    }
  }

  func quiesce() {
    windUp()
    if streamCount == 0 { abandon() }
  }

  func abandon() { context?.close(promise: nil) }
}
