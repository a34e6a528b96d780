import Columnar
import Matching
import Records
import TestKit
import Testing

@testable import Blocks

/// Sections 14 and 15: what they hold, and what becomes of them when they are damaged.
@Suite struct SummarySectionTests {
  private static let minute: Int64 = 60_000_000_000

  /// Rows with one member `n`, JSON texts, a second apart.
  static func fixture(_ values: [String?]) throws -> BlockFixture {
    var maker = RowMaker(seed: 1)
    let batch = maker.batch(rowCount: values.count)
    var columns = batch.columns
    for (index, field) in batch.fields.enumerated() {
      if field.name == "timestamp" {
        columns[index] = Column(timestamps: values.indices.map { Int64($0) * 1_000_000_000 })
      }
      guard field.type == .json else { continue }
      var builder = TextBuilder()
      for value in values {
        builder.appendRow(value.flatMap { field.name == "metadata" ? "{\"n\":\($0)}" : nil } ?? "{}")
      }
      columns[index] = builder.finish(type: .json)
    }
    return try BlockFixture([RecordBatch(fields: batch.fields, columns: columns, rowCount: values.count)])
  }

  private static func numbers(_ count: Int) -> [String?] { (0..<count).map { "\($0 * 7 % 1_000).25" } }

  @Test func bucketsFollowEachOtherAndAreFound() {
    let finder = NumberBuckets.Finder()
    var before = -Double.infinity
    for bucket in 0..<NumberBuckets.count {
      let range = NumberBuckets.doubles(of: bucket)
      for value in [range.lowerBound, range.upperBound] { #expect(finder.bucket(of: value) == bucket) }
      // Behind the greatest of one comes the least of the next.
      if before.isFinite { #expect(before.nextUp == range.lowerBound, "\(bucket)") }
      before = range.upperBound
    }
    #expect(before == .greatestFiniteMagnitude)
    #expect(finder.bucket(of: -0.0) == NumberBuckets.zero)
    for edge in [900, 1, 0.001, 7e15, -40] {
      let range = NumberBuckets.doubles(of: finder.bucket(of: edge))
      #expect(range == edge...edge)
    }
  }

  @Test func sumsAreExact() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<200 {
      let values = (0..<30).map { _ in
        Double.random(in: -1...1, using: &random) * [1, 1e300, 1e-300, 1e16].randomElement(using: &random)!
      }
      func parts(_ values: [Double]) -> [Double]? {
        values.reduce([]) { parts, value in parts.flatMap { ExactParts.adding(value, to: $0) } }
      }
      // Taken away in another order, nothing is left.
      #expect(parts(values + values.shuffled(using: &random).map { -$0 }) == [])
    }
    #expect(ExactParts.adding(.greatestFiniteMagnitude, to: [.greatestFiniteMagnitude]) == nil)
  }

  /// Every condition at an edge is counted without a row.
  @Test func rangesAtEdgesAreCounted() throws {
    let fixture = try Self.fixture(Self.numbers(600))
    for (comparison, literal) in [(Comparison.greater, 900), (.lessOrEqual, 900), (.equal, 500), (.less, 0)] {
      let predicate = Predicate.compare(
        ColumnPath("metadata", members: ["n"]), comparison, .int64(Int64(literal)))
      for width in [nil, Self.minute] {
        let request = GroupedCountRequest(
          groupBy: [], bucketNanoseconds: width, predicate: predicate, start: nil, end: nil)
        let answer = try fixture.reader.groupedCounts(
          for: request, predicate: try fixture.compiled(predicate))
        #expect(answer.remaining.isEmpty)
        #expect(
          try answer.counts.values.reduce(0, +)
            == fixture.count(ScanRequest(columns: [], predicate: predicate)))
      }
    }
  }

  /// A block of few values a minute has wider slots; of none, no section.
  @Test func slotsAreAsFineAsThereIsRoom() throws {
    let many = try Self.fixture(Self.numbers(600))
    #expect(try many.reader.contents().numbers()?.width == 1)
    let none = try Self.fixture((0..<50).map { _ in "\"x\"" })
    #expect(try none.reader.contents().numbers() == nil)
    var section = try #require(try many.reader.contents().numbers())
    section.columns[0].totals[1].count += 1
    #expect(section != (try many.reader.contents().numbers()))
  }

  @Test(arguments: [BlockIndex.Section.numbers, .frequent])
  func damageIsAnErrorAndNeverAnAnswer(section: BlockIndex.Section) throws {
    let values: [String?] = (0..<300).map { section == .frequent ? "\"w\($0 % 90)\"" : "\($0 % 9).5" }
    let fixture = try Self.fixture(values)
    let contents = try fixture.reader.contents()
    let entry = try #require(contents.index.entries.first { $0.kind == section.rawValue })
    for place in stride(from: 0, to: entry.range.count, by: 7) {
      let offset = contents.indexOffset + entry.range.lowerBound + place
      fixture.disk.rot(BlockFixture.path, offset: offset, bit: place % 8)
      defer { fixture.disk.rot(BlockFixture.path, offset: offset, bit: place % 8) }
      let facts = fixture.reader.facts
      #expect(!BlockChecker.problems(of: facts, path: BlockFixture.path, fileSystem: fixture.disk).isEmpty)
      let reader = try BlockReader(facts, path: BlockFixture.path, fileSystem: fixture.disk)
      #expect(throws: BlockError.self) {
        if section == .numbers {
          _ = try reader.contents().numbers()
        } else {
          _ = try reader.contents().frequent()
        }
      }
    }
  }

  /// Bytes that a checksum was made for, and that say what cannot be: an error, or what a check finds.
  @Test(arguments: 1...20) func wrongBytesNeverCrash(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let fixture = try Self.fixture((0..<200).map { random.chance(oneIn: 2) ? "\($0).5" : "\"w\($0 % 70)\"" })
    let contents = try fixture.reader.contents()
    let pages = contents.pages.pages.indices.map { contents.rowCount(ofPage: $0) }
    for section in [BlockIndex.Section.numbers, .frequent] {
      let buffer = try #require(try contents.index.section(section))
      let bytes = buffer.withSpan(of: UInt8.self) { span in span.indices.map { span[$0] } }
      for _ in 0..<200 {
        var wrong = bytes
        let place = Int.random(in: 0..<wrong.count, using: &random)
        wrong[place] = UInt8.random(in: 0...255, using: &random)
        if random.chance(oneIn: 4) { wrong.removeLast(Int.random(in: 0..<wrong.count, using: &random)) }
        do {
          if section == .numbers {
            let found = try NumberSection(Buffer(copying: wrong), rowCount: 200, pageRows: pages)
            #expect(found.rows.reduce(0, +) == 200)
            if wrong != bytes, found != (try contents.numbers()) { _ = found.encoded() }
          } else {
            _ = try FrequentSection(Buffer(copying: wrong), rowCount: 200).encoded()
          }
        } catch is IndexError {}
      }
    }
  }

  /// A check counts by other means: what a section says wrongly is found.
  @Test func aCheckFindsWrongNumbers() throws {
    let fixture = try Self.fixture(Self.numbers(300))
    let contents = try fixture.reader.contents()
    let section = try #require(try contents.numbers())
    let pages = contents.pages.pages.indices.map { contents.rowCount(ofPage: $0) }
    let fields = contents.parquet.fields
    let indices = section.columns.compactMap { own in fields.firstIndex { $0.name == own.name } }
    func isSound(_ change: (inout NumberSection) -> Void) throws -> Bool {
      var changed = section
      change(&changed)
      var tally = NumberTally(changed, pageRows: pages)
      for group in 0..<contents.groupCount {
        let rows = [0..<contents.parquet.rowGroups[group].rowCount]
        func read(_ index: Int) throws -> Column {
          try contents.read(index, group: group, rows: rows, asDictionary: false)
        }
        let times = try read(contents.columns.index(of: "timestamp"))
        guard tally.add(times, try indices.map(read)) else { return false }
      }
      return tally.isThatOfSection
    }
    let place = try #require(section.columns.firstIndex { $0.name == "metadata.n:float64" })
    #expect(try isSound { _ in })
    #expect(try !isSound { $0.columns[place].totals[0].doubleSum = [1] })
    #expect(try !isSound { $0.columns[place].totals[0].extremes = .float64(least: 0, greatest: 1_000) })
    #expect(try !isSound { $0.columns[place].cells[0].bucket += 1 })
    #expect(try !isSound { $0.rows[0] -= 1 })
    #expect(try !isSound { $0.columns[place].pages[0].count -= 1 })
    #expect(try !isSound { $0.slots[0] -= 1 })
  }
}
