import Routing
import Testing

@testable import HTTP

/// Bodies that are stored piece by piece: how they go on, and how they end.
@Suite struct PieceTests {
  typealias Event = MachineRun.Event

  /// A request for pieces of 8 bytes, 24 at most.
  static func receiving(_ fields: HeaderFields = ["Transfer-Encoding": "chunked"]) -> MachineRun {
    var run = MachineRun()
    run.answersItself = false
    run.take(ConnectionMachineTests.head("/pieces", fields))
    run.take(ConnectionMachineTests.admitted("/pieces"))
    return run
  }

  static func body(_ text: String) -> Event { .part(.body(Array(text.utf8))) }
  static func stored(_ count: Int) -> Event { .pieceStored(.success(count)) }

  /// Of whatever length the parts are that come: the pieces are the same, and nothing is lost or doubled.
  @Test(arguments: 1...25)
  func piecesDependOnTheBytes(_ partBytes: Int) {
    let text = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    var run = PieceTests.receiving()
    var lines: [String] = []
    for start in stride(from: 0, to: text.count, by: partBytes) {
      lines += run.take(.part(.body(Array(text[start..<min(start + partBytes, text.count)]))))
    }
    lines += run.take(ConnectionMachineTests.end)
    var taken: [String] = []
    while let line = lines.first(where: { $0.hasPrefix("store ") }) {
      taken.append(String(line.dropFirst(6)))
      lines = run.take(PieceTests.stored(6))
    }
    #expect(taken == ["01234567", "6789abcd", "cdefghij", "ijklmnop", "opqrstuv"])
    #expect(lines == ["run /pieces r from 192.0.2.1 short uvwxyz"])
    run.take(ConnectionMachineTests.answer)
    #expect(run.budget.usedBytes == 0)
  }

  /// While a piece is stored nothing more is taken in.
  @Test func whatComesMeanwhileWaits() {
    var run = PieceTests.receiving()
    #expect(run.take(PieceTests.body("01234567")) == ["store 01234567"])
    #expect(run.take(PieceTests.body("89")).isEmpty)
    for _ in 0..<20 { run.take(PieceTests.body("x")) }
    let isHeld = run.machine.holdsRead()
    #expect(isHeld)
    #expect(run.take(PieceTests.stored(8)) == ["store 89xxxxxx", "read"])
  }

  /// What is in no piece is looked for in a longer one, as long as a body may be.
  @Test func aPieceGrows() {
    var run = PieceTests.receiving()
    #expect(run.take(PieceTests.body("0123456789")) == ["store 01234567"])
    #expect(run.take(PieceTests.stored(0)).isEmpty)
    #expect(run.take(PieceTests.body("abcdefgh")) == ["store 0123456789abcdef"])
    #expect(run.take(PieceTests.stored(0)).isEmpty)
    #expect(run.take(PieceTests.body("ijklmn")) == ["store 0123456789abcdefghijklmn"])
    let lines = run.take(PieceTests.stored(0))
    #expect(
      ConnectionMachineTests.words(lines) == "report 413, head 413, body, end, record 413, closeOutput")
    #expect(run.budget.usedBytes == 0)
  }

  @Test func aFailureAnswersTheRequest() {
    var run = PieceTests.receiving()
    run.take(PieceTests.body("01234567"))
    let lines = run.take(.pieceStored(.failure(Problem(503, "full", retryAfterSeconds: 5))))
    #expect(
      ConnectionMachineTests.words(lines) == "report 503, head 503, body, end, record 503, closeOutput")
    #expect(run.take(PieceTests.body("89abcdef")).isEmpty && run.budget.usedBytes == 0)
  }

  /// However long it says it is; compressed, it is a body like others.
  @Test func lengths() {
    var run = PieceTests.receiving(["Content-Length": "1000000000"])
    #expect(run.take(PieceTests.body("01234567")) == ["store 01234567"])
    run = MachineRun()
    run.answersItself = false
    run.take(ConnectionMachineTests.head("/pieces", ["Content-Encoding": "gzip"]))
    run.take(ConnectionMachineTests.admitted("/pieces"))
    #expect(run.take(PieceTests.body("0123456789abcdefghijklmn")).isEmpty)
    #expect(ConnectionMachineTests.words(run.take(PieceTests.body("o"))).hasPrefix("report 413"))
  }

  @Test func clientsThatGoAway() {
    for event in [Event.inputClosed, .broken(.malformed, freshID: "x"), .inactive] {
      var run = PieceTests.receiving()
      run.take(PieceTests.body("01234567"))
      let lines = run.take(event)
      #expect(lines == [{ if case .inactive = event { true } else { false } }() ? "cancel" : "close"])
      run.take(.inactive)
      #expect(run.take(PieceTests.stored(8)).isEmpty && run.budget.usedBytes == 0)
    }
  }

  /// The time a request may take counts for each piece, and not while one is stored.
  @Test func slowSenders() {
    var run = PieceTests.receiving()
    run.take(PieceTests.body("01234567"))
    run.advance(seconds: 1_000)
    #expect(run.take(.tick).isEmpty)
    run.take(PieceTests.stored(8))
    #expect(run.take(.tick).isEmpty)
    run.advance(seconds: 1_000)
    #expect(ConnectionMachineTests.words(run.take(.tick)).hasPrefix("report 408"))
  }
}
