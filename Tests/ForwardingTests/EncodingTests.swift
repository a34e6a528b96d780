import Codecs
import Columnar
import Records
import TestKit
import Testing

@testable import Forwarding

@Suite struct EncodingTests {
  static let formats: [PushFormat] = [.protobuf, .json]

  private func encode(
    _ window: EntryWindow, _ format: PushFormat, mapping: LokiMapping = .logs, rows: Range<Int>? = nil,
    bytesMax: Int = 1 << 30
  ) throws -> [ReceivedEntry] {
    let encoder = LokiEncoder(mapping: mapping, format: format)
    let push = try encoder.encode(window, rows: rows ?? 0..<window.rowCount, bytesMax: bytesMax)
    let entries = try PushReader.entries(
      PushRequest(
        tenant: tenant("a"), body: push.body, contentType: encoder.contentType,
        contentEncoding: encoder.contentEncoding, entryCount: push.rowCount))
    #expect(entries.count == push.rowCount)
    return entries
  }

  @Test(arguments: formats, [false, true]) func streamsInTheOrderFirstSeen(
    format: PushFormat, isDictionary: Bool
  ) throws {
    let levels = ["WARN", "INFO", "WARN", "ERROR", "INFO"]
    let window = TestEntry.window(
      numbered(0..<5) { entry, number in
        entry.position = Int64(number)
        entry.level = levels[number]
        entry.timestamp = 1_780_000_000_123_456_789 + Int64(number)
      }, isDictionary: isDictionary)
    let entries = try encode(window, format)
    #expect(entries.map(\.message) == ["m0", "m2", "m1", "m4", "m3"])
    #expect(entries[0].labels == #"{env="prod",level="WARN",service="shop"}"#)
    #expect(entries[1].timestamp == 1_780_000_000_123_456_791)
    #expect(entries[4].labels == #"{env="prod",level="ERROR",service="shop"}"#)
  }

  @Test(arguments: formats) func theLineIsJSON(format: PushFormat) throws {
    var plain = TestEntry(message: "a \"quoted\"\nline \\ \u{1} größer 🪵")
    plain.metadata = #"{"user":{"id":7},"text":"\"x\""}"#
    plain.traceID = "0af7"
    var bare = TestEntry(position: 1, message: "")
    bare.service = nil
    let entries = try encode(TestEntry.window([plain, bare]), format)
    #expect(
      entries[0].line
        == #"{"message":"a \"quoted\"\nline \\ \u0001 größer 🪵","metadata":{"user":{"id":7},"text":"\"x\""},"#
        + #""trace_id":"0af7","span_id":null}"#)
    #expect(entries[0].message == plain.message)
    #expect(entries[1].line == #"{"message":"","metadata":null,"trace_id":null,"span_id":null}"#)
    #expect(entries[1].labels == #"{env="prod",level="INFO"}"#)
  }

  @Test(arguments: formats, [0, 1, -1, 999_999_999, -1_000_000_001, Int64.max, Int64.min + 808] as [Int64])
  func timesAreExact(format: PushFormat, time: Int64) throws {
    var entry = TestEntry(message: "m")
    entry.timestamp = time
    #expect(try encode(TestEntry.window([entry]), format).map(\.timestamp) == [time])
  }

  private func labels(_ labels: String?, service: String? = "shop") throws -> String {
    var entry = TestEntry(message: "m")
    entry.service = service
    entry.env = nil
    entry.level = ""
    entry.labels = labels
    return try encode(TestEntry.window([entry]), .protobuf)[0].labels
  }

  @Test func labelsAreWhatLokiParses() throws {
    #expect(try labels(nil) == #"{service="shop"}"#)
    #expect(try labels(#"{"region":"eu","service":"other"}"#) == #"{region="eu",service="other"}"#)
    #expect(
      try labels(#"{"a.b-c":"1","0x":"2","ü":"3","":"4"}"#)
        == #"{_="4",_0x="2",__="3",a_b_c="1",service="shop"}"#)
    #expect(
      try labels(#"{"n":1.5,"t":true,"z":null,"o":{"a":"b"},"e":""}"#)
        == #"{n="1.5",o="{\"a\":\"b\"}",service="shop",t="true"}"#)
    #expect(
      try labels(#"{"x":"a\"b\\c\nd\te\u0001f🪵"}"#) == #"{service="shop",x="a\"b\\c\nd\te\x01f🪵"}"#)
    // A stream must have a label.
    #expect(try labels(nil, service: nil) == #"{service_name="unknown_service"}"#)
    #expect(try labels("{}", service: "") == #"{service_name="unknown_service"}"#)
  }

  @Test(arguments: formats) func labelsBeyondLokisLimitsAreMetadata(format: PushFormat) throws {
    let long = String(repeating: "v", count: 2049)
    var entry = TestEntry(message: "m")
    entry.labels =
      "{" + (10..<30).map { "\"k\($0)\":\"\($0)\"" }.joined(separator: ",") + ",\"a\":\"\(long)\"}"
    var other = entry
    other.position = 1
    other.labels = "{\"k10\":\"10\"}"
    let entries = try encode(TestEntry.window([entry, other]), format)
    #expect(entries[0].metadata.count == 9 && entries[0].metadata["a"] == long)
    #expect(entries[0].labels.split(separator: ",").count == 15)
    #expect(entries[1].metadata.isEmpty)
  }

  @Test(arguments: formats) func equalLabelsAreOneStream(format: PushFormat) throws {
    let window = TestEntry.window(
      numbered(0..<4) { entry, number in
        entry.position = Int64(number)
        entry.labels = number % 2 == 0 ? #"{"a":"1","b":"2"}"# : #"{"b":"2","a":"1"}"#
      })
    #expect(try encode(window, format).map(\.message) == ["m0", "m1", "m2", "m3"])
  }

  @Test(arguments: formats) func columnsMayBeStructuredMetadata(format: PushFormat) throws {
    var mapping = LokiMapping.logs
    mapping.metadataColumns = ["trace_id", "span_id"]
    mapping.staticLabels = ["job": "cordwood", "env": "none"]
    var entry = TestEntry(message: "m")
    entry.traceID = "0af7\""
    let entries = try encode(TestEntry.window([entry]), format, mapping: mapping)
    #expect(entries[0].metadata == ["trace_id": "0af7\""])
    #expect(entries[0].labels == #"{env="prod",job="cordwood",level="INFO",service="shop"}"#)
  }

  @Test func mappingsOfAllDatasetsFit() {
    for dataset in Registry.standard.datasets {
      let mapping = LokiMapping.standard(for: dataset)
      #expect(mapping.fault(for: dataset) == nil)
      #expect(Set(mapping.columns).isSubset(of: dataset.schema.fields.map(\.name)))
    }
    var wrong = LokiMapping.logs
    wrong.labelColumns = ["levle"]
    #expect(wrong.fault(for: .logs) != nil)
    wrong = .logs
    wrong.staticLabels = ["a-b": "c"]
    #expect(wrong.fault(for: .logs) != nil)
  }

  /// Any record of any dataset becomes an entry with its line.
  @Test(arguments: formats) func randomRecordsArrive(format: PushFormat) throws {
    var random = SeededGenerator(seed: 11)
    for dataset in Registry.standard.datasets {
      let mapping = LokiMapping.standard(for: dataset)
      for _ in 0..<20 {
        let count = Int.random(in: 1...200, using: &random)
        let declared = RandomBatches.batch(of: dataset, rowCount: count, using: &random)
        let columns = mapping.columns.map { name -> Column in
          switch name {
          case "position": Column(int64: (0..<count).map { Int64($0) })
          case "id": UUIDv7.column(first: UUIDv7.make(milliseconds: 1, random: (1, 2)), count: count)
          case "ingested_at": Column(timestamps: [Int64](repeating: 0, count: count))
          default: declared.column(name) ?? .nulls(type: .utf8, rowCount: count)
          }
        }
        let fields = mapping.columns.compactMap { dataset.schema.field($0) }
        let window = EntryWindow(
          rows: RecordBatch(fields: fields, columns: columns, rowCount: count),
          positions: (0..<count).map { Int64($0) }, coveredEnd: Int64(count), positionEnd: Int64(count))
        let entries = try encode(window, format, mapping: mapping)
        #expect(entries.count == count)
        let times = try #require(declared.column("timestamp")).withInt64 { span in
          span.indices.map { span[$0] }
        }
        #expect(entries.map(\.timestamp).sorted() == times.sorted())
        for entry in entries { _ = try JSONTree(parsing: Array(entry.line.utf8)) }
      }
    }
  }

  @Test(arguments: formats) func bytesAreBounded(format: PushFormat) throws {
    let window = TestEntry.window(
      numbered(0..<500) { entry, number in
        entry.position = Int64(number)
        entry.message = String(repeating: "\"", count: number)
        entry.level = "L\(number % 7)"
      })
    let encoder = LokiEncoder(mapping: .logs, format: format)
    for bytesMax in [1, 100, 1000, 10_000, 100_000] {
      var row = 0
      while row < 500 {
        let push = try encoder.encode(window, rows: row..<500, bytesMax: bytesMax)
        #expect(push.plainByteCount <= bytesMax || push.rowCount == 1)
        row += push.rowCount
      }
      #expect(row == 500)
    }
  }

  @Test func compressionGivesBackWhatItTook() throws {
    var random = SeededGenerator(seed: 3)
    for count in [0, 1, 100, 70_000, 1_000_000] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0..<4, using: &random) }
      let snappy = try BlockCompression.snappy.compress(bytes.span)
      #expect(try BlockCompression.decompressSnappy(snappy.span, byteCount: count) == bytes)
      #expect(throws: ColumnarError.self) {
        _ = try BlockCompression.decompressSnappy(snappy.span, byteCount: count + 1)
      }
      let gzip = try BlockCompression.gzip(level: 1).compress(bytes.span)
      #expect(try ContentCoding.gzip.decode(gzip.span, bytesMax: 1 << 30) { _ in true } == bytes)
    }
  }

  @Test func refusalsAreNamedWithoutTheirText() {
    func check(_ text: String, _ reason: RefusalReason) { #expect(RefusalReason(text) == reason) }
    check("entry for stream '{a=\"b\"}' has timestamp too old: 2019", .tooOld)
    check("entry too far behind, entry timestamp is: 2020, oldest acceptable", .tooFarBehind)
    check("entry out of order", .tooFarBehind)
    check("entry with timestamp 2030 for stream '{}' has timestamp too new", .tooNew)
    check("Max entry size '262144' bytes exceeded for stream", .tooLarge)
    check("error parsing labels '{a=}'", .labels)
    check("stream '{…}' includes structured metadata, but this feature is disallowed", .structuredMetadata)
    check("", .other)
  }

  @Test func retryAfterIsSecondsOrADate() {
    let now: Int64 = 784_111_777_000_000_000
    func check(_ text: String, _ seconds: Double?) { #expect(RetryAfter.seconds(text, now: now) == seconds) }
    check("120", 120)
    check(" 0 ", 0)
    check("Sun, 06 Nov 1994 08:49:37 GMT", 0)
    check("Sun, 06 Nov 1994 08:49:39 GMT", 2)
    check("Thu, 29 Feb 1996 00:00:00 GMT", 825_552_000 - 784_111_777)
    check("Fri, 01 Mar 1996 00:00:00 GMT", 825_638_400 - 784_111_777)
    check("Sat, 01 Jan 2000 00:00:00 GMT", 946_684_800 - 784_111_777)
    for text in ["", "-1", "1.5", "soon", "99999999999", "Sun, 06 Nov 1994", "Sun, 99 Nov 1994 08:49:37 GMT"]
    {
      check(text, nil)
    }
  }
}
