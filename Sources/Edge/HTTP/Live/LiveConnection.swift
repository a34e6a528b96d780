import NIOCore
import Records
import Routing
import Tailing

/// The socket's side of a live stream: a WebSocket or the body of a streamed answer. On the event loop only.
protocol LiveOutlet: AnyObject {
  /// Whether the socket takes more without piling it up.
  var isWritable: Bool { get }
  /// - Parameter memory: Held until the socket took the bytes.
  func send(_ bytes: ByteBuffer, holding memory: MemoryReservation?)
  /// Ends the stream, telling the client why where the form can.
  func end(_ close: WebSocketClose, _ reason: String)
}

/// One live stream on its connection's event loop: first what the session opens with, then what the client
/// missed, then records as they are committed. Takes from its subscription only while the socket is writable:
/// how much may wait, and what happens beyond, the subscription decides; nothing piles up here.
final class LiveConnection: @unchecked Sendable {
  // Safe because: all state is touched on the event loop only; `wake` and the catching-up task hop there.
  private enum Phase {
    case opening
    case catchingUp
    case live
    case over
  }

  /// The most bytes joined into one write.
  private static let writeBytesMax = 64 * 1024
  /// Writes from here on are held against the memory for answers.
  private static let longBytes = 16 * 1024
  /// How often the caller's right to listen is asked for.
  private static let checkSeconds: Int64 = 2

  let form: LiveForm
  private let loop: any EventLoop
  private let endpoint: LiveEndpoint
  private let limits: HTTPLimits
  private let memory: MemoryBudget
  private weak var outlet: (any LiveOutlet)?
  private var session: LiveSession?
  private var phase = Phase.opening
  private var task: Task<Void, Never>?
  private var nextHeartbeat = NIODeadline.now()
  private var nextCheck = NIODeadline.now()
  private var stalledSince: NIODeadline?

  init(
    form: LiveForm, endpoint: LiveEndpoint, limits: HTTPLimits, memory: MemoryBudget, loop: any EventLoop
  ) {
    self.memory = memory
    self.form = form
    self.endpoint = endpoint
    self.limits = limits
    self.loop = loop
  }

  /// Something may be there to take. From any thread.
  func wake() {
    if loop.inEventLoop { drain() } else { loop.execute { self.drain() } }
  }

  /// The stream begins: its head is written.
  func start(_ session: LiveSession, through outlet: any LiveOutlet) {
    self.session = session
    self.session?.opening = []
    self.session?.memory = nil
    self.outlet = outlet
    let now = NIODeadline.now()
    nextHeartbeat = now + .seconds(Int64(limits.heartbeatSeconds))
    nextCheck = now + .seconds(LiveConnection.checkSeconds)
    if !session.opening.isEmpty {
      outlet.send(ByteBuffer(bytes: session.opening), holding: session.memory)
    }
    phase = session.catchUp == nil ? .live : .catchingUp
    proceed()
  }

  /// Goes on as far as the socket takes it.
  func proceed() {
    guard let outlet, outlet.isWritable else {
      if stalledSince == nil { stalledSince = .now() }
      return
    }
    stalledSince = nil
    switch phase {
    case .catchingUp: readPiece()
    case .live: drain()
    case .opening, .over: break
    }
  }

  /// One piece of what the client missed at a time: the next is read when the socket has room again.
  private func readPiece() {
    guard task == nil, let catchUp = session?.catchUp else { return }
    task = Task {
      let piece: Result<[UInt8]?, Problem>
      do throws(Problem) { piece = .success(try await catchUp()) } catch { piece = .failure(error) }
      self.loop.execute { self.take(piece) }
    }
  }

  private func take(_ piece: Result<[UInt8]?, Problem>) {
    task = nil
    guard phase == .catchingUp, let outlet else { return }
    switch piece {
    case .success(let bytes?): send(ByteBuffer(bytes: bytes), through: outlet)
    case .success(nil):
      phase = .live
      // It holds a snapshot, and files by it.
      session?.catchUp = nil
    case .failure(let problem):
      return finish(.internalError, problem.status == 503 ? "overloaded" : "reading failed")
    }
    proceed()
  }

  private func drain() {
    guard phase == .live, let outlet, let session else { return }
    while outlet.isWritable {
      let deliveries = session.subscription.take(bytesMax: LiveConnection.writeBytesMax)
      if deliveries.isEmpty { return }
      var buffer = ByteBuffer()
      for delivery in deliveries {
        switch delivery {
        case .frame(let frame): buffer.writeBytes(frame.bytes)
        case .dropped(let count): buffer.writeBytes(form.dropped(count))
        case .failed:
          if buffer.readableBytes > 0 { send(buffer, through: outlet) }
          return finish(.internalError, "reading failed")
        }
      }
      send(buffer, through: outlet)
    }
    if stalledSince == nil { stalledSince = .now() }
  }

  /// What is sent is there already, so it is charged whatever the bound: others wait for it.
  private func send(_ bytes: ByteBuffer, through outlet: any LiveOutlet) {
    var held: MemoryReservation?
    if bytes.readableBytes >= LiveConnection.longBytes {
      held = MemoryReservation(of: memory)
      held?.charge(bytes.readableBytes)
    }
    outlet.send(bytes, holding: held)
  }

  /// A text message of the client.
  func received(_ text: String) {
    guard let reply = session?.reply?(text), let outlet, outlet.isWritable else { return }
    send(ByteBuffer(bytes: form.message("message", Array(reply.utf8))), through: outlet)
  }

  /// About once a second.
  func tick(_ now: NIODeadline) {
    guard phase != .over, let outlet, let session else { return }
    if now >= nextCheck {
      nextCheck = now + .seconds(LiveConnection.checkSeconds)
      guard endpoint.mayListen() else { return finish(.policyViolation, "the token is no longer valid") }
    }
    if let stalledSince, !outlet.isWritable, now - stalledSince >= .seconds(Int64(limits.stallSeconds)) {
      return finish(.policyViolation, "the client takes nothing (server.stall_seconds)")
    }
    guard now >= nextHeartbeat else { return }
    nextHeartbeat = now + .seconds(Int64(limits.heartbeatSeconds))
    // Who takes nothing gets no heartbeats either: they would pile up.
    guard outlet.isWritable else { return }
    if let heartbeat = session.heartbeat {
      send(ByteBuffer(bytes: heartbeat()), through: outlet)
    } else if form == .events {
      send(ByteBuffer(string: ": heartbeat\n\n"), through: outlet)
    }
  }

  /// The server ends the stream.
  func finish(_ close: WebSocketClose, _ reason: String) {
    guard phase != .over else { return }
    let outlet = outlet
    over()
    outlet?.end(close, reason)
  }

  /// The connection is gone, or nothing more is to be sent.
  func over() {
    guard phase != .over else { return }
    phase = .over
    task?.cancel()
    session?.subscription.cancel()
    session?.ended()
    session = nil
    outlet = nil
  }
}

extension MemoryReservation {
  /// Kept when what is held was written, or will not be: until then it is held.
  func promise(on loop: any EventLoop) -> EventLoopPromise<Void> {
    let written = loop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in withExtendedLifetime(self) {} }
    return written
  }
}
