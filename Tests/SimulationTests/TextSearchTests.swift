import Blocks
import Codecs
import Foundation
import Matching
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// Text searches over one column or many find what a look at every text finds, in blocks, in the head, and in
/// both.
@Suite struct TextSearchTests {
  static let partition = Partition(tenant: Tenant(realm: .audit, name: "t"), dataset: .audit)
  static let searched = [
    "action", "resource_type", "resource_id", "ip_address", "user_agent", "before", "after", "metadata",
  ]
  static let words = [
    "influxdb", "flux", "Capacitor", "ERROR", "zebrafinch", "größe", "日本語", "x_y", "user42", "7f", "a",
    "“flux”", "ERROR…", "e\u{301}", "失敗、", "«7f»", "٤٢", "\u{A0}a\u{3000}", "नमस्ते।",
  ]

  /// The texts of a row by column; an object has several.
  typealias Row = [String: [String]]

  static func row(_ number: Int, _ random: inout SeededGenerator) -> Row {
    func pick(_ choices: [String]) -> String { choices[Int.random(in: 0..<choices.count, using: &random)] }
    func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    func id() -> String {
      let digits = String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 16)
      return digits.prefix(8) + "-" + digits.suffix(4)
    }
    func words() -> String {
      (0..<1 + below(3)).map { _ in pick(Self.words) }.joined(
        separator: pick([" ", "-", "", ": ", "—", "…"]))
    }
    // Words come and go, so that pages differ.
    var row: Row = ["user_id": ["u\(below(3))"], "action": [pick(["create", "Delete", "login"])]]
    if below(3) > 0 { row["resource_type"] = [number / 100 % 3 == 0 ? "invoice" : pick(["user", "order"])] }
    if below(2) > 0 { row["resource_id"] = [number / 64 % 2 == 0 ? "\(below(100_000))" : id()] }
    if below(4) > 0 { row["ip_address"] = ["10.\(below(9)).\(below(256)).\(below(256))"] }
    row["user_agent"] = ["Mozilla/5.0 (X11; \(number / 200 % 2 == 0 ? "Linux" : "Plan 9")) Gecko/\(below(9))"]
    if number / 150 % 2 == 0 { row["before"] = [words()] }
    if below(5) == 0 { row["after"] = [words(), id()] }
    row["metadata"] = ["req-" + id(), number % 97 == 13 ? "rare needle \(number)" : "plain"]
    return row
  }

  static func batch(_ rows: [Row], from first: Int) -> RecordBatch {
    let fields = Dataset.audit.schema.declaredFields
    let columns = fields.map { field -> Column in
      if field.name == "timestamp" {
        return Column(timestamps: rows.indices.map { Int64(first + $0) * 1_000_000_000 })
      }
      var builder = TextBuilder()
      for row in rows {
        guard let texts = row[field.name] else {
          builder.appendNull()
          continue
        }
        guard field.type == .json else {
          builder.appendRow(texts[0])
          continue
        }
        // `after` stays JSON text, for its texts are in an array; all of `metadata` becomes columns.
        let members =
          field.name == "after"
          ? "\"list\":[\(texts.map { "\"\($0)\"" }.joined(separator: ","))]"
          : texts.enumerated().map { "\"m\($0)\":\"\($1)\"" }.joined(separator: ",")
        builder.appendRow("{\(members),\"n\":1}")
      }
      return builder.finish(type: field.type)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }

  // MARK: Searches

  /// A search, and what it says of a text.
  struct Search {
    var predicate: (ColumnPath) -> Records.Predicate
    var matches: (String) -> Bool
    var text: String
  }

  static func lowered(_ text: String) -> [UInt8] {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: folded(text))
    return Array(String(view).utf8)
  }

  /// Scalars, each in one case.
  static func folded(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.map { scalar in
      let lower = Array(scalar.properties.lowercaseMapping.unicodeScalars)
      return lower.count == 1 ? lower[0] : scalar
    }
  }

  /// Whether Unicode calls it a letter, a number or a mark.
  static func isOfWords(_ scalar: Unicode.Scalar) -> Bool {
    let category = "\(scalar.properties.generalCategory)"
    return category.hasSuffix("Letter") || category.hasSuffix("Number") || category.hasSuffix("Mark")
      || scalar == "_"
  }

  /// Whether the text has the word between characters that are of none.
  static func hasWord(_ word: String, in text: String) -> Bool {
    let (wanted, scalars) = (folded(word), folded(text))
    guard scalars.count >= wanted.count else { return false }
    return (0...scalars.count - wanted.count).contains { start in
      let end = start + wanted.count
      return scalars[start..<end].elementsEqual(wanted)
        && (start == 0 || !isOfWords(scalars[start - 1]))
        && (end == scalars.count || !isOfWords(scalars[end]))
    }
  }

  static func find(_ needle: [UInt8], in text: [UInt8], from start: Int = 0) -> Int? {
    guard text.count - start >= needle.count else { return nil }
    return (start...text.count - needle.count).first { text[$0..<$0 + needle.count].elementsEqual(needle) }
  }

  static func needle(_ rows: [Row], _ random: inout SeededGenerator) -> String {
    let row = rows[Int.random(in: 0..<rows.count, using: &random)]
    let texts = searched.flatMap { row[$0] ?? [] }
    let text = Array(texts[Int.random(in: 0..<texts.count, using: &random)])
    let start = Int.random(in: 0..<text.count, using: &random)
    let length = Int.random(in: 1...10, using: &random)
    let piece = String(text[start..<min(text.count, start + length)])
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return piece.uppercased()
    case 1: return piece + "q"
    case 2: return words[Int.random(in: 0..<words.count, using: &random)]
    default: return piece
    }
  }

  static func search(_ rows: [Row], _ random: inout SeededGenerator) -> Search {
    let (one, two) = (needle(rows, &random), needle(rows, &random))
    let escaped = [one, two].map { NSRegularExpression.escapedPattern(for: $0) }
    let (low, other) = (lowered(one), lowered(two))
    switch Int.random(in: 0..<8, using: &random) {
    case 6, 7:
      return Search(
        predicate: { .word($0, one) }, matches: { hasWord(one, in: $0) }, text: "word \(one)")
    case 0:
      return Search(
        predicate: { .contains($0, needle: one, ignoreCase: false) },
        matches: { find(Array(one.utf8), in: Array($0.utf8)) != nil }, text: "contains \(one)")
    case 1:
      return Search(
        predicate: { .regex($0, pattern: "\(escaped[0])|\(escaped[1])", ignoreCase: true) },
        matches: { find(low, in: lowered($0)) != nil || find(other, in: lowered($0)) != nil },
        text: "\(one) or \(two)")
    case 2:
      return Search(
        predicate: { .regex($0, pattern: "\(escaped[0]).*\(escaped[1])", ignoreCase: true) },
        matches: { text in
          let text = lowered(text)
          return find(low, in: text).map { find(other, in: text, from: $0 + low.count) != nil } ?? false
        }, text: "\(one) then \(two)")
    case 3:
      return Search(
        predicate: { .prefix($0, one) }, matches: { $0.utf8.starts(with: one.utf8) }, text: "prefix \(one)")
    default:
      return Search(
        predicate: { .regex($0, pattern: escaped[0], ignoreCase: true) },
        matches: { find(low, in: lowered($0)) != nil }, text: "search \(one)")
    }
  }

  private func check(_ store: Storage, _ rows: [Row], _ random: inout SeededGenerator) async throws {
    let engine = QueryEngine(
      source: store, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 30))
    for _ in 0..<120 {
      let search = Self.search(rows, &random)
      let isSingle = Int.random(in: 0..<3, using: &random) == 0
      let columns = isSingle ? [Self.searched.randomElement(using: &random) ?? "action"] : Self.searched
      var predicate = Records.Predicate.or(columns.map { search.predicate(ColumnPath($0)) })
      var expected = rows.indices.filter { row in
        columns.contains { (rows[row][$0] ?? []).contains(where: search.matches) }
      }
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        predicate = .not(predicate)
        let found = Set(expected)
        expected = rows.indices.filter { !found.contains($0) }
      case 1:
        predicate = .and([
          predicate,
          .or([
            .compare(ColumnPath("resource_type"), .equal, .string("invoice")),
            .not(.compare(ColumnPath("timestamp"), .less, .timestamp(700_000_000_000))),
          ]),
        ])
        expected = expected.filter { rows[$0]["resource_type"] == ["invoice"] || $0 >= 700 }
      default: break
      }
      let note = "\(search.text) in \(columns)"
      let request = QueryRequest(
        dataset: .audit, predicate: predicate, answer: .rows(columns: [ColumnPath("timestamp")]),
        limit: QueryRequest.limitMax, isDescending: false)
      let answer = try await engine.run(request, for: Self.partition.tenant)
      var found: [Int] = []
      while let batch = try await answer.next() {
        found += batch.columns[0].withInt64 { times in times.indices.map { Int(times[$0] / 1_000_000_000) } }
      }
      #expect(found == expected, "\(note)")
      let count = try await engine.count(predicate, in: .audit, for: Self.partition.tenant)
      #expect(count == expected.count, "\(note)")
    }
  }

  @Test(arguments: 1...2) func searchesFindWhatALookAtEveryTextFinds(seed: UInt64) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var layout = BlockLayout()
    layout.rowsPerPage = 32
    layout.rowsPerGroup = 256
    let store = try await Storage.open(
      directory: directory, environment: StoreEnvironment(clock: ManualClock()), options: StorageOptions(),
      format: ParquetBlocks(layout: layout))
    store.start()
    var random = SeededGenerator(seed: seed)
    let rows = (0..<1_200).map { Self.row($0, &random) }
    for start in [0, 400] {
      _ = try await store.append(
        Self.batch(Array(rows[start..<start + 400]), from: start), to: Self.partition, idempotency: nil)
      try await store.archive()
    }
    _ = try await store.append(
      Self.batch(Array(rows[800...]), from: 800), to: Self.partition, idempotency: nil)
    try await check(store, rows, &random)
    try await store.archive()
    try await check(store, rows, &random)
    await store.stop()
  }
}
