import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Bodies of Elasticsearch's bulk.
@Suite struct BulkTests {
  static let now: Int64 = 7

  static func decode(
    _ body: String, index: String = "", limits: DecodingLimits = DecodingLimits(),
    within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> BulkRequest.Decoded {
    try BulkRequest(limits: limits).decode(Array(body.utf8), index: index, now: now, within: memory)
  }

  static func lines(_ decoded: BulkRequest.Decoded) -> [String] {
    guard let batch = decoded.batch else { return [] }
    return (0..<batch.rowCount).map { row in batch.columns.map { $0.cell(row) }.joined(separator: "|") }
  }

  /// As elasticsearch-py, rsyslog and syslog-ng write it: blanks, types, empty lines, carriage returns.
  @Test func documentsBecomeRecords() throws {
    let decoded = try BulkTests.decode(
      #"""
      {"create":{"_index":"logs-shop-default"}}
      {"@timestamp":"2025-11-30T12:00:00.000Z","message":"line 0 é","level":"info","n":0}
      {"index":{"_index": "rsyslog","_type":"events", "_id": "a\"b"}}\#r
      {"MESSAGE":"m","PRIORITY":4,"service":"own"}\#r

      {"index":{"_index":"logs-generic-default"}}
      {}

      """#)
    #expect(decoded.items.map(\.action) == ["create", "index", "index"])
    #expect(decoded.items.map(\.id) == [nil, "a\"b", nil] && decoded.items.allSatisfy { $0.refusal == nil })
    #expect(
      BulkTests.lines(decoded) == [
        #"1764504000000000000|INFO|line 0 é|shop|null|null|null|{"index":"logs-shop-default"}|"#
          + #"{"level":"info","n":0}"#,
        #"7|WARN|m|own|null|null|null|{"index":"rsyslog"}|{"_id":"a\"b","PRIORITY":4}"#,
        #"7|null||null|null|null|null|{"index":"logs-generic-default"}|{}"#,
      ])
  }

  /// Each that is refused is told in its place, and the others are stored.
  @Test func badDocumentsAreLeftOut() throws {
    var limits = DecodingLimits()
    limits.entryBytesMax = 300
    let long = String(repeating: "x", count: 400)
    let decoded = try BulkTests.decode(
      """
      {"create":{}}
      {"message":"0"}
      {"delete":{"_id":"1"}}
      {"update":{"_id":"2"}}
      {"doc":{"message":"2"}}
      {"create":{}}
      {"message":
      {"create":{}}
      {"message":"4 \(long)"}
      {"create":{}}
      [5]
      {"create":{}}
      {"a":1} {"b":2}
      {"create":{}}
      {"_id":"twice"}
      {"create":{"_id":"8"}}
      {"_id":"twice"}
      {"create":{}}
      {"message":"9"}
      {"create":{}}
      """, index: "i", limits: limits)
    #expect(BulkTests.lines(decoded).map { $0.split(separator: "|")[2] } == ["0", "null", "9"])
    #expect(
      decoded.items.map { $0.refusal?.reason } == [
        nil, "records are deleted by POST /v1/delete", "records are never changed: use create or index",
        "[1:12] failed to parse: a comma or the object's end", "the entry is larger than 300 bytes",
        "[1:1] not a JSON object", "a document is one line", nil,
        "_id: the name is there twice: in one object, or beside the object that takes other members and "
          + "in it",
        nil, "the document is missing",
      ])
  }

  /// Refusals on the way and refusals of the decoder are told of the documents they are of.
  @Test(arguments: [
    "{\"delete\":{}}\n", "{\"update\":{}}\n{}\n", "{\"create\":{}}\n{\n", "",
  ])
  func refusalsAreOfTheirDocuments(first: String) throws {
    var limits = DecodingLimits()
    limits.entryBytesMax = 300
    let long = String(repeating: "x", count: 400)
    let decoded = try BulkTests.decode(
      first + "{\"create\":{}}\n{\"message\":\"\(long)\"}\n{\"create\":{}}\n{\"message\":\"kept\"}\n",
      index: "i", limits: limits)
    #expect(decoded.items.suffix(2).map { $0.refusal == nil } == [false, true])
    #expect(decoded.items.count == (first.isEmpty ? 2 : 3) && decoded.batch?.rowCount == 1)
  }

  @Test func actionsAreShort() {
    let body = "{\"create\":{\"a\":[\(String(repeating: "1,", count: 3_000))1]}}\n{}\n"
    #expect(throws: PushFault.malformed("action 0: more than 4096 bytes")) { try BulkTests.decode(body) }
  }

  @Test func withoutAnIndexNothingIsStored() throws {
    let decoded = try BulkTests.decode("{\"create\":{}}\n{\"message\":\"m\"}\n")
    #expect(
      decoded.batch == nil
        && decoded.items.map { $0.refusal?.reason } == [
          "index is missing: name it in the action, or in the path (/app/_bulk)"
        ])
  }

  @Test(arguments: [
    "x\n", "[]\n", "{}\n", #"{"create":1}"#, #"{"create":{},"index":{}}"#, #"{"upsert":{}}"#,
    "{\"create\":{}",
    "{\"create\":{\"_index\":\"\(String(repeating: "x", count: 256))\"}}\n{}",
  ])
  func otherActionsEndIt(_ body: String) {
    #expect { try BulkTests.decode(body) } throws: { error in
      if case PushFault.malformed = error { true } else { false }
    }
  }

  @Test func nothingIsTold() {
    #expect(throws: PushFault.empty) { try BulkTests.decode("\n \r\n") }
    #expect(throws: PushFault.empty) { try BulkTests.decode("") }
  }

  @Test func boundsHold() throws {
    var limits = DecodingLimits()
    limits.entriesMax = 2
    let document = "{\"create\":{}}\n{\"message\":\"m\"}\n"
    #expect(try BulkTests.decode(document + document, index: "i", limits: limits).batch?.rowCount == 2)
    #expect(throws: PushFault.tooLarge) {
      try BulkTests.decode(document + document + document, index: "i", limits: limits)
    }
    let budget = AmplificationTests.Budget(bytesMax: 1 << 20)
    #expect(try BulkTests.decode(document, index: "i", within: budget.memory).batch?.rowCount == 1)
    #expect(
      throws: PushFault.malformed(
        "action 1: expected an object with one action, as {\"create\":{\"_index\":\"app\"}}")
    ) {
      try BulkTests.decode(document + "{}", index: "i", within: budget.memory)
    }
    #expect(budget.used == 0)
    let none = DecodingMemory(bytesMax: .max, take: { _ in false }, give: { _ in })
    #expect(throws: PushFault.busy) { try BulkTests.decode(document, index: "i", within: none) }
  }

  @Test func unreadableTimesAreCounted() throws {
    let decoded = try BulkTests.decode("{\"create\":{}}\n{\"time\":\"noon\"}\n", index: "i")
    #expect(decoded.unreadableTimeCount == 1)
    #expect(BulkTests.lines(decoded) == [#"7|null||null|null|null|null|{"index":"i"}|{"time":"noon"}"#])
  }

  @Test func secretsAreHidden() throws {
    let request = BulkRequest(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
    let body = "{\"create\":{}}\n{\"msg\":\"card 4111 1111 1111 1111\",\"password\":\"hunter2\"}\n"
    let line = try BulkTests.lines(request.decode(Array(body.utf8), index: "i", now: 0)).joined()
    #expect(!line.contains("4111") && !line.contains("hunter2"), "\(line)")
  }

  /// No bytes trap, whatever they are, and each action has an item.
  @Test func hostileBytesAreErrors() {
    var random = SeededGenerator(seed: 6)
    let good = Array(
      "{\"create\":{\"_id\":\"1\"}}\n{\"time\":\"Nov 30 12:00:00\",\"log\":{}}\n{\"index\":{}}\n{}\n".utf8)
    for _ in 0..<3_000 {
      do throws(PushFault) {
        let decoded = try BulkRequest().decode(good.damaged(&random), index: "i", now: 0)
        #expect((decoded.batch?.rowCount ?? 0) == decoded.items.count { $0.refusal == nil })
      } catch {}
    }
  }
}
