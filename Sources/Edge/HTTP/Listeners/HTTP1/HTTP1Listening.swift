import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Routing

/// HTTP/1.1 on a TCP port: each connection has the codec and an ``HTTPConnection``. A client that begins with
/// HTTP/2's preface gets an ``HTTP2Connection`` instead.
struct HTTP1Listening: ListenerService {
  let service: HTTPService

  func open(_ listener: Listener, on group: any EventLoopGroup) async throws -> any Channel {
    let service = service
    let (tls, proxies) = (listener.tls, listener.proxies)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      // More accepted in one go: 10,000 clients that come back after a restart wait less.
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 256 * 1024)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = ConnectionPeer(channel, proxies: proxies)
          try HTTP1Listening.configure(channel, from: peer, for: service, tls: tls)
        }
      }
    return try await bootstrap.bind(host: listener.host, port: listener.port).get()
  }

  private static func configure(
    _ channel: any Channel, from peer: ConnectionPeer, for service: HTTPService, tls: TLSCredentials?
  ) throws {
    guard service.connectionOpened(by: peer.holders) else {
      // Before a handshake nothing can be said to a client of TLS, and a handshake is what costs.
      if tls != nil { return channel.close(promise: nil) }
      let text =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
      channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
      return
    }
    channel.closeFuture.whenComplete { _ in service.connectionClosed(by: peer.holders) }
    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context)) }
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = service.limits.headerBytesMax
    limits.maxHeaderListSize = service.limits.headerBytesMax
    // Pipelined requests wait in the connection, which also answers parse errors.
    let codec = HTTPCodec(limits: limits)
    let tap = ChunkTap()
    let connection = HTTPConnection(
      service: service, peer: peer, loop: channel.eventLoop, codec: codec, tap: tap, isSecure: tls != nil)
    let isSecure = tls != nil
    let choice = PriorKnowledge {
      let pipeline = channel.pipeline.syncOperations
      pipeline.removeHandler(connection, promise: nil)
      pipeline.removeHandler(codec.encoder, promise: nil)
      pipeline.removeHandler(tap, promise: nil)
      // Which takes a turn of the loop.
      return pipeline.removeHandler(codec.decoder).flatMapThrowing {
        try HTTP2Connection.configure(channel, from: peer, for: service, isSecure: isSecure)
      }
    }
    try channel.pipeline.syncOperations.addHandlers(choice, tap, codec.encoder, codec.decoder, connection)
  }
}
