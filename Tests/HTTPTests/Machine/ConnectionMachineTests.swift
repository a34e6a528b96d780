import Routing
import Testing

@testable import HTTP

/// Sequences of events and what is to be done.
@Suite struct ConnectionMachineTests {
  typealias Event = MachineRun.Event

  static func head(
    _ path: String = "/echo", _ headers: HeaderFields = [:], method: RequestMethod = .post,
    isKeepAlive: Bool = true
  ) -> Event {
    .part(
      .head(
        ReceivedHead(
          head: RequestHead(method, path, headers: headers), version: .http11, isKeepAlive: isKeepAlive)))
  }

  static func body(_ count: Int) -> Event { .part(.body([UInt8](repeating: 120, count: count))) }
  static let end = Event.part(.end)
  static let answer = Event.outcome(
    .success(.answer(HTTPAnswer(.ok, contentType: "t", body: Array("ok".utf8)))))
  static let gone = Event.outcome(.failure(Problem(500, "gone")))

  /// Kinds and statuses, without fields and texts.
  static func words(_ lines: [String]) -> String {
    lines.map { line in
      let parts = line.split(separator: " ")
      return switch parts[0] {
      case "head": "head \(parts[2])"
      case "record": "record \(parts[3])"
      case "report": "report \(parts[1])"
      case "run": line.contains(" short") ? "run short" : "run"
      default: String(parts[0])
      }
    }.joined(separator: ", ")
  }

  /// Waits until the machine asked for `/echo`'s endpoint.
  static func responding() -> MachineRun {
    var run = MachineRun()
    run.answersItself = false
    run.take(head())
    run.take(admitted("/echo"))
    run.take(end)
    return run
  }

  static func admitted(_ path: String, id: String = "r") -> Event {
    .admitted(
      AdmittedRequest(
        origin: RequestOrigin(id: id, address: "192.0.2.1"),
        verdict: RoutingVerdict(Script.admit(RequestHead(.post, path)))))
  }

  @Test func aRequestThatEndsInTheMiddle() {
    let events: [(name: String, Event, String)] = [
      ("inactive", .inactive, "cancel"), ("input closed", .inputClosed, "close"),
      (
        "broken", .broken(.malformed, freshID: "f"),
        "report 400, head 400, body, end, record 400, closeOutput"
      ),
      (
        "headers too long", .broken(.headersTooLong, freshID: "f"),
        "report 431, head 431, body, end, record 431, closeOutput"
      ),
      ("too much", Self.body(60), "report 413, head 413, body, end, record 413, closeOutput"),
      ("quiesce", .quiesce, ""), ("tick", .tick, ""), ("outcome", Self.answer, ""),
    ]
    for (name, event, expected) in events {
      var run = MachineRun()
      run.take(Self.head())
      run.take(Self.body(10))
      #expect(run.budget.usedBytes == 10)
      #expect(Self.words(run.take(event)) == expected, "\(name)")
      run.take(.inactive)
      #expect(run.budget.usedBytes == 0, "\(name)")
    }
  }

  @Test func whileTheEndpointRuns() {
    let events: [(name: String, Event, String, afterAnswer: String)] = [
      ("nothing", .tick, "", "head 200, body, end, record 200"),
      ("input closed", .inputClosed, "scheduleProbe", "head 200, body, endClose, record 200"),
      ("quiesce", .quiesce, "", "head 200, body, endClose, record 200"),
      ("broken", .broken(.malformed, freshID: "f"), "", "head 200, body, endClose, record 200"),
      ("inactive", .inactive, "report 499, record 499, cancel", ""),
      ("another request", Self.head(), "", "head 200, body, end, record 200, admit"),
    ]
    for (name, event, expected, afterAnswer) in events {
      var run = Self.responding()
      #expect(Self.words(run.take(event)) == expected, "\(name)")
      #expect(Self.words(run.take(Self.answer)) == afterAnswer, "\(name)")
      #expect(Self.words(run.take(Self.answer)) == "", "\(name): no second answer")
    }
  }

  /// A client that sends nothing more may be gone: it is written to, a few times, and nothing it could not
  /// read past.
  @Test func whoSendsNothingMoreIsProbed() {
    var run = Self.responding()
    #expect(Self.words(run.take(.probeDue)) == "", "still sends")
    run.take(.inputClosed)
    #expect(Self.words(run.take(.probeDue)) == "continue")
    for _ in 0..<4 { #expect(Self.words(run.take(.tick)) == "continue") }
    #expect(Self.words(run.take(.tick)) == "", "bounded")
    #expect(Self.words(run.take(Self.answer)) == "head 200, body, endClose, record 200")
    #expect(Self.words(run.take(.probeDue)) == "", "answered")
  }

  @Test func whoReadsAStreamIsProbedBetweenItsPieces() {
    var run = Self.responding()
    run.take(.streamBegun(.ok, headers: []))
    run.take(.inputClosed)
    #expect(Self.words(run.take(.probeDue)) == "zero")
    let verdict = run.machine.takePiece(at: run.moment)
    #expect(verdict == .write)
    #expect(Self.words(run.take(.tick)) == "", "the piece says as much")
    run.take(.pieceTaken)
    #expect(Self.words(run.take(.tick)) == "zero")
    #expect(Self.words(run.take(.outcome(.success(.streamed)))) == "endClose, record 200")
  }

  @Test func pipelinedRequestsWaitForASocketThatTakesMore() {
    var run = MachineRun()
    run.moment.isWritable = false
    #expect(run.take(Self.head()) == [])
    #expect(run.take(Self.end) == [])
    run.moment.isWritable = true
    #expect(Self.words(run.take(.writable)) == "admit, run short, head 200, end, record 200")
  }

  @Test func theSocketIsReadNoFurtherThanAFewParts() {
    var run = Self.responding()
    for index in 0..<16 {
      let isHeld = run.machine.holdsRead()
      #expect(!isHeld, "\(index)")
      run.take(index % 2 == 0 ? Self.head() : Self.end)
    }
    let isHeld = run.machine.holdsRead()
    #expect(isHeld)
    run.answersItself = true
    let lines = run.take(Self.answer)
    #expect(lines.filter { $0 == "read" }.count == 1)
    #expect(lines.filter { $0 == "end" }.count == 9)
    let isHeldAfter = run.machine.holdsRead()
    #expect(!isHeldAfter)
  }

  @Test func refusalsDropASmallRestAndCloseOnALargeOne() {
    let cases: [(HeaderFields, isClosing: Bool)] = [
      ([:], false), (["Content-Length": "262144"], false), (["Content-Length": "262145"], true),
      (["Transfer-Encoding": "chunked"], true), (["Expect": "100-Continue"], true),
    ]
    for (headers, isClosing) in cases {
      var run = MachineRun()
      let words = Self.words(run.take(Self.head("/nothing", headers)))
      #expect(
        words == "admit, report 404, head 404, body, end, record 404" + (isClosing ? ", closeOutput" : ""))
      #expect(run.lines.contains { $0.contains("Connection=close") } == isClosing)
      run.take(Self.body(5))
      #expect(Self.words(run.take(Self.end)) == "")
      #expect(Self.words(run.take(Self.head())) == (isClosing ? "" : "admit"))
    }
  }

  @Test func whatWaitsTooLongIsClosed() {
    let limits = HTTPLimits()
    let cases: [(name: String, [Event], seconds: Int, String)] = [
      ("idle", [], limits.idleSeconds, "close"),
      (
        "receiving", [Self.head()], limits.requestSeconds,
        "report 408, head 408, body, end, record 408, closeOutput"
      ),
      ("refused", [Self.head("/nothing")], 2, "close"),
      ("refused for good", [Self.head("/nothing", ["Expect": "100-continue"])], 2, "close"),
      (
        "asking", [Self.head("/live", ["Accept": "text/event-stream"], method: .get)],
        limits.requestSeconds, "close"
      ),
    ]
    for (name, events, seconds, expected) in cases {
      var run = MachineRun()
      for event in events { run.take(event) }
      run.advance(seconds: seconds - 1)
      #expect(run.take(.tick) == [], "\(name)")
      run.advance(seconds: 1)
      #expect(Self.words(run.take(.tick)) == expected, "\(name)")
    }
    var large = MachineRun()
    large.take(Self.head("/large"))
    large.take(Self.body(640 * 1024))
    large.advance(seconds: limits.requestSeconds + 9)
    #expect(large.take(.tick) == [], "each 64 KiB adds a second")
    large.advance(seconds: 1)
    #expect(Self.words(large.take(.tick)).hasPrefix("report 408"))
    #expect(large.budget.usedBytes == 0)
    var responding = Self.responding()
    responding.advance(seconds: 10_000)
    #expect(responding.take(.tick) == [], "an endpoint may take its time")
  }

  @Test func aPieceThatIsNotTakenEndsTheConnection() {
    var run = Self.responding()
    run.take(.streamBegun(.ok, headers: []))
    #expect(run.machine.takePiece(at: run.moment) == .write)
    run.advance(seconds: 29)
    #expect(run.take(.tick) == [])
    run.take(.pieceTaken)
    run.advance(seconds: 1)
    #expect(run.take(.tick) == [])
    #expect(run.machine.takePiece(at: run.moment) == .write)
    run.advance(seconds: 30)
    #expect(run.take(.tick) == ["close"])
    run.take(.inactive)
    #expect(run.machine.takePiece(at: run.moment) == .refuse)
  }

  @Test func uploadsShareABudget() {
    var run = MachineRun(budgetBytes: 15)
    run.take(Self.head())
    run.take(Self.body(10))
    let lines = run.take(Self.body(10))
    #expect(Self.words(lines) == "report 503, head 503, body, end, record 503, closeOutput")
    #expect(lines[1].contains("Retry-After=1"))
    #expect(run.budget.usedBytes == 0)
  }

  @Test func streamsBeginOnceAndEndWholeOrCut() {
    var run = Self.responding()
    #expect(Self.words(run.take(.streamBegun(.ok, headers: []))) == "head 200")
    #expect(run.take(.streamBegun(.ok, headers: [])) == [])
    #expect(Self.words(run.take(Self.gone)) == "report 500, record 500, close")
    #expect(run.take(Self.gone) == [])
    run = Self.responding()
    #expect(Self.words(run.take(Self.gone)) == "report 500, head 500, body, end, record 500")
  }

  @Test func howABodyIsFramed() {
    let cases: [(RequestMethod, WireVersion, isStreamed: Bool, status: HTTPStatus, String?)] = [
      (.get, .http11, true, 200, "Transfer-Encoding=chunked"), (.get, .http10, true, 200, nil),
      (.head, .http11, true, 200, nil), (.get, .http11, false, 200, "Content-Length=2"),
      (.head, .http11, false, 200, "Content-Length=2"), (.get, .http11, false, 204, nil),
      (.get, .http11, false, 304, nil),
    ]
    for (method, version, isStreamed, status, expected) in cases {
      var run = MachineRun()
      run.answersItself = false
      run.take(
        .part(
          .head(
            ReceivedHead(head: RequestHead(method, "/echo"), version: version, isKeepAlive: true))))
      run.take(Self.admitted("/echo"))
      run.take(Self.end)
      let answer = HTTPAnswer(status, contentType: "t", body: Array("ok".utf8))
      let lines =
        isStreamed
        ? run.take(.streamBegun(status, headers: [])) : run.take(.outcome(.success(.answer(answer))))
      let framing = lines[0].split(separator: " ").filter {
        $0.hasPrefix("Content-Length") || $0.hasPrefix("Transfer-Encoding")
      }
      #expect(framing.map(String.init) == (expected.map { [$0] } ?? []), "\(method) \(status)")
      #expect(lines.contains("body ok") == (!isStreamed && method == .get && status == .ok))
      let verdict = run.machine.takePiece(at: run.moment)
      #expect(verdict == (!isStreamed ? .refuse : method == .head ? .skip : .write))
    }
  }

  @Test func theLastAnswerClosesOnceItIsTaken() {
    var run = MachineRun()
    run.take(Self.head(isKeepAlive: false))
    let lines = run.take(Self.end)
    #expect(Self.words(lines) == "run short, head 200, endClose, record 200")
    #expect(lines[1].contains("Connection=close"))
    run.advance(seconds: HTTPLimits().idleSeconds)
    #expect(run.take(.tick) == ["close"], "a client that takes nothing is not waited for for ever")
  }

  @Test func liveStreams() {
    let ask = Self.head("/live", ["Accept": "text/event-stream"], method: .get)
    var run = MachineRun()
    run.take(ask)
    #expect(
      Self.words(run.take(Self.end))
        == "open, head 200, record 200, startLive, body, end, closeOutput")
    run = MachineRun()
    run.take(Self.head("/live", method: .get))
    #expect(Self.words(run.lines) == "admit, report 426, head 426, body, end, record 426")
    run = Self.live()
    #expect(Self.words(run.take(.liveOpened(nil))) == "head 200, record 200, startLive")
    #expect(run.take(.writable) == ["proceedLive"])
    #expect(run.take(.tick) == ["tickLive"])
    #expect(run.take(.quiesce) == ["finishLive"])
    #expect(Self.words(run.take(.liveEnded(reason: "r"))) == "body, end, closeOutput")
    #expect(run.take(.liveEnded(reason: "r")) == [])
    run = Self.live()
    run.take(.liveOpened(nil))
    #expect(run.take(.inactive) == ["stopLive", "cancel"])
    run = Self.live()
    #expect(
      Self.words(run.take(.liveOpened(Problem(503, "full"))))
        == "report 503, head 503, body, end, record 503")
    run = Self.live()
    run.moment.isStopping = true
    #expect(run.take(.liveOpened(nil)) == ["abandonLive", "close"])
    run = Self.live()
    run.take(.inactive)
    #expect(run.take(.liveOpened(nil)) == ["abandonLive", "close"])
  }

  /// Waits for its session.
  static func live() -> MachineRun {
    var run = MachineRun()
    run.answersItself = false
    run.take(Self.head("/live", ["Accept": "text/event-stream"], method: .get))
    run.take(
      .admitted(
        AdmittedRequest(
          origin: RequestOrigin(id: "r", address: "192.0.2.1"),
          verdict: RoutingVerdict(Script.admit(RequestHead(.get, "/live"))))))
    run.take(Self.end)
    return run
  }
}
