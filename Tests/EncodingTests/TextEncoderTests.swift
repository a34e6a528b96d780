import Codecs
import Records
import Testing

@testable import Encoding

struct TextEncoderTests {
  static let fields = [
    Field("n", .int64, isNullable: true), Field("f", .float64, isNullable: true),
    Field("b", .bool, isNullable: true), Field("t", .utf8, isNullable: true),
    Field("o", .json, isNullable: true), Field("at", .timestamp, isNullable: true),
    Field("id", .uuid, isNullable: true),
  ]

  /// Two rows: one with every value, one with none.
  static var batch: RecordBatch {
    var n = FixedBuilder<Int64>()
    n.append(-7)
    n.appendNull(placeholder: 0)
    var f = FixedBuilder<Double>()
    f.append(1)
    f.appendNull(placeholder: 0)
    var b = BoolBuilder()
    b.append(true)
    b.appendNull()
    var t = TextBuilder()
    t.appendRow("say \"hi\",\nü\\")
    t.appendNull()
    var o = TextBuilder()
    o.appendRow("{\"a\":[1,\"x\"]}")
    o.appendNull()
    var at = FixedBuilder<Int64>()
    at.append(1_500_000_000_000_000_000)
    at.appendNull(placeholder: 0)
    var id = TextBuilder()
    id.appendRow("unused")
    let ids = UUIDv7.column(first: Array(1...16), count: 2)
    let nullable = Column(
      type: .uuid, rowCount: 2, validity: Buffer(copying: [UInt8(1)]), storage: ids.storage)
    return RecordBatch(
      fields: fields,
      columns: [
        n.finish(type: .int64), f.finish(type: .float64), b.finish(), t.finish(), o.finish(type: .json),
        at.finish(type: .timestamp), nullable,
      ], rowCount: 2)
  }

  static let object =
    #"{"n":-7,"f":1.0,"b":true,"t":"say \"hi\",\nü\\","o":{"a":[1,"x"]},"at":"2017-07-14T02:40:00Z","id":"01020304-0506-0708-090a-0b0c0d0e0f10"}"#

  private func encode(
    _ format: OutputFormat, batches: Int, cursor: String? = nil, remarks: AnswerRemarks = AnswerRemarks()
  ) throws -> String {
    let encoder: any BatchEncoder = TextEncoder(
      format: format, fields: TextEncoderTests.fields, remarks: remarks)
    var bytes = try encoder.begin()
    for _ in 0..<batches { bytes += try encoder.encode(TextEncoderTests.batch) }
    bytes += try encoder.end(cursor: cursor)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func ndjsonIsAnObjectALine() throws {
    #expect(
      try encode(.ndjson, batches: 2) == "\(TextEncoderTests.object)\n{}\n\(TextEncoderTests.object)\n{}\n")
    #expect(try encode(.ndjson, batches: 0).isEmpty)
  }

  @Test func jsonIsOneObjectThatParses() throws {
    let text = try encode(.json, batches: 2, cursor: "abc")
    let tree = try JSONTree(parsing: Array(text.utf8))
    guard case .array(let rows)? = tree["rows"] else {
      Issue.record("rows is an array")
      return
    }
    #expect(rows.count == 4 && rows[0] == rows[2])
    #expect(tree["cursor"] == .string("abc"))
    #expect(try encode(.json, batches: 0) == "{\"rows\":[]}\n")
  }

  /// Behind all else, asked when the rows are read.
  @Test func statisticsAreTheLastWord() throws {
    var remarks = AnswerRemarks()
    remarks.statistics = {
      var statistics = AnswerStatistics()
      statistics.rowsLookedAt = 3
      statistics.milliseconds = 1.5
      return statistics
    }
    let text =
      #""statistics":{"rows_looked_at":3,"rows_known":0,"blocks":0,"pages_left_out":0,"#
      + #""bytes_looked_at":0,"ms":1.5}"#
    let json = try encode(.json, batches: 0, cursor: "abc", remarks: remarks)
    #expect(json == "{\"rows\":[],\"cursor\":\"abc\",\(text)}\n")
    #expect(try encode(.ndjson, batches: 0, remarks: remarks) == "{\(text)}\n")
    #expect(try encode(.csv, batches: 0, remarks: remarks) == encode(.csv, batches: 0))
    remarks.statistics = { nil }
    #expect(try encode(.json, batches: 0, remarks: remarks) == "{\"rows\":[]}\n")
  }

  @Test func csvQuotesWhatItMust() throws {
    let expected =
      "n,f,b,t,o,at,id\r\n-7,1.0,true,\"say \"\"hi\"\",\nü\\\",\"{\"\"a\"\":[1,\"\"x\"\"]}\","
      + "2017-07-14T02:40:00Z,01020304-0506-0708-090a-0b0c0d0e0f10\r\n,,,,,,\r\n"
    #expect(try encode(.csv, batches: 1) == expected)
  }

  /// Cells that a spreadsheet would run, and those that it would not.
  @Test func guardedCellsAreText() throws {
    let cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "'=1", "", "-1,\"x\""]
    var builder = TextBuilder()
    for cell in cells { builder.appendRow(cell) }
    let fields = [Field("=x", .utf8, isNullable: false), Field("n", .int64, isNullable: false)]
    var numbers = FixedBuilder<Int64>()
    for _ in cells { numbers.append(-7) }
    let batch = RecordBatch(
      fields: fields, columns: [builder.finish(type: .utf8), numbers.finish(type: .int64)],
      rowCount: cells.count)
    for isGuarded in [false, true] {
      var style = RecordStyle()
      style.guardsCells = isGuarded
      let encoder = TextEncoder(format: .csv, fields: fields, style: style)
      let text = String(decoding: encoder.begin() + encoder.encode(batch), as: UTF8.self)
      let lead = isGuarded ? "'" : ""
      let expected = [
        "\(lead)=1+1", "\(lead)+1", "\(lead)-1", "\(lead)@SUM(A1)", "\(lead)\t=1", "\"\(lead)\r=1\"", "a=1",
        "'=1",
        "\"\"", "\"\(lead)-1,\"\"x\"\"\"",
      ]
      #expect(text == "\(lead)=x,n\r\n" + expected.map { $0 + ",-7\r\n" }.joined(), "numbers are no text")
    }
  }

  @Test func dictionariesAreWrittenAsTheirValues() {
    let column = Column(
      type: .utf8, rowCount: 3, validity: nil,
      storage: .dictionary(
        indices: Buffer(copying: [Int32(1), 0, 1]), offsets: Buffer(copying: [Int32(0), 1, 3]),
        bytes: Buffer(copying: Array("abc".utf8)), valueCount: 2))
    let batch = RecordBatch(fields: [Field("l", .utf8, isNullable: false)], columns: [column], rowCount: 3)
    let encoder = TextEncoder(format: .ndjson, fields: batch.fields)
    #expect(
      String(decoding: encoder.encode(batch), as: UTF8.self)
        == "{\"l\":\"bc\"}\n{\"l\":\"a\"}\n{\"l\":\"bc\"}\n")
  }

  @Test(arguments: [
    (nil, OutputFormat.json as OutputFormat?), ("*/*", .json), ("text/csv", .csv),
    ("application/x-ndjson", .ndjson),
    ("text/html, application/json;q=0.5, text/csv;q=0.9", .csv),
    ("application/vnd.apache.arrow.stream", .arrow),
    ("text/html", nil), ("application/json;q=0", nil), (",,;;", nil),
  ])
  func acceptChoosesTheFormat(accept: String?, format: OutputFormat?) {
    #expect(OutputFormat(accept: accept) == format)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00+00:00"), (1_500_000_000, "1970-01-01T00:00:01.500000+00:00"),
      (1_000_001_000, "1970-01-01T00:00:01.000001+00:00"), (1_000_000_999, "1970-01-01T00:00:01+00:00"),
      (1_000_001_999, "1970-01-01T00:00:01.000001+00:00"), (-1, "1969-12-31T23:59:59.999999+00:00"),
      (.max, "2262-04-11T23:47:16.854775+00:00"), (.min, "1677-09-21T00:12:43.145224+00:00"),
    ] as [(Int64, String)])
  func microsecondTimes(nanoseconds: Int64, text: String) {
    var writer = JSONWriter(capacity: 1)
    writer.appendMicrosecondTimestamp(nanoseconds, zone: "+00:00")
    #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == "\"\(text)\"")
  }

  @Test func aStyleWritesNullsAndATail() {
    var style = RecordStyle()
    style.writesNulls = true
    style.times = .microsecondsWithOffset
    style.tail = Array(",\"x\":1".utf8)
    let encoder = TextEncoder(format: .ndjson, fields: TextEncoderTests.fields, style: style)
    let text = String(decoding: encoder.encode(TextEncoderTests.batch), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].contains("\"at\":\"2017-07-14T02:40:00+00:00\"") && lines[0].hasSuffix(",\"x\":1}"))
    #expect(
      lines[1] == "{\"n\":null,\"f\":null,\"b\":null,\"t\":null,\"o\":null,\"at\":null,\"id\":null,\"x\":1}")
  }
}
