import Decoding
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Routing

/// Messages over TCP, syslog's (RFC 6587) for one, and TLS (RFC 5425).
struct MessageStreamListening: ListenerService {
  let service: HTTPService
  let intake: any MessageIntake

  func open(_ listener: Listener, on group: any EventLoopGroup) async throws -> any Channel {
    let (service, intake, tls) = (service, intake, listener.tls)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      // What is read is stored before more is: the sender waits as long.
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // Senders are silent for hours; those that are gone are found out.
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 256 * 1024)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = ConnectionPeer(channel, proxies: TrustedProxies())
          guard service.connectionOpened(by: peer.holders) else { return channel.close(promise: nil) }
          let connection = MessageConnection(
            service: service, intake: intake, peer: peer, loop: channel.eventLoop, isSecure: tls != nil)
          channel.closeFuture.whenComplete { _ in connection.end() }
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
          try pipeline.addHandler(connection)
        }
      }
    return try await bootstrap.bind(host: listener.host, port: listener.port).get()
  }
}

/// A connection that brings messages. That more is read says that what came before is on the disk, and so
/// does an answer, where the sender asked for one. It counts as open until all that was read of it is stored.
final class MessageConnection: ChannelInboundHandler, LoopConnection, @unchecked Sendable {
  // Safe because: all state is touched on the channel's event loop only; tasks hop there.
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Stored at once.
  private static let batchBytesMax = 1 << 20

  private let service: HTTPService
  private let connections: LoopConnections
  private let delivery: MessageDelivery
  private let holders: [ShareHolder]
  private let address: String
  private let countMax: Int
  private let openedAt = NIODeadline.now()
  private let patience: TimeAmount
  private let silence: TimeAmount
  private var context: ChannelHandlerContext?
  private var framing: any MessageFraming
  private var isSecured: Bool
  /// The stream has ended.
  private var isEnded = false
  /// Nothing more of it can be read.
  private var isRefused = false
  /// All is stored.
  private var isDone = false
  /// Whether it brought a message.
  private var hasBrought = false
  private var isStopping = false
  /// There was no memory for what was read last: no more is read for a while.
  private var isShort = false
  /// Since when there is a message that is not whole.
  private var partialSince: NIODeadline?

  init(
    service: HTTPService, intake: any MessageIntake, peer: ConnectionPeer, loop: any EventLoop,
    isSecure: Bool
  ) {
    self.service = service
    holders = peer.holders
    address = peer.address
    countMax = intake.batchMessagesMax
    connections = service.connections(on: loop)
    delivery = MessageDelivery(service: service, intake: intake, address: address, loop: loop)
    framing = intake.form.framing(messageBytesMax: intake.messageBytesMax)
    patience = .seconds(Int64(service.limits.requestSeconds))
    silence = .seconds(Int64(service.limits.silentSeconds))
    isSecured = !isSecure
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connections.add(self)
    delivery.whenStored = { [weak self] in self?.stored($0) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    context.fireChannelActive()
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    if !delivery.hold(bytes.readableBytes) { isShort = true }
    framing.append(Array(buffer: bytes))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    drain()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      isEnded = true
      drain()
    case TLSUserEvent.handshakeCompleted: isSecured = true
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    context.fireChannelWritabilityChanged()
    drain()
  }

  private func stored(_ answer: [UInt8]) {
    if let context, !answer.isEmpty {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
    }
    drain()
  }

  /// Nothing more comes.
  func end() {
    isEnded = true
    drain()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Many end TLS without saying so; that the stream has ended comes next.
    if case NIOSSLError.uncleanShutdown = error { return }
    // A reset, or a handshake that failed: what came before is stored.
    context.close(promise: nil)
  }

  /// Stores what is whole, and reads on when it is.
  private func drain() {
    guard !delivery.isStoring else { return }
    var batch = MessageBatch()
    let mayBeMore = framing.take(
      into: &batch, from: address, bytesMax: MessageConnection.batchBytesMax, countMax: countMax)
    if isEnded || isStopping, !mayBeMore, framing.fault == nil {
      framing.flush(into: &batch, from: address, hasEnded: true)
    }
    if batch.isEmpty, !isRefused, let fault = framing.fault {
      isRefused = true
      delivery.refuse(fault)
    }
    hasBrought = hasBrought || !batch.isEmpty
    // Of one who is not read on, since answers wait for him, no more can come.
    let isReading = context?.channel.isWritable ?? false
    partialSince = framing.heldBytes > 0 && batch.isEmpty && isReading ? partialSince ?? .now() : nil
    guard batch.isEmpty else { return delivery.store(batch, keeping: framing.heldBytes) }
    delivery.keep(isRefused ? 0 : framing.heldBytes)
    if isEnded || isStopping || isRefused {
      finish()
    } else if !isShort, isReading {
      context?.read()
    }
  }

  private func finish() {
    context?.close(promise: nil)
    guard !isDone else { return }
    isDone = true
    connections.remove(self)
    service.connectionClosed(by: holders)
  }

  // MARK: LoopConnection

  func tick(_ now: NIODeadline) {
    // Who is silent makes room where there is little.
    let isSilent = !hasBrought && service.isCrowded && now - openedAt > silence
    if isSilent || !isSecured && now - openedAt > patience {
      context?.close(promise: nil)
      return
    }
    if let since = partialSince, now - since > patience, !delivery.isStoring {
      var batch = MessageBatch()
      framing.flush(into: &batch, from: address, hasEnded: false)
      partialSince = nil
      if !batch.isEmpty { return delivery.store(batch, keeping: 0) }
      if framing.fault != nil { return drain() }
    }
    if isShort {
      isShort = false
      if !delivery.isStoring, context?.channel.isWritable ?? false { context?.read() }
    }
  }

  func quiesce() {
    isStopping = true
    drain()
  }

  func abandon() {
    delivery.abandon()
    context?.close(promise: nil)
  }
}
