import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Lines of text and objects of any logger.
@Suite struct InsertTests {
  static func decode(
    _ body: String, _ form: InsertBody.Form, _ origin: InsertBody.Origin = InsertBody.Origin(),
    limits: DecodingLimits = DecodingLimits(), within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> InsertBody.Decoded {
    try InsertBody(limits: limits).decode(Array(body.utf8), form, origin, now: 7, within: memory)
  }

  static func lines(_ decoded: InsertBody.Decoded) -> [String] { LokiTests.lines(decoded.records) }

  static let origin: InsertBody.Origin = {
    var origin = InsertBody.Origin()
    (origin.service, origin.env, origin.host, origin.level) = ("shop", "prod", "h", "warning")
    return origin
  }()

  @Test func linesBecomeRecords() throws {
    let decoded = try InsertTests.decode(
      "\u{FEFF}one\r\n\r\n\n{\"a\":1}\r\n two\u{0}", .lines, InsertTests.origin)
    let tail = #"|shop|prod|null|null|{"host":"h"}|null"#
    #expect(
      InsertTests.lines(decoded) == ["one", #"{"a":1}"#, " two\u{FFFD}"].map { "7|WARN|" + $0 + tail })
    #expect(
      try InsertTests.lines(InsertTests.decode("x", .lines)) == ["7|null|x|null|null|null|null|null|null"])
  }

  @Test(arguments: [
    #"{"msg":"a","time":1,"level":"err"} {"log":"b\u0000","service":"own","ts":"noon"}"#,
    #"[{"msg":"a","time":1,"level":"err"},{"log":"b\u0000","service":"own","ts":"noon"}]"#,
    "\u{FEFF}{\"msg\":\"a\",\"time\":1,\"level\":\"err\"}\r\n"
      + "{\"log\":\"b\\u0000\",\"service\":\"own\",\"ts\":\"noon\"}\r\n",
  ])
  func objectsBecomeRecords(_ body: String) throws {
    let decoded = try InsertTests.decode(body, .json, InsertTests.origin)
    #expect(decoded.timesUnreadCount == 1)
    #expect(
      InsertTests.lines(decoded) == [
        #"1000000000|ERROR|a|shop|prod|null|null|{"host":"h"}|{"level":"err"}"#,
        "7|WARN|b\u{FFFD}|own|prod|null|null|{\"host\":\"h\"}|{\"ts\":\"noon\"}",
      ])
  }

  @Test func badRecordsAreTold() throws {
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    let decoded = try InsertTests.decode(#"{"a":1}{"a":}{"a":1,"a":2}{"a":\#(deep)}{"b":1}"#, .json)
    #expect(decoded.records.batch?.rowCount == 2)
    #expect(decoded.records.refusals.map(\.record) == [1, 2, 3])
  }

  /// A broken line costs itself alone.
  @Test(arguments: [
    ("{\"a\":1}\n{\"a\":2\n{\"a\":3}\n", 2, 1), ("{\"a\":1}\nx\n{\"a\":3}", 2, 1), ("x\n{\"a\":3}", 1, 1),
    ("{\"a\":1}\n{\"a\":{\"b\":\n{\"a\":3}}\n{\"a\":4}", 3, 2), ("{\"a\":1}\n{\"a\":", 1, 1),
    ("{\"a\":1}x", 1, 1),
    ("{\"a\":1}\n5\n6\n{\"a\":2}", 2, 1), ("{\"a\":1},{\"a\":2}", 1, 1),
  ])
  func brokenLinesAreLeftOut(_ body: String, kept: Int, refused: Int) throws {
    let decoded = try InsertTests.decode(body, .json)
    #expect(decoded.records.batch?.rowCount == kept)
    #expect(decoded.records.refusedCount == refused)
  }

  @Test(arguments: ["x", "1", "[", "[{}", "[{},]", "[{}]x", "{", "[1]", "null"])
  func whatIsNoBodyIsRefused(_ body: String) {
    #expect { try InsertTests.decode(body, .json) } throws: { error in
      if case PushFault.malformed = error { true } else { false }
    }
  }

  @Test func nothingIsTold() {
    for body in ["", " \n", "[]", "\u{FEFF}"] {
      #expect(throws: PushFault.empty) { try InsertTests.decode(body, .json) }
    }
    for body in ["", "\r\n\n", "\u{FEFF}"] {
      #expect(throws: PushFault.empty) { try InsertTests.decode(body, .lines) }
    }
  }

  @Test func boundsHold() throws {
    var limits = DecodingLimits()
    limits.entriesMax = 2
    for (body, form) in [("a\nb\nc", InsertBody.Form.lines), ("{}{}{}", .json)] {
      #expect(throws: PushFault.tooLarge) { try InsertTests.decode(body, form, limits: limits) }
      let budget = AmplificationTests.Budget(bytesMax: 1 << 20)
      #expect(try InsertTests.decode(body, form, within: budget.memory).records.batch?.rowCount == 3)
      #expect(budget.used == 0)
      let none = DecodingMemory(bytesMax: .max, take: { _ in false }, give: { _ in })
      #expect(throws: PushFault.busy) { try InsertTests.decode(body, form, within: none) }
    }
  }

  @Test func secretsAreHidden() throws {
    let decoder = InsertBody(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
    for (body, form) in [
      ("card 4111 1111 1111 1111 password=hunter2", InsertBody.Form.lines),
      (#"{"card":"4111 1111 1111 1111","password":"hunter2"}"#, .json),
    ] {
      let line = try InsertTests.lines(decoder.decode(Array(body.utf8), form, .init(), now: 0)).joined()
      #expect(!line.contains("4111") && !line.contains("hunter"), "\(line)")
    }
  }

  /// No bytes trap, whatever they are and wherever they are cut.
  @Test func hostileBytesAreErrors() {
    let good = Array(#"[{"log":{"level":"w"},"x":["\ud83d\ude00\u0000",{}]},{"time":1e400,"é":null}]"#.utf8)
    for count in 0..<good.count {
      #expect(throws: PushFault.self) {
        try InsertBody().decode(Array(good.prefix(count)), .json, .init(), now: 0)
      }
    }
    var random = SeededGenerator(seed: 11)
    for _ in 0..<3_000 {
      for form in [InsertBody.Form.json, .lines] {
        do throws(PushFault) {
          let decoded = try InsertBody().decode(good.damaged(&random), form, .init(), now: 0)
          #expect(decoded.records.batch != nil || decoded.records.refusedCount > 0)
        } catch {}
      }
    }
  }
}
