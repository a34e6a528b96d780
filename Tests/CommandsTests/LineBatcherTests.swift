import Codecs
import Decoding
import Foundation
import Masking
import Records
import TestKit
import Testing

@testable import Commands

/// Lines into records: none lost, none changed but for what is no text.
@Suite struct LineBatcherTests {
  /// Feeds `input` in pieces and gives the batches.
  static func batches(
    _ input: [UInt8], style: LineStyle = .text, service: String? = nil, skipsEmpty: Bool = false,
    offset: Int = 0,
    bytesMax: Int = 1 << 20, piece: () -> Int = { 1 << 20 }
  ) -> [ImportBatch] {
    var batcher = LineBatcher(
      style: style, members: ImportTarget.dataset("logs", service: service).members(style, time: 0),
      skipsEmpty: skipsEmpty, offset: offset, bytesMax: bytesMax)
    var found: [ImportBatch] = []
    var at = 0
    while at < input.count {
      let end = min(input.count, at + max(1, piece()))
      batcher.feed(Array(input[at..<end]))
      at = end
      while let batch = batcher.next(atEnd: false) { found.append(batch) }
    }
    while let batch = batcher.next(atEnd: true) { found.append(batch) }
    return found
  }

  /// What the server would store: the messages of the decoded records.
  static func messages(_ batches: [ImportBatch]) throws -> [String] {
    let decoder = RecordDecoder(schema: Dataset.logs.schema, masking: .none)
    return try batches.flatMap { batch -> [String] in
      let decoded = try decoder.decode(batch.body, now: 0)
      let column = try #require(decoded.batch?.column("message"))
      return column.withText { offsets, bytes in
        (0..<column.rowCount).map { row in
          let range = Int(offsets[row])..<Int(offsets[row + 1])
          return String(decoding: range.map { bytes[$0] }, as: UTF8.self)
        }
      }
    }
  }

  @Test(arguments: [
    ("a\nb\n", ["a", "b"]), ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]), ("\n\na\n", ["", "", "a"]),
    ("", []), ("\n", [""]), ("a\rb\n", ["a\rb"]), ("\t\"\\\u{1}\n", ["\t\"\\\u{1}"]), ("ü€😀", ["ü€😀"]),
    ("a\0b\n", ["a\u{FFFD}b"]),
  ])
  func linesBecomeMessages(input: String, messages: [String]) throws {
    let found = LineBatcherTests.batches(Array(input.utf8))
    #expect(try LineBatcherTests.messages(found) == messages)
  }

  /// A service is put into records that have none; their own wins.
  @Test(arguments: [
    (#"{"message":"m"}"#, #"{"service":"s","message":"m"}"#),
    (#" { "message":"m"}"#, #"{"service":"s", "message":"m"}"#),
    (#"{"message":"m","service":"own"}"#, #"{"message":"m","service":"own"}"#),
    (#"{"message":"m","serv\u0069ce":"own"}"#, #"{"message":"m","serv\u0069ce":"own"}"#),
    (
      #"{"message":"m","metadata":{"service":"x"}}"#,
      #"{"service":"s","message":"m","metadata":{"service":"x"}}"#
    ),
    ("{}", "{}"), (#"{"message":"#, #"{"message":"#), ("[1]", "[1]"),
  ])
  func aServiceIsPutIntoRecords(_ line: String, _ expected: String) {
    let found = LineBatcherTests.batches(Array(line.utf8), style: .json, service: "s")
    #expect(found.map { String(decoding: $0.body, as: UTF8.self) } == [expected + "\n"])
  }

  /// A line of 64 MiB in pieces of 4 KiB: looked at from its beginning for each of them it took minutes.
  /// As a file that is read to its end while it may still be written: what fills no batch is asked for in
  /// vain, then all whole lines are.
  @Test func wholeLinesAreThereWhenNothingElseComes() throws {
    var batcher = LineBatcher(style: .json, members: [], skipsEmpty: false, offset: 0, bytesMax: 1 << 20)
    batcher.feed(Array("{\"a\":1}\n{\"a\":2}\n{\"a\"".utf8))
    #expect(batcher.next(atEnd: false) == nil)
    let whole = batcher.next(atEnd: false, isLive: true)
    let batch = try #require(whole)
    #expect(batch.lineCount == 2 && batch.range == 0..<16)
    #expect(batcher.next(atEnd: false, isLive: true) == nil && batcher.carryBytes == 4)
    #expect(batcher.next(atEnd: false) == nil)
    batcher.feed(Array(":3}\n".utf8))
    #expect(batcher.next(atEnd: false) == nil)
    #expect(batcher.next(atEnd: false, isLive: true)?.range == 16..<24)
  }

  @Test(.timeLimit(.minutes(1)), arguments: [false, true]) func linesOfAnyLengthTakeLinearTime(isLive: Bool) {
    var batcher = LineBatcher(style: .json, members: [], skipsEmpty: false, offset: 0, bytesMax: 1 << 20)
    let piece = [UInt8](repeating: 120, count: 4096)
    batcher.feed(Array("{\"first\":1}\n{\"a\":\"".utf8))
    var found: [ImportBatch] = []
    for _ in 0..<(64 << 20) / piece.count {
      batcher.feed(piece)
      while let batch = batcher.next(atEnd: false, isLive: isLive) { found.append(batch) }
    }
    batcher.feed(Array("\"}\n{\"last\":1}\n".utf8))
    while let batch = batcher.next(atEnd: true, isLive: isLive) { found.append(batch) }
    #expect(found.map(\.lineCount).reduce(0, +) == 3)
    #expect(found.map(\.body.count).max() ?? 0 > 64 << 20)
  }

  /// However the input comes, and where batches end within such a line.
  @Test(arguments: [1 << 20, LineBatcher.lineBytesMax, 50_021], [1, 1 << 20])
  func linesThatAreTooLongAreCounted(piece: Int, bytesMax: Int) throws {
    let max = LineBatcher.lineBytesMax
    for ending in ["", "\n"] {
      let lines = [0, max, max + 1, 5, 3 * max, max].map { String(repeating: "x", count: $0) }
      let input = Array((lines.joined(separator: "\n") + ending).utf8)
      let found = LineBatcherTests.batches(input, bytesMax: bytesMax, piece: { piece })
      let cuts = found.reduce(into: LineCuts()) { $0 += $1.cuts }
      #expect(cuts == LineCuts(count: 2, firstOffset: 1 + max + 1))
      let lengths = try LineBatcherTests.messages(found).map(\.utf8.count)
      #expect(lengths == [0, max, max, 1, 5, max, max, max, max])
    }
    let records = Array("{\"message\":\"\(String(repeating: "x", count: 2 * max))\"}\n".utf8)
    #expect(LineBatcherTests.batches(records, style: .json).map(\.cuts) == [LineCuts()], "never cut")
  }

  @Test func bytesThatAreNoTextBecomeReplacementCharacters() throws {
    let input: [UInt8] = [0xFF, 0xFE, 0x41, 10, 0xE2, 0x82, 10, 0xC3, 0x28]
    let expected = input.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    #expect(try LineBatcherTests.messages(LineBatcherTests.batches(input)) == expected)
  }

  @Test func emptyLinesMayBeLeftOut() throws {
    let found = LineBatcherTests.batches(Array("a\n\n\r\nb\n".utf8), skipsEmpty: true)
    #expect(try LineBatcherTests.messages(found) == ["a", "b"])
    #expect(found.map(\.lineCount) == [2])
    #expect(found.map(\.range) == [0..<7])
  }

  @Test func theServiceIsAddedButDoesNotOverride() throws {
    let text = LineBatcherTests.batches(Array("a\n".utf8), service: "sh\"op")
    #expect(
      text.first.map { String(decoding: $0.body, as: UTF8.self) }
        == "{\"service\":\"sh\\\"op\",\"message\":\"a\"}\n")
    let records = LineBatcherTests.batches(
      Array("{\"message\":\"a\"}\n\n {\"message\":\"b\",\"service\":\"own\"}".utf8), style: .json,
      service: "shop")
    let decoded = try RecordDecoder(schema: Dataset.logs.schema, masking: .none).decode(
      records[0].body, now: 0)
    let column = try #require(decoded.batch?.column("service"))
    let services = column.withText { offsets, bytes in
      (0..<2).map { row in
        String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self)
      }
    }
    #expect(services == ["shop", "own"])
  }

  @Test func longLinesAreCutBetweenCharacters() throws {
    let line = String(repeating: "ä", count: 300_000)
    let found = try LineBatcherTests.messages(LineBatcherTests.batches(Array((line + "\nend\n").utf8)))
    #expect(found.count == 5)
    #expect(found.dropLast().joined() == line)
    #expect(found.last == "end")
  }

  /// Whatever the pieces, the batches are the same, follow one another and hold every line.
  @Test(arguments: 0..<40) func piecesDoNotMatter(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let letters: [UInt8] = [10, 10, 13, 97, 98, 0xC3, 0xA4, 34, 0xFF, 32]
    let input = (0..<Int.random(in: 0...3000, using: &generator)).map { _ in
      letters[Int.random(in: 0..<letters.count, using: &generator)]
    }
    let bytesMax = Int.random(in: 1...2000, using: &generator)
    let offset = Int.random(in: 0...1000, using: &generator)
    let whole = LineBatcherTests.batches(input, offset: offset, bytesMax: bytesMax)
    let pieces = LineBatcherTests.batches(input, offset: offset, bytesMax: bytesMax) {
      Int.random(in: 1...100, using: &generator)
    }
    #expect(whole == pieces, "seed \(seed)")
    var at = offset
    for batch in whole {
      #expect(batch.range.lowerBound == at, "seed \(seed)")
      at = batch.range.upperBound
    }
    #expect(at == offset + input.count, "seed \(seed)")
    var lines = input.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
    if lines.last == [] { lines.removeLast() }
    let expected = lines.map { String(decoding: $0.last == 13 ? $0.dropLast() : $0[...], as: UTF8.self) }
    #expect(try LineBatcherTests.messages(whole) == expected, "seed \(seed)")
    // A batch made from its own bytes alone is the same: that is how an interrupted one is sent again.
    for batch in whole {
      let bytes = Array(input[(batch.range.lowerBound - offset)..<(batch.range.upperBound - offset)])
      let again = LineBatcherTests.batches(bytes, offset: batch.range.lowerBound, bytesMax: .max)
      #expect(again == [batch], "seed \(seed)")
    }
  }

  @Test func stylesAreTold() {
    #expect(LineBatcher.detectStyle(Array("{\"a\":1}\n".utf8)) == .json)
    #expect(LineBatcher.detectStyle(Array("\n  {\"a\":1} \r\nx".utf8)) == .json)
    #expect(LineBatcher.detectStyle(Array("{not json\n".utf8)) == .text)
    #expect(LineBatcher.detectStyle(Array("2026 {}\n".utf8)) == .text)
    #expect(LineBatcher.detectStyle([]) == .text)
  }

  @Test func pausesGrowAndObeyTheServer() {
    #expect(RecordSender.pauseSeconds(attempt: 1, asked: nil, random: 0) == 0.05)
    #expect(RecordSender.pauseSeconds(attempt: 1, asked: nil, random: 1) == 0.1)
    #expect(RecordSender.pauseSeconds(attempt: 40, asked: nil, random: 1) == 10)
    #expect(RecordSender.pauseSeconds(attempt: 1, asked: 7, random: 1) == 7)
    #expect(RecordSender.mayPass(503))
    #expect(!RecordSender.mayPass(400))
  }
}
