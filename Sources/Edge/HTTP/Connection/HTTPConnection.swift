import Logging
import NIOCore
import NIOHTTP1
import Routing

/// One HTTP/1.1 connection: takes a request's parts, decides by its head, collects the body, runs the endpoint, writes
/// the answer, and goes on to the next request. One request at a time; pipelined ones wait, and so does the socket.
///
/// Everything runs on the channel's event loop. An endpoint's task runs there too when it is short, else on
/// Swift's pool, and hands its outcome back.
final class HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler, LoopConnection, @unchecked Sendable
{
  // Safe because: all state is touched on the channel's event loop only; `deliver` and the stream hop there.
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = HTTPServerResponsePart

  /// A request whose body is arriving.
  struct Reception {
    let head: RequestHead
    let endpoint: Endpoint
    let contentLength: Int?
    var body: [UInt8] = []
    /// Bytes taken from the upload budget.
    var budgetBytes = 0
  }

  enum State {
    case idle
    case receiving(Reception)
    /// A request for a live stream, whose end is awaited.
    case asking(LiveRequest)
    case responding
    /// The answer is a live stream.
    case streaming(LiveConnection)
    /// Answered before the request's end; the rest is dropped.
    case discarding
    /// Answered and our side closed; what still comes is dropped, so that the client reads the answer, not a reset.
    case lingering
    case closed
  }

  /// What is kept about the request being served.
  struct Served {
    var id = ""
    var route = "none"
    var method = RequestMethod.get
    var version = HTTPVersion.http1_1
    var started = NIODeadline.now()
    var isHead = false
    var isKeepAlive = true
    var hasBegunStream = false
    var budgetBytes = 0
    var errors = ErrorFormat.problemDetails
    /// What the answer says to pages of other origins.
    var originFields: [(name: String, value: String)] = []
  }

  /// A body at most this long may be decoded on the event loop: tens of microseconds.
  static let shortBodyBytes = 16 * 1024
  /// Request parts that wait while an answer is written, before the socket is no longer read.
  static let waitingPartsMax = 16
  static let lingerSeconds = 2

  let service: HTTPService
  let loop: any EventLoop
  let codec: HTTPCodec
  var context: ChannelHandlerContext?
  private var address = ""
  private(set) var state = State.idle
  private var stateSince = NIODeadline.now()
  private(set) var served = Served()
  private var waiting = CircularBuffer<HTTPServerRequestPart>()
  private var isReadHeld = false
  private var writingSince: NIODeadline?
  var task: Task<Void, Never>?

  init(service: HTTPService, loop: any EventLoop, codec: HTTPCodec) {
    self.codec = codec
    self.service = service
    self.loop = loop
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    address = context.remoteAddress?.ipAddress ?? ""
    service.connections(on: loop).add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    switch state {
    case .receiving(let reception): service.budget.give(reception.budgetBytes)
    case .streaming(let live): live.over()
    case .idle, .asking, .responding, .discarding, .lingering, .closed: break
    }
    enter(.closed)
    waiting.removeAll()
    task?.cancel()
    task = nil
    service.connections(on: loop).remove(self)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if waiting.isEmpty, isReady(for: part) { process(part) } else { waiting.append(part) }
  }

  func read(context: ChannelHandlerContext) {
    if waiting.count >= HTTPConnection.waitingPartsMax { isReadHeld = true } else { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      if case .streaming(let live) = state { live.proceed() }
      processWaiting()
    }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent {
      switch state {
      case .responding: served.isKeepAlive = false
      case .idle, .receiving, .asking, .streaming, .discarding, .lingering: context.close(promise: nil)
      case .closed: break
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else {
      context.close(promise: nil)
      return
    }
    switch state {
    case .idle:
      served = Served(id: service.nextRequestID(), isKeepAlive: false)
      refuse(problem(for: error))
    case .receiving, .asking: refuse(problem(for: error), closing: true)
    case .responding, .streaming: served.isKeepAlive = false
    case .discarding, .lingering, .closed: context.close(promise: nil)
    }
  }

  private func problem(for error: HTTPParserError) -> Problem {
    switch error {
    case .headerOverflow:
      Problem(431, "The header fields are longer than limits.header_bytes_max allows.")
    default: Problem(400, "This is not a well-formed HTTP/1.1 request.")
    }
  }

  // MARK: Requests

  private func isReady(for part: HTTPServerRequestPart) -> Bool {
    switch state {
    case .responding, .streaming: return false
    case .idle:
      // A client that does not read its answers gets no further ones.
      return context?.channel.isWritable ?? false
    case .receiving, .asking, .discarding, .lingering, .closed: return true
    }
  }

  private func process(_ part: HTTPServerRequestPart) {
    switch (part, state) {
    case (.head(let head), .idle): begin(head)
    case (.body(let bytes), .receiving(let reception)):
      // The reception moves out of the state while it grows, so that its buffer stays unique.
      state = .discarding
      append(bytes, to: reception)
    case (.end, .receiving(let reception)): dispatch(reception)
    case (.end, .asking(let request)): open(request)
    case (.end, .discarding): finishRequest()
    case (_, .idle), (_, .receiving), (_, .asking), (_, .responding), (_, .streaming), (_, .discarding),
      (_, .lingering), (_, .closed):
      break
    }
  }

  private func processWaiting() {
    while let part = waiting.first, isReady(for: part) {
      waiting.removeFirst()
      process(part)
    }
    if isReadHeld, waiting.count < HTTPConnection.waitingPartsMax {
      isReadHeld = false
      context?.read()
    }
  }

  private func begin(_ raw: HTTPRequestHead) {
    let head = RequestHead(raw)
    served = Served(
      id: requestID(of: head), method: head.method, version: raw.version, isHead: head.method == .head,
      // Behind an offer to upgrade the decoder reads no further request.
      isKeepAlive: raw.isKeepAlive && !service.isStopping && !head.headers.contains(name: "Upgrade"))
    served.originFields = service.router.originFields(head.path, origin: head.headers.first(name: "Origin"))
    let contentLength = head.headers.first(name: "Content-Length").flatMap { Int($0) }
    switch service.router.admit(head, origin: RequestOrigin(id: served.id, address: address)) {
    case .refuse(let problem, let route, let errors):
      served.route = route
      served.errors = errors
      refuse(problem, head: head, contentLength: contentLength)
    case .live(let endpoint):
      served.route = endpoint.route
      served.errors = endpoint.errors
      do throws(Problem) { enter(.asking(try LiveRequest(head, endpoint))) } catch {
        refuse(error, head: head, contentLength: contentLength)
      }
    case .accept(let endpoint):
      served.route = endpoint.route
      served.errors = endpoint.errors
      if let contentLength, contentLength > endpoint.bodyBytesMax {
        refuse(tooLarge(endpoint), head: head, contentLength: contentLength)
        return
      }
      var reception = Reception(
        head: head, endpoint: endpoint, contentLength: contentLength)
      if let contentLength, contentLength > 0 {
        reception.body.reserveCapacity(min(contentLength, 4 << 20))
      }
      if expectsContinue(head), let context {
        context.writeAndFlush(
          wrapOutboundOut(.head(HTTPResponseHead(version: raw.version, status: .continue))), promise: nil)
      }
      enter(.receiving(reception))
    }
  }

  private func append(_ bytes: ByteBuffer, to reception: consuming Reception) {
    var reception = reception
    let count = bytes.readableBytes
    guard reception.body.count + count <= reception.endpoint.bodyBytesMax else {
      service.budget.give(reception.budgetBytes)
      refuse(tooLarge(reception.endpoint), closing: true)
      return
    }
    guard service.budget.take(count) else {
      service.budget.give(reception.budgetBytes)
      refuse(
        Problem(503, "Too many uploads at one time (limits.upload_bytes_max).", retryAfterSeconds: 1),
        closing: true)
      return
    }
    reception.budgetBytes += count
    reception.body.append(contentsOf: bytes.readableBytesView)
    state = .receiving(reception)
  }

  private func dispatch(_ reception: Reception) {
    enter(.responding)
    served.budgetBytes = reception.budgetBytes
    let call = HTTPCall(
      id: served.id, head: reception.head, body: reception.body, address: address)
    let endpoint = reception.endpoint
    let stream = ConnectionStream(connection: self)
    let isShort = endpoint.isShort && call.body.count <= HTTPConnection.shortBodyBytes
    let executor = isShort ? service.connections(on: loop).executor : nil
    task = Task(executorPreference: executor) {
      let outcome: Result<EndpointOutcome, Problem>
      do throws(Problem) {
        outcome = .success(try await endpoint.respond(call, stream))
      } catch {
        outcome = .failure(error)
      }
      self.deliver(outcome)
    }
  }

  private func deliver(_ outcome: Result<EndpointOutcome, Problem>) {
    if loop.inEventLoop { finish(outcome) } else { loop.execute { self.finish(outcome) } }
  }

  private func finish(_ outcome: Result<EndpointOutcome, Problem>) {
    task = nil
    service.budget.give(served.budgetBytes)
    served.budgetBytes = 0
    guard case .responding = state else { return }
    switch outcome {
    case .success(.answer(let answer)):
      write(answer)
      finishRequest()
    case .success(.streamed):
      context?.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      record(status: 200)
      finishRequest()
    case .failure(let problem):
      service.failed(problem, route: served.route, requestID: served.id)
      guard !served.hasBegunStream else {
        // No terminating chunk: a cut answer must not look whole.
        record(status: problem.status)
        context?.close(promise: nil)
        return
      }
      write(served.errors.answer(problem, served.id))
      finishRequest()
    }
  }

  func finishRequest() {
    guard served.isKeepAlive, !service.isStopping else {
      context?.close(promise: nil)
      return
    }
    enter(.idle)
    processWaiting()
  }

  // MARK: Answers

  /// Answers a request that has not arrived whole. A small rest is dropped and the connection goes on; a large one
  /// is not waited for.
  private func refuse(_ problem: Problem, head: RequestHead, contentLength: Int?) {
    let mayDrop =
      !expectsContinue(head) && !head.headers.contains(name: "Transfer-Encoding")
      && contentLength ?? 0 <= 256 * 1024
    refuse(problem, closing: !mayDrop)
  }

  private func refuse(_ problem: Problem, closing: Bool = true) {
    if closing { served.isKeepAlive = false }
    service.failed(problem, route: served.route, requestID: served.id)
    write(served.errors.answer(problem, served.id))
    if closing {
      context?.close(mode: .output, promise: nil)
      enter(.lingering)
    } else {
      enter(.discarding)
    }
  }

  func write(_ answer: HTTPAnswer) {
    guard let context else { return }
    var headers = fields(answer.headers)
    headers.add(name: "Content-Length", value: String(answer.body.count))
    let head = HTTPResponseHead(
      version: served.version, status: HTTPResponseStatus(statusCode: answer.status.code), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !served.isHead, !answer.body.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    record(status: answer.status.code)
  }

  private func fields(_ own: [(name: String, value: String)]) -> HTTPHeaders {
    var headers = HTTPHeaders()
    headers.reserveCapacity(own.count + 4)
    for (name, value) in own { headers.add(name: name, value: value) }
    headers.add(name: "X-Request-Id", value: served.id)
    for (name, value) in served.originFields { headers.add(name: name, value: value) }
    headers.add(name: "Date", value: service.connections(on: loop).date)
    if !served.isKeepAlive {
      headers.add(name: "Connection", value: "close")
    } else if served.version == .http1_0 {
      headers.add(name: "Connection", value: "keep-alive")
    }
    return headers
  }

  /// Starts a streamed answer.
  func beginStream(_ status: HTTPResponseStatus, headers own: [(name: String, value: String)]) {
    guard case .responding = state, let context, !served.hasBegunStream else { return }
    served.hasBegunStream = true
    // HTTP/1.0 knows no chunks: the end of the connection is the end of the answer.
    if served.version == .http1_0 { served.isKeepAlive = false }
    let head = HTTPResponseHead(version: served.version, status: status, headers: fields(own))
    context.write(wrapOutboundOut(.head(head)), promise: nil)
  }

  /// Writes a piece of a streamed answer; the promise is kept once the socket took it.
  func writeStream(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>) {
    guard case .responding = state, let context else {
      promise.fail(ChannelError.ioOnClosedChannel)
      return
    }
    guard !served.isHead else {
      promise.succeed(())
      return
    }
    writingSince = .now()
    promise.futureResult.whenComplete { _ in self.writingSince = nil }
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
  }

  func record(status: Int) {
    service.metrics.requestFinished(
      route: served.route, method: served.method, status: status,
      seconds: Double((.now() - served.started).nanoseconds) / 1e9)
  }

  // MARK: Time

  /// Called about once a second: closes what waits too long.
  func tick(_ now: NIODeadline) {
    let seconds = Int((now - stateSince).nanoseconds / 1_000_000_000)
    switch state {
    case .idle: if seconds >= service.limits.idleSeconds { context?.close(promise: nil) }
    case .receiving(let reception):
      guard seconds >= service.limits.requestSeconds + reception.body.count / (64 * 1024) else { return }
      service.budget.give(reception.budgetBytes)
      refuse(Problem(408, "The request did not arrive in time (server.request_seconds)."), closing: true)
    case .responding:
      guard let writingSince else { return }
      let stalled = Int((now - writingSince).nanoseconds / 1_000_000_000)
      if stalled >= service.limits.stallSeconds { context?.close(promise: nil) }
    case .asking: if seconds >= service.limits.requestSeconds { context?.close(promise: nil) }
    case .streaming(let live): live.tick(now)
    case .discarding, .lingering:
      if seconds >= HTTPConnection.lingerSeconds { context?.close(promise: nil) }
    case .closed: break
    }
  }

  /// The server stops: no further request after the one being served.
  func quiesce() {
    served.isKeepAlive = false
    switch state {
    case .idle: context?.close(promise: nil)
    case .streaming(let live): live.finish(.goingAway, "the server stops")
    case .receiving, .asking, .responding, .discarding, .lingering, .closed: break
    }
  }

  /// Closes at once, whatever is going on.
  func abandon() { context?.close(promise: nil) }

  func enter(_ next: State) {
    state = next
    stateSince = .now()
  }

  // MARK: Small things

  private func tooLarge(_ endpoint: Endpoint) -> Problem {
    let key = endpoint.bodyBytesMax == service.limits.bodyBytesMax ? " (limits.body_bytes_max)" : ""
    return Problem(413, "The body is longer than \(endpoint.bodyBytesMax) bytes\(key).")
  }

  private func expectsContinue(_ head: RequestHead) -> Bool {
    guard let value = head.headers.first(name: "Expect") else { return false }
    return value.utf8.elementsEqual("100-continue".utf8) { $0 | 0x20 == $1 | 0x20 }
  }

  /// The client's own id if it is harmless, else the next of ours.
  private func requestID(of head: RequestHead) -> String {
    guard let given = head.headers.first(name: "X-Request-Id"), (1...64).contains(given.utf8.count),
      given.utf8.allSatisfy({ byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      })
    else { return service.nextRequestID() }
    return given
  }
}
