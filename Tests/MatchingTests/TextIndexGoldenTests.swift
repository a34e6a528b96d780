import Foundation
import Matching
import Records
import Testing

/// A text index of each version, written once and read for ever: `CORDWOOD_WRITE_GOLDEN=v2 swift test
/// --filter TextIndexGoldenTests` writes the files of a new one.
@Suite struct TextIndexGoldenTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "golden")
  private static let rowsPerPage = 8

  private static func file(_ version: String, _ ending: String) -> URL {
    folder.appending(path: "text-index-\(version).\(ending)")
  }

  @Test func writeOnce() throws {
    guard let version = ProcessInfo.processInfo.environment["CORDWOOD_WRITE_GOLDEN"] else { return }
    guard !FileManager.default.fileExists(atPath: Self.file(version, "bin").path) else {
      Issue.record("\(version) was written before and stays as it is")
      return
    }
    var random = SeededRandom(seed: 77)
    var texts = (0..<200).map { _ in WordTexts.text(&random, wordsMax: 6) }
    // What recurs has templates that many rows share.
    texts += (0..<60).map { "read—“timeout”… no. \($0)、失敗" }
    texts += (0..<40).map { _ in random.pick(WordTexts.words) }
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    try Data(Self.index(of: texts)).write(to: Self.file(version, "bin"))
    try Data(texts.map { $0 + "\n" }.joined().utf8).write(to: Self.file(version, "txt"))
  }

  /// The texts as a column, and each as a value within an object.
  private static func index(of texts: [String]) -> [UInt8] {
    var builder = TextIndexBuilder(rowsPerPage: rowsPerPage)
    let objects = IndexedTexts.column(texts.map { Array(WordTexts.object([$0]).utf8) }, type: .json)
    builder.add(
      text: textColumn(texts), nested: [NestedText(column: "o", members: [], rest: objects)],
      rowCount: texts.count)
    return builder.finish()
  }

  /// Version 1 split texts at bytes: a quote beside a word was of the word.
  @Test(arguments: ["v1", "v2"]) func everyVersionIsRead(version: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.file(version, "bin")))
    let lines = String(decoding: try Data(contentsOf: Self.file(version, "txt")), as: UTF8.self)
    // Texts hold other line ends, which are no line feeds.
    let texts = lines.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().map(Array.init)
    let indexed = try IndexedTexts(texts, bytes: bytes)
    let index = indexed.index
    try index.verify()
    var random = SeededRandom(seed: 5)
    var pagesWithout = 0
    for _ in 0..<150 {
      let text = String(decoding: random.pick(texts), as: UTF8.self)
      let needle = WordTexts.needle(of: text, &random)
      for pattern: TextPattern in [
        .word(needle), .contains(needle, ignoreCase: false), .contains(" " + needle + " ", ignoreCase: true),
        .prefix(needle), .regex("\\Q\(needle)\\E$", ignoreCase: true),
      ] {
        pagesWithout += try indexed.check(pattern, version).pagesWithout
        let automaton = try TextAutomaton(pattern)
        let pages = try index.pages(nestedIn: "o", matching: automaton)
        for (row, text) in texts.enumerated() where automaton.accepts(text) {
          #expect(pages[row / Self.rowsPerPage], "\(version) \(pattern) \(text)")
        }
      }
      let equal = random.pick(texts)
      let pages = try index.pages(nestedIn: "o", equalTo: equal)
      for row in texts.indices where texts[row] == equal { #expect(pages[row / Self.rowsPerPage]) }
    }
    #expect(pagesWithout > 5_000, "\(pagesWithout)")
    // Only what is between bytes of no word helps with an index of version 1.
    let word = try TextAutomaton(.word("absent"))
    #expect(try index.pages(nestedIn: "o", matching: word).isFull == (version == "v1"))
    let inner = try TextAutomaton(.word("an absent word"))
    #expect(try index.pages(nestedIn: "o", matching: inner).isEmpty)
  }
}
