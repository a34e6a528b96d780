import Records
import Routing
import Testing

@testable import HTTP

/// What those who show no credential can make a connection hold.
@Suite struct StrangerTests {
  typealias Table = ConnectionMachineTests

  @Test(arguments: [RequestMethod.get, .head, .options])
  func bodiesThatNobodyReadsAreNotHeld(method: RequestMethod) {
    var run = MachineRun(budgetBytes: 15)
    run.take(Table.head("/large", method: method))
    run.take(Table.body(10))
    run.take(Table.body(900_000))
    #expect(run.budget.usedBytes == 0)
    let lines = run.take(Table.end)
    #expect(lines.first == "run /large id1 from 192.0.2.1 short ", "without a byte of it")
  }

  @Test func theyAreBoundedAllTheSame() {
    var run = MachineRun()
    run.take(Table.head("/large", method: .get))
    run.take(Table.body(1 << 20))
    #expect(
      Table.words(run.take(Table.body(1))) == "report 413, head 413, body, end, record 413, closeOutput")
  }

  @Test func bodiesWithoutACredentialHaveABudgetOfTheirOwn() {
    let (all, strangers) = (UploadBudget(bytesMax: 100), UploadBudget(bytesMax: 20))
    var moment = ConnectionMoment(now: 1, isWritable: true, isStopping: false, date: "today")
    func connection(_ isOpen: Bool) -> ConnectionMachine<[UInt8]> {
      var machine = ConnectionMachine<[UInt8]>(
        limits: HTTPLimits(), budget: all, strangers: strangers, now: 1)
      _ = machine.handle(Table.head("/echo"), at: moment)
      let endpoint = Endpoint(
        route: "/echo", bodyBytesMax: 50, isShort: true, traits: Endpoint.Traits(isOpen: isOpen)
      ) { _, _ throws(Problem) in .answer(.plan("never run")) }
      let verdict = RoutingVerdict(.accept(endpoint))
      let origin = RequestOrigin(id: "r", address: "192.0.2.1")
      _ = machine.handle(.admitted(AdmittedRequest(origin: origin, verdict: verdict)), at: moment)
      return machine
    }
    /// Whether the bytes are kept; otherwise the request is refused.
    func keeps(_ machine: inout ConnectionMachine<[UInt8]>, _ count: Int) -> Bool {
      machine.handle(Table.body(count), at: moment).isEmpty
    }
    var (first, second, writer) = (connection(true), connection(true), connection(false))
    let isKept = [keeps(&first, 20), keeps(&second, 1)]
    #expect(isKept == [true, false])
    #expect((all.usedBytes, strangers.usedBytes) == (0, 20))
    let isWriterKept = keeps(&writer, 50)
    #expect(isWriterKept)
    #expect((all.usedBytes, strangers.usedBytes) == (50, 20))
    moment.now += 31_000_000_000
    _ = first.handle(.tick, at: moment)
    _ = writer.handle(.inactive, at: moment)
    #expect((all.usedBytes, strangers.usedBytes) == (0, 0))
  }

  @Test func whoSaysNothingIsClosedEarlierWhenConnectionsAreShort() {
    func wait(_ seconds: Int, isCrowded: Bool, after events: [Table.Event] = []) -> [String] {
      var run = MachineRun()
      for event in events { run.take(event) }
      run.moment.isCrowded = isCrowded
      run.advance(seconds: seconds)
      return run.take(.tick)
    }
    #expect(wait(9, isCrowded: true) == [])
    #expect(wait(10, isCrowded: true) == ["close"])
    #expect(wait(74, isCrowded: false) == [])
    #expect(wait(75, isCrowded: false) == ["close"])
    let request = [Table.head(method: .get), Table.end]
    #expect(wait(74, isCrowded: true, after: request) == [], "one that asks stays")
  }

  @Test func answersOverTLSSayThatItStaysSo() {
    for isSecure in [false, true] {
      var run = MachineRun()
      run.machine.isSecure = isSecure
      run.take(Table.head(method: .get))
      run.take(Table.end)
      #expect(
        run.lines.contains { $0.contains("Strict-Transport-Security=max-age=31536000") } == isSecure)
    }
  }

  /// More than a number of 64 bits with a sign holds, and still a number to the decoder.
  @Test func lengthsBeyondAllNumbersAreTooLong() {
    for length in ["9223372036854775808", "18446744073709551615", "65"] {
      var run = MachineRun()
      #expect(
        Table.words(run.take(Table.head("/echo", ["Content-Length": length]))).contains("head 413"),
        "\(length)")
    }
  }
}
