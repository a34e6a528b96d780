import Foundation
import Logging
import Testing

@testable import CordwoodLogging

/// What a record looks like on its way.
struct RecordEncoderTests {
  struct Failure: Error, CustomStringConvertible {
    let description = "it \"broke\"\n"
  }

  static func record(
    _ message: String = "m", level: Logger.Level = .info, metadata: Logger.Metadata? = nil,
    own: Logger.Metadata = [:], provided: Logger.Metadata = [:], error: (any Error)? = nil,
    options: CordwoodLogOptions = CordwoodLogOptions()
  ) throws -> [String: Any] {
    var encoder = RecordEncoder(label: "shop.\"orders\"", options: options)
    encoder.metadata = own
    let event = LogEvent(
      level: level, message: "\(message)", error: error, metadata: metadata, source: "Shop",
      file: "Shop/A.swift", function: "f(_:)", line: 12)
    let line = encoder.line(event, at: 1_764_504_000_250_000_001, provided: provided)
    #expect(line.last == 10)
    #expect(line.count { $0 == 10 } == 1, "one line")
    let records = try JSONLines.parse(line)
    return try #require(records.first)
  }

  static func members(of record: [String: Any]) throws -> [String: Any] {
    try #require(record["metadata"] as? [String: Any])
  }

  @Test func everyColumnAndMemberIsThere() throws {
    let options = CordwoodLogOptions(service: "shop", environment: "prod")
    let record = try Self.record("hello", metadata: ["order": "4711"], options: options)
    #expect(record["timestamp"] as? Int64 == 1_764_504_000_250_000_001)
    #expect(record["level"] as? String == "INFO")
    #expect(record["message"] as? String == "hello")
    #expect(record["service"] as? String == "shop")
    #expect(record["env"] as? String == "prod")
    let members = try Self.members(of: record)
    #expect(
      members as NSDictionary == [
        "order": "4711", "logger": "shop.\"orders\"", "source": "Shop", "file": "Shop/A.swift",
        "function": "f(_:)", "line": 12,
      ])
  }

  @Test(arguments: [
    "", "\"", "\\", "\\u0041", "\n\r\t\u{8}\u{c}", "\u{1}\u{1f}\u{7f}\u{80}", "\u{2028}\u{2029}",
    "😀 é e\u{301}",
    "\u{FFFF}\u{10FFFF}", "</script>", "\u{202E}drow", "{\"a\":1}\n{\"b\":2}", "\r\n", "'; drop table logs",
    String((1..<0x20).compactMap { Unicode.Scalar($0) }.map(Character.init)),
  ])
  func hostileTextsComeBack(text: String) throws {
    let record = try Self.record(text, metadata: ["value": "\(text)", "nested": [text: [.string(text)]]])
    #expect((record["message"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    let members = try Self.members(of: record)
    #expect((members["value"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    let nested = try #require(members["nested"] as? [String: [String]])
    #expect(nested.first?.value.first?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
  }

  /// The server stores none.
  @Test func aNULBecomesTheReplacementCharacter() throws {
    #expect(try Self.record("a\0b")["message"] as? String == "a\u{FFFD}b")
  }

  @Test func numbersAndTruthStayWhatTheyAre() throws {
    let metadata: Logger.Metadata = [
      "int": .stringConvertible(-42), "min": .stringConvertible(Int.min), "u": .stringConvertible(UInt64.max),
      "double": .stringConvertible(12.5), "small": .stringConvertible(1e-300),
      "nan": .stringConvertible(Double.nan),
      "true": .stringConvertible(true), "text": .stringConvertible("t"), "zero": .stringConvertible(0),
    ]
    let members = try Self.members(of: try Self.record(metadata: metadata))
    #expect(members["int"] as? Int == -42)
    #expect(members["min"] as? Int == Int.min)
    #expect(members["u"] as? UInt64 == UInt64.max)
    #expect(members["double"] as? Double == 12.5)
    #expect(members["small"] as? Double == 1e-300)
    #expect(members["nan"] as? String == "nan")
    #expect(members["true"] as? Bool == true)
    #expect(members["text"] as? String == "t")
    #expect(members["zero"] as? Int == 0)
  }

  @Test func nestedMetadataIsNested() throws {
    let metadata: Logger.Metadata = [
      "user": ["id": "u-1", "roles": ["a", "b", .array([])], "empty": .dictionary([:])]
    ]
    let members = try Self.members(of: try Self.record(metadata: metadata))
    let expected: NSDictionary = [
      "id": "u-1", "roles": ["a", "b", [String]()] as [Any], "empty": [String: Any](),
    ]
    #expect(members["user"] as? NSDictionary == expected)
  }

  @Test func depthHasABound() throws {
    var value: Logger.MetadataValue = "deep"
    for _ in 0..<1_000 { value = .array([value]) }
    let members = try Self.members(of: try Self.record(metadata: ["v": value]))
    #expect(members["v"] is [Any])
  }

  @Test func theEventsMetadataWinsOverTheProvidersAndTheLoggers() throws {
    let record = try Self.record(
      metadata: ["a": "event"], own: ["a": "own", "b": "own", "c": "own"],
      provided: ["a": "provided", "b": "provided"])
    let members = try Self.members(of: record)
    #expect(members["a"] as? String == "event")
    #expect(members["b"] as? String == "provided")
    #expect(members["c"] as? String == "own")
  }

  @Test func theProgramsMembersWinOverOurs() throws {
    let names = ["logger", "source", "file", "function", "line", "level", "error.message", "error.type"]
    let metadata = Logger.Metadata(uniqueKeysWithValues: names.map { ($0, .string("mine")) })
    for isOwn in [false, true] {
      let record = try Self.record(
        level: .notice, metadata: isOwn ? nil : metadata, own: isOwn ? metadata : [:], error: Failure())
      let members = try Self.members(of: record)
      #expect(members.count == names.count)
      #expect(names.allSatisfy { members[$0] as? String == "mine" })
    }
  }

  @Test func anErrorIsTwoMembers() throws {
    let members = try Self.members(of: try Self.record(error: Failure()))
    #expect(members["error.message"] as? String == "it \"broke\"\n")
    #expect((members["error.type"] as? String)?.hasSuffix("RecordEncoderTests.Failure") == true)
  }

  @Test(
    arguments: [
      (Logger.Level.trace, "TRACE", nil), (.debug, "DEBUG", nil), (.info, "INFO", nil),
      (.notice, "INFO", "notice"), (.warning, "WARN", nil), (.error, "ERROR", nil),
      (.critical, "FATAL", "critical"),
    ] as [(Logger.Level, String, String?)])
  func levelsAreTheServers(level: Logger.Level, column: String, member: String?) throws {
    let record = try Self.record(level: level)
    #expect(record["level"] as? String == column)
    #expect(try Self.members(of: record)["level"] as? String == member)
  }

  @Test(arguments: [0, 1, 2])
  func identifiersAreColumns(place: Int) throws {
    let metadata: Logger.Metadata = ["trace_id": "4bf92f", "span_id": .stringConvertible(7), "x": "y"]
    let record = try Self.record(
      metadata: place == 0 ? metadata : nil, own: place == 1 ? metadata : [:],
      provided: place == 2 ? metadata : [:])
    #expect(record["trace_id"] as? String == "4bf92f")
    #expect(record["span_id"] as? String == "7")
    let members = try Self.members(of: record)
    #expect(members["trace_id"] == nil && members["span_id"] == nil)
    #expect(members["x"] as? String == "y")
  }

  @Test func anIdentifierThatIsNoTextIsAMember() throws {
    let record = try Self.record(metadata: ["trace_id": ["a"], "span_id": ""], own: ["trace_id": "own"])
    #expect(record["trace_id"] as? String == "own")
    #expect(record["span_id"] == nil)
    #expect(try Self.members(of: record)["trace_id"] as? [String] == ["a"])
  }

  @Test func longTextsAreCut() throws {
    var options = CordwoodLogOptions()
    options.textBytesMax = 64
    let text = String(repeating: "a", count: 63) + "é" + String(repeating: "b", count: 100)
    let message = try #require(try Self.record(text, options: options)["message"] as? String)
    #expect(message == String(repeating: "a", count: 63) + "\u{FFFD}…")
  }
}
