import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Random bodies of the ingest API, right and wrong, full of secrets.
struct IngestGenerator {
  static let secret = "c4n4ry"
  var generator: SeededGenerator
  /// Whether everything sent keeps the rules.
  var isValid = true

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
  mutating func pick<T>(_ values: [T]) -> T { values[roll(values.count)] }

  /// A JSON string, some of it escaped.
  mutating func string(_ text: String) -> String {
    let isPlain = roll(2) == 0
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" {
        result += "\\" + String(scalar)
      } else if scalar.value < 0x20 || (!isPlain && scalar.value < 0x1_0000 && roll(3) == 0) {
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      } else {
        result += String(scalar)
      }
    }
    return result + "\""
  }

  mutating func text() -> String {
    let parts = [
      "plain ", "ü ", "a \"quoted\" ", "\n", "bob.\(IngestGenerator.secret)@example.com ",
      "Bearer \(IngestGenerator.secret)\(IngestGenerator.secret) ", "4111 1111 1111 1111 ", "\\", "x=1 ",
      "@ ", "password=zz\(IngestGenerator.secret) ", "\"token\":\"zz11\(IngestGenerator.secret)\" ",
      "redis://:\(IngestGenerator.secret)@h:1/ ", "Cookie: a=\(IngestGenerator.secret); b ", "ghp_ ", "key= ",
      "DE89370400440532013000 ", "2025-09-24 ",
    ]
    return (0...roll(4)).map { _ in pick(parts) }.joined()
  }

  mutating func value(_ depth: Int) -> String {
    switch roll(depth > 0 ? 9 : 7) {
    case 0: return "\(roll(1_000))"
    case 1: return pick(["true", "false", "null", "1.50", "-0", "1e3"])
    case 2...6: return string(text())
    case 7: return "[" + (0..<roll(4)).map { _ in value(depth - 1) }.joined(separator: ",") + "]"
    default: return object(depth - 1)
    }
  }

  mutating func object(_ depth: Int) -> String {
    let names = [
      "a", "b", "n", "password", "user_email", "api_key", "Authorization", "monkey", "list", "é", "name",
      "value",
      "key", "Val", "name", "value", "pаssword",
    ]
    var seen: Set<String> = []
    // A name twice is refused; that it is in some is left to chance.
    let chosen = (0..<roll(6)).map { _ in pick(names) }.filter { seen.insert($0).inserted || roll(20) == 0 }
    let members = chosen.map { name in
      let isHidden = ["password", "api_key", "Authorization"].contains(name)
      let isName = ["name", "key"].contains(name) && roll(4) > 0
      return string(name) + pick([":", " : "])
        + (isHidden
          ? string("zz" + IngestGenerator.secret)
          : isName ? string(pick(["Authorization", "password", "colour", "x"])) : value(depth))
    }
    return "{" + members.joined(separator: pick([",", " ,\n"])) + "}"
  }

  mutating func entry(breaking: Bool) -> String {
    var members = [
      (
        "timestamp",
        pick([
          #""2025-09-24T12:00:00.000Z""#, #""2025-09-24T12:00:00.123456789+02:00""#,
          #""2025-09-24T12:00:00.5""#,
          #""2025-09-24 12:00:00""#, "1758715200", "1758715200123", "1758715200.25", "-1e3", #""2025-09-24""#,
        ])
      ),
      ("level", string(pick(["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]))),
      ("message", string("m " + text())),
      ("service", string(pick(["api", "web-1"]))), ("env", string("prod")),
    ]
    if roll(2) == 0 { members.append(("trace_id", pick(["null", #""t1""#, string("Bearer abcdefgh")]))) }
    if roll(3) == 0 {
      members.append(("labels", pick(["{}", "[]", "null", #"{"region":"eu"}"#, #"{"tenant":"a@b.cd"}"#])))
    }
    if roll(4) != 0 { members.append(("metadata", object(2))) }
    if roll(5) == 0 { members.append((pick(["extra", "password"]), value(2))) }
    if breaking {
      let wrong = [
        ("timestamp", #""nope""#), ("timestamp", "5"), ("level", #""info""#), ("message", #""""#),
        ("service", #""A""#),
        ("env", "[]"), ("labels", #"{"x":"y"}"#), ("labels", #"{"region":1}"#), ("metadata", "3"),
        ("metadata", #"{"a":{"b":{"c":{"d":{"e":{}}}}}}"#), ("span_id", #""\u0000""#),
        ("message", #""\ud800""#),
      ]
      let wrongOne = pick(wrong)
      members.removeAll { $0.0 == wrongOne.0 }
      members.append(wrongOne)
      if roll(4) == 0 { members.remove(at: roll(members.count)) }
    }
    members.shuffle(using: &generator)
    return "{" + members.map { string($0.0) + ":" + $0.1 }.joined(separator: ",") + "}"
  }

  mutating func body() -> [UInt8] {
    let count = 1 + roll(4)
    let bad = roll(3) == 0 ? roll(count) : -1
    let entries = (0..<count).map { entry(breaking: $0 == bad) }
    return Array("{\"entries\" : [\(entries.joined(separator: pick([",", " , "])))]}".utf8)
  }
}

struct IngestPropertyTests {
  static func plans() throws -> [MaskingPlan] {
    var tight = MaskingRules()
    tight.operationsMax = 3
    var odd = MaskingRules()
    odd.baselineKeys = ["message", "env", "tenant", "metadata"]
    odd.partialRules = [.init("message", .keepPrefix(1))]
    odd.heuristics = .substring
    // Texts of any length, and what other detectors find too.
    var own = MaskingRules()
    own.ownDetectors = try PatternDetectors([
      .init(name: "pair", pattern: "([a-z]+)[=@:]"), .init(name: "short", pattern: "^.{2,4}$"),
      .init(name: "signs", pattern: "[^\\x00-\\x7F]+|\\\\"),
    ])
    return [.none] + [MaskingRules(), tight, odd, own].map { MaskingPlan($0, for: Dataset.logs.schema) }
  }

  /// Both ways give the same batch, and the quick one takes nothing that the thorough one refuses.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func bothWaysAgree(_ seed: UInt64) throws {
    var generator = IngestGenerator(seed: seed + 1)
    var quickCount = 0
    let plans = try IngestPropertyTests.plans()
    for round in 0..<300 {
      let body = generator.body()
      for (index, plan) in plans.enumerated() {
        let decoder = IngestDecoder()
        let quick = decoder.scan(body, masking: plan)
        var thorough: IngestBatch?
        do { thorough = try decoder.readTree(body, masking: plan) } catch {
          #expect(!error.errors.isEmpty)
        }
        guard let quick else { continue }
        quickCount += 1
        let isSame = thorough.map {
          Ingest.rows($0) == Ingest.rows(quick) && $0.maskedCounts == quick.maskedCounts
        }
        #expect(
          isSame == true,
          "seed \(seed) round \(round) plan \(index): \(String(decoding: body, as: UTF8.self))")
        if isSame != true { return }
      }
    }
    #expect(quickCount > 300)
  }

  /// No byte of a masked batch tells a secret, whichever way it was read and whatever its escapes.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func secretsReachNoColumn(_ seed: UInt64) throws {
    var generator = IngestGenerator(seed: seed + 100)
    let secrets = [IngestGenerator.secret, "1111 1111", "DE8937"].map { Array($0.utf8) }
    let masking = Ingest.fullMasking
    let records = RecordDecoder(
      schema: Dataset.audit.schema, masking: MaskingPlan(MaskingRules(), for: Dataset.audit.schema))
    let entries = EntryDecoder(
      .workflow, masking: MaskingPlan(MaskingRules(), for: Dataset.workflows.schema), limits: DecodingLimits()
    )
    var takenCount = 0
    for _ in 0..<200 {
      let body = generator.body()
      var batches: [RecordBatch] = []
      if let quick = IngestDecoder().scan(body, masking: masking) { batches.append(quick.records) }
      if let slow = try? IngestDecoder().readTree(body, masking: masking) { batches.append(slow.records) }
      let object = generator.object(3)
      let audit =
        "{\"user_id\":\"u\",\"action\":\"a\",\"metadata\":\(object),\"more\":\(object),\"token\":[\"c4n4ry\"]}"
      if let body = try? records.decode(Array(audit.utf8), format: .json, now: 0).batch {
        batches.append(body)
      }
      let workflow =
        "{\"environment\":\"production\",\"executed_at\":\"2026-01-01\",\"payload\":\(object),\"secret\":\"c4n4ry\",\"x\":\(object)}"
      if let body = try? entries.decode(entry: Array(workflow.utf8), now: 0) { batches.append(body) }
      takenCount += batches.count
      for batch in batches {
        for column in batch.columns where column.type.isText {
          let text = column.withText { _, bytes in bytes.indices.map { bytes[$0] } }
          for secret in secrets {
            #expect(
              !IngestPropertyTests.contains(text, secret),
              "seed \(seed): \(String(decoding: text, as: UTF8.self))")
          }
        }
      }
    }
    #expect(takenCount > 200)
  }

  static func contains(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
    guard text.count >= needle.count else { return false }
    return (0...text.count - needle.count).contains { text[$0..<$0 + needle.count].elementsEqual(needle) }
  }
}

struct IngestMaskingTests {
  @Test func rulesHoldForWhatWasSent() throws {
    let plan = keysPlan(masking: ["message", "service", "env", "level", "trace_id", "tenant"], for: .logs)
    let row = try #require(
      Ingest.rows(
        Ingest.decode(Ingest.body([Ingest.entry(["trace_id": "\"t\"", "labels": #"{"tenant":"x"}"#])]), plan)
      ).first)
    #expect(
      row["message"] == "****" && row["service"] == "****" && row["level"] == "****"
        && row["trace_id"] == "****")
    #expect(row["labels"] == #"{"tenant":"****"}"#)
    for changes in [
      ["message": "\"\""], ["service": "\"A\""], ["level": "\"x\""], ["trace_id": "5"],
      ["labels": #"{"tenant":5}"#],
      ["labels": #"{"tenant":"\#(String(repeating: "x", count: 65))"}"#], ["message": "7"],
    ] as [[String: String?]] {
      #expect(Ingest.errors(Ingest.body([Ingest.entry(changes)]), plan).count == 1, "\(changes)")
    }
  }

  @Test func hiddenObjectsAreNullAndStillChecked() throws {
    let plan = keysPlan(masking: ["metadata", "labels"], for: .logs)
    let batch = try IngestDecoder().decode(Ingest.body([Ingest.entry(["labels": "{}"])]), masking: plan)
    #expect(Ingest.rows(batch)[0]["metadata"] == nil && Ingest.rows(batch)[0]["labels"] == nil)
    #expect(
      batch.maskedCounts == [MaskedCount(rule: "metadata", count: 1), MaskedCount(rule: "labels", count: 1)])
    #expect(
      Ingest.errors(Ingest.body([Ingest.entry(["metadata": "\"x\""])]), plan).map(\.type) == ["dict_type"])
  }

  @Test func countsNameRulesOnly() throws {
    let metadata =
      #"{"password":"x","db_password":1,"user":{"email":"a@b.cd"},"m":"a@b.cd c@d.ef","phone":[1]}"#
    let batch = try Ingest.decode(
      Ingest.body([Ingest.entry(["metadata": metadata, "message": "\"Bearer abcdefgh\""])]),
      Ingest.fullMasking)
    #expect(
      batch.maskedCounts == [
        MaskedCount(rule: "email", count: 1), MaskedCount(rule: "password", count: 2),
        MaskedCount(rule: "phone", count: 1), MaskedCount(rule: "value:email", count: 2),
        MaskedCount(rule: "value:bearer", count: 1),
      ])
  }

  @Test func beyondTheBoundContentIsGivenUp() throws {
    var rules = MaskingRules()
    rules.operationsMax = 2
    let plan = MaskingPlan(rules, for: Dataset.logs.schema)
    let metadata = #"{"a":{"pwd":"s3cret"},"b":[{"pwd":"s3cret"},{"pwd":"s3cret"}],"c":"s3cret"}"#
    let body = Ingest.body([
      Ingest.entry(), Ingest.entry(["metadata": metadata, "trace_id": "\"s3cret\""]), Ingest.entry(),
    ])
    let batch = try Ingest.decode(body, plan)
    #expect(batch.maskingFailedCount == 1)
    let rows = Ingest.rows(batch)
    #expect(rows[0] == rows[2])
    #expect(
      rows[1] == [
        "timestamp": "1758715200000000000", "level": "ERROR", "service": "payments-api", "env": "prod",
        "message": "masking_failed", "trace_id": "masking_failed",
        "metadata":
          #"{"error":"masking_failed","original_keys":["timestamp","level","message","service","env","trace_id","metadata"]}"#,
      ])
  }

  /// The record decoder and the tree's decoder give up the same way.
  @Test func otherDecodersGiveUpToo() throws {
    var rules = MaskingRules()
    rules.operationsMax = 1
    let audit = MaskingPlan(rules, for: Dataset.audit.schema)
    let body =
      #"{"user_id":"u","action":"s3cret","resource_type":"r","resource_id":"1","severity":"INFO","metadata":{"pwd":1,"key":2}}"#
    let records = RecordDecoder(schema: Dataset.audit.schema, masking: audit)
    let decoded = try records.decode(Array(body.utf8), format: .json, now: 0)
    #expect(decoded.maskingFailedCount == 1 && decoded.maskedCounts.isEmpty)
    let row = try #require(decoded.batch?.cells.first)
    #expect(row["action"] == "masking_failed")
    #expect(row["metadata"]?.hasPrefix(#"{"error":"masking_failed","original_keys":["#) == true)
    let entries = EntryDecoder(.audit, masking: audit, limits: DecodingLimits())
    let other = EntryTests.row(try entries.decode(entry: Array(body.utf8), now: 0))
    #expect(other["action"] == "masking_failed" && other["severity"] == "INFO")
    #expect(other["metadata"]?.hasPrefix(#"{"error":"masking_failed","original_keys":["#) == true)
  }
}
