import Codecs
import Foundation
import Shaping
import Testing

/// Files of lines, and the records they become.
enum Lines {
  /// 2025-11-30T12:00:00Z.
  static let noon: Int64 = 1_764_504_000_000_000_000

  static func options(zone: LineTimes.Zone? = nil) -> LineRecords.Options {
    LineRecords.Options(times: LineTimes(zone: zone, now: noon))
  }

  /// The batches of `text`, fed in pieces.
  static func batches(
    _ text: [UInt8], _ format: LineFormat, _ options: LineRecords.Options = Lines.options(),
    piece: () -> Int = { 1 << 20 }
  ) -> [LineBatch] {
    var records = LineRecords(format, options)
    var batches: [LineBatch] = []
    var at = 0
    while at < text.count {
      let end = min(text.count, at + max(1, piece()))
      records.feed(Array(text[at..<end]))
      at = end
      while let batch = records.next(atEnd: false) { batches.append(batch) }
    }
    while let batch = records.next(atEnd: true) { batches.append(batch) }
    return batches
  }

  /// The records of `text` in the format that is found, as JSON.
  static func records(
    _ text: String, _ name: String? = nil, _ options: LineRecords.Options = Lines.options()
  ) -> [String] {
    let bytes = Array(text.utf8)
    let times = options.times
    let format =
      name.flatMap { LineFormat(named: $0, head: bytes, times: times) }
      ?? LineFormat.detect(bytes, times: times)
    return batches(bytes, format, options).flatMap { batch in
      batch.body.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  static func format(of text: String) -> String {
    LineFormat.detect(Array(text.utf8), times: LineTimes(now: noon)).name
  }
}

/// A line of each kind of program, the format it is found to be, and the record it becomes.
@Suite struct LineFormTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let title: String
    let format: String
    let line: String
    let record: String
    var testDescription: String { title }
  }

  /// The cases of `corpus/lines.txt`: four lines each.
  static let cases: [Case] = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/corpus/lines.txt"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      // No cases: `corpusIsThere` fails then.
      return []
    }
    return text.components(separatedBy: "\n\n").compactMap { block in
      let lines = block.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
      guard lines.count == 4 else { return nil }
      return Case(
        title: lines[0], format: lines[1], line: lines[2].replacingOccurrences(of: "␉", with: "\t"),
        record: lines[3])
    }
  }()

  @Test func corpusIsThere() { #expect(LineFormTests.cases.count >= 40) }

  @Test(arguments: cases) func linesBecomeRecords(_ sample: Case) {
    let text = sample.line + "\n"
    if sample.format != "csv" { #expect(Lines.format(of: text) == sample.format) }
    #expect(Lines.records(text, sample.format) == [sample.record])
  }

  /// What is none of a form keeps its text, and has the time of the record before.
  @Test func otherLinesKeepTheirText() {
    let text = """
      Nov 30 11:00:00 web sshd[7]: one
      -- a comment
      Nov 30 11:00:01 web sshd[7]: two

      """
    let batches = Lines.batches(Array(text.utf8), LineFormat(.syslog))
    #expect(batches.map(\.unparsedCount) == [1])
    #expect(batches.map(\.lineCount) == [3])
    let records = batches[0].body.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    #expect(records[1] == #"{"timestamp":"2025-11-30T11:00:00Z","message":"-- a comment"}"#)
    #expect(batches[0].places.map(\.line) == [1, 2, 3])
  }

  @Test func zonesAreThoseToldAndThoseOfTheYear() {
    let zone = LineTimes.Zone(
      offsetSeconds: 3_600,
      steps: [
        // 2025-03-30T02:00 and 2025-10-26T03:00 on the clocks of Berlin.
        LineTimes.Zone.Step(fromLocalSeconds: 1_743_300_000, offsetSeconds: 7_200),
        LineTimes.Zone.Step(fromLocalSeconds: 1_761_447_600, offsetSeconds: 3_600),
      ])
    let text = "2025-07-01 12:00:00 INFO a\n2025-11-30 12:00:00 INFO b\n2025-11-30 12:00:00Z INFO c\n"
    let times = Lines.records(text, nil, Lines.options(zone: zone)).map { $0.prefix(34).dropFirst(14) }
    #expect(times == ["2025-07-01T10:00:00Z", "2025-11-30T11:00:00Z", "2025-11-30T12:00:00Z"])
  }

  /// The year is the last in which the time is not later than when the file was written.
  @Test func yearsAreTheLatest() {
    var options = Lines.options()
    options.times = LineTimes(now: 1_767_312_000_000_000_000)  // 2026-01-02
    let records = Lines.records("Dec 31 23:59:59 h a: x\nJan  1 00:00:01 h a: y\n", nil, options)
    #expect(records.map { $0.prefix(34).dropFirst(14) } == ["2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z"])
    let leap = Lines.records("Feb 29 12:00:00 h a: x\nDec  2 12:00:00 h a: y\n")
    #expect(leap.map { $0.prefix(34).dropFirst(14) } == ["2024-02-29T12:00:00Z", "2024-12-02T12:00:00Z"])
  }

  @Test func aServiceThatIsToldGoesBeforeTheProgram() {
    var options = Lines.options()
    options.service = "shop"
    options.labels = Array(#""pod":"p-1""#.utf8)
    #expect(
      Lines.records("Nov 30 11:00:00 web sshd[7]: one\n", nil, options) == [
        #"{"timestamp":"2025-11-30T11:00:00Z","service":"shop","message":"one","labels":{"pod":"p-1"},"#
          + #""metadata":{"program":"sshd","hostname":"web","proc_id":"7"}}"#
      ])
  }

  @Test func namesOfFormatsAreKnown() {
    let times = LineTimes(now: Lines.noon)
    for form in LineForm.named where form != .csv {
      #expect(LineFormat(named: form.rawValue, head: [], times: times)?.form == form)
    }
    #expect(LineFormat(named: "log4j", head: [], times: times)?.name == "timed")
    #expect(LineFormat(named: "docker+json", head: [], times: times)?.name == "docker+json")
    #expect(LineFormat(named: "cri", head: [], times: times)?.name == "cri+text")
    for name in ["", "+", "docker+", "docker+x", "json+cri", "cri+cri", "csv", "xml"] {
      #expect(LineFormat(named: name, head: [], times: times) == nil, "\(name)")
    }
  }
}
