import Codecs
import Foundation
import Shaping
import TestKit
import Testing

/// Lines into records: none lost, none doubled, in whatever pieces they come.
@Suite struct LineRecordsTests {
  static func messages(_ records: [String]) -> [String] {
    records.map { record in
      let object = try? JSONSerialization.jsonObject(with: Data(record.utf8)) as? [String: Any]
      // What is no object fails the comparison.
      return object?["message"] as? String ?? "none"
    }
  }

  /// What follows a head belongs to it, to the byte.
  @Test(arguments: [
    // Java
    [
      "2025-11-30 12:00:00,250 ERROR [main] a.B: failed\njava.lang.X: no\n\tat a.B.c(B.java:7)\n"
        + "Caused by: java.io.Y\n\t... 3 more", "2025-11-30 12:00:01,250 INFO [main] a.B: next",
    ],
    // Python
    [
      "2025-11-30 12:00:00,123 ERROR shop.a - failed\nTraceback (most recent call last):\n"
        + "  File \"a.py\", line 1, in <module>\n    1/0\nZeroDivisionError: division by zero",
      "2025-11-30 12:00:01,123 ERROR shop.a - next",
    ],
    // Indented, behind syslog
    ["Nov 30 12:00:00 h a: one\n\ttwo\n  three", "Nov 30 12:00:01 h a: next"],
    // An empty line within, and .NET
    [
      "2025-11-30 12:00:00 [ERR] failed\n\nSystem.X: no\n   at A.B() in C:\\a.cs:line 7\n"
        + "   --- End of inner exception stack trace ---", "2025-11-30 12:00:01 [INF] next",
    ],
    // Go, of no form
    [
      "panic: no\n\ngoroutine 1 [running]:\nmain.run(0x1)\n\t/a.go:7 +0x1\nmain.main()\n\t/a.go:3 +0x2\n"
        + "exit status 2", "something else",
    ],
    // Node and Ruby
    ["TypeError: x is no function\n    at f (/a.js:1:2)\n    at g (/b.js:3:4)", "next"],
    ["a.rb:7:in `b': no (RuntimeError)\n\tfrom a.rb:9:in `c'", "next"],
  ])
  func tracesStayTogether(_ records: [String]) {
    let text = records.joined(separator: "\n") + "\n"
    let messages = LineRecordsTests.messages(Lines.records(text))
    #expect(messages.count == records.count, "\(messages)")
    for (message, record) in zip(messages, records) { #expect(record.hasSuffix(message), "\(message)") }
    #expect(records[0].components(separatedBy: "\n").count == messages[0].components(separatedBy: "\n").count)
  }

  @Test func theTextFormatJoinsNothingWhenItIsTold() {
    var options = Lines.options()
    options.joinsLines = false
    let records = Lines.records("a\n  b\n\nc\n", "text", options)
    #expect(LineRecordsTests.messages(records) == ["a", "  b", "", "c"])
  }

  @Test func objectsOfManyLinesAreOne() {
    let text = "{\n  \"msg\": \"a } {\",\n  \"level\": \"warn\"\n}\n{\n  \"msg\": \"b\"\n}\n"
    #expect(Lines.format(of: text) == "json-pretty")
    #expect(LineRecordsTests.messages(Lines.records(text)) == ["a } {", "b"])
  }

  @Test func brokenObjectsAreRefusedWithTheirLine() {
    let text = "{\"msg\":\"a\"}\n{\"msg\":\nplain\n{\"msg\":\"b\"}\n"
    let batches = Lines.batches(Array(text.utf8), LineFormat(.json))
    #expect(batches.map { $0.refusals.map(\.place.line) } == [[2]])
    #expect(batches.map { $0.places.map(\.line) } == [[1, 3, 4]])
    #expect(batches[0].refusals[0].place.range == 12..<20)
    #expect(batches.map(\.unparsedCount) == [1])
  }

  @Test func tablesHaveTheNamesOfTheirFirstLine() {
    let text = """
      Time,Level,Message,Order
      2025-11-30 12:00:00,warn,"slow, ""very"\"",7
      2025-11-30 12:00:01,info,ok,8
      2025-11-30 12:00:02,info
      """
    #expect(
      Lines.records(text + "\n", "csv") == [
        #"{"timestamp":"2025-11-30T12:00:00Z","message":"slow, \"very\"","level":"WARN","#
          + #""metadata":{"level":"warn","Order":7}}"#,
        #"{"timestamp":"2025-11-30T12:00:01Z","message":"ok","level":"INFO","#
          + #""metadata":{"level":"info","Order":8}}"#,
        #"{"timestamp":"2025-11-30T12:00:01Z","message":"2025-11-30 12:00:02,info"}"#,
      ])
    #expect(Lines.format(of: text.split(separator: "\n").prefix(3).joined(separator: "\n") + "\n") == "csv")
  }

  /// Parts of a line are put together, by stream; what is between them is not lost.
  @Test func partsOfContainersLinesAreOneLine() {
    let text = """
      2025-11-30T12:00:00.1Z stdout P one 
      2025-11-30T12:00:00.2Z stderr F other
      2025-11-30T12:00:00.3Z stdout P two 
      2025-11-30T12:00:00.4Z stdout F three
      2025-11-30T12:00:00.5Z stdout F   indented

      """
    let records = Lines.records(text, "cri+text")
    #expect(LineRecordsTests.messages(records) == ["other", "one two three\n  indented"])
    let docker = #"""
      {"log":"part ","stream":"stdout","time":"2025-11-30T12:00:00.5Z"}
      {"log":"rest\n","stream":"stdout","time":"2025-11-30T12:00:00.6Z"}

      """#
    #expect(LineRecordsTests.messages(Lines.records(docker)) == ["part rest"])
  }

  @Test func linesThatAreTooLongAreCut() {
    let max = LineRecords.recordBytesMax
    let text = "a\n" + String(repeating: "ä", count: max) + "\nb\n"
    let batches = Lines.batches(Array(text.utf8), LineFormat(.text))
    let messages = batches.flatMap { $0.body.split(separator: 10) }.map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(LineRecordsTests.messages(messages).joined() == text.replacingOccurrences(of: "\n", with: ""))
    #expect(batches.reduce(0) { $0 + $1.lineCount } == 3)
    #expect(batches.compactMap(\.firstCutOffset) == [2])
    let long = "2025-11-30 12:00:00 INFO x\n" + String(repeating: " y\n", count: 5_000)
    let records = Lines.batches(Array(long.utf8), LineFormat(.timed))
    #expect(records.flatMap(\.places).map(\.line) == [1, 2_001, 4_001])
  }

  /// Whatever the pieces, the batches are the same, follow one another and hold every line; and what an
  /// interrupted import sends from some batch on is what it would have sent.
  @Test(arguments: 0..<60) func piecesDoNotMatter(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let parts = [
      "2025-11-30 12:00:00,1 INFO a.b: x\n", "\tat a\n", "\n", "plain\n", "{\"msg\":1}\n", "{\"msg\":\n",
      "Nov 30 12:00:00 h a: x\r\n", "2025-11-30T12:00:00Z stdout F x\n", "2025-11-30T12:00:00Z stderr P x\n",
      "a=1 b=2\n", "a,time,message\n", "1,2,3\n", "\u{0}ä\n", "I1130 12:00:00.1 7 a.go:1] x\n", "no end",
    ]
    let text = Array(
      (0..<Int.random(in: 0...120, using: &generator)).map { _ in
        parts[Int.random(in: 0..<parts.count, using: &generator)]
      }.joined().utf8)
    var options = Lines.options()
    options.bytesMax = Int.random(in: 1...2_000, using: &generator)
    options.skipsEmpty = Bool.random(using: &generator)
    options.keepsSource = true
    for name in ["text", "timed", "json", "syslog", "cri+timed", "logfmt", "klog"] {
      guard let format = LineFormat(named: name, head: [], times: options.times) else { continue }
      let whole = Lines.batches(text, format, options)
      let pieces = Lines.batches(text, format, options) { Int.random(in: 1...40, using: &generator) }
      #expect(whole == pieces, "seed \(seed), \(name)")
      #expect(whole.flatMap(\.source) == text, "seed \(seed), \(name)")
      var (at, line) = (0, 0)
      for batch in whole {
        #expect(batch.range.lowerBound == at && batch.linesBefore == line, "seed \(seed), \(name)")
        at = batch.range.upperBound
        line += batch.lineCount
        #expect(batch.body.split(separator: 10).count == batch.places.count)
      }
      #expect(
        line == text.split(separator: 10, omittingEmptySubsequences: false).count
          - (text.last == 10 || text.isEmpty ? 1 : 0))
    }
  }

  @Test func liveRecordsWaitForWhatMayGoOn() {
    var records = LineRecords(LineFormat(.timed), Lines.options())
    records.feed(Array("2025-11-30 12:00:00 INFO a\n2025-11-30 12:00:01 INFO b\n".utf8))
    let first = records.next(atEnd: false, isLive: true)
    #expect(first?.places.count == 1)
    #expect(records.next(atEnd: false, isLive: true) == nil)
    records.feed(Array("\tat x\nunfinished".utf8))
    #expect(records.next(atEnd: false, isLive: true) == nil)
    let second = records.next(atEnd: false, isIdle: true)
    #expect(second?.places.count == 1)
    #expect(second?.body.count ?? 0 > 50)
    #expect(records.next(atEnd: true)?.body.isEmpty == false)
    #expect(records.next(atEnd: true) == nil)
  }
}
