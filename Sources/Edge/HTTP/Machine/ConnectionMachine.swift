import Records
import Routing

/// One HTTP/1.1 connection: takes a request's parts, has the router decide by its head, collects the body,
/// has the endpoint run, says what is written, and goes on to the next request. One request at a time;
/// pipelined ones wait, and so does the socket.
///
/// Synchronous and pure: what happens is an event, what is to be done an action, time and the socket's state
/// are arguments. The upload budget alone is asked directly, because a piece of a body is kept or refused at
/// once.
struct ConnectionMachine<Piece: RandomAccessCollection<UInt8> & Sendable> {
  /// A request whose body is arriving.
  struct Reception {
    let head: RequestHead
    let endpoint: Endpoint
    /// What it takes of the budget for such bodies.
    var hold: UploadHold
    var body: [UInt8] = []
    /// Bytes that came, kept or dropped; those of pieces that are stored are not counted.
    var byteCount = 0
    /// How long the next piece is; 0: the body is taken as a whole.
    var pieceBytes = 0
  }

  enum State {
    case idle
    /// The router is asked.
    case admitting(RequestHead)
    case receiving(Reception)
    /// A piece of the body is being stored; the rest waits.
    case storing(Reception)
    /// A request for a live stream, whose end is awaited.
    case asking(LiveRequest)
    /// A live stream's session is being made.
    case opening(LiveRequest)
    /// The endpoint runs.
    case responding
    /// The answer is a live stream.
    case streaming
    /// Answered before the request's end; the rest is dropped.
    case discarding
    /// Answered and our side closed; what still comes is dropped, so that the client reads the answer, not a
    /// reset.
    case lingering
    /// Answered for the last time: the connection is closed, at the latest once the socket took the answer.
    case closing
    case closed
  }

  /// What is kept about the request being served.
  struct Served {
    var id = ""
    /// The client's; empty if it has none.
    var address = ""
    var route = "none"
    var method = RequestMethod.get
    var version = WireVersion.http11
    var started: UInt64 = 0
    var isKeepAlive = true
    var hasBegunStream = false
    /// What the body takes until the endpoint is done.
    var hold: UploadHold?
    /// The client sends nothing more; how often it was asked whether it still reads.
    var probeCount: Int?
    var errors = ErrorFormat.problemDetails
    var originFields: [(name: String, value: String)] = []

    var isHead: Bool { method == .head }
  }

  /// A body at most this long may be decoded on the event loop: tens of microseconds.
  static var shortBodyBytes: Int { 16 * 1024 }
  /// Answers from here on are held against the memory for answers.
  static var longAnswerBytes: Int { 16 * 1024 }
  /// Request parts that wait while an answer is written, before the socket is no longer read.
  static var waitingPartsMax: Int { 16 }
  static var lingerSeconds: Int { 2 }
  static var probeMilliseconds: Int { 30 }
  /// Clients bound how many interim answers they read.
  static var probesMax: Int { 5 }

  let limits: HTTPLimits
  let budget: UploadBudget
  /// Of bodies that come without a credential: a budget of their own, so that strangers stop nobody's writes.
  let strangers: UploadBudget
  /// What long answers take until the socket took them.
  let answers: MemoryBudget
  /// Whether what is sent is encrypted on its way.
  var isSecure = false
  private(set) var state = State.idle
  private(set) var stateSince: UInt64 = 0
  var served = Served()
  /// Since when the socket has been taking a piece of a streamed answer.
  var writingSince: UInt64?
  var actions: [ConnectionAction] = []
  /// Of ``actions``, the first that is not carried out yet.
  private var nextIndex = 0
  private var waiting = PartQueue<Piece>()
  private var isReadHeld = false
  /// Whether a request has begun.
  var hasBegun = false

  /// - Parameter strangers: nil: `budget` is that of all.
  init(
    limits: HTTPLimits, budget: UploadBudget, strangers: UploadBudget? = nil,
    answers: MemoryBudget = MemoryBudget("answers", bytesMax: .max), now: UInt64
  ) {
    self.strangers = strangers ?? budget
    self.answers = answers
    self.limits = limits
    self.budget = budget
    stateSince = now
  }

  /// The next of what is to be carried out, in order; nil when all is.
  ///
  /// One queue, kept for the connection's life: what an event asks for costs no memory of its own.
  mutating func nextAction() -> ConnectionAction? {
    guard nextIndex < actions.count else {
      actions.removeAll(keepingCapacity: true)
      nextIndex = 0
      return nil
    }
    // Moved out, not copied: an action holds a whole request.
    var next = ConnectionAction.flush
    swap(&next, &actions[nextIndex])
    nextIndex += 1
    return next
  }

  /// Takes an event in; ``nextAction()`` says what is to be done, behind what is still to be done.
  mutating func take(_ event: ConnectionEvent<Piece>, at moment: ConnectionMoment) {
    switch event {
    case .part(let part):
      if waiting.isEmpty, isReady(at: moment) { process(part, at: moment) } else { waiting.append(part) }
    case .chunkAnnounced(let count): expect(count, at: moment)
    case .admitted(let request): begin(request, at: moment)
    case .broken(let fault, let freshID): refuse(fault, freshID: freshID, at: moment)
    case .resumed: processWaiting(at: moment)
    case .writable: proceed(at: moment)
    case .inputClosed: endInput()
    case .probeDue: probe()
    case .pieceStored(let outcome): finishPiece(outcome, at: moment)
    case .outcome(let outcome): finish(outcome, at: moment)
    case .streamBegun(let status, let headers): beginStream(status, headers: headers, at: moment)
    case .pieceTaken: writingSince = nil
    case .liveOpened(let problem): beginLive(problem, at: moment)
    case .liveEnded(let reason): endLive(reason, at: moment)
    case .tick: tick(at: moment)
    case .quiesce: quiesce()
    case .inactive: end(at: moment)
    }
  }

  /// Whether the next read of the socket is held back; ``ConnectionAction/read`` comes when it may go on.
  mutating func holdsRead() -> Bool {
    isReadHeld = waiting.count >= Self.waitingPartsMax
    return isReadHeld
  }

  mutating func enter(_ next: State, at moment: ConnectionMoment) {
    state = next
    stateSince = moment.now
  }

  /// Goes on receiving, with the time that it began.
  mutating func keep(_ reception: Reception) { state = .receiving(reception) }

  // MARK: Parts

  private func isReady(at moment: ConnectionMoment) -> Bool {
    switch state {
    case .admitting, .storing, .opening, .responding, .streaming, .closing: false
    // A client that does not read its answers gets no further ones.
    case .idle: moment.isWritable
    case .receiving, .asking, .discarding, .lingering, .closed: true
    }
  }

  private mutating func process(_ part: RequestPart<Piece>, at moment: ConnectionMoment) {
    switch part {
    case .head(let head): if case .idle = state { ask(head, at: moment) }
    case .body(let bytes): receive(bytes, at: moment)
    case .end: endRequest(at: moment)
    }
  }

  private mutating func receive(_ bytes: Piece, at moment: ConnectionMoment) {
    guard case .receiving(var reception) = state else { return }
    // The reception leaves the state while it grows, so that its buffer stays unique.
    state = .discarding
    if append(bytes, to: &reception, at: moment) { goOn(with: reception, at: moment) }
  }

  private mutating func endRequest(at moment: ConnectionMoment) {
    switch state {
    case .receiving(let reception): dispatch(reception, at: moment)
    case .asking(let request):
      enter(.opening(request), at: moment)
      actions.append(.openLive(request))
    case .discarding: finishRequest(at: moment)
    case .idle, .admitting, .storing, .opening, .responding, .streaming, .lingering, .closing, .closed: break
    }
  }

  mutating func processWaiting(at moment: ConnectionMoment) {
    while isReady(at: moment), let part = waiting.popFirst() { process(part, at: moment) }
    if isReadHeld, waiting.count < Self.waitingPartsMax {
      isReadHeld = false
      actions.append(.read)
    }
  }

  /// Whether no request follows the one being served.
  func isLast(at moment: ConnectionMoment) -> Bool { !served.isKeepAlive || moment.isStopping }

  /// The answer is complete.
  ///
  /// - Parameter closesItself: The answer's end said that it is the last: it closes the connection.
  mutating func finishRequest(at moment: ConnectionMoment, closesItself: Bool = false) {
    guard !isLast(at: moment) else {
      enter(.closing, at: moment)
      if !closesItself { actions.append(.close) }
      return
    }
    enter(.idle, at: moment)
    // Only once the answer is written does the socket say whether it takes another.
    if !waiting.isEmpty { actions.append(.resume) }
  }

  // MARK: The connection

  private mutating func proceed(at moment: ConnectionMoment) {
    if case .streaming = state { actions.append(.proceedLive) }
    processWaiting(at: moment)
  }

  private mutating func endInput() {
    switch state {
    case .opening: served.isKeepAlive = false
    // All of the request is there.
    case .storing where waiting.hasEnd: served.isKeepAlive = false
    case .responding:
      served.isKeepAlive = false
      served.probeCount = 0
      actions.append(.scheduleProbe)
    case .idle, .admitting, .receiving, .storing, .asking, .streaming, .discarding, .lingering:
      actions.append(.close)
    case .closing, .closed: break
    }
  }

  /// Finds out whether a client that sends nothing more still reads. TCP says the same of both until
  /// something is written: then the machine of one who is gone resets the connection, within a round trip.
  ///
  /// What is written changes nothing for one who reads: an interim answer, or a leading zero of a chunk's
  /// size.
  private mutating func probe() {
    guard case .responding = state, let count = served.probeCount, count < Self.probesMax,
      served.version.knowsChunks
    else { return }
    if !served.hasBegunStream {
      actions.append(.writeContinue(served.version))
    } else if writingSince == nil, !served.isHead {
      actions.append(.writeZero)
    } else {
      // A piece is on its way, which does the same.
      return
    }
    served.probeCount = count + 1
  }

  private mutating func tick(at moment: ConnectionMoment) {
    let waited = seconds(since: stateSince, at: moment)
    switch state {
    case .idle, .closing:
      let isSilent = !hasBegun && moment.isCrowded
      if waited >= (isSilent ? min(limits.idleSeconds, limits.silentSeconds) : limits.idleSeconds) {
        actions.append(.close)
      }
    case .receiving(var reception):
      guard waited >= limits.requestSeconds + reception.byteCount / (64 * 1024) else { return }
      reception.hold.giveBack()
      let problem = Problem(408, "The request did not arrive in time (server.request_seconds).")
      refuse(problem, closing: true, at: moment)
    case .responding:
      probe()
      guard let writingSince, seconds(since: writingSince, at: moment) >= limits.stallSeconds else {
        return
      }
      actions.append(.close)
    case .admitting, .asking: if waited >= limits.requestSeconds { actions.append(.close) }
    case .streaming: actions.append(.tickLive)
    case .discarding, .lingering: if waited >= Self.lingerSeconds { actions.append(.close) }
    case .storing, .opening, .closed: break
    }
  }

  /// Whole seconds; a moment that was read before `start` counts as that.
  private func seconds(since start: UInt64, at moment: ConnectionMoment) -> Int {
    moment.now > start ? Int((moment.now - start) / 1_000_000_000) : 0
  }

  private mutating func quiesce() {
    served.isKeepAlive = false
    switch state {
    case .idle: actions.append(.close)
    case .streaming: actions.append(.finishLive)
    case .admitting, .receiving, .storing, .asking, .opening, .responding, .discarding, .lingering, .closing,
      .closed:
      break
    }
  }

  private mutating func end(at moment: ConnectionMoment) {
    switch state {
    case .receiving(var reception), .storing(var reception): reception.hold.giveBack()
    case .streaming: actions.append(.stopLive)
    case .responding: abandon(at: moment)
    case .idle, .admitting, .asking, .opening, .discarding, .lingering, .closing, .closed: break
    }
    enter(.closed, at: moment)
    waiting = PartQueue()
    actions.append(.cancelTask)
  }
}
