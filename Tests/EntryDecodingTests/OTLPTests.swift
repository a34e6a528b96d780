import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Exports of OpenTelemetry's logs.
@Suite struct OTLPTests {
  static let now: Int64 = 7
  static let time: UInt64 = 1_764_504_000_000_000_001

  static func lines(_ records: PushedRecords) -> [String] {
    guard let batch = records.batch else { return [] }
    return (0..<batch.rowCount).map { row in batch.columns.map { $0.cell(row) }.joined(separator: "|") }
  }

  static func json(
    _ text: String, limits: DecodingLimits = DecodingLimits(), within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> PushedRecords {
    try OTLPLogs(limits: limits).decode(Array(text.utf8), .json, now: now, within: memory)
  }

  /// An export of one record.
  static func json(of record: String) -> String {
    #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(record)]}]}]}"#
  }

  // MARK: Protobuf

  static func message(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    write(&writer)
    return writer.bytes
  }

  static func fixed64(_ field: UInt8, _ value: UInt64) -> [UInt8] {
    [field << 3 | 1] + (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  static func fixed32(_ field: UInt8, _ value: UInt32) -> [UInt8] {
    [field << 3 | 5] + (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }

  static func text(_ value: String) -> [UInt8] { message { $0.append(1, text: value) } }

  static func pair(_ key: String, _ value: [UInt8]) -> [UInt8] {
    message {
      $0.append(1, text: key)
      $0.append(2, bytes: value)
    }
  }

  static func export(_ records: [UInt8]..., resource: [[UInt8]] = [], scope: [UInt8]? = nil) -> [UInt8] {
    let scopeLogs = message { writer in
      // Records may come before what they belong to.
      for record in records { writer.append(2, bytes: record) }
      if let scope { writer.append(1, bytes: scope) }
    }
    return message { writer in
      writer.append(
        1,
        bytes: message { writer in
          writer.append(2, bytes: scopeLogs)
          writer.append(
            1, bytes: message { writer in for pair in resource { writer.append(1, bytes: pair) } })
        })
    }
  }

  static let record: [UInt8] =
    fixed64(1, time) + fixed64(11, time + 1)
    + message { writer in
      writer.append(2, varint: 13)
      writer.append(3, text: "warning")
      writer.append(5, bytes: text("a \"line\"\n\u{1}"))
      writer.append(6, bytes: pair("n", message { $0.append(3, varint: UInt64(bitPattern: -7)) }))
      writer.append(6, bytes: pair("ok", message { $0.append(2, varint: 1) }))
      writer.append(6, bytes: pair("d", fixed64(4, 0.25.bitPattern)))
      writer.append(6, bytes: pair("nan", fixed64(4, Double.nan.bitPattern)))
      writer.append(6, bytes: pair("raw", message { $0.append(7, bytes: [0, 255]) }))
      writer.append(
        6,
        bytes: pair(
          "list",
          message { writer in
            writer.append(
              5,
              bytes: message { writer in
                writer.append(1, bytes: text("x"))
                writer.append(1, bytes: [])
              })
          }))
      writer.append(6, bytes: pair("twice", text("first")))
      writer.append(6, bytes: pair("twice", text("last")))
      writer.append(9, bytes: [0x0A, 0xF7] + [UInt8](repeating: 1, count: 14))
      writer.append(10, bytes: [UInt8](repeating: 0, count: 8))
      writer.append(12, text: "cart.add")
    } + fixed32(8, 1)

  @Test func protobufBecomesColumns() throws {
    let scope = OTLPTests.message {
      $0.append(1, text: "shop.cart")
      $0.append(2, text: "1.0")
      $0.append(3, bytes: OTLPTests.pair("s", OTLPTests.text("v")))
    }
    let body = OTLPTests.export(
      OTLPTests.record,
      resource: [
        OTLPTests.pair("service.name", OTLPTests.text("shop")),
        OTLPTests.pair("deployment.environment.name", OTLPTests.text("prod")),
      ], scope: scope)
    let records = try OTLPLogs().decode(body, .protobuf, now: OTLPTests.now)
    #expect(records.refusedCount == 0 && records.batch?.fields == Dataset.logs.schema.declaredFields)
    #expect(
      OTLPTests.lines(records) == [
        "1764504000000000001|WARN|a \"line\"\n\u{1}|shop|prod|0af70101010101010101010101010101|null|"
          + #"{"service.name":"shop","deployment.environment.name":"prod"}|"#
          + #"{"scope_name":"shop.cart","scope_version":"1.0","scope_attributes":{"s":"v"},"#
          + #""severity_text":"warning","severity_number":13,"event_name":"cart.add","flags":1,"#
          + #""observed_timestamp":"2025-11-30T12:00:00.000000002Z","n":-7,"ok":true,"d":0.25,"nan":"NaN","#
          + #""raw":"AP8=","list":["x",null],"twice":"last"}"#
      ])
  }

  /// As opentelemetry-exporter-otlp-json-http sends it, and with what else the form allows.
  @Test func jsonSaysTheSame() throws {
    let records = try OTLPTests.json(
      #"""
      {"resourceLogs": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}}]},
      "scopeLogs": [{"scope": {"name": "shop.cart", "version": "1.0"}, "logRecords": [
      {"timeUnixNano": "1764504000000000001", "observedTimeUnixNano": "1764504000000000001",
       "severityNumber": 13, "severityText": "WARN", "body": {"kvlistValue": {"values": [
          {"key": "n", "value": {"intValue": "7"}}, {"key": "ok", "value": {"boolValue": true}},
          {"key": "bytes", "value": {"bytesValue": "AP8="}}]}},
       "attributes": [{"key": "http.status", "value": {"intValue": 503}},
          {"key": "dur", "value": {"doubleValue": 0.25}},
          {"key": "inf", "value": {"doubleValue": "-Infinity"}}],
       "traceId": "0AF7651916CD43DD8448EB211C80319C", "spanId": "b7ad6b7169203331",
       "eventName": "cart.add", "unknown": [1]},
      {"observedTimeUnixNano": 1764504000000000002, "severityNumber": 0, "severityText": "hot",
       "traceId": ""}, {}]}]}]}
      """#)
    let labels = #"{"service.name":"shop"}"#
    let scope = #""scope_name":"shop.cart","scope_version":"1.0""#
    #expect(
      OTLPTests.lines(records) == [
        "1764504000000000001|WARN|cart.add|shop|null|"
          + "0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331|" + labels + "|{" + scope
          + #","severity_number":13,"event_name":"cart.add","body":{"n":7,"ok":true,"bytes":"AP8="},"#
          + #""http.status":503,"dur":0.25,"inf":"-Infinity"}"#,
        "1764504000000000002|hot||shop|null|null|null|\(labels)|{\(scope)}",
        "7|null||shop|null|null|null|\(labels)|{\(scope)}",
      ])
  }

  /// What a record says itself goes before what is ours to say.
  @Test func attributesGoBeforeOurWords() throws {
    let records = try OTLPTests.json(
      #"""
      {"resourceLogs":[{"scopeLogs":[{"scope":{"name":"s"},"logRecords":[
        {"severityNumber":9,"eventName":"e","body":{"stringValue":"b"},"attributes":[
          {"key":"severity_number","value":{"stringValue":"own"}},{"key":"event_name","value":{}},
          {"key":"scope_name","value":{"stringValue":"own"}}]}]}]}]}
      """#
    )
    #expect(
      OTLPTests.lines(records) == [
        #"7|INFO|b|null|null|null|null|null|{"severity_number":"own","event_name":null,"scope_name":"own"}"#
      ])
  }

  @Test func nothingIsNothing() throws {
    #expect(try OTLPLogs().decode([], .protobuf, now: 0).batch == nil)
    #expect(try OTLPTests.json("{}").batch == nil)
    #expect(try OTLPTests.json(#"{"resourceLogs":[{"scopeLogs":[{}]}]}"#).batch == nil)
  }

  @Test func badRecordsAreLeftOut() throws {
    let late = OTLPTests.fixed64(1, 1 << 63)
    let deep = (0..<40).reduce(OTLPTests.text("x")) { value, _ in
      OTLPTests.message { writer in
        writer.append(5, bytes: OTLPTests.message { $0.append(1, bytes: value) })
      }
    }
    let nested = OTLPTests.message { $0.append(6, bytes: OTLPTests.pair("deep", deep)) }
    let long = OTLPTests.message { $0.append(5, bytes: OTLPTests.text(String(repeating: "x", count: 2_000))) }
    var limits = DecodingLimits()
    limits.entryBytesMax = 1_000
    let records = try OTLPLogs(limits: limits).decode(
      OTLPTests.export(OTLPTests.record, late, nested, long, OTLPTests.record), .protobuf, now: 0)
    #expect(records.batch?.rowCount == 2 && records.refusedCount == 3)
    #expect(
      records.refusals == [PushedRecords.Refusal(record: 1, reason: "a time that is not before 2262-04-11")])
  }

  @Test(arguments: [
    "", "[]", "{", #"{"resourceLogs":{}}"#,
    #"{"message":"hi"}"#, #"{"resource_logs":[]}"#, OTLPTests.json(of: #"{"body":"text"}"#),
    OTLPTests.json(of: #"{"timeUnixNano":"x"}"#),
    OTLPTests.json(of: #"{"timeUnixNano":-1}"#),
    OTLPTests.json(of: #"{"severityText":7}"#),
    OTLPTests.json(of: #"{"attributes":[{"key":"a","value":{"intValue":"x"}}]}"#),
  ])
  func otherJSONIsRefused(_ text: String) {
    #expect { try OTLPTests.json(text) } throws: { error in
      if case PushFault.malformed = error { true } else { false }
    }
  }

  /// Cut anywhere it is refused, or what comes before the cut; never a trap.
  @Test func anyCutIsAnError() {
    let body = OTLPTests.export(OTLPTests.record, resource: [OTLPTests.pair("a", OTLPTests.text("b"))])
    for end in 1..<body.count {
      #expect(throws: PushFault.self, "\(end)") {
        try OTLPLogs().decode(Array(body[..<end]), .protobuf, now: 0)
      }
    }
  }

  @Test(arguments: [0x0B, 0x0C, 0x0E, 0x0F, 0x00, 0x80] as [UInt8])
  func otherBytesAreRefused(_ first: UInt8) {
    #expect(throws: PushFault.self) { try OTLPLogs().decode([first, 0xFF, 0xFF], .protobuf, now: 0) }
  }

  @Test func secretsAreHidden() throws {
    let logs = OTLPLogs(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
    let body = OTLPTests.export(
      OTLPTests.message { writer in
        writer.append(5, bytes: OTLPTests.text("card 4111 1111 1111 1111"))
        writer.append(6, bytes: OTLPTests.pair("password", OTLPTests.text("hunter2")))
      })
    let line = try OTLPTests.lines(logs.decode(body, .protobuf, now: 0)).joined()
    #expect(!line.contains("4111") && !line.contains("hunter2"), "\(line)")
  }

  @Test func memoryIsTakenAndGivenBack() throws {
    let budget = AmplificationTests.Budget(bytesMax: 1 << 20)
    let body = OTLPTests.json(of: #"{"body":{"stringValue":"hi"}}"#)
    #expect(try OTLPTests.json(body, within: budget.memory).batch?.rowCount == 1)
    #expect(budget.used == 0)
    #expect(throws: PushFault.tooLarge) { try OTLPTests.json(body, within: .exhausted) }
    let none = DecodingMemory(bytesMax: .max, take: { _ in false }, give: { _ in })
    #expect(throws: PushFault.busy) { try OTLPTests.json(body, within: none) }
    #expect(throws: PushFault.malformed("not JSON: at byte 0: the text ends early")) {
      try OTLPTests.json("", within: budget.memory)
    }
    #expect(budget.used == 0)
  }

  /// What would take more than the names a list may have is left out, in linear time.
  @Test func manyNamesAreRefused() throws {
    func pairs(_ count: Int, of field: Int, _ name: (Int) -> String) -> [UInt8] {
      OTLPTests.message { writer in
        for number in 0..<count { writer.append(field, bytes: OTLPTests.pair(name(number), [])) }
      }
    }
    let many = pairs(40_000, of: 6) { "a\($0)" }
    let twice = pairs(40_000, of: 6) { "a\($0 % 900)" }
    let body = OTLPTests.message { writer in
      writer.append(5, bytes: OTLPTests.message { $0.append(6, bytes: pairs(2_000, of: 1) { "b\($0)" }) })
    }
    let records = try OTLPLogs().decode(
      OTLPTests.export(many, twice, body, OTLPTests.record), .protobuf, now: 0)
    #expect(records.batch?.rowCount == 2 && records.refusedCount == 2)
    #expect(records.refusals.first?.reason == "more than 1000 attributes")
    let resource = (0..<2_000).map { OTLPTests.pair("r\($0)", []) }
    #expect(throws: PushFault.badRecord("more than 1000 attributes of a resource")) {
      try OTLPLogs().decode(OTLPTests.export(OTLPTests.record, resource: resource), .protobuf, now: 0)
    }
  }

  /// An empty record takes two bytes: there may be so many and no more.
  @Test func manyRecordsAreRefused() {
    let records = OTLPTests.message { writer in for _ in 0..<200_000 { writer.append(2, bytes: []) } }
    let body = OTLPTests.message { $0.append(1, bytes: OTLPTests.message { $0.append(2, bytes: records) }) }
    #expect(throws: PushFault.tooLarge) { try OTLPLogs().decode(body, .protobuf, now: 0) }
    // The same bytes as empty scopes.
    let scopes = OTLPTests.message { $0.append(1, bytes: records) }
    #expect(throws: PushFault.tooLarge) { try OTLPLogs().decode(scopes, .protobuf, now: 0) }
  }

  /// No bytes trap, whatever they are.
  @Test func hostileBytesAreErrors() {
    var random = SeededGenerator(seed: 5)
    let good = OTLPTests.export(
      OTLPTests.record, resource: [OTLPTests.pair("service.name", OTLPTests.text("shop"))],
      scope: OTLPTests.text("scope"))
    let text = Array(
      OTLPTests.json(of: #"{"timeUnixNano":"1","body":{"arrayValue":{"values":[{"intValue":"1"}]}}}"#).utf8)
    for _ in 0..<2_000 {
      for (body, form) in [(good, OTLPLogs.Form.protobuf), (text, .json)] {
        let bytes = body.damaged(&random)
        do throws(PushFault) {
          let records = try OTLPLogs().decode(bytes, form, now: 0)
          #expect(records.batch.map { $0.rowCount > 0 } ?? true)
        } catch {}
      }
    }
  }
}
