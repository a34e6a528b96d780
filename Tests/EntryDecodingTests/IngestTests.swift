import Codecs
import Decoding
import EntryDecoding
import Foundation
import Masking
import Records
import TestKit
import Testing

/// Bodies of the ingest API in pieces.
enum Ingest {
  static let valid: [(String, String)] = [
    ("timestamp", #""2025-09-24T12:00:00.000Z""#), ("level", #""ERROR""#), ("message", #""Payment failed""#),
    ("service", #""payments-api""#), ("env", #""prod""#),
    ("metadata", #"{"order_id":"O-123","amount":12000}"#),
  ]

  /// A valid entry with some members replaced, added or (nil) left out.
  static func entry(_ changes: [String: String?] = [:]) -> String {
    var members = valid.filter { changes[$0.0] == nil }
    for (key, value) in changes.sorted(by: { $0.key < $1.key }) {
      if let value { members.append((key, value)) }
    }
    return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  static func body(_ entries: [String]) -> [UInt8] {
    Array("{\"entries\":[\(entries.joined(separator: ","))]}".utf8)
  }

  static let noMasking = MaskingPlan.none
  static let fullMasking = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)

  /// What both ways say, which must be the same.
  static func decode(
    _ body: [UInt8], _ masking: MaskingPlan = noMasking, _ limits: IngestLimits = IngestLimits()
  ) throws(ValidationFailure) -> IngestBatch {
    let decoder = IngestDecoder(limits: limits)
    let quick = decoder.scan(body, masking: masking)
    let thorough = try decoder.readTree(body, masking: masking)
    if let quick {
      #expect(rows(quick) == rows(thorough))
      #expect(quick.idempotencyKey == thorough.idempotencyKey)
      #expect(quick.maskedCounts == thorough.maskedCounts)
      #expect(quick.maskingFailedCount == thorough.maskingFailedCount)
    }
    return quick ?? thorough
  }

  static func rows(_ batch: IngestBatch) -> [[String: String]] { batch.records.cells }

  static func errors(
    _ body: [UInt8], _ masking: MaskingPlan = noMasking, _ limits: IngestLimits = IngestLimits()
  ) -> [ValidationError] {
    #expect(IngestDecoder(limits: limits).scan(body, masking: masking) == nil)
    do {
      _ = try IngestDecoder(limits: limits).decode(body, masking: masking)
      return []
    } catch {
      return error.errors
    }
  }

  /// `entries.0.level: enum: Input should be …`.
  static func text(_ error: ValidationError) -> String {
    let place = error.place.dropFirst().map { step in
      switch step {
      case .name(let name): name
      case .index(let index): "\(index)"
      }
    }
    return "\(place.joined(separator: ".")): \(error.type): \(error.message)"
  }
}

struct IngestAcceptTests {
  @Test func aPlainBodyGoesTheQuickWay() throws {
    let body = Ingest.body([
      Ingest.entry(), Ingest.entry(["trace_id": #""t""#, "labels": #"{"region":"eu"}"#]),
    ])
    let batch = try #require(IngestDecoder().scan(body, masking: Ingest.fullMasking))
    #expect(batch.entryCount == 2 && batch.idempotencyKey == nil && batch.maskedCounts.isEmpty)
    #expect(
      Ingest.rows(batch)[1] == [
        "timestamp": "1758715200000000000", "level": "ERROR", "message": "Payment failed",
        "service": "payments-api", "env": "prod", "trace_id": "t", "labels": #"{"region":"eu"}"#,
        "metadata": #"{"order_id":"O-123","amount":12000}"#,
      ])
    #expect(batch.records.fields == Dataset.logs.schema.declaredFields)
  }

  @Test(
    arguments: [
      ["labels": "[]"], ["metadata": "[ ]"], ["labels": "{}"], ["labels": "null", "metadata": "null"],
      ["metadata": nil],
      ["extra": #"{"a":[1,"\u0000"]}"#], ["trace_id": #""""#], ["message": #""\u00fc\n\"""#],
      ["metadata": #"{"a":{"b":{"c":{"d":{"e":1}}}}}"#], ["timestamp": "1758715200"],
      ["timestamp": "1758715200000"],
      ["timestamp": #""2025-09-24T12:00:00""#], ["timestamp": #""2025-09-24""#],
      ["timestamp": #""1758715200""#],
      ["labels": #"{"service":"a","env":"b","level":"c","schema_version":"d","region":"e","tenant":"f"}"#],
    ] as [[String: String?]])
  func isTaken(_ changes: [String: String?]) throws {
    let batch = try Ingest.decode(Ingest.body([Ingest.entry(), Ingest.entry(changes), Ingest.entry()]))
    #expect(batch.entryCount == 3)
    let found = Ingest.rows(batch)
    #expect(found[0] == found[2])
    if changes["labels"] == "[]" { #expect(found[1]["labels"] == "{}") }
    if changes["metadata"] == "[ ]" { #expect(found[1]["metadata"] == "{}") }
  }

  @Test func lengthsAtTheirBounds() throws {
    let long: [String: String?] = [
      "message": "\"\(String(repeating: "ü", count: 8_192))\"",
      "service": "\"\(String(repeating: "a", count: 64))\"",
      "env": "\"\(String(repeating: "-", count: 32))\"",
      "trace_id": "\"\(String(repeating: "😀", count: 128))\"",
      "span_id": "\"\(String(repeating: "\\u00fc", count: 64))\"",
      "labels": "{\"tenant\":\"\(String(repeating: "ü", count: 64))\"}",
    ]
    #expect(try Ingest.decode(Ingest.body([Ingest.entry(long)])).entryCount == 1)
  }

  @Test func theBodysOwnMembers() throws {
    let entries = "\"entries\":[\(Ingest.entry())]"
    for (text, key) in [
      ("{\(entries),\"idempotency_key\":\"k1\"}", "k1"),
      (" { \"idempotency_key\" : \"k\" ,\(entries) } ", "k"),
      ("{\(entries),\"idempotency_key\":null}", nil),
      ("\u{FEFF}{\(entries),\"idempotency_\\u006bey\":\"\\u00fc\"}", "ü"),
      (
        "{\(entries),\"idempotency_key\":\"\(String(repeating: "k", count: 128))\"}",
        String(repeating: "k", count: 128)
      ),
    ] as [(String, String?)] {
      let batch = try Ingest.decode(Array(text.utf8))
      #expect(batch.idempotencyKey == key && batch.entryCount == 1, "\(text)")
    }
  }

  @Test(arguments: [
    ("{\"x\":[{}],ENTRIES}", "x: extra_forbidden"),
    ("{\"entrys\":[],ENTRIES}", "entrys: extra_forbidden"),
    ("{ENTRIES,\"entries\":[]}", "entries: value_error"),
    ("{ENTRIES,\"idempotency_key\":\"a\",\"idempotency_\\u006bey\":\"b\"}", "idempotency_key: value_error"),
  ])
  func theBodysMembersAreNamed(_ body: String, _ expected: String) {
    let entries = "\"entries\":[\(Ingest.entry())]"
    let errors = Ingest.errors(Array(body.replacing("ENTRIES", with: entries).utf8))
    #expect(errors.first.map(Ingest.text)?.hasPrefix(expected) == true, "\(errors)")
  }

  @Test func fiveHundredAreTheMost() throws {
    #expect(try Ingest.decode(Ingest.body([String](repeating: Ingest.entry(), count: 500))).entryCount == 500)
    let errors = Ingest.errors(Ingest.body([String](repeating: Ingest.entry(), count: 501)))
    #expect(
      errors.map(Ingest.text) == [
        "entries.entries: too_long: List should have at most 500 items after validation, not 501"
      ])
  }
}

struct IngestRejectTests {
  static let levels = "Input should be 'DEBUG', 'INFO', 'WARN', 'ERROR' or 'FATAL'"
  static func long(_ count: Int, _ text: String = "x") -> String {
    "\"\(String(repeating: text, count: count))\""
  }

  @Test(
    arguments: [
      (["message": nil], "message: missing: Field required"),
      (["timestamp": "null"], "timestamp: datetime_type: Input should be a valid datetime"),
      (["timestamp": "true"], "timestamp: datetime_type: Input should be a valid datetime"),
      (["level": "5"], "level: enum: \(levels)"), (["level": "null"], "level: enum: \(levels)"),
      (["level": #""ERROR ""#], "level: enum: \(levels)"),
      (["message": "null"], "message: string_type: Input should be a valid string"),
      (["message": long(8_193, "ü")], "message: string_too_long: String should have at most 8192 characters"),
      (["message": #""a\u0000b""#], "message: value_error: Value error, NUL is not allowed in text"),
      (["mess\\u0061ge": #""x""#], "message: value_error: Value error, \"message\" is twice in one object"),
      (
        ["labels": #"{"region":"a","region":"b"}"#],
        "labels.region: value_error: Value error, \"region\" is twice in one object"
      ),
      (
        ["metadata": #"{"a":1,"\u0061":2}"#],
        "metadata.a: value_error: Value error, \"a\" is twice in one object"
      ),
      (
        ["metadata": #"{"b":[{"a":1,"a":{}}]}"#],
        "metadata.a: value_error: Value error, \"a\" is twice in one object"
      ),
      (["env": #""a b""#], "env: string_pattern_mismatch: String should match pattern '^[a-z0-9-]+$'"),
      (["env": #""a\n""#], "env: string_pattern_mismatch: String should match pattern '^[a-z0-9-]+$'"),
      (["trace_id": "5"], "trace_id: string_type: Input should be a valid string"),
      (["labels": #"{"region":null}"#], "labels.region: string_type: Input should be a valid string"),
      (["labels": "[1]"], "labels: dict_type: Input should be a valid dictionary"),
      (["metadata": #""x""#], "metadata: dict_type: Input should be a valid dictionary"),
      (["metadata": #"{"a":"\u0000"}"#], "metadata: value_error: Value error, NUL is not allowed in text"),
      (["metadata": #"{"\u0000":1}"#], "metadata: value_error: Value error, NUL is not allowed in text"),
      (
        ["metadata": #"{"a":[[[[[1]]]]]}"#],
        "metadata: value_error: Value error, Metadata nesting too deep (max 5 levels)"
      ),
      (
        ["labels": #"{"region":\#(long(65))}"#],
        "labels: value_error: Value error, Label value for 'region' exceeds 64 character limit"
      ),
      (
        ["labels": #"{"s3cret":"x"}"#],
        "labels: value_error: Value error, Label key not in allowed list: "
          + "{'service', 'env', 'level', 'schema_version', 'region', 'tenant'}"
      ),
    ] as [([String: String?], String)])
  func isRefused(_ changes: [String: String?], _ expected: String) {
    for masking in [Ingest.noMasking, Ingest.fullMasking] {
      let errors = Ingest.errors(Ingest.body([Ingest.entry(), Ingest.entry(changes)]), masking)
      #expect(errors.map(Ingest.text) == ["entries.1.\(expected)"])
      #expect(!"\(errors)".contains("s3cret"))
    }
  }

  @Test func allFaultsAreToldInTheOrderOfTheFields() {
    let body = Array(
      #"{"entries":[{"metadata":1,"level":"x"},7,\#(Ingest.entry())],"idempotency_key":5}"#.utf8)
    #expect(
      Ingest.errors(body).map { Ingest.text($0).split(separator: ":")[0] } == [
        "entries.0.timestamp", "entries.0.level", "entries.0.message", "entries.0.service", "entries.0.env",
        "entries.0.metadata", "entries.1", "idempotency_key",
      ])
  }

  @Test(arguments: [
    ("", ": missing: Field required"), ("{bad", "1: json_invalid: JSON decode error"),
    ("{\"ü\":}", "5: json_invalid: JSON decode error"),
    ("[]", ": model_attributes_type: Input should be a valid dictionary or object to extract fields from"),
    ("{}", "entries: missing: Field required"),
    ("{\"entries\":{}}", "entries: list_type: Input should be a valid list"),
    (
      "{\"entries\":[]}",
      "entries.entries: too_short: List should have at least 1 item after validation, not 0"
    ),
  ])
  func brokenBodies(_ body: String, _ expected: String) {
    #expect(Ingest.errors(Array(body.utf8)).map(Ingest.text) == [expected])
  }

  @Test func sizesOfEntriesAndBatches() {
    var limits = IngestLimits()
    limits.entryBytesMax = Ingest.entry().utf8.count
    #expect(throws: Never.self) { try Ingest.decode(Ingest.body([Ingest.entry()]), Ingest.noMasking, limits) }
    limits.entryBytesMax -= 1
    #expect(
      Ingest.errors(Ingest.body([" " + Ingest.entry()]), Ingest.noMasking, limits).map(Ingest.text) == [
        "entries.0: value_error: Value error, Entry size exceeds \(limits.entryBytesMax) bytes limit"
      ])
    limits = IngestLimits()
    limits.batchBytesMax = Ingest.entry().utf8.count * 2
    #expect(throws: Never.self) {
      try Ingest.decode(Ingest.body([Ingest.entry(), Ingest.entry()]), Ingest.noMasking, limits)
    }
    let three = Ingest.body([Ingest.entry(), Ingest.entry(), Ingest.entry()])
    #expect(Ingest.errors(three, Ingest.noMasking, limits).map(\.type) == ["value_error"])
    let entry = Ingest.entry([
      "message": "\"x\"", "metadata": "{\"x\":\"\(String(repeating: "y", count: 40_000))\"}",
    ])
    #expect(
      Ingest.errors(Ingest.body([entry])).map(Ingest.text) == [
        "entries.0: value_error: Value error, Entry size exceeds 32KB limit"
      ])
  }

  /// Nothing of these is accepted, whatever the reason; nothing traps.
  @Test func hostileBodies() {
    let deep = String(repeating: "[", count: 5_000)
    let bodies = [
      Array("{\"entries\":\(deep)".utf8), Ingest.body([Ingest.entry(["metadata": "{\"a\":\(deep)"])]),
      Ingest.body([
        Ingest.entry(["metadata": "{\"a\":\(deep)1\(deep.replacingOccurrences(of: "[", with: "]"))}"])
      ]),
      Ingest.body([Ingest.entry(["message": "\"\\ud800\""])]),
      Ingest.body([Ingest.entry(["message": "\"\u{1}\""])]),
      Array(Ingest.body([Ingest.entry()]).dropLast()), Ingest.body([Ingest.entry()]) + [0x7D],
      Ingest.body([String(repeating: "{", count: 1_000)]),
      Array("{\"entries\":[{\"message\":\"".utf8) + [0xFF, 0x22],
      [0xFF, 0xFE, 0x7B, 0x00], [0], [0xEF, 0xBB, 0xBF], [UInt8](repeating: 0x20, count: 3 << 20),
      Ingest.body(["{" + (0..<1_100).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"]),
      Ingest.body([String](repeating: "{}", count: 400)),
    ]
    for body in bodies {
      let errors = Ingest.errors(body)
      #expect(!errors.isEmpty && errors.count <= ValidationFailure.errorsMax)
    }
  }
}

struct IngestGoldenTests {
  static let shared =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path + "/../shared"

  /// What the original answered to each body, but for the decided differences: `[]` for labels, and the
  /// entry's size.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: shared + "/golden/004-logstack.jsonl")))
  func answersAreTheOriginals() throws {
    let text = try String(
      contentsOfFile: IngestGoldenTests.shared + "/golden/004-logstack.jsonl", encoding: .utf8)
    var checked = 0
    for line in text.split(separator: "\n") {
      let exchange = try JSONTree(parsing: Array(line.utf8))
      guard case .int64(let number)? = exchange["n"], (15...63).contains(number), number != 21,
        exchange["request"]?["path"] == .string("/v1/logs:ingest"),
        exchange["request"]?["method"] == .string("POST"), let sent = exchange["request"]?["body"],
        case .int64(let status)? = exchange["response"]?["status"]
      else { continue }
      var body = Array(sent.text.utf8)
      if case .string(let text) = sent { body = Array(text.utf8) }
      checked += 1
      if status == 202, number != 59 {
        #expect(throws: Never.self, "exchange \(number)") { try Ingest.decode(body, Ingest.fullMasking) }
        continue
      }
      if number == 50 {
        #expect(throws: Never.self) { try Ingest.decode(body) }
        continue
      }
      let found = Ingest.errors(body)
      guard case .array(let details)? = exchange["response"]?["body"]?["detail"] else {
        #expect(number == 59 && !found.isEmpty)
        continue
      }
      #expect(found.count == details.count, "exchange \(number): \(found)")
      for (error, detail) in zip(found, details) {
        #expect(.string(error.type) == detail["type"], "exchange \(number)")
        #expect(.array(error.place.map(IngestGoldenTests.tree)) == detail["loc"], "exchange \(number)")
        if case .string(let message)? = detail["msg"], !message.contains("allowed list") {
          #expect(error.message == message, "exchange \(number)")
        }
        #expect(error.context.isEmpty == (detail["ctx"] == nil), "exchange \(number)")
      }
    }
    #expect(checked > 40)
  }

  static func tree(_ place: ValidationPlace) -> JSONTree {
    switch place {
    case .name(let name): .string(name)
    case .index(let index): .int64(Int64(index))
    }
  }
}
