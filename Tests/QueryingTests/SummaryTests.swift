import Codecs
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Querying

/// Summaries against single queries of the same engine.
struct SummaryTests {
  private static let level = ColumnPath("level")
  private static let service = ColumnPath("service")

  private struct Case {
    let engine: QueryEngine
    var request: SummaryRequest
  }

  private static func random(seed: UInt64) -> Case {
    var generator = SplitMix(state: seed)
    let middle: Int64 = 1_760_000_000_000_000_000
    let rows = AggregateTests.rows(
      Int.random(in: 0..<300, using: &generator), middle: middle, using: &generator)
    let units = Int.random(in: 1..<6, using: &generator)
    let engine = AggregateTests.engine(rows, unitCount: units, using: &generator)
    var request = SummaryRequest(dataset: .logs)
    if Bool.random(using: &generator) {
      request.predicate = AggregateTests.filters.randomElement(using: &generator)?.0 ?? .all
    }
    if Bool.random(using: &generator) {
      request.filters.append(.init(level, .isIn(level, [.string("ERROR")])))
    }
    if Bool.random(using: &generator) {
      request.filters.append(.init(service, .not(.isIn(service, [.string("db")]))))
    }
    request.bucket = .fixed(nanoseconds: 90 * 86_400_000_000_000)
    request.by = Bool.random(using: &generator) ? level : nil
    request.fields = [level, service, AggregateTests.milliseconds, AggregateTests.kind]
    request.valueCount = Int.random(in: 1..<8, using: &generator)
    return Case(engine: engine, request: request)
  }

  private static func last(_ answers: any SummaryAnswers) async throws -> SummaryAnswer {
    var last: SummaryAnswer?
    while let answer = try await answers.next() {
      #expect(answer.share >= last?.share ?? 0 && answer.total >= last?.total ?? 0)
      last = answer
    }
    return try #require(last)
  }

  private static func rows(_ engine: QueryEngine, _ request: QueryRequest) async throws -> [[String?]] {
    let answer = try await engine.run(request, for: AggregateTests.tenant)
    var rows: [[String?]] = []
    while let batch = try await answer.next() {
      for row in 0..<batch.rowCount {
        rows.append(
          batch.columns.map { column in
            guard column.isValid(row) else { return nil }
            switch column.type {
            case .int64, .timestamp: return column.withInt64 { "\($0[row])" }
            case .float64: return column.withFloat64 { JSONTree.float64($0[row]).text }
            default: return column.text(at: row)
            }
          })
      }
    }
    return rows
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func saysWhatSingleQueriesSay(_ seed: UInt64) async throws {
    let it = SummaryTests.random(seed: seed)
    for isGradual in [false, true] {
      let answer = try await SummaryTests.last(
        it.engine.summarize(it.request, isGradual: isGradual, for: AggregateTests.tenant))
      #expect(answer.share == 1)
      let all = it.request.predicate(without: nil)
      #expect(try await answer.total == it.engine.count(all, in: .logs, for: AggregateTests.tenant))
      try await check(bars: answer, it)
      for (index, path) in it.request.fields.enumerated() {
        try await check(answer.fields[index], path, it)
      }
    }
  }

  /// As other queries: a file found damaged while it is read is left out, unless the answer is to be of all.
  @Test(arguments: [false, true]) func beginsAnewWithoutWhatIsDamaged(_ isGradual: Bool) async throws {
    var generator = SplitMix(state: 3)
    let rows = AggregateTests.rows(90, middle: 1_760_000_000_000_000_000, using: &generator)
    let units = [Array(rows[..<40]), Array(rows[40..<70]), Array(rows[70...])]
    var request = SummaryRequest(dataset: .logs)
    request.fields = [SummaryTests.level]
    let engine = QueryEngine(
      source: MemorySource(units: units, rot: Rot()), workers: WorkerPool(threads: 2),
      budget: MemoryBudget(bytesMax: 64 << 20))
    let answer = try await SummaryTests.last(
      engine.summarize(request, isGradual: isGradual, for: AggregateTests.tenant))
    #expect(answer.total == 70 && answer.share == 1)
    request.isStrict = true
    let strict = QueryEngine(
      source: MemorySource(units: units, rot: Rot()), workers: WorkerPool(threads: 2),
      budget: MemoryBudget(bytesMax: 64 << 20))
    await #expect(throws: StoreError.corrupt(file: "block", offsetBytes: 7, reason: "rot")) {
      _ = try await SummaryTests.last(
        strict.summarize(request, isGradual: isGradual, for: AggregateTests.tenant))
    }
  }

  private func check(bars answer: SummaryAnswer, _ it: Case) async throws {
    let query = AggregateQuery(
      groupBy: it.request.by.map { [$0] } ?? [], bucket: it.request.bucket, measures: [Measure(.count)])
    let rows = try await SummaryTests.rows(
      it.engine,
      QueryRequest(
        dataset: .logs, predicate: it.request.predicate(without: nil), answer: .aggregates(query),
        limit: QueryRequest.limitMax, isDescending: false))
    if it.request.by == nil {
      #expect(answer.bars.map { ["\($0.start)", "\($0.count)"] } == rows.map { [$0[0], $0[1]] })
      return
    }
    var found = Set(
      answer.bars.flatMap { bar in bar.divided.map { ["\(bar.start)", $0.value, "\($0.count)"] } })
    for row in rows { #expect(found.remove(row) != nil) }
    #expect(found.isEmpty)
    for bar in answer.bars { #expect(bar.count == bar.divided.reduce(0) { $0 + $1.count }) }
  }

  private func check(_ field: SummaryAnswer.Field, _ path: ColumnPath, _ it: Case) async throws {
    let predicate = it.request.predicate(without: path)
    let rows = try await SummaryTests.rows(
      it.engine,
      QueryRequest(
        dataset: .logs, predicate: predicate,
        answer: .aggregates(
          AggregateQuery(groupBy: [path], measures: [Measure(.count)], orderBy: "count")),
        limit: QueryRequest.limitMax))
    let values = rows.filter { $0[0] != nil }
    #expect(field.isExact && field.errorBound == 0)
    #expect(field.distinct == values.count)
    #expect(field.missing == rows.first { $0[0] == nil }.map { Int($0[1] ?? "") } ?? 0)
    #expect(field.values.map { [$0.value, "\($0.count)"] } == Array(values.prefix(it.request.valueCount)))
    guard path == AggregateTests.milliseconds else { return }
    let numbers = try await SummaryTests.rows(
      it.engine,
      QueryRequest(
        dataset: .logs, predicate: predicate,
        answer: .aggregates(AggregateQuery(measures: [Measure(.min(path)), Measure(.quantile(path, 0.5))])),
        limit: 1))
    #expect(field.numbers?.least == numbers[0][0] && field.numbers?.median == numbers[0][1])
  }

  @Test func ofTooManyValuesTheFrequentOnesAreKept() throws {
    let memory = GroupMemory(
      MemoryShare(of: MemoryBudget(bytesMax: 64 << 20)), limits: GroupLimits(bytesMax: 32 << 20))
    var generator = SplitMix(state: 7)
    var parts = (0..<3).map { _ in FieldTally(memory: memory, valuesMax: 64) }
    var rows: [String: Int] = [:]
    for round in 0..<60 {
      var builder = TextBuilder(capacity: 200)
      for _ in 0..<200 {
        let isFrequent = Int.random(in: 0..<3, using: &generator) == 0
        let number = Int.random(in: 0..<(isFrequent ? 4 : 5_000), using: &generator)
        rows["v\(number)", default: 0] += 1
        builder.append(contentsOf: Array("v\(number)".utf8).span)
        builder.endRow()
      }
      try parts[round % 3].add(builder.finish())
    }
    try parts[0].merge(parts[1])
    try parts[0].merge(parts[2])
    let answer = parts[0].answer(ColumnPath("x"), most: 4)
    #expect(!answer.isExact && answer.errorBound > 0)
    #expect(Set(answer.values.map(\.value)) == ["v0", "v1", "v2", "v3"])
    for value in answer.values {
      let right = try #require(rows[value.value ?? ""])
      #expect(value.count <= right && right <= value.count + answer.errorBound)
    }
    #expect(abs(answer.distinct - rows.count) < rows.count / 20)
  }

  /// Numbers that come by their bits, as integers or not, and as texts, are the same values.
  @Test func numbersAreTalliedAsTheirTexts() throws {
    let memory = GroupMemory(
      MemoryShare(of: MemoryBudget(bytesMax: 64 << 20)), limits: GroupLimits(bytesMax: 32 << 20))
    func text(_ values: [String?]) -> Column {
      var builder = TextBuilder(capacity: values.count)
      for value in values {
        guard let value else {
          builder.appendNull()
          continue
        }
        builder.append(contentsOf: Array(value.utf8).span)
        builder.endRow()
      }
      return builder.finish()
    }
    func floats(_ values: [Double?]) -> Column {
      Column(
        type: .float64, rowCount: values.count, validity: Buffer(validRows: values.map { $0 != nil }),
        storage: .fixed(Buffer(copying: values.map { $0 ?? 7 })))
    }
    var parts = (0..<2).map { _ in FieldTally(memory: memory, valuesMax: 64) }
    try parts[0].add(Column(int64: [1, 2, 2, -3, .max]))
    try parts[0].add(floats([1, 0.5, -0.0, nil, 0, 1e300]))
    try parts[1].add(text(["1", "0.5", nil, "a", "9223372036854775807"]))
    try parts[1].add(floats([2, 2, 2]))
    try parts[0].merge(parts[1])
    try parts[0].settle()
    let answer = parts[0].answer(ColumnPath("x"), most: 20)
    #expect(answer.isExact && answer.missing == 2 && answer.distinct == 8)
    let counts = Dictionary(uniqueKeysWithValues: answer.values.map { ($0.value ?? "", $0.count) })
    let expected = [
      "1": 3, "2": 5, "-3": 1, "9223372036854775807": 2, "0.5": 2, "0": 2, "a": 1,
      DecimalNumber(1e300).map { String(decoding: $0.bytes, as: UTF8.self) } ?? "": 1,
    ]
    #expect(counts == expected)
  }

  /// Of too many the frequent ones are kept, as of texts; what is taken is given back.
  @Test func ofTooManyNumbersTheFrequentOnesAreKept() throws {
    let budget = MemoryBudget(bytesMax: 64 << 20)
    let memory = GroupMemory(MemoryShare(of: budget), limits: GroupLimits(bytesMax: 32 << 20))
    var generator = SplitMix(state: 9)
    var parts = (0..<2).map { _ in FieldTally(memory: memory, valuesMax: 64) }
    var rows: [Int: Int] = [:]
    for round in 0..<60 {
      let values = (0..<200).map { _ in
        Int.random(in: 0..<(Int.random(in: 0..<3, using: &generator) == 0 ? 4 : 5_000), using: &generator)
      }
      for value in values { rows[value, default: 0] += 1 }
      try parts[round % 2].add(Column(int64: values.map { Int64($0) }))
    }
    try parts[0].merge(parts[1])
    try parts[0].settle()
    let answer = parts[0].answer(ColumnPath("x"), most: 4)
    #expect(!answer.isExact && answer.errorBound > 0)
    #expect(Set(answer.values.map(\.value)) == ["0", "1", "2", "3"])
    for value in answer.values {
      let right = try #require(rows[Int(value.value ?? "") ?? -1])
      #expect(value.count <= right && right <= value.count + answer.errorBound)
    }
    #expect(abs(answer.distinct - rows.count) < rows.count / 20)
  }

  /// What is short on memory counts by texts; what it takes is no more than it may, and all is given back.
  @Test(arguments: [40_000, 1_000_000])
  func numbersMakeRoomWhenMemoryIsShort(bytesMax: Int) throws {
    let budget = MemoryBudget(bytesMax: 64 << 20)
    var isShort = false
    do {
      let memory = GroupMemory(MemoryShare(of: budget), limits: GroupLimits(bytesMax: bytesMax))
      var tally = FieldTally(memory: memory, valuesMax: 64)
      for round in 0..<200 where !isShort {
        do throws(StoreError) {
          try tally.add(Column(int64: (0..<100).map { Int64($0 &* 7_919 &+ round &* 104_729) }))
        } catch { isShort = true }
        #expect(budget.bytesUsed <= bytesMax)
      }
      if !isShort {
        try tally.settle()
        #expect(!tally.answer(ColumnPath("x"), most: 4).isExact)
      }
    }
    #expect(!isShort || bytesMax == 40_000)
    #expect(budget.bytesUsed == 0)
  }

  @Test(arguments: [
    ("", 0, Completion.Wanted.column, 0, ""),
    ("lev", 3, .column, 0, "lev"),
    ("level ", 6, .comparison(level), 6, ""),
    ("level =", 7, .value(level, isQuoted: false), 7, ""),
    ("level = ER", 10, .value(level, isQuoted: false), 8, "ER"),
    ("level = \"ER", 11, .value(level, isQuoted: true), 8, "ER"),
    ("level = ERROR ", 14, .connective, 14, ""),
    ("level = ERROR an", 16, .connective, 14, "an"),
    ("level = ERROR and (ser", 22, .column, 19, "ser"),
    ("level in (A, ", 13, .value(level, isQuoted: false), 13, ""),
    ("level in (A", 11, .value(level, isQuoted: false), 10, "A"),
    ("level in ", 9, .words(["("]), 9, ""),
    ("= =", 3, .nothing, 3, ""),
    ("level = x service", 5, .column, 0, "level"),
  ])
  func knowsWhatMayStandThere(
    _ text: String, _ at: Int, _ wanted: Completion.Wanted, _ from: Int, _ partial: String
  ) {
    let found = Completion(of: text, at: at)
    #expect(found.wanted == wanted && found.from == from && found.partial == partial, "\(text)")
  }

  @Test func saysWhereAnExpressionIsWrong() throws {
    #expect(Completion(of: "level = ERROR", at: 0).fault == nil)
    let fault = try #require(Completion(of: "level = ERROR service", at: 0).fault)
    #expect(fault.place == 15 && fault.text == "character 15: expected and, or, or the end")
    for written in ["ERROR", "a b", "1", "true", "", "x\"y", "and"] {
      let text = "level = \(Completion.written(written))"
      #expect(try Expression.parse(text) == .compare(SummaryTests.level, .equal, .string(written)), "\(text)")
    }
  }

  @Test func filtersAreText() throws {
    func predicate(_ filter: String) throws -> Records.Predicate {
      try QueryRequest(json: Array(#"{"dataset":"logs","where":\#(filter)}"#.utf8)).predicate
    }
    #expect(try predicate(#""level = ERROR""#) == predicate(#"{"eq":["level","ERROR"]}"#))
    #expect(try predicate(#""  ""#) == .all)
    do throws(StoreError) {
      _ = try QueryRequest(json: Array(#"{"dataset":"logs","where":"level "}"#.utf8))
      Issue.record("a filter that is none was taken")
    } catch {
      guard case .invalidFilter(place: 7, let detail) = error else { throw error }
      #expect(detail.hasPrefix("expected an operator"))
    }
  }
}
