import NIOCore
import NIOHTTP1
import Routing

/// The shell of a ``ConnectionMachine``: hands it what the channel and the tasks report, and carries out what
/// it says.
///
/// Everything runs on the channel's event loop. An endpoint's task runs there too when it is short, else on
/// Swift's pool, and hands its outcome back.
final class HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler, LoopConnection, @unchecked Sendable
{
  // Safe because: all state is touched on the channel's event loop only; tasks and the stream hop there.
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart
  typealias Machine = ConnectionMachine<ByteBufferView>
  typealias Event = ConnectionEvent<ByteBufferView>

  let service: HTTPService
  let connections: LoopConnections
  /// nil: this is a stream of HTTP/2.
  let codec: HTTPCodec?
  private let peer: ConnectionPeer
  private let tap: ChunkTap?
  /// What follows the answer's body (HTTP/2).
  private var trailers: HTTPHeaders?
  /// Whether the last request that began has ended.
  private(set) var isRequestWhole = false
  private(set) var context: ChannelHandlerContext?
  private var machine: Machine
  private var isActing = false
  var task: Task<Void, Never>?
  /// A live stream, and its session from when it is made until it is handed over to the stream.
  var live: (connection: LiveConnection, session: LiveSession?)?

  var loop: any EventLoop { connections.loop }

  /// - Parameter isSecure: Whether it is encrypted.
  init(
    service: HTTPService, peer: ConnectionPeer, loop: any EventLoop, codec: HTTPCodec? = nil,
    tap: ChunkTap? = nil, isSecure: Bool
  ) {
    self.peer = peer
    self.tap = tap
    self.codec = codec
    self.service = service
    connections = service.connections(on: loop)
    machine = Machine(
      limits: service.limits, budget: service.budget, strangers: service.strangers,
      answers: service.answers, now: NIODeadline.now().uptimeNanoseconds)
    machine.isSecure = isSecure
  }

  // MARK: Events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connections.add(self)
    tap?.announce = { [weak self] count in self?.take(.chunkAnnounced(count)) }
  }

  /// The connection is over, or goes on with another protocol.
  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    connections.remove(self)
  }

  func channelInactive(context: ChannelHandlerContext) {
    take(.inactive)
    connections.remove(self)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      isRequestWhole = false
      let received = ReceivedHead(head)
      tap?.begin(received.head)
      take(.part(.head(received)))
    case .body(let bytes): take(.part(.body(bytes.readableBytesView)))
    case .end:
      isRequestWhole = true
      tap?.end()
      take(.part(.end))
    }
  }

  /// Where the client of the request being served is; empty if it has no address.
  var address: String { machine.served.address }

  func read(context: ChannelHandlerContext) { if !machine.holdsRead() { context.read() } }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { take(.writable) }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { take(.inputClosed) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
    take(.broken(RequestFault(error), freshID: service.nextRequestID()))
  }

  func tick(_ now: NIODeadline) { take(.tick, now: now) }
  func quiesce() { take(.quiesce) }
  func abandon() { context?.close(promise: nil) }

  /// Has the machine take the event in and carries out what it says. Events that come of that, such as writes
  /// that fill the socket, are taken in at once; their actions follow those under way.
  func take(_ event: Event, now: NIODeadline = .now()) {
    machine.take(event, at: moment(now))
    guard !isActing else { return }
    isActing = true
    defer { isActing = false }
    while let action = machine.nextAction() { act(action) }
  }

  private func moment(_ now: NIODeadline = .now()) -> ConnectionMoment {
    ConnectionMoment(
      now: now.uptimeNanoseconds, isWritable: isWritable, isStopping: service.isStopping,
      isCrowded: service.isCrowded, date: connections.date)
  }

  /// What follows the body of the answer that ends now.
  func takeTrailers() -> HTTPHeaders? {
    defer { trailers = nil }
    return trailers
  }

  // MARK: Actions

  private func act(_ action: ConnectionAction) {
    switch action {
    case .admit(let head, let givenID):
      admit(head, RequestOrigin(id: givenID ?? service.nextRequestID(), address: peer.client(of: head)))
    case .writeContinue(let version):
      let head = HTTPResponseHead(version: HTTPVersion(version), status: .continue)
      context?.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    case .writeHead(let head): context?.write(wrapOutboundOut(.head(HTTPResponseHead(head))), promise: nil)
    case .writeTrailers(let fields): trailers = HTTPHeaders(fields.map { ($0.name, $0.value) })
    case .scheduleProbe:
      loop.scheduleTask(in: .milliseconds(Int64(Machine.probeMilliseconds))) { self.take(.probeDue) }
    case .writeZero: writeZero()
    case .writeLongBody(let bytes): writeLong(bytes)
    case .writeBody(let bytes):
      context?.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
    case .writeEnd(let isLast): writeEnd(isLast: isLast)
    case .flush: context?.flush()
    case .run(let endpoint, let call, let isShort): run(endpoint, call, isShort: isShort)
    case .storePiece(let pieces, let call): store(pieces, call)
    case .cancelTask:
      task?.cancel()
      task = nil
    case .openLive(let request): open(request)
    case .upgrade(let handshake, let subprotocol): upgrade(handshake, subprotocol: subprotocol)
    case .startLive:
      let session = live?.session
      live?.session = nil
      if let live, let session { live.connection.start(session, through: self) }
    case .proceedLive: live?.connection.proceed()
    case .tickLive: live?.connection.tick(.now())
    case .finishLive: live?.connection.finish(.goingAway, "the server stops")
    case .stopLive: live?.connection.over()
    case .abandonLive: live?.session?.abandon()
    case .report(let problem, let route, let id): service.failed(problem, route: route, requestID: id)
    case .record(let answered): service.metrics.requestFinished(answered)
    case .read: context?.read()
    case .resume: take(.resumed)
    // The end of an answer is the end of our side of a stream.
    case .closeOutput: if codec != nil { context?.close(mode: .output, promise: nil) }
    case .close: close()
    }
  }

  /// Writes a piece of a streamed answer; the promise is kept once the socket took it.
  func writeStream(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>) {
    guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
    switch machine.takePiece(at: moment()) {
    case .refuse: promise.fail(ChannelError.ioOnClosedChannel)
    case .skip: promise.succeed(())
    case .write:
      promise.futureResult.whenComplete { _ in self.take(.pieceTaken) }
      context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
    }
  }
}
