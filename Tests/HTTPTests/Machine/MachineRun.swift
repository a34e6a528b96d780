import Routing

@testable import HTTP

/// Runs a connection's machine as its shell does, without a socket: a scripted router and scripted endpoints
/// answer at once, and what was to be done is kept as text.
struct MachineRun {
  typealias Event = ConnectionEvent<[UInt8]>

  let budget: UploadBudget
  var machine: ConnectionMachine<[UInt8]>
  var moment = ConnectionMoment(now: 1_000_000_000, isWritable: true, isStopping: false, date: "today")
  /// All that was written, recorded, run and closed. Pieces of a body that follow one another are one.
  private(set) var lines: [String] = []
  /// Whether router and endpoints answer by themselves.
  var answersItself = true
  private var queue: [ConnectionAction] = []
  private var idCount = 0

  init(limits: HTTPLimits = HTTPLimits(), budgetBytes: Int = 1 << 20) {
    budget = UploadBudget(bytesMax: budgetBytes)
    machine = ConnectionMachine(limits: limits, budget: budget, now: moment.now)
  }

  mutating func nextID() -> String {
    idCount += 1
    return "id\(idCount)"
  }

  /// Takes an event in and does what comes of it; returns those lines.
  @discardableResult mutating func take(_ event: Event) -> [String] {
    let start = lines.count
    queue += machine.handle(event, at: moment)
    while !queue.isEmpty { act(queue.removeFirst()) }
    return Array(lines[min(start, lines.count)...])
  }

  mutating func advance(seconds: Int) { moment.now += UInt64(seconds) * 1_000_000_000 }

  // MARK: Actions

  private mutating func act(_ action: ConnectionAction) {
    note(action)
    switch action {
    case .resume: queue += machine.handle(.resumed, at: moment)
    case .admit(let head, let id) where answersItself:
      let answer = AdmittedRequest(
        origin: RequestOrigin(id: id ?? nextID(), address: "192.0.2.1"),
        verdict: RoutingVerdict(Script.admit(head), originFields: [("Vary", "Origin")]))
      queue += machine.handle(.admitted(answer), at: moment)
    case .run(let endpoint, let call, _) where answersItself:
      for event in Script.run(endpoint.route, call) {
        if case .pieceTaken = event {
          lines.append("piece \(machine.takePiece(at: moment))")
        }
        queue += machine.handle(event, at: moment)
      }
    case .openLive where answersItself: queue += machine.handle(.liveOpened(nil), at: moment)
    case .startLive where answersItself:
      queue += machine.handle(.liveEnded(reason: "scripted"), at: moment)
    default: break
    }
  }

  private mutating func note(_ action: ConnectionAction) {
    if let text = MachineRun.text(action) { lines.append(text) }
  }

  static func text(_ action: ConnectionAction) -> String? {
    switch action {
    case .admit(let head, _): "admit \(head.method.rawValue) \(head.target)"
    case .writeContinue(let version): "continue \(version.major).\(version.minor)"
    case .writeHead(let head):
      "head \(head.version.major).\(head.version.minor) \(head.status.code) "
        + head.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    case .writeBody(let bytes): "body " + String(decoding: bytes, as: UTF8.self)
    case .writeLongBody(let bytes): "long body of \(bytes.count)"
    case .writeTrailers(let fields):
      "trailers " + fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    case .writeEnd(let isLast): isLast ? "endClose" : "end"
    case .run(let endpoint, let call, let isShort):
      "run \(endpoint.route) \(call.id) from \(call.address)\(isShort ? " short" : "") "
        + String(decoding: call.body, as: UTF8.self)
    case .storePiece(_, let call): "store \(String(decoding: call.body, as: UTF8.self))"
    case .openLive(let request): "open \(request.handshake == nil ? "events" : "webSocket")"
    case .upgrade(_, let subprotocol): "upgrade \(subprotocol ?? "-")"
    case .report(let problem, let route, let id): "report \(problem.status) \(route) \(id)"
    case .record(let answered): "record \(answered.route) \(answered.method.rawValue) \(answered.status)"
    case .resume, .flush: nil
    case .cancelTask: "cancel"
    case .scheduleProbe: "scheduleProbe"
    case .writeZero: "zero"
    case .startLive: "startLive"
    case .proceedLive: "proceedLive"
    case .tickLive: "tickLive"
    case .finishLive: "finishLive"
    case .stopLive: "stopLive"
    case .abandonLive: "abandonLive"
    case .read: "read"
    case .closeOutput: "closeOutput"
    case .close: "close"
    }
  }
}

/// A router and endpoints that do what the path says.
enum Script {
  static func admit(_ head: RequestHead) -> Admission {
    func accept(_ bodyBytesMax: Int = 64) -> Admission {
      .accept(
        Endpoint(route: head.path, bodyBytesMax: bodyBytesMax, isShort: true) {
          call, _ throws(Problem) in .answer(.plan("never run"))
        })
    }
    return switch head.path {
    case "/echo", "/fail", "/stream", "/cut": accept()
    case "/large": accept(1 << 20)
    case "/pieces":
      {
        var traits = Endpoint.Traits()
        traits.pieces = BodyPieces(bytes: 8) { _ throws(Problem) in throw Problem(503, "never stored") }
        return .accept(
          Endpoint(route: head.path, bodyBytesMax: 24, isShort: true, traits: traits) {
            call, _ throws(Problem) in .answer(.plan("never run"))
          })
      }()
    case "/live":
      .live(
        LiveEndpoint(route: "/live", errors: .problemDetails, mayListen: { true }) {
          _ throws(Problem) in throw Problem(503, "never opened")
        })
    default: .refuse(Problem(404, "Nothing is here."), route: "none")
    }
  }

  /// The events that follow an endpoint's run.
  static func run(_ route: String, _ call: HTTPCall) -> [MachineRun.Event] {
    switch route {
    case "/stream":
      [
        .streamBegun(.ok, headers: [("Content-Type", "text/plain")]), .pieceTaken, .pieceTaken,
        .outcome(.success(.streamed)),
      ]
    case "/cut":
      [
        .streamBegun(.ok, headers: [("Content-Type", "text/plain")]), .pieceTaken,
        .outcome(.failure(Problem(500, "The disk is gone."))),
      ]
    case "/fail": [.outcome(.failure(Problem(500, "The disk is gone.")))]
    default: [.outcome(.success(.answer(HTTPAnswer(.ok, contentType: "text/plain", body: call.body))))]
    }
  }
}

extension ConnectionMachine {
  /// Takes in what happened; returns what is to be done, in this order.
  mutating func handle(
    _ event: ConnectionEvent<Piece>, at moment: ConnectionMoment
  ) -> [ConnectionAction] {
    take(event, at: moment)
    var said: [ConnectionAction] = []
    while let action = nextAction() { said.append(action) }
    return said
  }
}
