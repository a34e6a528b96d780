import Codecs
import Foundation
import Records
import Shaping
import TestKit
import Testing

/// Lines as their user says they are, and objects whose members he names.
@Suite struct LinePatternTests {
  private static func records(
    _ pattern: String, _ text: String, _ options: LineRecords.Options = Lines.options(),
    in envelope: LineEnvelope? = nil
  ) throws -> (records: [String], batches: [LineBatch]) {
    let format = LineFormat(try LinePattern(pattern), in: envelope)
    #expect(
      format.name.hasSuffix("pattern") && LineFormat(named: "pattern", head: [], times: options.times) == nil)
    let batches = Lines.batches(Array(text.utf8), format, options)
    let records = batches.flatMap { batch in
      batch.body.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    }
    return (records, batches)
  }

  private static let own =
    #"^(?<time>[^|]*)\|(?<lvl>\w*)\|(?<app>\w+)\|(?<tries>\d*)\|(?<trace_id>\w*)\|(?<msg>.*)"#

  @Test func groupsGiveColumnsAndMembers() throws {
    let text = """
      2025-11-30 12:00:00,250|W|shop|3|abc|first
        at x
      and more
      30/Nov/2025:13:00:00 +0100|odd|shop|007||second
      soon|E|shop|||third
      """
    let (records, batches) = try LinePatternTests.records(LinePatternTests.own, text)
    #expect(
      records == [
        #"{"timestamp":"2025-11-30T12:00:00.250Z","level":"WARN","service":"shop","trace_id":"abc","#
          + #""message":"first\n  at x\nand more","metadata":{"level":"W","tries":3}}"#,
        #"{"timestamp":"2025-11-30T12:00:00Z","level":"odd","service":"shop","message":"second","#
          + #""metadata":{"tries":"007"}}"#,
        #"{"level":"ERROR","service":"shop","message":"third","metadata":{"time":"soon","level":"E"}}"#,
      ])
    #expect(batches.map(\.timesUnreadCount) == [1] && batches.map(\.unparsedCount) == [0])
  }

  /// Of names that are ours too, and of numbers, none is there twice: the server refuses such records.
  @Test(arguments: [
    (
      #"^(?<severity>\w+) (?<level>\S+) (?<message>.*)$"#, "warning x m",
      #"{"level":"WARN","message":"m","metadata":{"level":"x"}}"#
    ),
    (
      #"^(?<ts>\S+) (?<time>\S+) (?<message>.*)$"#, "soon 7 m",
      #"{"message":"m","metadata":{"time":7}}"#
    ),
    (
      #"^(?<a>\S+) (?<b>\S+) (?<c>\S+) (?<message>.*)$"#, "-4 12.5 1e3 ",
      #"{"message":"","metadata":{"a":-4,"b":12.5,"c":"1e3"}}"#
    ),
    (
      #"^(?<time>.*?) \| (?<message>.*)$"#, "30.11.2025 13:15:07,25 | m",
      #"{"timestamp":"2025-11-30T13:15:07.250Z","message":"m"}"#
    ),
  ])
  func membersAreThereOnce(_ pattern: String, _ line: String, _ expected: String) throws {
    #expect(try LinePatternTests.records(pattern, line + "\n").records == [expected])
  }

  /// A member that is named for a second column gives both.
  @Test func aMemberMayGiveTwoColumns() throws {
    var mapping = FieldMapping()
    #expect(mapping.put("time", for: .level) == nil && mapping.put("who", for: .service) == nil)
    #expect(mapping.put("who", for: .env) == nil)
    #expect(
      try LinePatternTests.shaped(#"{"time":"2025-11-30T12:00:00Z","who":"x"}"#, mapping)
        == #""timestamp":"2025-11-30T12:00:00Z","message":"","level":"2025-11-30T12:00:00Z","#
        + #""service":"x","env":"x","metadata":{}"#)
  }

  @Test func linesThatDoNotMatchAreKept() throws {
    let (records, batches) = try LinePatternTests.records(LinePatternTests.own, "other\n1764504000|I|a|||b\n")
    #expect(records.first == #"{"message":"other"}"# && records.count == 2)
    #expect(batches.map(\.unparsedCount) == [1])
  }

  @Test func timesThatCannotBeReadAreRefusedIfWanted() throws {
    var options = Lines.options()
    options.mapping.refusesUnreadTimes = true
    let (records, batches) = try LinePatternTests.records(
      LinePatternTests.own, "soon|E|a|||b\n|E|a|||c\n", options)
    #expect(records.count == 1 && batches.flatMap(\.refusals).map(\.reason) == ["the time cannot be read"])
    let objects = Lines.batches(
      Array("{\"msg\":\"a\",\"ts\":\"soon\"}\n{\"msg\":\"b\"}\n".utf8), LineFormat(.json), options)
    #expect(
      objects.flatMap(\.refusals).map(\.reason) == ["at byte 16 of the record: the time cannot be read"]
        && objects.map(\.places.count) == [1])
  }

  @Test func linesOfContainersAreUnpacked() throws {
    let (records, _) = try LinePatternTests.records(
      #"^(?<lvl>\w+): (?<msg>.*)"#,
      "2025-11-30T12:00:00.5Z stdout P WARN: a\n2025-11-30T12:00:00.5Z stdout F b\n", in: .cri)
    #expect(
      records == [
        #"{"timestamp":"2025-11-30T12:00:00.500Z","level":"WARN","message":"ab","#
          + #""labels":{"stream":"stdout"}}"#
      ])
  }

  // MARK: Members

  private static func shaped(_ object: String, _ mapping: FieldMapping) throws -> String {
    let body = Array(object.utf8)
    var reader = JSONReader(body)
    var text = JSONWriter(capacity: 16)
    _ = try RecordShape().mapped(by: mapping).write(
      &reader, of: body, to: &text, times: LogTime(now: Lines.noon))
    return String(decoding: text.takeBytes(), as: UTF8.self)
  }

  @Test func mappedNamesGoFirst() throws {
    var mapping = FieldMapping()
    #expect(mapping.isEmpty)
    for (list, column) in [
      ("note,fields.text", FieldMapping.Column.message), ("when.at", .timestamp), ("how bad", .level),
      ("a.b.c", .service), ("req", .trace),
    ] { #expect(mapping.put(list, for: column) == nil) }
    #expect(
      try LinePatternTests.shaped(
        #"{"msg":"x","fields":{"text":"y"},"when":{"at":1764504000},"how bad":"worst","#
          + #""a":{"b":{"c":"s"}},"req":"t"}"#, mapping)
        == #""timestamp":"2025-11-30T12:00:00Z","message":"y","level":"worst","service":"s","trace_id":"t","#
        + #""metadata":{"msg":"x","fields":{"text":"y"},"when":{"at":1764504000},"a":{"b":{"c":"s"}}}"#)
    // Without them, those that are known.
    #expect(
      try LinePatternTests.shaped(#"{"msg":"x","note":7,"level":"warn","when":5}"#, mapping)
        == #""message":"x","level":"WARN","metadata":{"note":7,"level":"warn","when":5}"#)
  }

  @Test(arguments: [
    "", "a,,b", ".", "a..b", "a.", "a.b.c.d.e.f", String(repeating: "x", count: 257),
    (0..<17).map { "n\($0)" }.joined(separator: ","),
  ])
  func listsThatAreNone(_ list: String) {
    var mapping = FieldMapping()
    #expect(mapping.put(list, for: .message) != nil && mapping.isEmpty)
  }
}
