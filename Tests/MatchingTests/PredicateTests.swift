import Matching
import Records
import Testing

@Suite struct PredicateTests {
  /// 36 KB of text that took 3.3 s to compile; and repetitions of nothing, which cost steps alone.
  @Test(arguments: ["[a-z]{1000}x", "(a{30}){30}", "(((){100}){100}){7}"])
  func patternsAreBoundedTogether(pattern: String) throws {
    let path = ColumnPath("message")
    let one = Predicate.regex(path, pattern: pattern, ignoreCase: true)
    let many = Predicate.or(Array(repeating: one, count: 950))
    #expect(throws: StoreError.self) { try CompiledPredicate(many, schema: Dataset.logs.schema) }
  }

  /// What people ask for: a thousand words, some of them long.
  @Test func manyPlainPatternsFit() throws {
    let parts = (0..<1_000).map {
      Predicate.contains(
        ColumnPath("message"), needle: "request \($0) was not answered in time", ignoreCase: true)
    }
    _ = try CompiledPredicate(.or(parts), schema: Dataset.logs.schema)
  }

  static let schema = Dataset.workflows.schema
  static let integers: [Int64] = [
    0, 1, -1, 2, 3, 9_007_199_254_740_992, 9_007_199_254_740_993, 9_007_199_254_740_994, .max, .min, .max - 1,
    -5,
  ]
  static let doubles: [Double] = [
    0, -0.0, 0.5, 1, 2.5, -1.5, 9_007_199_254_740_992, 9_007_199_254_740_994, 0x1p63, -0x1p63, 1e300, -1e300,
    0.1, 3,
  ]
  static let strings = [
    "", "a", "Error", "error in line 7", "GET /x", "é", "x.y", "a\"b\\c\n/", "😀 b", "foo bar", "1",
    "“Error”…", "é—foo、1", "e\u{301} x.y«a»",
  ]
  static let names = ["a", "b", "x.y", "", "é", "n"]

  static func randomJSON(_ random: inout SeededRandom, depth: Int) -> JSON {
    switch random.below(depth > 0 ? 8 : 6) {
    case 0: return .null
    case 1: return .bool(random.once(in: 2))
    case 2: return .int(random.pick(integers))
    case 3: return .double(random.pick(doubles))
    case 4, 5: return .string(random.pick(strings))
    case 6: return .array((0..<random.below(3)).map { _ in randomJSON(&random, depth: depth - 1) })
    default: return randomObject(&random, depth: depth - 1)
    }
  }

  static func randomObject(_ random: inout SeededRandom, depth: Int) -> JSON {
    .object(
      (0..<random.below(6)).map { _ in
        JSON.Member(name: random.pick(names), value: randomJSON(&random, depth: depth))
      })
  }

  static func randomRows(_ random: inout SeededRandom) -> [ModelRow] {
    (0..<random.below(150)).map { _ in
      ModelRow(
        position: random.pick(integers), id: randomID(&random),
        timestamp: Int64(random.below(5)) * 1_000_000_000,
        level: random.once(in: 4) ? nil : random.pick(strings), message: random.pick(strings),
        seconds: random.once(in: 4) ? nil : random.pick(doubles),
        payload: random.once(in: 6) ? nil : randomObject(&random, depth: 3))
    }
  }

  static func randomID(_ random: inout SeededRandom) -> [UInt8] {
    [UInt8](repeating: 0, count: 15) + [UInt8(random.below(4))]
  }

  static func randomPath(_ random: inout SeededRandom) -> ColumnPath {
    ColumnPath("payload", members: (0..<1 + random.below(2)).map { _ in random.pick(names) })
  }

  static func randomLeaf(_ random: inout SeededRandom) -> Predicate {
    let comparison = random.pick([
      Comparison.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
    ])
    func number(_ random: inout SeededRandom) -> Literal {
      random.once(in: 2) ? .int64(random.pick(integers)) : .float64(random.pick(doubles))
    }
    let needle =
      random.once(in: 2)
      ? random.pick(strings)
      : random.pick(["r", "ERR", "7", "o b", "/", "\"", "b", "foo", "error", "e\u{301}", "É"])
    let textPath = random.pick([
      ColumnPath("environment"), ColumnPath("category"), ColumnPath("payload"), randomPath(&random),
    ])
    switch random.below(14) {
    case 0: return .compare(ColumnPath("position"), comparison, number(&random))
    case 1: return .compare(ColumnPath("execution_time_seconds"), comparison, number(&random))
    case 2:
      return .compare(ColumnPath("timestamp"), comparison, .timestamp(Int64(random.below(5)) * 1_000_000_000))
    case 3: return .compare(ColumnPath("id"), comparison, .uuid(randomID(&random)))
    case 4: return .compare(ColumnPath("environment"), comparison, .string(random.pick(strings)))
    case 5: return .compare(randomPath(&random), comparison, number(&random))
    case 6: return .compare(randomPath(&random), comparison, .string(random.pick(strings)))
    case 7: return .compare(randomPath(&random), random.pick([.equal, .notEqual]), .bool(random.once(in: 2)))
    case 8:
      return random.once(in: 2)
        ? .isIn(ColumnPath("category"), (0..<random.below(4)).map { _ in .string(random.pick(strings)) })
        : .isIn(
          randomPath(&random),
          (0..<random.below(4)).map { $0 % 2 == 0 ? .string(random.pick(strings)) : number(&random) })
    case 9: return .contains(textPath, needle: needle, ignoreCase: random.once(in: 2))
    case 10: return .word(textPath, needle.isEmpty ? "a" : needle)
    case 11:
      return .regex(
        textPath, pattern: random.pick(["rr", "^a", "\\d$", "o.b", "[a-f]+", "\\."]),
        ignoreCase: random.once(in: 2))
    case 12: return .prefix(textPath, needle)
    default:
      return .exists(random.pick([textPath, ColumnPath("payload"), ColumnPath("execution_time_seconds")]))
    }
  }

  static func randomPredicate(_ random: inout SeededRandom, depth: Int) -> Predicate {
    guard depth > 0 else { return randomLeaf(&random) }
    switch random.below(8) {
    case 0, 1: return .and((0..<random.below(4)).map { _ in randomPredicate(&random, depth: depth - 1) })
    case 2, 3: return .or((0..<random.below(4)).map { _ in randomPredicate(&random, depth: depth - 1) })
    case 4: return .not(randomPredicate(&random, depth: depth - 1))
    case 5: return random.pick([.all, .none])
    default: return randomLeaf(&random)
    }
  }

  @Test func agreesWithTheNaiveEvaluatorInEveryForm() throws {
    let seed: UInt64 = 99
    var random = SeededRandom(seed: seed)
    for round in 0..<200 {
      let rows = PredicateTests.randomRows(&random)
      let batches = BatchForm.allCases.map { $0.batch(rows, &random) }
      for _ in 0..<8 {
        let predicate = PredicateTests.randomPredicate(&random, depth: random.below(4))
        let compiled = try CompiledPredicate(predicate, schema: PredicateTests.schema)
        let expected = rows.indices.filter { NaiveEvaluator.matches(predicate, rows[$0]) }
        for (form, batch) in zip(BatchForm.allCases, batches) {
          let context: Comment = "seed \(seed) round \(round) \(form): \(predicate)"
          #expect(compiled.evaluate(batch).indices().map(Int.init) == expected, context)
          let some = Selection(rowCount: rows.count, rows: rows.indices.filter { _ in random.once(in: 2) })
          #expect(
            compiled.evaluate(batch, among: some).indices().map(Int.init) == expected.filter { some[$0] },
            context)
        }
        checkConditions(compiled, rows, expected, batches[0], "seed \(seed) round \(round): \(predicate)")
        checkStatistics(compiled, rows, expected, &random, "seed \(seed) round \(round): \(predicate)")
      }
    }
  }

  /// Every matching row fulfils every required condition and lies within the bounds.
  private func checkConditions(
    _ compiled: CompiledPredicate, _ rows: [ModelRow], _ expected: [Int], _ batch: EvaluationBatch,
    _ context: Comment
  ) {
    for condition in compiled.requiredConditions {
      for row in expected {
        let holds =
          switch condition {
          case .equalsAny(let path, let literals): NaiveEvaluator.matches(.isIn(path, literals), rows[row])
          case .range(let path, let lower, let upper):
            (lower.map { NaiveEvaluator.matches(.compare(path, .greaterOrEqual, $0), rows[row]) } ?? true)
              && (upper.map { NaiveEvaluator.matches(.compare(path, .lessOrEqual, $0), rows[row]) } ?? true)
          case .text(let path, let automaton):
            NaiveEvaluator.anyText(rows[row].value(path), automaton.pattern)
          case .exists(let path): NaiveEvaluator.matches(.exists(path), rows[row])
          }
        #expect(holds, context)
      }
    }
    #expect(expected.allSatisfy { compiled.timeRange?.contains(rows[$0].timestamp) ?? false }, context)
    #expect(
      expected.allSatisfy { compiled.bounds(of: "position")?.contains(rows[$0].position) ?? false }, context)
    if compiled.isNever { #expect(expected.isEmpty, context) }
    if compiled.isAlways { #expect(expected.count == rows.count, context) }
  }

  private func checkStatistics(
    _ compiled: CompiledPredicate, _ rows: [ModelRow], _ expected: [Int], _ random: inout SeededRandom,
    _ context: Comment
  ) {
    func bytes(_ values: [[UInt8]]) -> ColumnStatistics.Bounds? {
      let sorted = values.sorted { $0.lexicographicallyPrecedes($1) }
      guard let low = sorted.first, let high = sorted.last else { return nil }
      return .bytes(min: low, max: high)
    }
    func integers(_ values: [Int64]) -> ColumnStatistics.Bounds? {
      guard let low = values.min(), let high = values.max() else { return nil }
      return .int64(min: low, max: high)
    }
    let doubles = rows.compactMap(\.seconds)
    let all: [String: (ColumnStatistics.Bounds?, Int)] = [
      "position": (integers(rows.map(\.position)), 0), "timestamp": (integers(rows.map(\.timestamp)), 0),
      "id": (bytes(rows.map(\.id)), 0),
      "environment": (bytes(rows.compactMap(\.level).map { Array($0.utf8) }), rows.count { $0.level == nil }),
      "category": (bytes(rows.map { Array($0.message.utf8) }), 0),
      "execution_time_seconds": (
        doubles.isEmpty ? nil : .float64(min: doubles.min() ?? 0, max: doubles.max() ?? 0),
        rows.count - doubles.count
      ),
      "payload": (nil, rows.count { $0.payload == nil }),
    ]
    let knows = random.below(3)
    let verdict = compiled.verdict { column in
      guard knows > 0, let (bounds, nulls) = all[column] else { return nil }
      return ColumnStatistics(bounds: bounds, nullCount: knows == 1 ? nil : nulls, rowCount: rows.count)
    }
    if verdict == .no { #expect(expected.isEmpty, context) }
    if verdict == .yes { #expect(expected.count == rows.count, context) }
  }

  @Test func statisticsProveWhatTheyCan() throws {
    func verdict(_ predicate: Predicate, _ bounds: ColumnStatistics.Bounds, nulls: Int? = 0) throws -> Verdict
    {
      let compiled = try CompiledPredicate(predicate, schema: PredicateTests.schema)
      return compiled.verdict { _ in ColumnStatistics(bounds: bounds, nullCount: nulls, rowCount: 10) }
    }
    let position = ColumnPath("position")
    let numbers = ColumnStatistics.Bounds.int64(min: 10, max: 20)
    #expect(try verdict(.compare(position, .less, .int64(10)), numbers) == .no)
    #expect(try verdict(.compare(position, .less, .float64(10.5)), numbers) == .maybe)
    #expect(try verdict(.compare(position, .less, .int64(21)), numbers) == .yes)
    #expect(try verdict(.compare(position, .less, .int64(21)), numbers, nulls: nil) == .maybe)
    #expect(try verdict(.isIn(position, [.int64(1), .int64(30)]), numbers) == .no)
    #expect(try verdict(.not(.compare(position, .less, .int64(10))), numbers) == .yes)
    let text = ColumnPath("category")
    let words = ColumnStatistics.Bounds.bytes(min: Array("car".utf8), max: Array("cat".utf8))
    #expect(try verdict(.compare(text, .equal, .string("dog")), words) == .no)
    #expect(try verdict(.compare(text, .notEqual, .string("dog")), words) == .yes)
    #expect(try verdict(.compare(text, .equal, .string("cas")), words) == .maybe)
    #expect(try verdict(.prefix(text, "ca"), words) == .yes)
    #expect(try verdict(.prefix(text, "d"), words) == .no)
    #expect(try verdict(.prefix(text, "b"), words) == .no)
    #expect(try verdict(.prefix(text, "cat"), words) == .maybe)
    let one = ColumnStatistics.Bounds.bytes(min: Array("cat".utf8), max: Array("cat".utf8))
    #expect(try verdict(.contains(text, needle: "a", ignoreCase: false), one) == .yes)
    #expect(try verdict(.contains(text, needle: "x", ignoreCase: false), one) == .no)
    #expect(try verdict(.exists(text), one, nulls: 10) == .no)
    #expect(try verdict(.and([.exists(text), .compare(text, .equal, .string("cat"))]), one) == .yes)
  }

  @Test func timesAndIDsMayBeText() throws {
    let rows = (0..<4).map { index in
      ModelRow(
        position: Int64(index), id: [UInt8](repeating: UInt8(index) * 17, count: 16),
        timestamp: Int64(index) * 1_500_000_000, level: nil, message: "m", seconds: nil, payload: nil)
    }
    var random = SeededRandom(seed: 1)
    let batch = BatchForm.head.batch(rows, &random)
    func matches(_ predicate: Predicate) throws -> [Int32] {
      try CompiledPredicate(predicate, schema: PredicateTests.schema).evaluate(batch).indices()
    }
    let time = ColumnPath("timestamp")
    #expect(try matches(.compare(time, .greaterOrEqual, .string("1970-01-01T00:00:01.5Z"))) == [1, 2, 3])
    #expect(try matches(.compare(time, .equal, .string("1970-01-01T01:00:03+01:00"))) == [2])
    #expect(
      try matches(.compare(ColumnPath("id"), .equal, .string("11111111-1111-1111-1111-111111111111"))) == [1])
    #expect(
      try CompiledPredicate(
        .compare(time, .less, .string("2024-02-29T00:00:00Z")), schema: PredicateTests.schema
      )
      .timeRange == Int64.min...1_709_164_799_999_999_999)
  }

  @Test(arguments: [
    Predicate.exists(ColumnPath("nope")), .exists(ColumnPath("category", members: ["a"])),
    .contains(ColumnPath("position"), needle: "1", ignoreCase: false), .word(ColumnPath("timestamp"), "x"),
    .compare(ColumnPath("position"), .equal, .string("1")),
    .compare(ColumnPath("category"), .equal, .int64(1)),
    .compare(ColumnPath("execution_time_seconds"), .less, .bool(true)),
    .compare(ColumnPath("payload"), .equal, .string("{}")),
    .compare(ColumnPath("timestamp"), .less, .string("yesterday")),
    .compare(ColumnPath("timestamp"), .less, .int64(9_223_372_037)),
    .compare(ColumnPath("timestamp"), .less, .bool(true)),
    .compare(ColumnPath("timestamp"), .less, .string("2024-13-01T00:00:00Z")),
    .compare(ColumnPath("timestamp"), .less, .string("2300-01-01T00:00:00Z")),
    .compare(ColumnPath("id"), .equal, .string("x")), .compare(ColumnPath("id"), .equal, .uuid([1])),
    .compare(ColumnPath("payload", members: ["a"]), .less, .bool(true)),
    .regex(ColumnPath("category"), pattern: "(", ignoreCase: false), .word(ColumnPath("category"), ""),
    .isIn(ColumnPath("position"), [.int64(1), .string("2")]), .not(.or([.all, .exists(ColumnPath("nope"))])),
    (0..<1000).reduce(Predicate.exists(ColumnPath("nope"))) { inner, _ in .and([inner, .all]) },
  ])
  func refuses(_ predicate: Predicate) {
    #expect {
      try CompiledPredicate(predicate, schema: PredicateTests.schema)
    } throws: { error in
      if case StoreError.invalid(let reason) = error { !reason.isEmpty } else { false }
    }
  }

  @Test func orOfEqualitiesIsOneCondition() throws {
    let path = ColumnPath("ticket_id")
    let compiled = try CompiledPredicate(
      .and([
        .or([.compare(path, .equal, .string("a")), .isIn(path, [.string("b"), .string("c")])]),
        .compare(ColumnPath("timestamp"), .less, .timestamp(9)),
      ]), schema: PredicateTests.schema)
    let literals = compiled.requiredConditions.compactMap { condition in
      if case .equalsAny(path, let literals) = condition { literals } else { nil }
    }
    #expect(literals == [[.string("a"), .string("b"), .string("c")]])
    #expect(compiled.timeRange == Int64.min...8)
    #expect(compiled.paths == [path, ColumnPath("timestamp")])
  }

  @Test func brokenJSONFindsNothingAndDoesNotTrap() throws {
    let path = ColumnPath("payload", members: ["a"])
    let predicates: [Predicate] = [
      .compare(path, .equal, .int64(1)), .exists(path),
      .contains(ColumnPath("payload"), needle: "x", ignoreCase: false),
      .compare(path, .equal, .string("x")), .contains(path, needle: "", ignoreCase: false),
    ]
    var random = SeededRandom(seed: 5)
    let whole = "{\"a\": [\"x\\u00e9\", {\"b\": 1}], \"a\" : \"x\\ud83d\\ude00\", \"c\": -1.5e3}"
    var texts: [String] = (0...whole.count).map { String(whole.prefix($0)) }
    for _ in 0..<500 { texts.append(random.text("{}[]\"a:x,\\u1d8 -1.", 30)) }
    let batch = EvaluationBatch(
      rowCount: texts.count, columns: ["payload": .plain(textColumn(texts, type: .json))])
    for predicate in predicates {
      _ = try CompiledPredicate(predicate, schema: PredicateTests.schema).evaluate(batch)
    }
    #expect(
      try CompiledPredicate(predicates[0], schema: PredicateTests.schema).evaluate(batch)[whole.count]
        == false)
  }
}
