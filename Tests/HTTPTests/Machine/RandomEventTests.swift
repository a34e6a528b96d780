import Routing
import TestKit
import Testing

@testable import HTTP

/// Events in any order, likely or not: no trap, no second answer to a request, no byte of the budget kept.
@Suite struct RandomEventTests {
  /// Watches what is to be done for what must never be.
  struct Watch {
    /// Answers that may still begin: one a request.
    var answersLeft = 0
    var isAnswerOpen = false
    var faults: [String] = []

    mutating func see(_ line: String) {
      switch line.prefix(while: { $0 != " " }) {
      case "admit":
        if isAnswerOpen { faults.append("a request before the answer's end") }
        answersLeft = 1
      case "head":
        if answersLeft == 0 { faults.append("an answer to no request") }
        if isAnswerOpen { faults.append("an answer in an answer") }
        answersLeft -= 1
        isAnswerOpen = true
      case "body": if !isAnswerOpen { faults.append("a body of no answer") }
      case "end", "endClose":
        if !isAnswerOpen { faults.append("an end of no answer") }
        isAnswerOpen = false
      case "upgrade":
        if answersLeft == 0 { faults.append("an upgrade of no request") }
        answersLeft -= 1
      default: break
      }
    }
  }

  @Test(arguments: 0..<400)
  func eventsInAnyOrder(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var run = MachineRun(budgetBytes: 200)
    run.answersItself = false
    var watch = Watch()
    for _ in 0..<200 {
      let event = Self.event(using: &random)
      run.moment.now += UInt64.random(in: 0...3_000_000_000, using: &random)
      run.moment.isWritable = !random.chance(oneIn: 4)
      run.moment.isStopping = run.moment.isStopping || random.chance(oneIn: 200)
      // A request that is no request is answered too.
      if case .broken = event, case .idle = run.machine.state { watch.answersLeft = 1 }
      for line in run.take(event) { watch.see(line) }
      if random.chance(oneIn: 5) { _ = run.machine.takePiece(at: run.moment) }
      if random.chance(oneIn: 9) { _ = run.machine.holdsRead() }
    }
    run.take(.inactive)
    run.take(ConnectionMachineTests.answer)
    #expect(watch.faults == [])
    #expect(run.budget.usedBytes == 0)
  }

  static let paths = ["/echo", "/stream", "/live", "/nothing", "/large", "/pieces"]

  static func event(using random: inout SeededGenerator) -> MachineRun.Event {
    typealias Table = ConnectionMachineTests
    let path = paths.randomElement(using: &random) ?? "/echo"
    switch Int.random(in: 0..<40, using: &random) {
    case 0..<7:
      let fields: [HeaderFields] = [
        [:], ["Expect": "100-continue"], ["Accept": "text/event-stream"], ["Content-Length": "99999999"],
        ["Upgrade": "websocket"],
      ]
      return Table.head(
        path, fields.randomElement(using: &random) ?? [:],
        method: [.get, .post, .head].randomElement(using: &random) ?? .get,
        isKeepAlive: !random.chance(oneIn: 20))
    case 7..<14: return Table.admitted(path)
    case 14..<20: return Table.body(Int.random(in: 0...60, using: &random))
    case 20..<26: return Table.end
    case 26..<30: return Table.answer
    case 30: return Table.gone
    case 31:
      let count = Int.random(in: 0...9, using: &random)
      return random.chance(oneIn: 2)
        ? .outcome(.success(.streamed))
        : .pieceStored(count == 9 ? .failure(Problem(503, "full")) : .success(count))
    case 32: return .streamBegun(.ok, headers: [])
    case 33: return .pieceTaken
    case 34: return .liveOpened(random.chance(oneIn: 3) ? Problem(503, "full") : nil)
    case 35: return .liveEnded(reason: "r")
    case 36: return random.chance(oneIn: 4) ? .broken(.malformed, freshID: "f") : .writable
    case 37: return random.chance(oneIn: 2) ? .tick : .chunkAnnounced(Int.random(in: 0...99, using: &random))
    case 38: return random.chance(oneIn: 10) ? .quiesce : .resumed
    default: return random.chance(oneIn: 10) ? .inputClosed : random.chance(oneIn: 2) ? .probeDue : .writable
    }
  }
}
