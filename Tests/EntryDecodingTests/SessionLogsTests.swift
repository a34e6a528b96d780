import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Bodies of the sessions API.
@Suite struct SessionLogsTests {
  static func decode(
    _ text: String, _ change: (inout DecodingLimits) -> Void = { _ in }
  ) throws(DecodingError) -> RecordBatch {
    var limits = DecodingLimits()
    change(&limits)
    return try SessionLogsDecoder(masking: .none, limits: limits).decode(
      Array(text.utf8), container: "c-1", session: "s_2")
  }

  static func refusal(_ text: String, _ change: (inout DecodingLimits) -> Void = { _ in }) -> DecodingError? {
    do throws(DecodingError) { _ = try decode(text, change) } catch { return error }
    return nil
  }

  static func lines(_ batch: RecordBatch) -> [String] {
    (0..<batch.rowCount).map { row in batch.columns.map { $0.cell(row) }.joined(separator: "|") }
  }

  @Test func rowsHaveTheirPlaceAndNullsStay() throws {
    let batch = try SessionLogsTests.decode(
      """
       {"logs" : [
        {"timestamp":"2025-11-30T12:00:00.123456789Z","level":"INFO","message":"a\\"b\\u00e9"},
        {"message":null,"level":null,"timestamp":"1969-12-31T23:59:59.9999995+00:00","extra":{"a":[1]}},
        {"message":"","level":"anything","timestamp":"2025-11-30T13:00:00+02:00","extra":1,"extra":2}
       ] }
      """)
    #expect(batch.fields == Dataset.sessions.schema.declaredFields)
    #expect(
      SessionLogsTests.lines(batch) == [
        "1764504000123456000|c-1|s_2|INFO|a\"bé", "-1000|c-1|s_2|null|null",
        "1764500400000000000|c-1|s_2|anything|",
      ])
  }

  @Test(
    arguments: [
      (#"{"logs":[ROW],"l\u006fgs":[ROW]}"#, "logs", .repeatedName),
      (#"{"logs":[ROW],"other":{"x":[1,"]}"]}}"#, "other", .unknownField),
      (#"{"log":[ROW],"logs":[ROW]}"#, "log", .unknownField),
      (
        #"{"logs":[{"timestamp":"2025-11-30T12:00:00Z","level":"a","level":"b","message":"m"}]}"#, "level",
        .repeatedName
      ),
    ] as [(String, String, DecodingReason)])
  func whatHasNoMeaningIsRefusedByName(_ body: String, _ field: String, _ reason: DecodingReason) {
    let row = #"{"timestamp":"2025-11-30T12:00:00Z","level":null,"message":"m"}"#
    let error = #expect(throws: DecodingError.self) {
      try SessionLogsTests.decode(body.replacing("ROW", with: row))
    }
    #expect(error?.field == field && error?.reason == reason)
  }

  @Test(
    arguments: [
      ("", nil, .empty, 0), ("null", "logs", .missing, 0), ("[]", "logs", .missing, 0),
      ("3", "logs", .missing, 0),
      ("{}", "logs", .missing, 0), ("{\"log\":[]}", "log", .unknownField, 1),
      ("nope", nil, .syntax(.value), 0),
      ("{\"logs\":[]}", "logs", .empty, 10),
      ("{\"logs\":\"x\"}", "logs", .wrongType(expected: "an array"), 8),
      ("{\"logs\":null}", "logs", .wrongType(expected: "an array"), 8),
      ("{\"logs\":{}}", "logs", .wrongType(expected: "an array"), 8), ("{\"logs\":", nil, .truncated, 8),
      ("{bad", nil, .syntax(.key), 1), ("{\"logs\"[]}", nil, .syntax(.colon), 7),
      ("{\"a\":tru,\"logs\":[]}", nil, .syntax(.value), 5),
      ("{\"a\":[1,],\"logs\":[]}", nil, .syntax(.value), 8),
      ("{\"a\":1", "a", .unknownField, 1), ("{\"a\":1 \"b\":2}", "a", .unknownField, 1),
      ("{\"a\":\"\\x\"}", nil, .syntax(.value), 8), ("{\"a", nil, .truncated, 3),
    ] as [(String, String?, DecodingReason, Int)])
  func envelopes(_ text: String, _ field: String?, _ reason: DecodingReason, _ byte: Int) {
    let error = SessionLogsTests.refusal(text)
    #expect(error?.entry == nil)
    #expect(
      error?.reason == reason && error?.field == field && (reason == .missing || error?.byte == byte),
      "\(String(describing: error)) for \(text)")
  }

  @Test(
    arguments: [
      (#"{"level":"I","message":"m"}"#, "timestamp", .missing),
      (#"{"timestamp":"2025-11-30T12:00:00Z","message":"m"}"#, "level", .missing),
      (#"{"timestamp":"2025-11-30T12:00:00Z","level":"I"}"#, "message", .missing),
      (#"{"timestamp":1764504000,"level":"I","message":"m"}"#, "timestamp", nil),
      (#"{"timestamp":null,"level":"I","message":"m"}"#, "timestamp", nil),
      (#"{"timestamp":"2025-11-30T12:00:00","level":"I","message":"m"}"#, "timestamp", .badTimestamp),
      (#"{"timestamp":"2025-11-30","level":"I","message":"m"}"#, "timestamp", .badTimestamp),
      (#"{"timestamp":"not a date","level":"I","message":"m"}"#, "timestamp", .badTimestamp),
      (#"{"timestamp":"9999-11-30T12:00:00Z","level":"I","message":"m"}"#, "timestamp", .badTimestamp),
      (#"{"timestamp":"2025-11-30T12:00:00Z","level":1,"message":"m"}"#, "level", nil),
      (#"{"timestamp":"2025-11-30T12:00:00Z","level":"I","message":{}}"#, "message", nil),
      (#"{"timestamp":"2025-11-30T12:00:00Z","level":"I","message":"a\u0000"}"#, "message", .nulCharacter),
      (#""x""#, nil, .notAnObject), ("[]", nil, .notAnObject), ("null", nil, .notAnObject),
    ] as [(String, String?, DecodingReason?)])
  func entries(_ entry: String, _ field: String?, _ reason: DecodingReason?) {
    let good = #"{"timestamp":"2025-11-30T12:00:00Z","level":"I","message":"m"}"#
    let error = SessionLogsTests.refusal("{\"logs\":[\(good),\(entry)]}")
    #expect(error?.entry == 1, "\(String(describing: error)) for \(entry)")
    #expect(error?.field == field)
    if let reason {
      #expect(error?.reason == reason)
    } else if case .wrongType? = error?.reason {
    } else {
      Issue.record("\(String(describing: error)) for \(entry)")
    }
  }

  @Test func limitsHold() {
    let row = "{\"timestamp\":\"2025-11-30T12:00:00Z\",\"level\":null,\"message\":\"mmmmmmmmmm\"}"
    let body = "{\"logs\":[\(row),\(row)]}"
    #expect(SessionLogsTests.refusal(body) { $0.entriesMax = 1 }?.reason == .tooManyEntries(entriesMax: 1))
    #expect(SessionLogsTests.refusal(body) { $0.entryBytesMax = 50 }?.reason == .entryTooLarge(bytesMax: 50))
    let deep = row.replacing("{\"t", with: "{\"x\":[[[[1]]]],\"t")
    #expect(
      SessionLogsTests.refusal("{\"logs\":[\(deep)]}") { $0.depthMax = 3 }?.reason
        == .nestedTooDeeply(depthMax: 3))
  }

  /// Any damage to a good body is an error or a body that still has whole rows; never a trap.
  @Test(arguments: 0..<40) func damagedBodies(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let row =
      #"{"timestamp":"2025-11-30T12:00:00.5Z","level":"I\u00e9","message":"m \" ü","x":{"a":[1,true]}}"#
    let good = Array("{\"a\":1,\"logs\":[\(row),\(row),\(row)],\"z\":\"\\n\"}".utf8)
    let decoder = SessionLogsDecoder(masking: .none, limits: DecodingLimits())
    for _ in 0..<200 {
      var body = good
      for _ in 0...Int.random(in: 0...2, using: &generator) {
        let at = Int.random(in: 0..<body.count, using: &generator)
        switch Int.random(in: 0...3, using: &generator) {
        case 0: body.remove(at: at)
        case 1: body[at] = UInt8.random(in: 0...255, using: &generator)
        case 2: body.insert(Array("{}[]\",:\\0n".utf8).randomElement(using: &generator) ?? 0, at: at)
        default: body.removeLast(body.count - at)
        }
        if body.isEmpty { body = good }
      }
      do throws(DecodingError) {
        let batch = try decoder.decode(body, container: "c", session: "s")
        #expect(batch.rowCount > 0 && batch.columns.allSatisfy { $0.rowCount == batch.rowCount })
      } catch {
        #expect(error.byte <= body.count)
      }
    }
  }
}
