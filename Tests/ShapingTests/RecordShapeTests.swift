import Codecs
import Foundation
import Records
import Shaping
import Testing

/// What loggers' JSON says in columns.
@Suite struct RecordShapeTests {
  static let now: Int64 = 1_764_504_000_000_000_000

  static func shaped(_ object: String) throws -> (text: String, outcome: RecordShape.Outcome?) {
    let body = Array(object.utf8)
    var reader = JSONReader(body, keepsNumberTexts: true)
    var text = JSONWriter(capacity: 16)
    let outcome = try RecordShape().write(&reader, of: body, to: &text, times: LogTime(now: now))
    #expect(text.byteCount <= RecordShape.bytesMax(body.count))
    return (String(decoding: text.takeBytes(), as: UTF8.self), outcome)
  }

  /// Cases of corpus/loggers.txt: what was sent, and the members it becomes.
  static let loggers: [(object: String, expected: String)] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus/loggers.txt")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n\n").dropFirst().map { part in
      let lines = part.split(separator: "\n").map(String.init)
      return lines.count == 3 ? (lines[1], lines[2]) : ("a case has three lines", String(part))
    }
  }()

  @Test func theCorpusIsThere() { #expect(RecordShapeTests.loggers.count > 10) }

  @Test(arguments: loggers)
  func loggersAreUnderstood(object: String, expected: String) throws {
    #expect(try RecordShapeTests.shaped(object).text == expected)
  }

  @Test func unreadableTimesAreTold() throws {
    #expect(try RecordShapeTests.shaped(#"{"time":"yesterday"}"#).outcome?.hasUnreadableTime == true)
    #expect(try RecordShapeTests.shaped(#"{"time":"x","ts":1}"#).outcome?.hasUnreadableTime == false)
    #expect(try RecordShapeTests.shaped(#"{"a":1}"#).outcome?.hasUnreadableTime == false)
  }

  /// Names are bytes: what only looks like one of them is another.
  @Test func looksAreNoNames() throws {
    let shaped = try RecordShapeTests.shaped(
      "{\"messa\u{301}ge\":\"a\",\"\\u006dessage\":\"b\",\"Message\":\"c\"}")
    #expect(shaped.text == "\"message\":\"b\",\"metadata\":{\"messa\u{301}ge\":\"a\",\"Message\":\"c\"}")
  }

  @Test(arguments: ["[1]", "1", "\"a\"", "null"])
  func otherValuesAreNoRecords(_ text: String) throws {
    let shaped = try RecordShapeTests.shaped(text)
    #expect(shaped.outcome == nil && shaped.text.isEmpty)
  }

  @Test(arguments: [
    "{", #"{"a"}"#, #"{"a":1,}"#, #"{"log":{"level":}}"#, #"{"a":1,"a":2}"#, #"{"a":"\ud800"}"#, #"{"a":01}"#,
  ])
  func brokenTextsWriteNothing(_ text: String) {
    let body = Array(text.utf8)
    var reader = JSONReader(body)
    var written = JSONWriter(capacity: 16)
    #expect(throws: JSONTree.SyntaxError.self) {
      try RecordShape().write(&reader, of: body, to: &written, times: LogTime(now: 0))
    }
    #expect(written.byteCount == 0)
  }
}
