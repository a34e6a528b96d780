import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// What is sent to Splunk's HTTP Event Collector.
@Suite struct SplunkTests {
  static let now: Int64 = 7

  static func decode(
    _ body: String, _ origin: SplunkEvents.Origin = SplunkEvents.Origin(),
    limits: DecodingLimits = DecodingLimits(), within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> SplunkEvents.Decoded {
    try SplunkEvents(limits: limits).decode(Array(body.utf8), origin, now: now, within: memory)
  }

  static func lines(_ decoded: SplunkEvents.Decoded) -> [String] { LokiTests.lines(decoded.records) }

  /// As Docker's driver, Vector and Fluent Bit write them: without anything between, times as texts and
  /// numbers, events as texts and objects.
  @Test func eventsBecomeRecords() throws {
    let decoded = try SplunkTests.decode(
      #"{"event":{"line":"order \"4711\"","source":"stdout","tag":"0123"},"time":"1764504000.250000","#
        + #""host":"vm","source":"shop","index":"main"}"#
        + #"{"event":"text","fields":{"level":"warning","trace_id":"t1","n":1},"time":1764504000.5,"#
        + #""host":"web","sourcetype":"_json"}"# + "\r\n \t"
        + #"{"time":1764504001,"event":{"log":"from a file","level":"err","timestamp":"noon","time":1}}"#)
    #expect(decoded.fault == nil && decoded.timesUnreadCount == 0)
    #expect(
      SplunkTests.lines(decoded) == [
        #"1764504000250000000|null|order "4711"|shop|null|null|null|"#
          + #"{"host":"vm","source":"shop","index":"main"}|{"source":"stdout","tag":"0123"}"#,
        #"1764504000500000000|WARN|text|null|null|t1|null|"#
          + #"{"host":"web","sourcetype":"_json","level":"warning","trace_id":"t1","n":1}|{}"#,
        #"1764504001000000000|ERROR|from a file|null|null|null|null|null|"#
          + #"{"level":"err","timestamp":"noon","time":1}"#,
      ])
  }

  /// What the query says holds for events that do not say it.
  @Test func theRequestSaysTheRest() throws {
    var origin = SplunkEvents.Origin()
    (origin.host, origin.source, origin.time) = ("h", "/var/log/a", 5)
    let decoded = try SplunkTests.decode(
      #"{"event":"a","host":"own","fields":{"source":"f"}}{"event":"b","time":null,"host":""}"#, origin)
    #expect(
      SplunkTests.lines(decoded) == [
        #"5|null|a|null|null|null|null|{"host":"own","source":"/var/log/a","fields.source":"f"}|{}"#,
        #"5|null|b|null|null|null|null|{"host":"h","source":"/var/log/a"}|{}"#,
      ])
  }

  @Test func eventsOfOtherKindsAreKept() throws {
    let decoded = try SplunkTests.decode(
      #"{"event":1.50}{"event":true}{"event":["a",{"b":1}]}{"event":{}}{"event":"x","time":"noon"}"#)
    #expect(decoded.fault == nil && decoded.timesUnreadCount == 1)
    #expect(
      SplunkTests.lines(decoded).map { $0.split(separator: "|", omittingEmptySubsequences: false) }.map {
        "\($0[2])|\($0[8])"
      } == [
        #"1.50|{"message":1.50}"#, #"true|{"message":true}"#, #"|{"event":["a",{"b":1}]}"#, "|{}",
        #"x|{"time_unread":"noon"}"#,
      ])
  }

  /// The first event that is left out is told, with its number; all that can be read is stored.
  @Test(
    arguments: [
      (#"{"event":"a"}{"x":1}{"event":"b"}"#, .noEvent, 1, 2),
      (#"{"event":null}{"event":"b"}"#, .noEvent, 0, 1),
      (#"{"event":"a"}{"event":" \n"}{"event":""}{"event":"b"}"#, .blankEvent, 1, 2),
      (#"{"event":"a","fields":[1]}{"event":"b"}"#, .fields, 0, 1),
      (#"{"event":"a"}{"event":b}{"event":"c"}"#, .format, 1, 2),
      (#"{"event":"a"}{"event":"b","event":"c"}{"event":"d"}"#, .format, 1, 2),
      (#"{"event":"a"}{"event":{"x":1,"x":2}}{"event":"d"}"#, .format, 1, 2),
      (#"{"event":"a"}{"event":"b""#, .format, 1, 1), (#"{"event":"a"} x {"event":"b"}"#, .format, 1, 1),
      (#"{"event":"a"}[{"event":"b"}]"#, .format, 1, 1), (#"{"event":"a"}{"event":"b]"}]"#, .format, 2, 2),
      ("x", .format, 0, 0), ("[]", .format, 0, 0), (#"{"event":""#, .format, 0, 0),
    ] as [(String, SplunkEvents.Code, Int, Int)])
  func badEventsAreTold(_ body: String, _ code: SplunkEvents.Code, _ event: Int, _ stored: Int) throws {
    let decoded = try SplunkTests.decode(body)
    #expect(
      decoded.fault?.code == code && decoded.fault?.event == event, "\(String(describing: decoded.fault))")
    #expect(decoded.records.batch?.rowCount ?? 0 == stored)
  }

  @Test func nothingIsTold() {
    for body in ["", " \n\r\t", "\u{FEFF}"] {
      #expect(throws: PushFault.empty) { try SplunkTests.decode(body) }
      #expect(throws: PushFault.empty) {
        try SplunkEvents().decode(lines: Array(body.utf8.filter { $0 != 0x20 && $0 != 9 }), .init(), now: 0)
      }
    }
  }

  /// A container that writes a zero byte, or half a character, holds nobody up.
  @Test func escapesThatRecordsDoNotHaveAreReplaced() throws {
    let decoded = try SplunkTests.decode(
      #"{"event":{"line":"a\u0000b\\u0000","x\u0000":"\ud83d\ude00\ud800\udc","y":"\udC00 \uD800\u0041"}}"#
        + #"{"event":"\ud800"}"#)
    #expect(decoded.fault?.event == 0, "an escape that is cut off is no JSON")
    #expect(SplunkTests.lines(decoded).map { $0.split(separator: "|")[2] } == ["\u{FFFD}"])
    let good = try SplunkTests.decode(
      #"{"event":{"line":"a\u0000b\\u0000","x\u0000":"\ud83d\ude00\ud800","y":"\udC00 \uD800\u0041"}}"#)
    let line = try #require(SplunkTests.lines(good).first)
    #expect(
      line.hasSuffix(
        "|a\u{FFFD}b\\u0000|null|null|null|null|null|"
          + "{\"x\u{FFFD}\":\"😀\u{FFFD}\",\"y\":\"\u{FFFD} \u{FFFD}A\"}"
      ),
      "\(line)")
  }

  @Test func linesBecomeRecords() throws {
    var origin = SplunkEvents.Origin()
    (origin.source, origin.index) = ("shop", "main")
    let body = Array("\u{FEFF}one\r\n\n{\"a\":1}\n".utf8) + [0x61, 0xFF, 0x00, 0x0A] + Array("last".utf8)
    let decoded = try SplunkEvents().decode(lines: body, origin, now: 7)
    let tail = #"|shop|null|null|null|{"source":"shop","index":"main"}|null"#
    #expect(
      SplunkTests.lines(decoded)
        == ["one", "{\"a\":1}", "a\u{FFFD}\u{FFFD}", "last"].map { "7|null|" + $0 + tail })
  }

  @Test func boundsHold() throws {
    var limits = DecodingLimits()
    limits.entriesMax = 2
    #expect(throws: PushFault.tooLarge) {
      try SplunkTests.decode(#"{"event":"a"}{"event":""}{"event":"c"}"#, limits: limits)
    }
    limits.entryBytesMax = 300
    let long = String(repeating: "x", count: 400)
    let decoded = try SplunkTests.decode(#"{"event":"\#(long)"}{"event":"b"}"#, limits: limits)
    #expect(decoded.fault?.code == .format && decoded.fault?.event == 0)
    #expect(decoded.fault?.reason == "the entry is larger than 300 bytes")
    #expect(decoded.records.batch?.rowCount == 1)
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    let nested = try SplunkTests.decode(#"{"event":{"a":\#(deep)}}{"event":"b"}"#)
    #expect(nested.fault?.event == 0 && nested.records.batch?.rowCount == 1)
    let budget = AmplificationTests.Budget(bytesMax: 1 << 20)
    #expect(try SplunkTests.decode(#"{"event":"a"}"#, within: budget.memory).fault == nil)
    #expect(budget.used == 0)
    let none = DecodingMemory(bytesMax: .max, take: { _ in false }, give: { _ in })
    #expect(throws: PushFault.busy) { try SplunkTests.decode(#"{"event":"a"}"#, within: none) }
  }

  @Test func secretsAreHidden() throws {
    let events = SplunkEvents(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
    let body =
      #"{"event":{"msg":"card 4111 1111 1111 1111","password":"hunter2"},"fields":{"token":"hunter3"}}"#
    let line = try SplunkTests.lines(events.decode(Array(body.utf8), .init(), now: 0)).joined()
    #expect(!line.contains("4111") && !line.contains("hunter"), "\(line)")
  }

  /// No bytes trap, whatever they are and wherever they are cut, and each event is stored or left out.
  @Test func hostileBytesAreErrors() throws {
    let good = Array(
      (#"{"event":{"line":"a\u0000","n":[1,{"x":-1e400}]},"time":"1.5","fields":{"level":"w"},"host":1}"#
        + #"{"event":"é\ud83d\ude00","time":99999999999999999999999,"fields":null}"#).utf8)
    for count in 0...good.count {
      do throws(PushFault) {
        let decoded = try SplunkEvents().decode(Array(good.prefix(count)), .init(), now: 0)
        #expect((decoded.fault == nil) == (decoded.records.refusedCount == 0))
      } catch { #expect(error == .empty && count == 0) }
    }
    var random = SeededGenerator(seed: 8)
    for _ in 0..<3_000 {
      do throws(PushFault) {
        let decoded = try SplunkEvents().decode(good.damaged(&random), .init(), now: 0)
        #expect((decoded.fault == nil) == (decoded.records.refusedCount == 0))
      } catch { #expect(error == .empty) }
    }
  }
}
