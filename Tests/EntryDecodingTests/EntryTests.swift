import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Entries of the audit and the workflow API.
@Suite struct EntryTests {
  static let audit = EntryDecoder(.audit, masking: .none, limits: DecodingLimits())
  static let workflow = EntryDecoder(.workflow, masking: .none, limits: DecodingLimits())

  /// `place: type` of each error.
  static func errors(_ decoder: EntryDecoder, _ body: String, isList: Bool = false) -> [String] {
    do throws(ValidationFailure) {
      if isList {
        _ = try decoder.decode(list: Array(body.utf8), now: 7)
      } else {
        _ = try decoder.decode(entry: Array(body.utf8), now: 7)
      }
    } catch {
      return error.errors.map { error in
        let place = error.place.map { part in
          switch part {
          case .name(let name): name
          case .index(let index): "\(index)"
          }
        }
        return place.joined(separator: ".") + ": " + error.type
      }
    }
    return []
  }

  static func row(_ batch: RecordBatch, _ row: Int = 0) -> [String: String] { batch.cells(row) }

  @Test func anAuditEntryBecomesARow() throws {
    let body = """
      {"action":"update","resource_type":"user","resource_id":"1","timestamp":"2025-06-26T01:23:45.678Z","ip_address":null,
       "before":{"a":1.0,"b":[{"c":null}]},"after":{},"severity":"INFO","id":"mine","tenant_id":"x","user_id":"y","extra":1}
      """
    let batch = try EntryTests.audit.decode(entry: Array(body.utf8), constants: ["user_id": "01"], now: 7)
    #expect(batch.fields == Dataset.audit.schema.declaredFields)
    #expect(
      EntryTests.row(batch) == [
        "timestamp": "1750901025678000000", "user_id": "01", "action": "update", "resource_type": "user",
        "resource_id": "1", "severity": "INFO", "before": #"{"a":1.0,"b":[{"c":null}]}"#, "after": "{}",
      ])
  }

  @Test func aWorkflowEntryKeepsWhatItDoesNotKnow() throws {
    let body = """
      {"environment":"staging","executed_at":1766572200,"execution_time_seconds":"4.5","trace":[1],"payload":{"trace":2,"x":3},"n":null}
      """
    let batch = try EntryTests.workflow.decode(entry: Array(body.utf8), now: 7)
    #expect(
      EntryTests.row(batch) == [
        "timestamp": "1766572200000000000", "environment": "staging", "execution_time_seconds": "4.5",
        "payload": #"{"n":null,"trace":2,"x":3}"#,
      ])
  }

  @Test(
    arguments: [
      ("", ["body: missing"]), ("{bad", ["body.1: json_invalid"]), ("[]", ["body: model_attributes_type"]),
      ("3", ["body: model_attributes_type"]),
      (
        "{}",
        [
          "body.action: missing", "body.resource_type: missing", "body.resource_id: missing",
          "body.severity: missing",
        ]
      ),
      (
        #"{"action":1,"resource_type":null,"resource_id":"","severity":"info"}"#,
        ["body.action: string_type", "body.resource_type: string_type", "body.severity: enum"]
      ),
      (
        #"{"action":"","resource_type":"","resource_id":"","severity":"INFO","before":"x","metadata":[1],"ip_address":5}"#,
        ["body.ip_address: string_type", "body.before: dict_type", "body.metadata: dict_type"]
      ),
      (
        #"{"action":"","resource_type":"","resource_id":"","severity":null,"timestamp":"nope"}"#,
        ["body.timestamp: datetime_from_date_parsing", "body.severity: enum"]
      ),
      (
        #"{"action":"","resource_type":"","resource_id":"","severity":"INFO","timestamp":null}"#,
        ["body.timestamp: datetime_type"]
      ),
      (
        #"{"action":"\u0000","resource_type":"","resource_id":"","severity":"INFO"}"#,
        ["body.17: json_invalid"]
      ),
    ] as [(String, [String])])
  func auditFaults(_ body: String, _ expected: [String]) {
    #expect(EntryTests.errors(EntryTests.audit, body) == expected, "\(body)")
  }

  @Test func allFaultsOfAListAreToldAndNothingIsTaken() {
    let good = #"{"environment":"production","executed_at":"2025-12-24"}"#
    let long = String(repeating: "é", count: 256)
    #expect(EntryTests.errors(EntryTests.workflow, "{}", isList: true) == ["body: list_type"])
    #expect(
      EntryTests.errors(
        EntryTests.workflow,
        #"[\#(good),{"environment":"prod"},7,{"environment":7,"executed_at":"x","status":"DONE","ticket_id":"\#(long)","execution_time_seconds":"abc","metrics":1}]"#,
        isList: true) == [
          "body.1.environment: value_error", "body.1.executed_at: missing", "body.2: model_attributes_type",
          "body.3.environment: string_type", "body.3.ticket_id: string_too_long",
          "body.3.executed_at: datetime_parsing", "body.3.execution_time_seconds: float_parsing",
          "body.3.status: value_error", "body.3.metrics: dict_type",
        ])
    let many = "[" + Array(repeating: "{}", count: 1_000).joined(separator: ",") + "]"
    #expect(EntryTests.errors(EntryTests.workflow, many, isList: true).count == ValidationFailure.errorsMax)
  }

  @Test func emptyListsAndLimits() throws {
    #expect(try EntryTests.audit.decode(list: Array(" [ ] ".utf8), now: 7) == nil)
    var limits = DecodingLimits()
    limits.entriesMax = 2
    let decoder = EntryDecoder(.audit, masking: .none, limits: limits)
    #expect(EntryTests.errors(decoder, "[{},{},{}]", isList: true) == ["body: too_long"])
  }

  @Test func messagesNeverHoldValues() {
    let body =
      #"{"action":{"k":"s3cret"},"resource_type":["s3cret"],"resource_id":1,"severity":"s3cret","timestamp":"s3cret","before":"s3cret"}"#
    do throws(ValidationFailure) {
      _ = try EntryTests.audit.decode(entry: Array(body.utf8), now: 7)
      Issue.record("it was taken")
    } catch {
      #expect(error.errors.count == 6)
      #expect(error.errors.allSatisfy { !$0.message.contains("s3cret") })
    }
  }

  @Test(
    arguments: [
      ("2025-06-26T01:23:45.678Z", 1_750_901_025_678_000_000),
      ("2025-06-26T01:23:45", 1_750_901_025_000_000_000),
      ("2025-06-26 01:23:45+02:00", 1_750_893_825_000_000_000), ("2025-06-26", 1_750_896_000_000_000_000),
      ("1750901025", 1_750_901_025_000_000_000), ("1750901025678", 1_750_901_025_678_000_000),
      ("-1", -1_000_000_000), ("0.5", 500_000_000), ("nope", nil), ("", nil), ("2025-13-01", nil),
      ("9999-01-01", nil), ("1e400", nil), ("nan", nil), ("inf", nil),
      ("99999999999999999", 99_999_999_999_999_999),
      ("99999999999999999999", nil), ("1767247200", 1_767_247_200_000_000_000),
    ] as [(String, Int64?)])
  func times(_ text: String, _ nanoseconds: Int64?) {
    #expect(FlexibleTime.nanoseconds(text) == nanoseconds)
  }

  @Test func maskedFieldsNeverReachARow() throws {
    let plan = keysPlan(masking: ["action", "token", "after"], for: .audit)
    let decoder = EntryDecoder(.audit, masking: plan, limits: DecodingLimits())
    let body =
      #"{"action":"s3cret","resource_type":"r","resource_id":"1","severity":"INFO","before":{"x":[{"Token":{"a":"s3cret"}}]},"after":{"k":"s3cret"}}"#
    let row = EntryTests.row(try decoder.decode(entry: Array(body.utf8), now: 7))
    #expect(row["action"] == "****")
    #expect(row["before"] == #"{"x":[{"Token":"****"}]}"#)
    #expect(!row.values.contains { $0.contains("s3cret") })
  }
}
