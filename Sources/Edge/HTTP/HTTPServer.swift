import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Platform
import Routing
import Synchronization

/// The HTTP/1.1 server: listeners, event loops, connections.
package final class HTTPServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let service: HTTPService
  private let tls: TLSCredentials?
  private let listeners = Mutex<[any Channel]>([])

  /// - Parameters:
  ///   - threads: Event loops; each serves the connections given to it on one thread.
  ///   - tls: nil: plain HTTP.
  package init(
    router: any RequestRouter, limits: HTTPLimits, metrics: HTTPMetrics, logger: Logger,
    clock: any WallClock, threads: Int, tls: TLSCredentials? = nil
  ) {
    self.tls = tls
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    self.group = group
    self.service = HTTPService(
      router: router, limits: limits, metrics: metrics, logger: logger, group: group, clock: clock)
    service.startTicking()
  }

  /// Listens on `host` and `port` (0: any free one); returns the port.
  package func bind(host: String, port: Int) async throws -> Int {
    let service = service
    let tls = tls
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
        channel.eventLoop.makeCompletedFuture { try HTTPServer.configure(channel, for: service, tls: tls) }
      }
    let channel = try await bootstrap.bind(host: host, port: port).get()
    listeners.withLock { $0.append(channel) }
    return channel.localAddress?.port ?? port
  }

  private static func configure(
    _ channel: any Channel, for service: HTTPService, tls: TLSCredentials?
  ) throws {
    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context)) }
    guard service.connectionOpened() else {
      let text =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
      channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
      return
    }
    channel.closeFuture.whenComplete { _ in service.connectionClosed() }
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = service.limits.headerBytesMax
    limits.maxHeaderListSize = service.limits.headerBytesMax
    // Pipelined requests wait in HTTPConnection, which also answers parse errors.
    let codec = HTTPCodec(limits: limits)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandlers(
      codec.encoder, codec.decoder,
      HTTPConnection(service: service, loop: channel.eventLoop, codec: codec))
  }

  /// Stops listening, lets requests finish, and after `seconds` cuts those that have not.
  package func stop(withinSeconds seconds: Int) async {
    let channels = listeners.withLock { listeners in
      defer { listeners = [] }
      return listeners
    }
    for channel in channels {
      // A listener that is closed already is what we want.
      try? await channel.close()
    }
    await service.stop(withinSeconds: seconds)
    // The loops have nothing left to run; an error here changes nothing for anybody.
    try? await group.shutdownGracefully()
  }
}
