import Codecs
import Matching
import Records
import TestKit
import Testing

@testable import Blocks

/// Makes random predicates over `logs`, with values that rows have.
struct PredicateMaker {
  var generator: SeededGenerator
  let rows: RecordBatch

  private mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &generator)]
  }

  private mutating func text(of column: String) -> String {
    for _ in 0..<20 {
      let row = Int.random(in: 0..<rows.rowCount, using: &generator)
      if let text = PlainRow.value(of: rows.existing(column), row) { return text }
    }
    return "none"
  }

  private mutating func needle() -> String {
    let text = Array(text(of: "message"))
    guard text.count > 1 else { return "x" }
    let start = Int.random(in: 0..<text.count - 1, using: &generator)
    let end = Int.random(in: start + 1...min(text.count, start + 14), using: &generator)
    return String(text[start..<end])
  }

  private mutating func member() -> ColumnPath {
    let object = pick(["metadata", "labels"])
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: return ColumnPath(object, members: ["nested", "deep", "er"])
    case 1: return ColumnPath(object, members: ["missing"])
    default: return ColumnPath(object, members: [pick(RowMaker.names)])
    }
  }

  private mutating func literal() -> Literal {
    pick([
      .int64(1), .int64(200), .int64(-5), .float64(1.0), .float64(0.1), .string("h1"), .string("host 3"),
      .string("x"), .string("1"), .bool(true), .int64(9_007_199_254_740_993), .string("found me 42"),
    ])
  }

  private mutating func comparison() -> Comparison {
    pick([.equal, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual])
  }

  mutating func leaf() -> Predicate {
    switch Int.random(in: 0..<16, using: &generator) {
    case 0: return .compare(ColumnPath("level"), comparison(), .string(text(of: "level")))
    case 1: return .isIn(ColumnPath("service"), [.string(text(of: "service")), .string("none")])
    case 2: return .compare(ColumnPath("trace_id"), .equal, .string(text(of: "trace_id")))
    case 3, 4:
      return .contains(ColumnPath("message"), needle: needle(), ignoreCase: generator.chance(oneIn: 3))
    case 5: return .word(ColumnPath("message"), pick(RowMaker.words + ["42", "disk-quantum"]))
    case 6: return .prefix(ColumnPath("message"), String(needle().prefix(3)))
    case 7:
      return .regex(
        ColumnPath("message"),
        pattern: pick(["d.sk", "[0-9]{3}", "^quantum.*ok$", "us(er|ed) [1-4]+", "x|y"]),
        ignoreCase: false)
    case 8, 9:
      let literal = literal()
      // Booleans have no order.
      if case .bool = literal { return .compare(member(), .equal, literal) }
      return .compare(member(), comparison(), literal)
    case 10: return .exists(member())
    case 11: return .contains(member(), needle: pick(["h", "ost", "found", "é", "1"]), ignoreCase: false)
    case 12: return .word(ColumnPath("metadata"), pick(["h1", "found", "words", "42", "none"]))
    case 13:
      let row = Int.random(in: 0..<rows.rowCount, using: &generator)
      let time = rows.existing("timestamp").int64Values[row]
      return .compare(ColumnPath("timestamp"), comparison(), .timestamp(time))
    case 14:
      let row = Int.random(in: 0..<rows.rowCount, using: &generator)
      let id = rows.existing("id").withUUIDs { ids in (row * 16..<row * 16 + 16).map { ids[$0] } }
      return .compare(ColumnPath("id"), .equal, .uuid(id))
    default:
      let row = Int.random(in: 0..<rows.rowCount, using: &generator)
      return .compare(
        ColumnPath("position"), comparison(), .int64(rows.existing("position").int64Values[row]))
    }
  }

  mutating func predicate(depth: Int = 0) -> Predicate {
    switch Int.random(in: 0..<(depth > 1 ? 4 : 8), using: &generator) {
    case 4, 5: return .and([predicate(depth: depth + 1), predicate(depth: depth + 1)])
    case 6: return .or([predicate(depth: depth + 1), leaf()])
    case 7: return generator.chance(oneIn: 3) ? .all : .not(leaf())
    default: return leaf()
    }
  }

  mutating func request() -> ScanRequest {
    var request = ScanRequest(columns: [], predicate: predicate())
    let times = rows.existing("timestamp").int64Values
    if generator.chance(oneIn: 3) { request.start = pick(times) }
    if generator.chance(oneIn: 3) { request.end = pick(times) + (generator.chance(oneIn: 2) ? 1 : 0) }
    if generator.chance(oneIn: 4) {
      let ends = [pick(rows.existing("position").int64Values), pick(rows.existing("position").int64Values)]
      request.positions = min(ends[0], ends[1])..<max(ends[0], ends[1])
    }
    return request
  }
}

@Suite struct QueryTests {
  static let outputs = [
    OutputColumn(ColumnPath("position"), type: .int64), OutputColumn(ColumnPath("message"), type: .utf8),
    OutputColumn(ColumnPath("metadata"), type: .json), OutputColumn(ColumnPath("level"), type: .utf8),
  ]

  private func fixture(_ seed: UInt64) throws -> (BlockFixture, PredicateMaker) {
    var maker = RowMaker(seed: seed)
    let fixture = try BlockFixture(maker.batches([40, 100, 3, 150, 38]))
    return (fixture, PredicateMaker(generator: SeededGenerator(seed: seed &* 77), rows: fixture.rows))
  }

  private func rows(_ batch: RecordBatch, _ places: [Int]) -> [PlainRow] {
    let all = PlainRow.rows(
      of: RecordBatch(
        fields: QueryTests.outputs.map(\.field),
        columns: QueryTests.outputs.map { batch.existing($0.path.column) }, rowCount: batch.rowCount))
    return places.map { all[$0] }
  }

  @Test(arguments: 1...10)
  func scansFindWhatANaiveFilterFinds(seed: UInt64) throws {
    var (fixture, maker) = try fixture(seed)
    for round in 0..<30 {
      var request = maker.request()
      request.columns = QueryTests.outputs
      var deletions: [PendingDeletion] = []
      if maker.generator.chance(oneIn: 3) {
        deletions.append(
          PendingDeletion(
            id: 1, predicate: try fixture.compiled(maker.leaf()),
            positionEnd: fixture.rows.existing("position").int64Values.randomElement(using: &maker.generator)
              ?? 0))
      }
      let expected = rows(fixture.rows, try fixture.expected(request, deletions: deletions))
      request.order = .ascending
      let note = "seed \(seed) round \(round): \(request)"
      #expect(try fixture.scan(request, deletions: deletions) == expected, "\(note)")
      request.order = .descending
      #expect(try fixture.scan(request, deletions: deletions) == expected.reversed(), "\(note)")
      request.order = .unordered
      let unordered = try fixture.scan(request, deletions: deletions)
      #expect(Set(unordered) == Set(expected) && unordered.count == expected.count, "\(note)")
      #expect(try fixture.count(request, deletions: deletions) == expected.count, "\(note)")
    }
  }

  @Test(arguments: [Dataset.audit, .logs, .sessions, .workflows], 1...4)
  func searchesFindWhatANaiveFilterFinds(dataset: Dataset, seed: UInt64) throws {
    var maker = RowMaker(seed: seed, dataset: dataset)
    let fixture = try BlockFixture(maker.batches([40, 100, 3, 150, 38]), dataset: dataset)
    var generator = SeededGenerator(seed: seed &* 31)
    for round in 0..<24 {
      var request = ScanRequest(
        columns: [OutputColumn(ColumnPath("position"), type: .int64)],
        predicate: SearchMaker.predicate(rows: fixture.rows, dataset, &generator))
      request.order = .ascending
      let positions = fixture.rows.existing("position").int64Values
      let expected = try fixture.expected(request).map { PlainRow(values: ["\(positions[$0])"]) }
      let note = "seed \(seed) round \(round): \(request.predicate)"
      #expect(try fixture.scan(request) == expected, "\(note)")
      #expect(try fixture.count(request) == expected.count, "\(note)")
    }
  }

  /// A rare word in one of many columns is looked for in its page and column alone.
  @Test func alternativesAreLookedForWhereTheyMayBe() throws {
    var maker = RowMaker(seed: 9, dataset: .audit)
    var batch = maker.batch(rowCount: 300)
    let agent = try #require(batch.fields.firstIndex { $0.name == "user_agent" })
    var texts = TextBuilder()
    for row in 0..<300 { texts.appendRow(row == 100 ? "a zebrafinch" : "agent \(row % 5)") }
    var columns = batch.columns
    columns[agent] = texts.finish(type: .utf8)
    batch = RecordBatch(fields: batch.fields, columns: columns, rowCount: 300)
    let fixture = try BlockFixture([batch], dataset: .audit)
    func units(_ predicate: Predicate) throws -> [BlockUnit] {
      try fixture.reader.units(
        for: ScanRequest(columns: [], predicate: predicate), predicate: try fixture.compiled(predicate)
      ).compactMap { $0 as? BlockUnit }
    }
    func search(_ pattern: String) -> Predicate {
      .or(SearchMaker.columns(.audit).map { .regex($0, pattern: pattern, ignoreCase: true) })
    }
    #expect(try units(search("zebrafunch")).isEmpty)
    let found = try units(search("EBRAFIN"))
    let unit = try #require(found.first)
    #expect(found.count == 1 && unit.rowCountMax == 16)
    #expect(unit.scan.filter(in: unit.pages)?.paths == [ColumnPath("user_agent")])
    #expect(try unit.countMatches() == 1)
    let either = Predicate.or([
      search("zebrafinch"), .compare(ColumnPath("resource_id"), .equal, .string("nowhere to be found")),
    ])
    #expect(try units(either).map(\.rowCountMax) == [16])
    // Pages all rows of which match are counted unread.
    let last = fixture.rows.existing("timestamp").int64Values.max() ?? 0
    let all = Predicate.not(.compare(ColumnPath("timestamp"), .greater, .timestamp(last)))
    #expect(try units(all).allSatisfy { $0.scan.filter(in: $0.pages) == nil })
  }

  /// Where most rows match and the answer's columns are those the filter reads, they are not read twice.
  @Test(arguments: 1...3)
  func answersAreTakenFromWhatTheFilterRead(seed: UInt64) throws {
    var maker = RowMaker(seed: seed, dataset: .workflows)
    let fixture = try BlockFixture(maker.batches([40, 100, 3, 150, 38]), dataset: .workflows)
    var generator = SeededGenerator(seed: seed &* 13)
    let path = ColumnPath("execution_time_seconds")
    let outputs = [
      OutputColumn(path, type: .float64), OutputColumn(ColumnPath("position"), type: .int64),
      OutputColumn(ColumnPath("status"), type: .utf8),
    ]
    let all = PlainRow.rows(
      of: RecordBatch(
        fields: outputs.map(\.field), columns: outputs.map { fixture.rows.existing($0.path.column) },
        rowCount: fixture.rows.rowCount))
    let status = Predicate.compare(ColumnPath("status"), .notEqual, .string("DEBUG"))
    for _ in 0..<40 {
      let bound = Double(Int.random(in: -1..<12, using: &generator))
      var predicate = Predicate.compare(
        path, generator.chance(oneIn: 2) ? .notEqual : .greater, .float64(bound))
      if generator.chance(oneIn: 2) { predicate = .or([predicate, status]) }
      if generator.chance(oneIn: 4) { predicate = .not(predicate) }
      var request = ScanRequest(columns: outputs, predicate: predicate)
      let times = fixture.rows.existing("timestamp").int64Values
      if generator.chance(oneIn: 3) { request.start = times.randomElement(using: &generator) }
      var deletions: [PendingDeletion] = []
      if generator.chance(oneIn: 3) {
        deletions = [PendingDeletion(id: 1, predicate: try fixture.compiled(status), positionEnd: 200)]
      }
      let expected = try fixture.expected(request, deletions: deletions).map { all[$0] }
      for order in [ScanOrder.unordered, .ascending, .descending] {
        request.order = order
        let found = try fixture.scan(request, deletions: deletions)
        #expect(found == (order == .descending ? expected.reversed() : expected), "\(seed): \(request)")
      }
    }
  }

  /// What is left of objects is `{}` everywhere, and their texts are in columns: nothing follows from that.
  @Test func emptyRestsHideNoTexts() throws {
    var maker = RowMaker(seed: 9, dataset: .audit)
    var batch = maker.batch(rowCount: 60)
    let place = try #require(batch.fields.firstIndex { $0.name == "metadata" })
    var texts = TextBuilder()
    for row in 0..<60 { texts.appendRow("{\"source\":\"some place \(row % 3)\"}") }
    var columns = batch.columns
    columns[place] = texts.finish(type: .json)
    batch = RecordBatch(fields: batch.fields, columns: columns, rowCount: 60)
    let fixture = try BlockFixture([batch], dataset: .audit)
    let predicate = Predicate.contains(ColumnPath("metadata"), needle: "place 1", ignoreCase: false)
    #expect(try fixture.count(ScanRequest(columns: [], predicate: predicate)) == 20)
    let none = Predicate.not(.contains(ColumnPath("metadata"), needle: "{}", ignoreCase: false))
    #expect(try fixture.count(ScanRequest(columns: [], predicate: none)) == 60)
  }

  @Test(arguments: 1...10)
  func membersComeOutAsFromWholeObjects(seed: UInt64) throws {
    let (fixture, _) = try fixture(seed)
    let paths = RowMaker.names.map { [$0] } + [["nested", "deep"], ["nested", "deep", "er"], ["missing"]]
    for path in paths {
      for type in [ColumnType.utf8, .float64, .json] {
        let output = OutputColumn(ColumnPath("metadata", members: path), type: type)
        let found = try fixture.scan(ScanRequest(columns: [output], order: .ascending))
        let naive = MemberValues.column(
          output, parts: [], rest: fixture.rows.existing("metadata"), rowCount: fixture.rows.rowCount)
        let expected = PlainRow.rows(
          of: RecordBatch(fields: [output.field], columns: [naive], rowCount: naive.rowCount))
        let different = zip(found, expected).enumerated().first { $1.0.values != $1.1.values }
        #expect(
          found.count == expected.count && different == nil,
          "seed \(seed) \(path) \(type) \(String(describing: different))")
      }
    }
  }

  @Test(arguments: 1...10)
  func groupedCountsAreThoseOfTheRows(seed: UInt64) throws {
    var (fixture, maker) = try fixture(seed)
    let columns = ["level", "service", "env"]
    for round in 0..<30 {
      let groupBy = columns.filter { _ in maker.generator.chance(oneIn: 3) }.map { ColumnPath($0) }
      let buckets: [Int64?] = [nil, 60_000_000_000, 30_000_000_000, 3_600_000_000_000, 120_000_000_000]
      var scan = maker.request()
      switch Int.random(in: 0..<4, using: &maker.generator) {
      case 0: break
      case 1: scan.predicate = .compare(ColumnPath("level"), .equal, .string("ERROR"))
      case 2: scan.predicate = .isIn(ColumnPath("service"), [.string("b"), .string("alpha")])
      default: scan.predicate = .all
      }
      if maker.generator.chance(oneIn: 2) { scan.positions = 0..<Int64.max }
      let request = GroupedCountRequest(
        groupBy: groupBy, bucketNanoseconds: buckets.randomElement(using: &maker.generator) ?? nil,
        predicate: scan.predicate, start: scan.start, end: scan.end, positions: scan.positions)
      var expected: [GroupKey: Int] = [:]
      for row in try fixture.expected(scan) { expected[key(of: fixture.rows, row, request), default: 0] += 1 }
      let answer = try fixture.reader.groupedCounts(
        for: request, predicate: try fixture.compiled(scan.predicate))
      var found = answer.counts
      for unit in answer.remaining {
        let cursor = try unit.open()
        while let batch = try cursor.next() {
          for row in 0..<batch.rowCount { found[key(of: batch, row, request), default: 0] += 1 }
        }
      }
      #expect(found == expected, "seed \(seed) round \(round): \(request)")
    }
  }

  private func key(of batch: RecordBatch, _ row: Int, _ request: GroupedCountRequest) -> GroupKey {
    var bucket: Int64 = 0
    if let width = request.bucketNanoseconds {
      let time = batch.existing("timestamp").int64Values[row]
      bucket = time - (time % width + width) % width
    }
    return GroupKey(
      bucket: bucket,
      values: request.groupBy.map { PlainRow.value(of: batch.existing($0.column).plainText(), row) })
  }

  @Test func summariesAnswerWithoutReadingRows() throws {
    let (fixture, _) = try fixture(1)
    func remaining(_ groupBy: [String], bucket: Int64?, _ predicate: Predicate) throws -> Int {
      let request = GroupedCountRequest(
        groupBy: groupBy.map { ColumnPath($0) }, bucketNanoseconds: bucket, predicate: predicate, start: nil,
        end: nil)
      return try fixture.reader.groupedCounts(for: request, predicate: try fixture.compiled(predicate))
        .remaining
        .count
    }
    let isError = Predicate.compare(ColumnPath("level"), .equal, .string("ERROR"))
    #expect(try remaining([], bucket: 60_000_000_000, .all) == 0)
    #expect(try remaining(["level"], bucket: 60_000_000_000, .all) == 0)
    #expect(try remaining(["service"], bucket: nil, isError) == 0)
    #expect(try remaining(["level", "service"], bucket: nil, .all) == 0)
    #expect(try remaining(["env"], bucket: nil, .all) > 0)
    #expect(try remaining(["level"], bucket: 1_000_000_000, .all) > 0)
  }

  @Test func unitsThatCannotMatchAreLeftOut() throws {
    let (fixture, _) = try fixture(2)
    func units(_ predicate: Predicate) throws -> [any ScanUnit] {
      try fixture.reader.units(
        for: ScanRequest(columns: [], predicate: predicate), predicate: try fixture.compiled(predicate))
    }
    #expect(try units(.all).count == 4)
    let absent = Predicate.compare(ColumnPath("trace_id"), .equal, .string("0123456789abcdef"))
    #expect(try units(absent).isEmpty)
    let word = Predicate.contains(ColumnPath("message"), needle: "no such text", ignoreCase: false)
    #expect(try units(word).isEmpty)
    let ids = fixture.rows.existing("trace_id")
    let id = try #require((0..<ids.rowCount).compactMap { PlainRow.value(of: ids, $0) }.first)
    let found = try units(.compare(ColumnPath("trace_id"), .equal, .string(id)))
    #expect(found.count == 1 && found.allSatisfy { $0.rowCountMax <= 32 })
  }
}
