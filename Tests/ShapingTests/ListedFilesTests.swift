import Codecs
import Foundation
import Shaping
import TestKit
import Testing

/// Files whose records are no lines.
@Suite struct ListedFilesTests {
  private static func lines(_ text: String, piece: Int) -> String {
    var lines = ListLines()
    var out: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: piece) {
      out += lines.decode(Array(bytes[start..<min(start + piece, bytes.count)]), atEnd: false)
    }
    out += lines.decode([], atEnd: true)
    return String(decoding: out, as: UTF8.self)
  }

  @Test(arguments: [
    (#"{"Records":[{"a":"]}, \" {"},{"b":[1,{}]}]}"#, "{\"a\":\"]}, \\\" {\"}\n{\"b\":[1,{}]}\n"),
    ("[\n  {\n    \"a\": 1\n  },\n  7 , \"x, ]\"\n]\n", "{     \"a\": 1   }\n7\n\"x, ]\"\n"),
    ("{ \"records\" : [ {} ] }\n{\"records\":[{\"c\":1}]}\n", "{}\n{\"c\":1}\n"), ("[]", ""),
    // What is behind a list, or no list, is passed on.
    (#"{"Records":[{}],"Next":1}"#, "{}\n,\"Next\":1}"), ("[{}] x", "{}\nx"), ("{\"a\":1}\n", "{\"a\":1}\n"),
    ("[{\"a\":", "{\"a\":"), ("{\"Rec", "{\"Rec"), ("", ""),
  ])
  func elementsBecomeLines(_ text: String, _ expected: String) {
    for piece in [1, 2, 3, 7, 1_000] { #expect(ListedFilesTests.lines(text, piece: piece) == expected) }
  }

  @Test func listsAreKnown() {
    for text in [
      "[{", " [ {\"a\"", "{\"Records\":[{", "{\n  \"records\": [\n    {", "[]", "{\"Records\":[]}\n",
      "[{\"a\":1}]\n", "{\"records\":[{}]}\n{\"records\":[",
    ] { #expect(ListLines.areIn(Array(text.utf8)), "\(text)") }
    for text in [
      "", "[", "[1,2]", "[2025-11-30] {", "{\"a\":[{", "{\"Records\":7}", "[[{", "[{}] a text",
      "{\"records\":[{\"x\":1}],\"msg\":\"c\"}\n", "[{thread-1}] started\n",
    ] { #expect(!ListLines.areIn(Array(text.utf8)), "\(text)") }
  }

  /// A file that grows begins as it did: what an import knows of it holds.
  @Test func linesOfAPrefixAreAPrefix() {
    let text = "{\"Records\": [ {\"a\":\"]\\\"\"}, 7, {\"b\":[{}]} ,\"x\" ] }"
    let whole = ListedFilesTests.lines(text, piece: 1_000)
    for end in 0...text.utf8.count {
      let part = ListedFilesTests.lines(String(text.utf8.prefix(end)) ?? "", piece: 3)
      // What is no list yet comes out as it is.
      if end > 12 { #expect(whole.hasPrefix(part), "\(end)") }
    }
  }

  /// `journalctl -o export`, one value as bytes.
  private static let entries: [UInt8] = {
    var bytes = Array(
      "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764504000250000\nPRIORITY=4\nSYSLOG_IDENTIFIER=sshd\n".utf8)
    bytes += Array("_HOSTNAME=h\nMESSAGE\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("a\nb".utf8) + [10, 10]
    return bytes + Array("\n__CURSOR=s=2\nMESSAGE=c\nX=1\nX=2\n".utf8)
  }()

  @Test func entriesBecomeRecords() throws {
    #expect(ExportLines.areIn(ListedFilesTests.entries))
    for piece in [1, 3, 64, 10_000] {
      var lines = ExportLines()
      var out: [UInt8] = []
      let bytes = ListedFilesTests.entries
      for start in stride(from: 0, to: bytes.count, by: piece) {
        out += lines.decode(Array(bytes[start..<min(start + piece, bytes.count)]), atEnd: false)
      }
      out += lines.decode([], atEnd: true)
      #expect(lines.fault == nil)
      #expect(
        String(decoding: out, as: UTF8.self).split(separator: "\n") == [
          #"{"timestamp":"2025-11-30T12:00:00.250Z","level":"WARN","message":"a\nb","service":"sshd","#
            + #""labels":{"_HOSTNAME":"h"},"metadata":{"PRIORITY":"4","SYSLOG_IDENTIFIER":"sshd"}}"#,
          #"{"message":"c","metadata":{"X":["1","2"]}}"#,
        ])
    }
  }

  /// What is whole before a fault is given; then the fault, with its place in the file.
  @Test func entriesBeforeAFaultAreGiven() throws {
    let bytes = Array("\n\n__CURSOR=1\nMESSAGE=a\n\n__CURSOR=2\nMESSAGE=b\n\nMESSAGE\n".utf8)
    #expect(ExportLines.areIn(bytes))
    for piece in [1, 7, 1_000] {
      var lines = ExportLines()
      var out: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: piece) {
        out += lines.decode(Array(bytes[start..<min(start + piece, bytes.count)]), atEnd: false)
      }
      out += lines.decode([], atEnd: true)
      #expect(lines.fault?.offset == bytes.count - 8, "\(lines.fault?.reason ?? "an entry is cut off")")
      #expect(String(decoding: out, as: UTF8.self).split(separator: "\n").count == 2)
    }
  }

  @Test func timesThatCannotBeReadAreKept() throws {
    var lines = ExportLines()
    let out = lines.decode(Array("__CURSOR=1\n__REALTIME_TIMESTAMP=soon\nMESSAGE=a\n".utf8), atEnd: true)
    #expect(
      String(decoding: out, as: UTF8.self)
        == #"{"message":"a","metadata":{"__REALTIME_TIMESTAMP":"soon"}}"# + "\n")
  }

  @Test func brokenEntriesAreTold() {
    for text in [
      "__CURSOR=1\nMESSAGE\n\u{3}", "__CURSOR=1\n=x\n", "__CURSOR=1\n" + String(repeating: "N", count: 300),
    ] {
      var lines = ExportLines()
      _ = lines.decode(Array(text.utf8), atEnd: true)
      #expect(lines.fault != nil)
    }
  }
}
