import Matching
import Records

/// A summary checked against its schema: what is gathered, from which scans.
struct SummaryPlan: Sendable {
  /// What one part of a summary gathers.
  enum Kind: Sendable {
    /// The total, and the bars.
    case bars
    /// The values of field number `field`.
    case values(field: Int)
    /// Its numbers.
    case numbers(field: Int)

    /// Whether values are tallied; else groups are gathered.
    var isValues: Bool { if case .values = self { true } else { false } }
  }

  /// A part of the summary.
  struct Part: Sendable {
    let kind: Kind
    /// How its groups are made; of ``Kind/values(field:)`` what summaries of blocks are asked.
    let plan: AggregatePlan
  }

  /// Parts that look at the same rows are gathered in one scan.
  struct Scan: Sendable {
    let predicate: Predicate
    /// Numbers of parts.
    var parts: [Int]
  }

  let request: SummaryRequest
  let parts: [Part]
  let scans: [Scan]
  let cancellation: CancellationToken?

  init(_ request: SummaryRequest, cancellation: CancellationToken?) throws(StoreError) {
    self.request = request
    self.cancellation = cancellation
    var parts: [Part] = []
    var scans: [Scan] = []
    func add(_ kind: Kind, _ query: AggregateQuery, without path: ColumnPath?) throws(StoreError) {
      let predicate = request.predicate(without: path)
      var asked = QueryRequest(
        dataset: request.dataset, predicate: predicate, answer: .aggregates(query), start: request.start,
        end: request.end, limit: QueryRequest.limitMax, isDescending: false)
      asked.isStrict = request.isStrict
      let number = parts.count
      parts.append(
        Part(kind: kind, plan: try AggregatePlan(query, request: asked, cancellation: cancellation)))
      if let known = scans.firstIndex(where: { $0.predicate == predicate }) {
        scans[known].parts.append(number)
      } else {
        scans.append(Scan(predicate: predicate, parts: [number]))
      }
    }
    try add(
      .bars,
      AggregateQuery(
        groupBy: request.bucket == nil ? [] : request.by.map { [$0] } ?? [], bucket: request.bucket,
        measures: [Measure(.count)]),
      without: nil)
    for (index, path) in request.fields.enumerated() {
      let type = try SummaryPlan.type(of: path, request)
      try add(
        .values(field: index), AggregateQuery(groupBy: [path], measures: [Measure(.count)]), without: path)
      // Of text columns none is a number; a member may be.
      if request.gathersNumbers, type == .json {
        try add(.numbers(field: index), AggregateQuery(measures: SummaryPlan.measures(path)), without: path)
      }
    }
    for scan in scans {
      _ = try CompiledPredicate(
        scan.predicate, schema: request.dataset.schema, cancellation: cancellation)
    }
    self.parts = parts
    self.scans = scans
  }

  private static func measures(_ path: ColumnPath) -> [Measure] {
    [
      Measure(.min(path), as: "least"), Measure(.quantile(path, 0.5), as: "median"),
      Measure(.quantile(path, 0.95), as: "p95"), Measure(.max(path), as: "greatest"),
    ]
  }

  /// - Throws: `.invalid`: it has no values that are counted.
  private static func type(
    of path: ColumnPath, _ request: SummaryRequest
  ) throws(StoreError) -> ColumnType {
    let type = try QueryRequest(dataset: request.dataset, answer: .rows(columns: [])).output(path).type
    guard !path.members.isEmpty || type == .utf8 else {
      throw .invalid(
        "fields: \(path.description) is \(type); text columns and members of objects have values")
    }
    return type
  }

  /// What a scan reads for some parts, and where the columns of each lie in it.
  func columns(of numbers: [Int]) -> (all: [OutputColumn], places: [[Int]]) {
    var all: [OutputColumn] = []
    let places = numbers.map { number in
      parts[number].plan.columns.map { column in
        var column = column
        column.isTallied = parts[number].kind.isValues && !column.path.members.isEmpty
        if let known = all.firstIndex(of: column) { return known }
        all.append(column)
        return all.count - 1
      }
    }
    return (all, places)
  }

  /// Reads these columns of the rows that the parts of `scan` look at.
  func request(_ scan: Scan, columns: [OutputColumn]) -> ScanRequest {
    var read = parts[scan.parts[0]].plan.scan
    read.columns = columns
    return read
  }
}

/// What one worker gathered of all parts, or several merged.
struct SummaryState: Sendable {
  private let plan: SummaryPlan
  let memory: GroupMemory
  /// By number of the part; nil: it gathers groups.
  private var tallies: [FieldTally?]
  /// By number of the part; nil: it tallies values.
  private var groups: [Aggregation?]

  init(_ plan: SummaryPlan, memory: GroupMemory) {
    self.plan = plan
    self.memory = memory
    tallies = plan.parts.map { $0.kind.isValues ? FieldTally(memory: memory) : nil }
    groups = plan.parts.map { $0.kind.isValues ? nil : Aggregation($0.plan, memory: memory) }
  }

  /// Rows of a unit for some parts.
  struct Work: Sendable {
    let unit: any ScanUnit
    /// Numbers of parts, and where each has its columns in the unit's batches.
    let parts: [Int]
    let places: [[Int]]
  }

  mutating func add(_ work: Work) throws(StoreError) {
    try memory.withRoom(work.unit.memoryBytesEstimate) { () throws(StoreError) in
      let cursor = try work.unit.open()
      defer { forgetDictionaries(work.parts) }
      while let batch = try cursor.next() {
        for (number, places) in zip(work.parts, work.places) { try add(batch, places, to: number) }
      }
    }
  }

  private mutating func add(_ batch: RecordBatch, _ places: [Int], to number: Int) throws(StoreError) {
    if plan.parts[number].kind.isValues {
      try memory.check()
      try tallies[number]?.add(batch.columns[places[0]])
    } else {
      try groups[number]?.add(
        RecordBatch(
          fields: places.map { batch.fields[$0] }, columns: places.map { batch.columns[$0] },
          rowCount: batch.rowCount))
    }
  }

  private mutating func forgetDictionaries(_ parts: [Int]) {
    for number in parts { tallies[number]?.forgetDictionaries() }
  }

  /// Adds what summaries of blocks know of a part.
  mutating func add(_ known: AggregateSources, to number: Int) throws(StoreError) {
    try groups[number]?.add(known)
    if plan.parts[number].kind.isValues {
      for counts in known.counts { try tallies[number]?.add(counts) }
    }
  }

  mutating func merge(_ other: SummaryState) throws(StoreError) {
    for number in plan.parts.indices {
      if let more = other.tallies[number] { try tallies[number]?.merge(more) }
      if let more = other.groups[number] { try groups[number]?.merge(more) }
    }
  }

  /// What is known so far.
  mutating func answer() throws(StoreError) -> SummaryAnswer {
    for number in tallies.indices { try tallies[number]?.settle() }
    var answer = SummaryAnswer()
    for (number, part) in plan.parts.enumerated() {
      switch part.kind {
      case .bars:
        guard let batches = try batches(of: number) else { bug("bars are groups") }
        try SummaryState.read(bars: batches, plan.request, into: &answer)
      case .values(let field):
        guard let tally = tallies[number] else { bug("values are tallied") }
        answer.fields.append(tally.answer(plan.request.fields[field], most: plan.request.valueCount))
      case .numbers:
        answer.fields[answer.fields.count - 1].numbers = try numbers(of: number)
      }
    }
    return answer
  }

  /// Of a copy: more rows may come to the groups.
  private func batches(of number: Int) throws(StoreError) -> GroupBatches? {
    guard var groups = groups[number] else { return nil }
    return try groups.answer().batches
  }

  /// nil: there are none, or one is beyond what quantiles can say.
  private func numbers(of number: Int) throws(StoreError) -> SummaryAnswer.Numbers? {
    do throws(StoreError) {
      guard let batches = try batches(of: number) else { bug("numbers are groups") }
      return SummaryState.numbers(batches)
    } catch {
      guard case .invalid = error else { throw error }
      return nil
    }
  }

  private static func read(
    bars batches: GroupBatches, _ request: SummaryRequest, into answer: inout SummaryAnswer
  ) throws(StoreError) {
    while let batch = batches.next() {
      let counts = batch.columns[batch.columns.count - 1]
      for row in 0..<batch.rowCount {
        let count = counts.withInt64 { Int($0[row]) }
        answer.total += count
        guard request.bucket != nil else { continue }
        let start = batch.columns[0].withInt64 { $0[row] }
        if answer.bars.last?.start != start {
          guard answer.bars.count < SummaryRequest.barsMax else {
            throw .invalid("bucket: more than \(SummaryRequest.barsMax) bars; ask for wider ones")
          }
          answer.bars.append(SummaryAnswer.Bar(start: start, count: 0, divided: []))
        }
        let last = answer.bars.count - 1
        answer.bars[last].count += count
        guard request.by != nil else { continue }
        answer.bars[last].divided.append(
          SummaryAnswer.Count(value: batch.columns[1].text(at: row), count: count))
      }
    }
    for index in answer.bars.indices {
      let sorted = answer.bars[index].divided.enumerated().sorted { left, right in
        let (a, b) = (left.element.count, right.element.count)
        return a == b ? left.offset < right.offset : a > b
      }
      answer.bars[index].divided = sorted.prefix(SummaryRequest.dividedMax).map(\.element)
    }
  }

  private static func numbers(_ batches: GroupBatches) -> SummaryAnswer.Numbers? {
    guard let batch = batches.next(), batch.rowCount == 1 else { return nil }
    var texts: [String] = []
    for column in batch.columns {
      guard let text = column.number(at: 0) else { return nil }
      texts.append(text)
    }
    return SummaryAnswer.Numbers(least: texts[0], median: texts[1], p95: texts[2], greatest: texts[3])
  }
}
