import Matching
import Records

/// The groups of an aggregate query and what was gathered for each: one worker's part, or several merged.
///
/// Rows are added batch by batch: each becomes the number of its group, then each state goes once over the
/// batch's column. What is held is taken of the query's memory before it grows, the copies that growing makes
/// included. Of a query that wants the first groups by bucket and values, groups that cannot be among them
/// are dropped now and then: so it needs no more memory than these take, however many groups there are.
struct Aggregation: Sendable {
  private let plan: AggregatePlan
  private let memory: GroupMemory
  private let admitted: AdmittedCells?
  private var hasher: GroupHasher
  private var table: GroupTable
  private var states: [any MeasureState]
  private var bytesTaken = 0
  private var groups: [Int32] = []

  /// - Parameter admitted: Groups of other cells are passed over; nil: none is.
  init(_ plan: AggregatePlan, memory: GroupMemory, admitted: AdmittedCells? = nil) {
    self.plan = plan
    self.memory = memory
    self.admitted = admitted
    hasher = GroupHasher(bucket: plan.query.bucket, columnCount: plan.query.groupBy.count)
    table = GroupTable(bucket: plan.query.bucket, columnCount: plan.query.groupBy.count)
    states = plan.accumulators.map { $0.makeState() }
  }

  // MARK: Gathering

  /// Adds the rows of a unit.
  mutating func add(_ unit: any ScanUnit) throws(StoreError) {
    if plan.query.isTotal {
      try memory.check()
      try add([GroupKey(bucket: 0, values: []): unit.countMatches()])
      return
    }
    try memory.withRoom(unit.memoryBytesEstimate) { () throws(StoreError) in
      let cursor = try unit.open()
      defer { forgetDictionaries() }
      while let batch = try cursor.next() { try add(batch) }
    }
  }

  /// What is known of dictionaries keeps their columns, which the unit's room is for.
  private mutating func forgetDictionaries() {
    table.forgetDictionaries()
    hasher.forgetDictionaries()
    for index in states.indices { states[index].forgetDictionary() }
  }

  /// Adds the rows of a batch of the plan's columns.
  ///
  /// - Throws: `.memoryExhausted`: here or on another worker.
  mutating func add(_ batch: RecordBatch) throws(StoreError) {
    try memory.check()
    guard let admitted else { return try gather(batch) }
    hasher.hash(batch)
    let runs = admitted.runs(hasher.hashes)
    if !runs.isEmpty { try gather(RecordBatch.gather([batch], runs: runs)) }
  }

  private mutating func gather(_ batch: RecordBatch) throws(StoreError) {
    var room = growth(adding: batch)
    if room > 0, !take(room) {
      // Of few groups that are needed there may be many that are not.
      try prune(from: 0)
      room = growth(adding: batch)
      try takeOrEnd(room)
    }
    table.number(batch, into: &groups)
    let selections = plan.filters.map { $0.evaluate(batch, plan.cancellation) }
    // What was evaluated meanwhile means nothing if it is over.
    if !selections.isEmpty { try memory.check() }
    for (index, accumulator) in plan.accumulators.enumerated() {
      states[index].grow(to: table.count)
      let input = MeasureInput(
        column: accumulator.column.map { batch.columns[$0] }, rowCount: batch.rowCount,
        passing: accumulator.filter.map { selections[$0] })
      if input.rows?.isEmpty ?? false { continue }
      states[index].add(input, groups: groups)
    }
    try account(room)
    if bytesTaken > memory.limits.pruneBytes {
      try prune(from: 0)
    } else {
      try prune(from: memory.limits.pruneMin)
    }
  }

  /// Adds groups that summaries counted; the plan has nothing but counts.
  mutating func add(_ counts: [GroupKey: Int]) throws(StoreError) {
    guard var state = states[0] as? CountState else { bug("counts alone") }
    for (key, count) in counts where count > 0 {
      let group = table.number(key)
      state.grow(to: table.count)
      state.add(count, to: group)
    }
    states[0] = state
    try account(0)
  }

  /// Adds totals that summaries know; the plan has no other measures, and no groups but buckets.
  mutating func add(_ parts: [TotalsAnswer.Part]) throws(StoreError) {
    var numbers: [Int] = []
    for part in parts { numbers.append(Int(table.number(GroupKey(bucket: part.bucket, values: [])))) }
    let paths = plan.summedPaths
    for (index, accumulator) in plan.accumulators.enumerated() {
      states[index].grow(to: table.count)
      guard let column = accumulator.column else {
        guard var state = states[index] as? CountState else { bug("a count of rows") }
        for (part, group) in zip(parts, numbers) { state.add(part.rowCount, to: Int32(group)) }
        states[index] = state
        continue
      }
      guard var state = states[index] as? any SummedState,
        let path = paths.firstIndex(of: plan.columns[column].path)
      else { bug("a measure of totals") }
      for (part, group) in zip(parts, numbers) {
        for totals in part.numbers[path] { state.add(totals, to: group) }
      }
      states[index] = state
    }
    try account(0)
  }

  /// Adds another worker's part, which is to be forgotten then: its memory is given back.
  mutating func merge(_ other: Aggregation) throws(StoreError) {
    let room = table.growth(merging: other.table) + statesGrowth(adding: other.table.count)
    try takeOrEnd(room)
    let numbers = table.merge(other.table)
    for index in states.indices {
      states[index].grow(to: table.count)
      states[index].merge(other.states[index], numbers: numbers)
    }
    memory.give(back: other.bytesTaken)
    try account(room)
  }

  /// Drops the groups that are behind those that the answer needs, if there are more than twice as many, and
  /// more than `least`. Groups of which rows were dropped come behind them in the end too.
  private mutating func prune(from least: Int) throws(StoreError) {
    guard let most = plan.groupsKept, table.count > max(least, most * 2) else { return }
    let keys = table.keys(isRanked: false)
    let (order, isDescending) = (GroupOrder(table, keys), plan.request.isDescending)
    let first = TopGroups.first(most, of: table.count) { left, right in
      isDescending ? order.precedes(right, left) : order.precedes(left, right)
    }
    keep(first)
    let bytes = byteCount
    if bytes < bytesTaken {
      memory.give(back: bytesTaken - bytes)
      bytesTaken = bytes
    }
  }

  private mutating func keep(_ groups: [Int32]) {
    for index in states.indices { states[index].keep(groups) }
    table.keep(groups)
  }

  // MARK: Memory

  private var byteCount: Int { states.reduce(table.byteCount) { $0 + $1.byteCount } }

  private func growth(adding batch: RecordBatch) -> Int {
    let bytes = table.growth(adding: batch)
    // As long as the table does not grow there are hardly new groups.
    return bytes == 0 ? 0 : bytes + statesGrowth(adding: batch.rowCount)
  }

  private func statesGrowth(adding groupCount: Int) -> Int {
    states.reduce(0) { bytes, state in
      bytes + (table.count + groupCount > state.groupCapacity ? 2 * state.byteCount : 0)
    }
  }

  private func take(_ bytes: Int) -> Bool {
    do throws(StoreError) { try memory.take(bytes) } catch { return false }
    return true
  }

  private func takeOrEnd(_ bytes: Int) throws(StoreError) {
    do throws(StoreError) { try memory.take(bytes) } catch {
      memory.end()
      throw error
    }
  }

  /// Of `room` that was taken what was not needed is given back; what more was needed is taken.
  private mutating func account(_ room: Int) throws(StoreError) {
    let grown = byteCount - bytesTaken
    if grown <= room { memory.give(back: room - max(0, grown)) } else { try takeOrEnd(grown - room) }
    bytesTaken += max(0, grown)
  }

  // MARK: Answering

  /// The groups as rows: ordered, then cut to the offset and the limit.
  ///
  /// - Returns: Also what the last group that the answer needs has of the measure that orders them; nil:
  ///   nothing, or there are fewer groups.
  /// - Throws: `.invalid` if a sum is beyond its type, `.memoryExhausted`.
  mutating func answer(
    bytesMax: Int = GroupBatches.bytesMax
  ) throws(StoreError) -> (batches: GroupBatches, last: Double?) {
    for index in states.indices {
      states[index].grow(to: table.count)
      states[index].finish()
    }
    // A group's values before they are columns: 24 bytes each at most, and its places in the orders.
    let valueCount = plan.query.measures.count + plan.query.groupBy.count + 2
    try takeOrEnd(table.count * valueCount * 24)
    var values: [MeasureValues] = []
    for (measure, source) in zip(plan.query.measures, plan.sources) {
      values.append(try states[source].values(of: measure.function))
    }
    let needed = min(plan.groupsNeeded, table.count)
    let keys = table.keys(isRanked: TopGroups.isSorting(needed, of: table.count))
    let order = ordered(needed, keys, values)
    let groups = order[min(plan.query.offset, order.count)...]
    let last = order.count == plan.groupsNeeded ? order.last : nil
    let measure = plan.query.measures.firstIndex { $0.name.hasBytes(of: plan.query.orderBy ?? "") }
    let (whole, table) = (self, table)
    let fields = fields(values)
    let batches = GroupBatches(
      fields: fields, count: groups.count, bytesMax: bytesMax,
      byteCount: { place in
        let group = Int(groups[groups.startIndex + place])
        return values.reduce(table.textBytes(of: group, keys: keys)) { $0 + $1.textBytes(of: group) }
      },
      batch: { places in
        let first = groups.startIndex
        return whole.batch(
          of: groups[first + places.lowerBound..<first + places.upperBound], keys, values, fields)
      })
    return (batches, last.flatMap { group in measure.flatMap { values[$0].number(of: Int(group)) } })
  }

  private func fields(_ values: [MeasureValues]) -> [Field] {
    let first = plan.fields.count - values.count
    return plan.fields.enumerated().map { index, field in
      index < first
        ? field
        : Field(field.name, values[index - first].type(declared: field.type), isNullable: field.isNullable)
    }
  }

  private func batch(
    of groups: ArraySlice<Int32>, _ keys: GroupTable.Keys, _ values: [MeasureValues], _ fields: [Field]
  ) -> RecordBatch {
    var columns: [Column] = []
    if let bucket = plan.query.bucket {
      var builder = FixedBuilder<Int64>(capacity: groups.count)
      for group in groups { builder.append(keys.buckets[Int(group)]) }
      columns.append(builder.finish(type: bucket.keyType))
    }
    for index in plan.query.groupBy.indices {
      columns.append(table.texts(of: index, keys: keys, groups: groups))
    }
    for value in values { columns.append(value.column(groups, type: fields[columns.count].type)) }
    return RecordBatch(fields: fields, columns: columns, rowCount: groups.count)
  }

  private func ordered(_ most: Int, _ keys: GroupTable.Keys, _ values: [MeasureValues]) -> [Int32] {
    let (groups, isDescending) = (GroupOrder(table, keys), plan.request.isDescending)
    guard let name = plan.query.orderBy,
      let index = plan.query.measures.firstIndex(where: { $0.name.hasBytes(of: name) })
    else {
      return TopGroups.first(most, of: table.count) { left, right in
        isDescending ? groups.precedes(right, left) : groups.precedes(left, right)
      }
    }
    let measure = values[index]
    return TopGroups.first(most, of: table.count) { left, right in
      let order = measure.compare(Int(left), Int(right), isDescending: isDescending)
      return order == 0 ? groups.precedes(left, right) : order < 0
    }
  }
}
