import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Logs as they are sent to Datadog.
@Suite struct DatadogTests {
  static func decode(
    _ body: String, _ origin: DatadogLogs.Origin = DatadogLogs.Origin(),
    limits: DecodingLimits = DecodingLimits(), within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> DatadogLogs.Decoded {
    try DatadogLogs(limits: limits).decode(Array(body.utf8), origin, now: 7, within: memory)
  }

  static func lines(_ decoded: DatadogLogs.Decoded) -> [String] { LokiTests.lines(decoded.records) }

  /// As the agent, Fluent Bit and Vector write them.
  @Test func logsBecomeRecords() throws {
    let decoded = try DatadogTests.decode(
      #"""
      [{"message":"order 4711 failed","status":"error","timestamp":1764504000250,"hostname":"web-1",
        "service":"shop","ddsource":"nginx","ddtags":"env:prod, team:a,team:b,url:http://x,flag,:odd,,"},
       {"timestamp":1764504000500,"log":"from a file","level":"warn","status":404,"dd":{"trace_id":"t1"}},
       {"message":"m","status":"200 OK","ddtags":["a:b"],"service":""}]
      """#)
    #expect(decoded.timesUnreadCount == 0 && decoded.records.refusedCount == 0)
    #expect(
      DatadogTests.lines(decoded) == [
        #"1764504000250000000|ERROR|order 4711 failed|shop|prod|null|null|{"hostname":"web-1","#
          + #""ddsource":"nginx","env":"prod","team":["a","b"],"url":"http://x","flag":"",":odd":""}|"#
          + #"{"status":"error"}"#,
        #"1764504000500000000|WARN|from a file|null|null|t1|null|null|"#
          + #"{"level":"warn","status":404,"dd":{"trace_id":"t1"}}"#,
        #"7|null|m|null|null|null|null|null|{"status":"200 OK","ddtags":["a:b"],"service":""}"#,
      ])
  }

  @Test func theRequestSaysTheRest() throws {
    var origin = DatadogLogs.Origin()
    (origin.source, origin.host, origin.tags) = ("s", "h", "service:cart,env:test")
    let decoded = try DatadogTests.decode(
      #"{"message":"m","hostname":"own","ddtags":"env:prod","time":"noon"}"#, origin)
    #expect(decoded.timesUnreadCount == 1)
    #expect(
      DatadogTests.lines(decoded) == [
        #"7|null|m|cart|prod|null|null|{"hostname":"own","ddsource":"s","#
          + #""env":["prod","test"],"service":"cart"}|"#
          + #"{"time":"noon"}"#
      ])
  }

  /// Clients ask so whether anybody is there.
  @Test(arguments: ["{}", "[]", "[{},{ }]", " {} "])
  func emptyLogsAreNone(_ body: String) throws {
    let decoded = try DatadogTests.decode(body)
    #expect(decoded.records.batch == nil && decoded.records.refusedCount == 0)
  }

  @Test func badLogsAreLeftOut() throws {
    var limits = DecodingLimits()
    limits.entryBytesMax = 400
    limits.membersMax = 4
    let long = String(repeating: "x", count: 500)
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    let decoded = try DatadogTests.decode(
      #"""
      [{"message":"0"},1,{"message":},{"message":"\#(long)"},{"a":1,"a":2},{"a":\#(deep)},
       {"message":"6","ddtags":"a,b,c,d,e"},{"message":"7"}]
      """#, limits: limits)
    #expect(DatadogTests.lines(decoded).map { $0.split(separator: "|")[2] } == ["0", "7"])
    #expect(decoded.records.refusedCount == 6)
    #expect(decoded.records.refusals.first == PushedRecords.Refusal(record: 1, reason: "a log is an object"))
  }

  @Test(
    arguments: [
      "x", "1", "\"a\"", "null", "[", "[{}", "[{},]", "{} {}", "[{}] x", "[{", "{\"a\":\"", "[{} {}]",
    ])
  func whatIsNoBodyIsRefused(_ body: String) {
    #expect { try DatadogTests.decode(body) } throws: { error in
      if case PushFault.malformed = error { true } else { false }
    }
  }

  @Test func nothingIsTold() {
    #expect(throws: PushFault.empty) { try DatadogTests.decode("") }
    #expect(throws: PushFault.empty) { try DatadogTests.decode(" \n") }
  }

  @Test func boundsHold() throws {
    var limits = DecodingLimits()
    limits.entriesMax = 2
    #expect(throws: PushFault.tooLarge) {
      try DatadogTests.decode(#"[{"a":1},{"a":1},{"a":1}]"#, limits: limits)
    }
    let budget = AmplificationTests.Budget(bytesMax: 1 << 20)
    #expect(try DatadogTests.decode(#"[{"a":1}]"#, within: budget.memory).records.batch?.rowCount == 1)
    #expect(throws: PushFault.self) { try DatadogTests.decode(#"[{"a":1}"#, within: budget.memory) }
    #expect(budget.used == 0)
    let none = DecodingMemory(bytesMax: .max, take: { _ in false }, give: { _ in })
    #expect(throws: PushFault.busy) { try DatadogTests.decode(#"[{"a":1}]"#, within: none) }
  }

  @Test func secretsAreHidden() throws {
    let logs = DatadogLogs(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
    let body = #"{"message":"card 4111 1111 1111 1111","password":"hunter2","ddtags":"password:hunter3"}"#
    let line = try DatadogTests.lines(logs.decode(Array(body.utf8), .init(), now: 0)).joined()
    #expect(!line.contains("4111") && !line.contains("hunter"), "\(line)")
  }

  /// No bytes trap, whatever they are and wherever they are cut.
  @Test func hostileBytesAreErrors() {
    let good = Array(
      (#"[{"message":"a\u0000é","ddtags":"a:b,c","timestamp":1e400,"dd":{"x":[{}]}},"#
        + #"{"ddsource":1,"status":7,"hostname":"\ud83d\ude00"}]"#).utf8)
    for count in 0..<good.count {
      #expect(throws: PushFault.self) {
        try DatadogLogs().decode(Array(good.prefix(count)), .init(), now: 0)
      }
    }
    var random = SeededGenerator(seed: 9)
    for _ in 0..<3_000 {
      do throws(PushFault) {
        let decoded = try DatadogLogs().decode(good.damaged(&random), .init(), now: 0)
        #expect(decoded.records.batch.map { $0.rowCount > 0 } ?? true)
      } catch {}
    }
  }
}
