import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Pushes of Loki's clients.
@Suite struct LokiTests {
  static func lines(_ records: PushedRecords) -> [String] {
    guard let batch = records.batch else { return [] }
    return (0..<batch.rowCount).map { row in batch.columns.map { $0.cell(row) }.joined(separator: "|") }
  }

  static func json(_ text: String) throws(PushFault) -> PushedRecords {
    try LokiPush().decode(Array(text.utf8), .json)
  }

  /// A field of bytes.
  static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    var field: [UInt8] = [number << 3 | 2]
    Varint.append(UInt64(bytes.count), to: &field)
    return field + bytes
  }

  static func time(_ seconds: Int64, _ nanos: Int64) -> [UInt8] {
    var time: [UInt8] = [0x08]
    Varint.append(UInt64(bitPattern: seconds), to: &time)
    time.append(0x10)
    Varint.append(UInt64(bitPattern: nanos), to: &time)
    return field(1, time)
  }

  static func entry(
    _ line: [UInt8], seconds: Int64 = 1_764_504_000, nanos: Int64 = 5, _ pairs: [(String, String)] = []
  ) -> [UInt8] {
    let more = pairs.flatMap { field(3, field(1, Array($0.0.utf8)) + field(2, Array($0.1.utf8))) }
    return field(2, time(seconds, nanos) + field(2, line) + more)
  }

  static func message(_ labels: String, _ entries: [UInt8]...) -> [UInt8] {
    field(1, field(1, Array(labels.utf8)) + entries.flatMap { $0 })
  }

  @Test func labelsAndMetadataBecomeColumns() throws {
    let records = try LokiTests.json(
      #"""
      {"streams":[
        {"stream":{"app":"web","environment":"prod","level":"warning","pod":"web-0"},
         "values":[["1764504000000000001","a \"quoted\" line\n\ttab \u00e9"],
                   ["-1","before",{"trace_id":"0af7","traceID":"x","user":"42","severity":"ERR"}]]},
        {"values":[["1764504000000000002",""]],"stream":{}}
      ]}
      """#)
    #expect(records.refusedCount == 0 && records.batch?.fields == Dataset.logs.schema.declaredFields)
    let shared = #"{"app":"web","environment":"prod","level":"warning","pod":"web-0"}"#
    #expect(
      LokiTests.lines(records) == [
        "1764504000000000001|WARN|a \"quoted\" line\n\ttab é|web|prod|null|null|\(shared)|{}",
        "-1|ERROR|before|web|prod|0af7|null|\(shared)|"
          + #"{"trace_id":"0af7","traceID":"x","user":"42","severity":"ERR"}"#,
        "1764504000000000002|null||null|null|null|null|null|{}",
      ])
  }

  @Test func protobufSaysTheSame() throws {
    let body = LokiTests.message(
      #"{app="web", "pod.name"="a\"b\u00e9\x41\101", raw=`c:\d`,}"#,
      LokiTests.entry(Array("line".utf8), [("span_id", "s1"), ("n", "1")]),
      LokiTests.entry([0x61, 0xFF, 0x00, 0x62], seconds: -1, nanos: 0))
    let records = try LokiPush().decode(body, .protobuf)
    let labels = #"{"app":"web","pod.name":"a\"béAA","raw":"c:\\d"}"#
    #expect(
      LokiTests.lines(records) == [
        "1764504000000000005|null|line|web|null|null|s1|\(labels)|" + #"{"span_id":"s1","n":"1"}"#,
        "-1000000000|null|a\u{FFFD}\u{FFFD}b|web|null|null|null|\(labels)|{}",
      ])
  }

  @Test(
    arguments: [
      ("", .malformed("the body must be a JSON object")),
      ("[]", .malformed("the body must be a JSON object")),
      ("{}", .empty), (#"{"streams":[]}"#, .empty),
      (#"{"streams":{}}"#, .malformed("streams must be an array")),
      (#"{"streams":[1]}"#, .malformed("a stream must be an object")),
      (#"{"streams":[{"stream":{"a":1}}]}"#, .malformed("stream: labels are texts")),
      (#"{"streams":[{"stream":[]}]}"#, .malformed("stream: labels are texts")),
      (#"{"streams":[{"stream":{},"vaules":[]}]}"#, .malformed("a stream without values")),
      (
        #"{"streams":[{"stream":{},"values":[[1764504000000000000,"x"]]}]}"#,
        .malformed("a time must be a text of nanoseconds since 1970")
      ),
      (
        #"{"streams":[{"stream":{},"values":[["1.5","x"]]}]}"#,
        .malformed("a time must be a text of nanoseconds since 1970")
      ),
      (#"{"streams":[{"stream":{},"values":[["1",2]]}]}"#, .malformed("a line must be a text")),
      (
        #"{"streams":[{"stream":{},"values":[["1"]]}]}"#,
        .malformed("a value must be an array of time and line")
      ),
      (
        #"{"streams":[{"stream":{},"values":[["1","x",{"a":{}}]]}]}"#,
        .malformed("structured metadata must be an object of texts")
      ),
      (
        #"{"streams":[{"stream":{},"values":[["1","x",{},4]]}]}"#,
        .malformed("a value has a time, a line and structured metadata at most")
      ),
      (#"{"streams":[]"#, .malformed("not JSON: at byte 13: a comma or the object's end")),
    ] as [(String, PushFault)])
  func whatIsNoPushIsRefused(_ text: String, _ fault: PushFault) {
    #expect(throws: fault) { try LokiTests.json(text) }
  }

  @Test func aBadEntryIsLeftOutAndTold() throws {
    let body =
      LokiTests.message(
        #"{app="web"}"#, LokiTests.entry([0x61]), LokiTests.entry([0x62], seconds: 1 << 40),
        LokiTests.entry([0x63]))
      + LokiTests.message("{app=}", LokiTests.entry([0x64]), LokiTests.entry([0x65]))
    let records = try LokiPush().decode(body, .protobuf)
    #expect(LokiTests.lines(records).count == 2 && records.refusedCount == 3)
    #expect(records.refusals.first?.reason == "a time that is not between 1677-09-21 and 2262-04-11")
    var limits = DecodingLimits()
    limits.entryBytesMax = 300
    let long =
      #"{"streams":[{"stream":{},"values":[["1","\#(String(repeating: "x", count: 400))"],["2","y"]]}]}"#
    let cut = try LokiPush(limits: limits).decode(Array(long.utf8), .json)
    #expect(LokiTests.lines(cut).count == 1 && cut.refusedCount == 1)
    #expect(cut.refusals.first?.reason == "the entry is larger than 300 bytes")
    let none = try LokiPush().decode(LokiTests.message("nope", LokiTests.entry([0x64])), .protobuf)
    #expect(none.batch == nil && none.refusedCount == 1)
  }

  @Test(
    arguments: [
      "", "{", "}", "{a}", "{a=}", "{a=b}", #"{a="b"#, #"{a="b" c="d"}"#, #"{a="b"} x"#, #"{="b"}"#,
      #"{a="\q"}"#,
      #"{a="\x4"}"#, #"{a="\uD800"}"#, #"{a="\9"}"#, #"{a="\777"}"#, "{,}",
    ])
  func labelsThatAreNoneRefuseTheirEntries(_ labels: String) throws {
    // No text at all means no labels.
    let records = try LokiPush().decode(LokiTests.message(labels, LokiTests.entry([0x64])), .protobuf)
    #expect((records.batch == nil) == !labels.isEmpty && records.refusedCount == (labels.isEmpty ? 0 : 1))
  }

  @Test func masksHideWhatIsSent() throws {
    var rules = MaskingRules.off
    rules.isOn = true
    rules.baselineKeys = ["password"]
    let push = LokiPush().masked(by: MaskingPlan(rules, for: Dataset.logs.schema))
    let text = #"{"streams":[{"stream":{"password":"p1"},"values":[["1","x",{"password":"p2"}]]}]}"#
    let line = try #require(LokiTests.lines(push.decode(Array(text.utf8), .json)).first)
    #expect(line.contains("****") && !line.contains("p1") && !line.contains("p2"), "\(line)")
  }

  /// Labels of a stream may stand for any number of entries: what that takes is bounded and given back.
  @Test func labelsRepeatedTakeMemory() throws {
    let labels = String(repeating: "l", count: 10_000)
    let values = (0..<1_000).map { #"["\#($0)","x"]"# }.joined(separator: ",")
    let body = Array(#"{"streams":[{"stream":{"a":"\#(labels)"},"values":[\#(values)]}]}"#.utf8)
    for (bytesMax, fault) in [(1 << 18, PushFault.tooLarge), (100_000, .tooLarge), (64 << 20, nil)] {
      let budget = AmplificationTests.Budget(bytesMax: bytesMax)
      do throws(PushFault) {
        let records = try LokiPush().decode(body, .json, within: budget.memory)
        #expect(fault == nil && records.batch?.rowCount == 1_000)
        #expect(budget.peak >= 10_000_000)
      } catch { #expect(error == fault) }
      #expect(budget.used == 0)
    }
  }

  /// Labels, and pairs of an entry, beyond what an object may have leave entries out, in linear time.
  @Test func manyLabelsAreRefused() throws {
    let many = (0..<40_000).map { ("k\($0)", "v") }
    let labels = "{" + many.map { "\($0.0)=\"v\"" }.joined(separator: ",") + "}"
    let body =
      LokiTests.message(labels, LokiTests.entry([0x61]))
      + LokiTests.message("{a=\"b\"}", LokiTests.entry([0x62], many), LokiTests.entry([0x63]))
    let records = try LokiPush().decode(body, .protobuf)
    #expect(LokiTests.lines(records).count == 1 && records.refusedCount == 2)
    #expect(
      records.refusals == [
        PushedRecords.Refusal(
          record: 0, reason: "more than 1000 labels, or pairs of structured metadata")
      ])
  }

  @Test func escapedNULsAreReplaced() throws {
    let text = #"{"streams":[{"stream":{},"values":[["1","a\u0000b\\u0000\n"],["2","\\u0000"]]}]}"#
    let lines = try LokiTests.lines(LokiTests.json(text))
    #expect(lines.map { $0.split(separator: "|")[2] } == ["a\u{FFFD}b\\u0000\n", "\\u0000"])
  }

  /// No bytes trap, whatever they are.
  @Test func hostileBytesAreErrors() {
    var random = SeededGenerator(seed: 4)
    let good = LokiTests.message(
      #"{a="b",c="d"}"#, LokiTests.entry([0x61], [("k", "v")]), LokiTests.entry([0x62]))
    let text = Array(#"{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"k":"v"}]]}]}"#.utf8)
    for _ in 0..<3_000 {
      for (body, form) in [(good, LokiPush.Form.protobuf), (text, .json)] {
        let bytes = body.damaged(&random)
        do throws(PushFault) {
          let records = try LokiPush().decode(bytes, form)
          #expect(records.batch.map { $0.rowCount > 0 } ?? true)
        } catch {}
      }
    }
  }
}

extension [UInt8] {
  /// With up to four bytes changed, and cut.
  func damaged(_ random: inout SeededGenerator) -> [UInt8] {
    var bytes = self
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    return Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
  }
}
