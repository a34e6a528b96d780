import Blocks
import Codecs
import Foundation
import Journaling
import Matching
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// Numbers of every size and spelling beside a plain model: filters, groups, extremes and deletions say the
/// same of the head, of blocks, of both, and after merging and opening again.
@Suite struct NumbersOverBlocksTests {
  /// JSON texts of a member, or nil for records without it.
  static let others = [
    "\"16\"", "\"0x10\"", "\"+16\"", "\"007\"", "\" 7\"", "\"12.50\"", "16", "7", "true", "null", "{\"a\":1}",
    "{\"a\":1.0}", "[1,2]", "[]", "\"text\"",
  ]

  static func values(seed: UInt64, count: Int) -> [String?] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      switch Int.random(in: 0..<10, using: &random) {
      case 0: nil
      case 1, 2: others.randomElement(using: &random)
      default: DecimalModel.nasty.randomElement(using: &random)
      }
    }
  }

  @Test(arguments: 1...2) func everyPlaceAnswersAlike(seed: UInt64) async throws {
    let values = Self.values(seed: seed, count: 160)
    var bench = try NumberBench()
    defer { bench.remove() }
    try bench.add(values[..<60], at: 0)
    try await check(bench, values[..<60], "head", seed)
    try bench.archive()
    try await check(bench, values[..<60], "blocks", seed + 1)
    try bench.add(values[60..<120], at: 60)
    try bench.archive()
    try bench.add(values[120...], at: 120)
    try await check(bench, values[...], "mixed", seed + 2)
    try bench.archive()
    while try bench.engine.compact() {}
    #expect(bench.engine.usage().map(\.blockCount) == [1])
    try await check(bench, values[...], "merged", seed + 3)
    try bench.open()
    try await check(bench, values[...], "opened again", seed + 4)
  }

  private func check(
    _ bench: NumberBench, _ values: ArraySlice<String?>, _ place: String, _ seed: UInt64
  ) async throws {
    try await checkRows(bench, values, place)
    try await checkFilters(bench, values, place, seed)
    try await checkGroups(bench, values, place)
    try await checkMeasures(bench, values, place)
  }

  /// As they were sent.
  private func checkRows(_ bench: NumberBench, _ values: ArraySlice<String?>, _ place: String) async throws {
    let lines = try await bench.ask("\"columns\":[\"message\",\"metadata\"],\"order\":\"asc\"")
    #expect(lines == values.enumerated().map { NumberBench.line($0.offset, $0.element) }, "\(place)")
  }

  private func checkFilters(
    _ bench: NumberBench, _ values: ArraySlice<String?>, _ place: String, _ seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    for literal in DecimalModel.nasty.shuffled(using: &random).prefix(16) {
      let wanted = try #require(DecimalModel(literal))
      for comparison in Comparison.allCases {
        let expected = values.indices.filter { row in
          values[row].flatMap(DecimalModel.init)?.holds(comparison, wanted) ?? false
        }
        let filter = "{\"\(comparison.rawValue)\":[\"metadata.n\",\(literal)]}"
        #expect(try await bench.rows(filter) == expected, "\(place) \(filter)")
      }
    }
    for _ in 0..<8 {
      let literals = DecimalModel.nasty.shuffled(using: &random).prefix(3) + ["\"16\"", "\"007\""]
      let wanted = literals.compactMap(DecimalModel.init)
      let expected = values.indices.filter { row in
        guard let value = values[row] else { return false }
        return DecimalModel(value).map(wanted.contains) ?? literals.contains(value)
      }
      let filter = "{\"in\":[\"metadata.n\",[\(literals.joined(separator: ","))]]}"
      #expect(try await bench.rows(filter) == expected, "\(place) \(filter)")
    }
    let existing = values.indices.filter { values[$0] != nil && values[$0] != "null" }
    #expect(try await bench.rows("{\"exists\":\"metadata.n\"}") == existing, "\(place)")
  }

  static func key(_ value: String?) -> String? {
    guard let value, value != "null" else { return nil }
    if value.hasPrefix("\"") { return String(value.dropFirst().dropLast()) }
    return DecimalModel(value)?.key ?? value
  }

  /// The groups are those of the values, and a filter by a group's key finds as many as it counts.
  private func checkGroups(
    _ bench: NumberBench, _ values: ArraySlice<String?>, _ place: String
  ) async throws {
    var expected: [String?: Int] = [:]
    for value in values { expected[Self.key(value), default: 0] += 1 }
    var found: [String?: Int] = [:]
    let query = """
      "group_by":["metadata.n"],"measures":["count",{"count":"metadata.n","as":"values"},
        {"count_distinct":"metadata.n","as":"different"}]
      """
    for line in try await bench.ask(query) {
      let tree = try JSONTree(parsing: Array(line.utf8))
      guard case .int64(let count)? = tree["count"] else { continue }
      var key: String?
      if case .string(let text)? = tree["metadata.n"] { key = text }
      found[key] = Int(count)
      #expect(tree["values"] == .int64(key == nil ? 0 : count), "\(place) \(line)")
      #expect(tree["different"] == .int64(key == nil ? 0 : 1), "\(place) \(line)")
      guard let key, !key.hasPrefix("{"), !key.hasPrefix("[") else { continue }
      let text = JSONTree.string(key).text
      let isPlain = DecimalModel(key)?.key == key || key == "true"
      let filter = "{\"in\":[\"metadata.n\",[\(text)\(isPlain ? "," + key : "")]]}"
      #expect(try await bench.rows(filter).count == Int(count), "\(place) \(filter)")
    }
    #expect(found == expected, "\(place)")
  }

  private func checkMeasures(
    _ bench: NumberBench, _ values: ArraySlice<String?>, _ place: String
  ) async throws {
    let lines = try await bench.ask(
      """
      "measures":[{"min":"metadata.n","as":"min"},{"max":"metadata.n","as":"max"},
        {"count_distinct":"metadata.n","as":"different"}]
      """)
    let tree = try JSONTree(parsing: Array(try #require(lines.first).utf8))
    let numbers = values.compactMap { $0.flatMap(DecimalModel.init) }
    #expect(tree["min"].flatMap { DecimalModel($0.text) } == numbers.min(), "\(place) \(lines)")
    #expect(tree["max"].flatMap { DecimalModel($0.text) } == numbers.max(), "\(place) \(lines)")
    #expect(tree["different"] == .int64(Int64(Set(values.compactMap(Self.key)).count)), "\(place) \(lines)")
  }

  /// Measures that share a column say what each says alone.
  @Test func measuresTogetherAreThoseAlone() async throws {
    let values: [String?] = [
      "1", "2.50", nil, "9007199254740993", "\"x\"", "18446744073709551615", "0.1", "-3", "1e3",
    ]
    let measures =
      ["sum", "avg", "min", "max"].map { "{\"\($0)\":\"metadata.n\"}" } + [
        "{\"quantile\":[\"metadata.n\",0.5]}"
      ]
    var bench = try NumberBench()
    defer { bench.remove() }
    try bench.add(values[..<4], at: 0)
    try bench.archive()
    try bench.add(values[4...], at: 4)
    for _ in 0..<2 {
      for group in ["", "\"group_by\":[\"message\"],"] {
        let together = try await bench.ask("\(group)\"measures\":[\(measures.joined(separator: ","))]")
        var alone: [[String]] = []
        for measure in measures { alone.append(try await bench.ask("\(group)\"measures\":[\(measure)]")) }
        for (row, line) in together.enumerated() {
          for one in alone.map({ $0[row] }) {
            let parts = one.dropFirst().dropLast().split(separator: ",").map(String.init)
            #expect(parts.allSatisfy { line.contains($0) }, "\(line) \(one)")
          }
        }
      }
      try bench.archive()
    }
  }

  /// A deletion takes what equals its number and nothing beside it, for good.
  @Test(arguments: ["18446744073709551615", "9007199254740993", "12.50", "1e400", "-0", "0.1"])
  func deletionsTakeNoNeighbours(literal: String) async throws {
    let wanted = try #require(DecimalModel(literal))
    let values: [String?] = DecimalModel.nasty
    let left = values.indices.filter { values[$0].flatMap(DecimalModel.init) != wanted }
    for isArchived in [false, true] {
      var bench = try NumberBench()
      defer { bench.remove() }
      try bench.add(values[..<50], at: 0)
      if isArchived { try bench.archive() }
      try bench.add(values[50...], at: 50)
      let predicate = try Predicate(
        json: JSONTree(parsing: Array("{\"eq\":[\"metadata.n\",\(literal)]}".utf8)))
      #expect(try bench.engine.delete(predicate, from: NumberBench.partition) == values.count - left.count)
      #expect(try await bench.rows("{\"and\":[]}") == left)
      try bench.open()
      #expect(try await bench.rows("{\"and\":[]}") == left, "opened again")
      try bench.archive()
      while try bench.engine.compact() {}
      #expect(try await bench.rows("{\"and\":[]}") == left, "rewritten")
    }
  }
}

/// A store of records with one member `n`.
struct NumberBench {
  static let partition = Partition(tenant: Tenant(realm: .native, name: "t"), dataset: .logs)

  private struct Source: BatchSource {
    let engine: StorageEngine
    func snapshot(of partition: Partition) -> any PartitionSnapshot { engine.snapshot(of: partition) }
  }

  let directory: String
  private(set) var engine: StorageEngine
  private var journal: JournalFile

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    (engine, journal) = try NumberBench.open(directory)
  }

  func remove() { try? FileManager.default.removeItem(atPath: directory) }

  /// Opens it once more, as after a stop.
  mutating func open() throws { (engine, journal) = try NumberBench.open(directory) }

  private static func open(_ directory: String) throws -> (StorageEngine, JournalFile) {
    let environment = StoreEnvironment(clock: ManualClock())
    var options = StorageOptions()
    options.journal.segmentBytes = 1 << 20
    options.journal.writeReserveBytes = 0
    options.mergeInputsMin = 2
    var layout = BlockLayout()
    layout.rowsPerPage = 16
    layout.rowsPerGroup = 64
    return try StorageEngine.open(
      directory: directory, environment: environment, options: options, format: ParquetBlocks(layout: layout)
    ) { directory, start throws(JournalError) in
      try JournalFile.open(
        directory: directory, environment: environment, options: options.journal, start: start
      ).journal
    }
  }

  static func metadata(_ value: String?) -> String { value.map { "{\"n\":\($0)}" } ?? "{}" }

  static func line(_ row: Int, _ value: String?) -> String {
    "{\"message\":\"\(row)\",\"metadata\":\(metadata(value))}"
  }

  /// Adds records, whose messages are their numbers from `first` on, in two frames.
  mutating func add(_ values: ArraySlice<String?>, at first: Int) throws {
    let middle = (values.startIndex + values.endIndex) / 2
    for part in [values[..<middle], values[middle...]] {
      let fields = Dataset.logs.schema.declaredFields
      let columns = fields.map { field -> Column in
        if field.type == .timestamp {
          return Column(timestamps: part.indices.map { Int64($0) * 1_000_000_000 })
        }
        var builder = TextBuilder()
        for row in part.indices {
          switch field.name {
          case "message": builder.appendRow("\(row)")
          case "metadata": builder.appendRow(NumberBench.metadata(part[row]))
          default: builder.appendNull()
          }
        }
        return builder.finish(type: field.type)
      }
      let batch = RecordBatch(fields: fields, columns: columns, rowCount: part.count)
      _ = try journal.commit([AppendRequest(batch: batch, partition: NumberBench.partition)])[0].get()
    }
  }

  mutating func archive() throws {
    while let step = try engine.archive(NumberBench.partition) {
      journal.release([NumberBench.partition: step.archivedThrough])
    }
  }

  /// The answer's rows as JSON.
  func ask(_ query: String) async throws -> [String] {
    let engine = QueryEngine(
      source: Source(engine: engine), workers: WorkerPool(threads: 1),
      budget: MemoryBudget(bytesMax: 1 << 30))
    let request = try QueryRequest(json: Array("{\"dataset\":\"logs\",\(query)}".utf8))
    let answer = try await engine.run(request, for: NumberBench.partition.tenant)
    var writer = JSONWriter(capacity: 1 << 12)
    let records = RecordWriter(fields: answer.fields)
    while let batch = try await answer.next() {
      records.appendObjects(batch, separator: nil, isFirst: true, terminator: 10, to: &writer)
    }
    return String(decoding: writer.takeBytes(), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Numbers of the records that a filter finds.
  func rows(_ filter: String) async throws -> [Int] {
    try await ask("\"columns\":[\"message\"],\"order\":\"asc\",\"where\":\(filter)").compactMap { line in
      guard case .string(let text)? = try JSONTree(parsing: Array(line.utf8))["message"] else { return nil }
      return Int(text)
    }
  }
}
