import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// GELF messages as loggers send them.
@Suite struct GELFTests {
  static let now = SyslogTests.now

  private func decode(
    _ messages: [String], masking: MaskingPlan = .none, isCut: Bool = false
  ) throws -> ListenedRecords {
    var batch = MessageBatch()
    for message in messages { batch.append(Array(message.utf8)[...], from: "10.0.0.7", isCut: isCut) }
    return try GELFDecoder(masking: masking).decode(batch, now: GELFTests.now)
  }

  /// The columns of one message's record that have a value, `name=value`.
  private func record(_ message: String, isCut: Bool = false) throws -> [String] {
    let decoded = try decode([message], isCut: isCut)
    #expect(decoded.records.refusedCount == 0, "\(decoded.records.refusals)")
    let batch = try #require(decoded.records.batch)
    return zip(batch.fields, batch.columns).compactMap { field, column in
      let cell = column.cell(0)
      if ["id", "position", "ingested_at"].contains(field.name) || cell == "null" || cell == "{}" {
        return nil
      }
      return "\(field.name)=\(cell)"
    }
  }

  @Test func fieldsBecomeColumns() throws {
    #expect(
      try record(
        #"""
        {"version":"1.1","host":"vm","short_message":"hello \u00e9","timestamp":1795846868.7520723,"level":4,
        "_shop":"x","_service":"cart","_n":1.50}
        """#)
        == [
          "timestamp=1795846868752072300", "level=WARN", "message=hello é", "service=cart",
          #"labels={"host":"vm"}"#, #"metadata={"level":4,"shop":"x","n":1.50,"peer":"10.0.0.7"}"#,
        ])
  }

  @Test func theFullMessageTakesTheShortOnesPlace() throws {
    let whole = try record(#"{"short_message":"boom","full_message":"boom\n at f()"}"#)
    #expect(whole.contains("message=boom\n at f()") && !whole.joined().contains("short_message"))
    let other = try record(#"{"short_message":"boom","full_message":"at f()"}"#)
    #expect(other.contains("message=boom") && other.joined().contains(#""full_message":"at f()""#))
    #expect(try record(#"{"short_message":"a","message":"b"}"#).contains("message=b"))
    #expect(try record(#"{"full_message":"only"}"#).contains("message=only"))
  }

  @Test func ownFieldsTakeNoOtherPlace() throws {
    let found = try record(
      #"{"short_message":"m","_level":"x","_host":"y","_id":"z","_a":1,"a":2,"_":3,"_peer":4}"#)
    let metadata = try #require(found.first { $0.hasPrefix("metadata=") })
    for part in [
      #""_level":"x""#, #""_host":"y""#, #""_id":"z""#, #""_a":1"#, #""a":2"#, #""_":3"#, #""_peer":4"#,
    ] {
      #expect(metadata.contains(part), "\(part) in \(metadata)")
    }
  }

  /// What is no GELF is a record with all of its text.
  @Test(arguments: [
    "plain text", "[1]", "{\"short_message\":\"cut off", "{\"a\":1}{\"b\":2}", "\u{1}",
  ])
  func nothingIsRefused(message: String) throws {
    let found = try record(message)
    #expect(found.contains("message=\(message)") && found.joined().contains("parse_error"), "\(found)")
    #expect(found.joined().contains(#""peer":"10.0.0.7""#))
  }

  @Test func otherValuesAreKept() throws {
    let found = try record(
      #"{"short_message":{"a":1},"timestamp":"soon","level":"odd","host":7,"version":2}"#)
    let metadata = try #require(found.first { $0.hasPrefix("metadata=") })
    for part in [#""short_message":{"a":1}"#, #""timestamp":"soon""#, #""host":7"#, #""version":2"#] {
      #expect(
        metadata.contains(part) || metadata.contains(part.replacing("short_message", with: "message")),
        "\(part) in \(metadata)")
    }
    #expect(try decode([#"{"short_message":"a","timestamp":"soon"}"#]).timesUnreadCount == 1)
  }

  @Test func secretsAreMasked() throws {
    let plan = keysPlan(masking: ["password"], for: .logs)
    let decoded = try decode([#"{"short_message":"m","_password":"hunter2","_b":"1"}"#], masking: plan)
    let line = OTLPTests.lines(decoded.records)[0]
    #expect(!line.contains("hunter2") && line.contains(#""b":"1""#), "\(line)")
  }

  /// White space, marks, NUL, half surrogates, broken bytes and names that come twice hide no name.
  @Test func whatCanBeReadIsMaskedByNames() throws {
    let plan = keysPlan(masking: ["phone"], for: .logs)
    let messages = [
      " {\"short_message\":\"a\",\"_phone\":\"SECRET\"}",
      "\u{FEFF}{\"short_message\":\"a\",\"_phone\":\"SECRET\"}",
      "{\"short_message\":\"a\\u0000\",\"_phone\":\"SECRET\"}",
      "{\"short_message\":\"\\ud83d\",\"_phone\":\"SECRET\"}",
      "{\"short_message\":\"a\",\"_phone\":\"SECRET\",\"_x\":1,\"_x\":2}",
      "{\"short_message\":\"a\",\"_phone\":\"SECRET\"}\n\u{0}",
      "{\"short_message\":\"a\",\"_ph\\u0000one\":\"SECRET\"}",
    ]
    for message in messages {
      let decoded = try decode([message], masking: plan)
      #expect(decoded.records.batch?.rowCount == 1, "\(message)")
      #expect(!OTLPTests.lines(decoded.records).joined().contains("SECRET"), "\(message)")
    }
    var batch = MessageBatch()
    batch.append(
      Array("{\"short_message\":\"a".utf8) + [0xFF] + Array("\",\"_phone\":\"SECRET\"}".utf8), from: "a")
    let broken = try GELFDecoder(masking: plan).decode(batch, now: GELFTests.now)
    #expect(
      broken.records.batch?.rowCount == 1 && !OTLPTests.lines(broken.records).joined().contains("SECRET"))
    // Of what cannot be read nobody knows the names.
    for message in [
      "{\"_phone\":{\"v\":\"SECRET\"},\"_x\":NaN}", "{\"short_message\":\"a\",\"_phone\":\"SECR",
    ] {
      let decoded = try decode([message], masking: plan)
      #expect(decoded.records.batch == nil && decoded.records.refusedCount == 1, "\(message)")
      #expect(try decode([message]).records.batch?.rowCount == 1)
    }
    #expect(try decode(["plain text"], masking: plan).records.batch?.rowCount == 1)
  }

  @Test func whatWasCutSaysSo() throws {
    #expect(try record("{\"short_message\":\"x", isCut: true).joined().contains(#""truncated":true"#))
  }
}
