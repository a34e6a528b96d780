import Blocks
import Codecs
import Matching
import Records
import Storage
import TestKit
import Testing

/// What summaries of numbers and of frequent values answer is what a scan answers: the same questions of the
/// head, of blocks, of both, after merging, and while a deletion is pending.
@Suite struct SummariesOverBlocksTests {
  /// What the values of a store are like.
  enum Kind: CaseIterable {
    case fewIntegers, integers, largeIntegers, doubles, fewDoubles, wideDoubles, mixed, words, fewWords,
      sparse
  }

  static func value(_ kind: Kind, _ random: inout SeededGenerator) -> String? {
    switch kind {
    case .fewIntegers: ["200", "301", "404", "500", "-1", "0"].randomElement(using: &random)
    case .integers: "\(Int.random(in: -3_000...3_000, using: &random))"
    case .largeIntegers:
      [
        "9223372036854775807", "-9223372036854775808", "9007199254740993", "9007199254740992",
        "-9007199254740993",
      ]
      .randomElement(using: &random)
    case .doubles: "\(Double(Int.random(in: -2_000_000...2_000_000, using: &random)) / 1_000)"
    case .fewDoubles: ["0.5", "900.0", "-0.0", "0.0", "900.5"].randomElement(using: &random)
    case .wideDoubles:
      ["1e+300", "-1e+300", "1e-300", "0.1", "12.5", "5e-324", "1e+16", "-0.3"].randomElement(using: &random)
    case .mixed:
      ["1", "1.5", "900", "900.0", "\"900\"", "true", "null", "12.50", "{\"a\":1}", nil]
        .randomElement(using: &random) ?? nil
    case .words:
      // The n-th has a share of about 1 / n.
      "\"w\(Int(Double.random(in: 0...6.5, using: &random).exponential))\""
    case .fewWords:
      ["\"a\"", "\"b\"", "\"é\"", "\"e\u{301}\"", "\"\"", nil].randomElement(using: &random) ?? nil
    case .sparse: random.chance(oneIn: 9) ? "\(Int.random(in: 0...9, using: &random)).5" : nil
    }
  }

  /// So many seconds, fewer than an hour, after 1970 began.
  private static func time(_ seconds: Int) -> String {
    func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "1970-01-01T00:\(digits(seconds / 60)):\(digits(seconds % 60))Z"
  }

  static let literals = [
    "900", "900.0", "899.999", "0", "-0.0", "500", "1", "9007199254740993", "9007199254740992.5", "1e300",
    "12.5",
    "-1e400", "1e400", "0.1", "-2", "9223372036854775807", "9223372036854775808",
  ]

  static func questions(_ random: inout SeededGenerator) -> [String] {
    var questions: [String] = []
    func times() -> String {
      guard random.chance(oneIn: 2) else { return "" }
      let start = Int.random(in: 0..<200, using: &random)
      let end = start + Int.random(in: 1..<300, using: &random)
      return "\"start\":\"\(time(start))\",\"end\":\"\(time(end))\","
    }
    func bucket() -> String {
      ["", "", "\"bucket\":\"1m\",", "\"bucket\":\"2m\",", "\"bucket\":\"1h\",", "\"bucket\":\"1s\","]
        .randomElement(using: &random) ?? ""
    }
    func count(where filter: String) {
      questions.append("\(times())\(bucket())\"where\":\(filter),\"measures\":[\"count\"]")
    }
    let n = "\"metadata.n\""
    for literal in literals {
      let other = literals.randomElement(using: &random) ?? "0"
      for comparison in ["gt", "ge", "lt", "le", "eq", "ne"] where random.chance(oneIn: 2) {
        count(where: "{\"\(comparison)\":[\(n),\(literal)]}")
      }
      count(where: "{\"and\":[{\"ge\":[\(n),\(literal)]},{\"lt\":[\(n),\(other)]}]}")
      count(where: "{\"in\":[\(n),[\(literal),\(other)]]}")
    }
    let measures = [
      "\"count\"", "{\"sum\":\"metadata.n\"}", "{\"avg\":\"metadata.n\"}", "{\"min\":\"metadata.n\"}",
      "{\"max\":\"metadata.n\"}", "{\"count\":\"metadata.n\",\"as\":\"values\"}",
    ]
    for _ in 0..<24 {
      let some = measures.filter { _ in random.chance(oneIn: 2) }
      if some.isEmpty { continue }
      questions.append("\(times())\(bucket())\"measures\":[\(some.joined(separator: ","))]")
    }
    for limit in [1, 2, 5, 20] {
      let order = "\"measures\":[\"count\"],\"order_by\":\"count\",\"limit\":\(limit)"
      questions.append("\(times())\"group_by\":[\(n)],\(order)")
    }
    return questions
  }

  private func answers(_ bench: NumberBench, _ questions: [String]) async throws -> [[String]] {
    var answers: [[String]] = []
    for question in questions {
      do {
        // 0 and -0 are one number: which of them an extreme is, is said by the order of rows.
        answers.append(try await bench.ask(question).map { $0.replacing(":-0.0", with: ":0.0") })
      } catch let error as StoreError {
        answers.append(["\(error)"])
      }
    }
    return answers
  }

  private func expect(
    _ bench: NumberBench, _ questions: [String], _ expected: [[String]], _ place: String
  ) async throws {
    for (index, found) in try await answers(bench, questions).enumerated() where found != expected[index] {
      Issue.record("\(place): \(questions[index]): \(found.prefix(5)), not \(expected[index].prefix(5))")
    }
  }

  @Test(arguments: Kind.allCases, 1...2) func everyPlaceAnswersAlike(kind: Kind, seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let values = (0..<500).map { _ in Self.value(kind, &random) }
    let questions = Self.questions(&random)
    var plain = try NumberBench()
    defer { plain.remove() }
    try plain.add(values[...], at: 0)
    let expected = try await answers(plain, questions)
    var bench = try NumberBench()
    defer { bench.remove() }
    try bench.add(values[..<150], at: 0)
    try bench.archive()
    try bench.add(values[150..<350], at: 150)
    try bench.archive()
    try bench.add(values[350...], at: 350)
    try await expect(bench, questions, expected, "mixed")
    try bench.archive()
    try await expect(bench, questions, expected, "blocks")
    while try bench.engine.compact() {}
    try await expect(bench, questions, expected, "merged")
    let gone = try Predicate(json: JSONTree(parsing: Array("{\"eq\":[\"message\",\"7\"]}".utf8)))
    #expect(try plain.engine.delete(gone, from: NumberBench.partition) == 1)
    let left = try await answers(plain, questions)
    #expect(try bench.engine.delete(gone, from: NumberBench.partition) == 1)
    try await expect(bench, questions, left, "deletion pending")
  }
}

extension Double {
  /// e to this.
  fileprivate var exponential: Double {
    var (sum, term) = (1.0, 1.0)
    for index in 1..<40 {
      term *= self / Double(index)
      sum += term
    }
    return sum
  }
}
