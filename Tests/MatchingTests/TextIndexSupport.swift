import Foundation
import Matching
import Records
import Testing

/// Texts, the index over them, and what every answer of it must fulfil.
struct IndexedTexts {
  let texts: [[UInt8]?]
  let bytes: [UInt8]
  let index: TextIndex

  /// - Parameter pagesPerCall: How many pages each call of the builder brings.
  init(_ texts: [[UInt8]?], rowsPerPage: Int, pagesPerCall: Int = 3, asDictionary: Bool = false) throws {
    var builder = TextIndexBuilder(rowsPerPage: rowsPerPage)
    let step = rowsPerPage * pagesPerCall
    for start in stride(from: 0, to: texts.count, by: step) {
      let part = Array(texts[start..<min(start + step, texts.count)])
      let column = asDictionary ? IndexedTexts.dictionary(part) : IndexedTexts.column(part)
      builder.add(text: column, rowCount: part.count)
    }
    try self.init(texts, bytes: builder.finish())
  }

  /// With an index that was made before.
  init(_ texts: [[UInt8]?], bytes: [UInt8]) throws {
    self.texts = texts
    self.bytes = bytes
    index = try TextIndex(Buffer(copying: bytes))
  }

  static func column(_ texts: [[UInt8]?], type: ColumnType = .utf8) -> Column {
    var builder = TextBuilder()
    for text in texts {
      guard let text else {
        builder.appendNull()
        continue
      }
      builder.append(contentsOf: text.span)
      builder.endRow()
    }
    return builder.finish(type: type)
  }

  static func dictionary(_ texts: [[UInt8]?]) -> Column {
    let values = Array(Set(texts.compactMap { $0 })).sorted { $0.lexicographicallyPrecedes($1) }
    let places = Dictionary(uniqueKeysWithValues: zip(values, 0..<Int32(values.count)))
    let plain = column(values)
    guard case .text(let offsets, let bytes) = plain.storage else { preconditionFailure("plain text") }
    return Column(
      type: .utf8, rowCount: texts.count, validity: column(texts).validity,
      storage: .dictionary(
        indices: Buffer(copying: texts.map { text in text.flatMap { places[$0] } ?? 0 }),
        offsets: offsets, bytes: bytes, valueCount: values.count))
  }

  /// How a verdict divides the rows.
  struct Division {
    var proved = 0
    var candidates = 0
    var pagesWithout = 0
  }

  /// Compares the verdict with a look at every row: what is proved must match, what is left out must not.
  func check(_ pattern: TextPattern, _ comment: String) throws -> Division {
    let automaton = try TextAutomaton(pattern)
    let verdict = try index.verdict(for: automaton)
    #expect(verdict.pages.count == index.pageCount)
    var division = Division()
    for (page, pageVerdict) in verdict.pages.enumerated() {
      let (proved, candidates) = try verdict.selection(page: page)
      #expect(proved.count == pageVerdict.provedCount)
      #expect(candidates.count == pageVerdict.candidateCount)
      #expect(proved.rowCount == index.rowCount(ofPage: page))
      division.proved += proved.count
      division.candidates += candidates.count
      if pageVerdict.isNone { division.pagesWithout += 1 }
      for row in 0..<proved.rowCount {
        let text = texts[page * index.rowsPerPage + row]
        let matches = text.map { IndexedTexts.matches(pattern, automaton, $0) } ?? false
        if matches ? proved[row] || candidates[row] : !proved[row] { continue }
        Issue.record("\(comment): \(pattern) row \(row) of page \(page): \(text ?? []) matches \(matches)")
      }
    }
    return division
  }

  private static func matches(_ pattern: TextPattern, _ automaton: TextAutomaton, _ text: [UInt8]) -> Bool {
    switch pattern {
    case .regex: return automaton.matches(text.span)
    case .contains(let needle, ignoreCase: false): return occurs(Array(needle.utf8), in: text)
    case .contains(let needle, _) where needle.utf8.allSatisfy({ $0 < 0x80 }):
      return occurs(
        TextAutomatonTests.lowercased(Array(needle.utf8)), in: TextAutomatonTests.lowercased(text))
    case .contains, .word, .prefix: return TextAutomatonTests.naive(pattern, text)
    }
  }

  private static func occurs(_ needle: [UInt8], in text: [UInt8]) -> Bool {
    guard let first = needle.first else { return true }
    guard needle.count <= text.count else { return false }
    return text.withUnsafeBufferPointer { text in
      (0...text.count - needle.count).contains {
        text[$0] == first && text[$0..<$0 + needle.count].elementsEqual(needle)
      }
    }
  }
}

/// Lines to test with: those of the real logs if they are near, else made up ones like them.
enum SampleLines {
  static func files() -> [(name: String, lines: [[UInt8]])] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../../shared/data/loghub")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.standardized.path)) ?? []
    let files = names.filter { $0.hasSuffix(".log") }.sorted().compactMap { name in
      (try? Data(contentsOf: folder.appending(path: name))).map { data in
        // What decoding makes of bytes that are no UTF-8.
        (name, String(decoding: data, as: UTF8.self).utf8.split(separator: 0x0A).map { Array($0) })
      }
    }
    return files.isEmpty ? [("generated", generated())] : files
  }

  static func generated(_ count: Int = 2000) -> [[UInt8]] {
    var random = SeededRandom(seed: 5)
    return (0..<count).map { _ in
      let number = random.below(1_000_000)
      let line =
        switch random.below(6) {
        case 0:
          "user \(number) logged in from 10.0.\(random.below(255)).\(random.below(255)) session=\(hex(&random))"
        case 1: "Executed query on table t\(random.below(6)) in \(random.below(999)).\(random.below(9)) ms"
        case 2: "naïve café no. \(number): größer als 日本\(random.below(9)) — done"
        case 3: "connection reset by peer while flushing batch \(hex(&random)) (\(number) rows)"
        case 4: "no digits here, only words: \(random.pick(["alpha", "beta", "gamma"]))"
        default:
          "request_id=req-\(hex(&random)) status=\(random.pick([200, 404, 500])) \(hex(&random))\(hex(&random))"
        }
      return Array(line.utf8)
    }
  }

  private static func hex(_ random: inout SeededRandom) -> String {
    let text = String(UInt32(truncatingIfNeeded: random.next()), radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }

  /// A piece of a line from one character's start to another's.
  static func needle(from line: [UInt8], _ random: inout SeededRandom, lengthMax: Int) -> String {
    guard !line.isEmpty else { return "" }
    var start = random.below(line.count)
    var end = min(line.count, start + 1 + random.below(lengthMax))
    while start > 0, line[start] & 0xC0 == 0x80 { start -= 1 }
    while end < line.count, line[end] & 0xC0 == 0x80 { end += 1 }
    return String(decoding: line[start..<end], as: UTF8.self)
  }
}
