import Matching
import Records

/// The groups of an aggregate query and what was gathered for each: one worker's part, or several merged.
///
/// Rows are added batch by batch: each becomes the number of its group, then each state goes once over the
/// batch's column. What is held is taken from the query's share of memory as it grows, and is given back with
/// the share.
struct Aggregation: Sendable {
  private let plan: AggregatePlan
  private let share: MemoryShare
  private var table: GroupTable
  private var states: [any MeasureState]
  private var bytesTaken = 0
  private var groups: [Int32] = []

  init(_ plan: AggregatePlan, share: MemoryShare) {
    self.plan = plan
    self.share = share
    table = GroupTable(bucket: plan.query.bucket, columnCount: plan.query.groupBy.count)
    states = plan.accumulators.map { $0.makeState() }
  }

  // MARK: Gathering

  /// Adds the rows of a unit.
  mutating func add(_ unit: any ScanUnit) throws(StoreError) {
    if plan.query.isTotal {
      try add([GroupKey(bucket: 0, values: []): unit.countMatches()])
      return
    }
    let bytes = unit.memoryBytesEstimate
    try share.take(bytes)
    defer { share.give(back: bytes) }
    let cursor = try unit.open()
    while let batch = try cursor.next() { try add(batch) }
  }

  /// Adds the rows of a batch of the plan's columns.
  ///
  /// - Throws: `.invalid` with too many groups, `.memoryExhausted`.
  mutating func add(_ batch: RecordBatch) throws(StoreError) {
    try share.check()
    table.number(batch, into: &groups)
    try table.check()
    let selections = plan.filters.map { $0.evaluate(batch) }
    for (index, accumulator) in plan.accumulators.enumerated() {
      states[index].grow(to: table.count)
      let input = MeasureInput(
        column: accumulator.column.map { batch.columns[$0] }, rowCount: batch.rowCount,
        passing: accumulator.filter.map { selections[$0] })
      if input.rows?.isEmpty ?? false { continue }
      states[index].add(input, groups: groups)
    }
    try account()
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
    try table.check()
    try account()
  }

  /// Adds another worker's part.
  mutating func merge(_ other: Aggregation) throws(StoreError) {
    let numbers = table.merge(other.table)
    try table.check()
    for index in states.indices {
      states[index].grow(to: table.count)
      states[index].merge(other.states[index], numbers: numbers)
    }
    try account()
  }

  /// Bytes taken of the share.
  var byteCount: Int { bytesTaken }

  private mutating func account() throws(StoreError) {
    let bytes = states.reduce(table.byteCount) { $0 + $1.byteCount }
    guard bytes > bytesTaken else { return }
    try share.take(bytes - bytesTaken)
    bytesTaken = bytes
  }

  // MARK: Answering

  /// The groups as rows: ordered, then cut to the offset and the limit.
  ///
  /// - Throws: `.invalid` if a sum is beyond its type, `.memoryExhausted`.
  mutating func answer(bytesMax: Int = GroupBatches.bytesMax) throws(StoreError) -> GroupBatches {
    for index in states.indices {
      states[index].grow(to: table.count)
      states[index].finish()
    }
    // A group's values before they are columns: 24 bytes each at most, and its places in the orders.
    let valueCount = plan.query.measures.count + plan.query.groupBy.count + 2
    try share.take(table.count * valueCount * 24)
    var values: [MeasureValues] = []
    for (measure, source) in zip(plan.query.measures, plan.sources) {
      values.append(try states[source].values(of: measure.function))
    }
    let keys = table.keys()
    let order = ordered(keys, values)
    let request = plan.request
    let first = min(plan.query.offset, order.count)
    let groups = order[first..<first + min(request.limit, order.count - first)]
    let whole = self
    return GroupBatches(
      count: groups.count, bytesMax: bytesMax,
      byteCount: { place in
        let group = Int(groups[first + place])
        return values.reduce(whole.table.textBytes(of: group, keys: keys)) { $0 + $1.textBytes(of: group) }
      },
      batch: { places in
        whole.batch(of: groups[first + places.lowerBound..<first + places.upperBound], keys, values)
      })
  }

  private func batch(
    of groups: ArraySlice<Int32>, _ keys: GroupTable.Keys, _ values: [MeasureValues]
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
    for value in values { columns.append(value.column(groups, type: plan.fields[columns.count].type)) }
    return RecordBatch(fields: plan.fields, columns: columns, rowCount: groups.count)
  }

  private func ordered(_ keys: GroupTable.Keys, _ values: [MeasureValues]) -> [Int32] {
    let groups = (0..<table.count).map { Int32($0) }
    let isDescending = plan.request.isDescending
    guard let name = plan.query.orderBy,
      let index = plan.query.measures.firstIndex(where: { $0.name == name })
    else {
      return isDescending
        ? groups.sorted { keys.precedes(Int($1), Int($0)) }
        : groups.sorted { keys.precedes(Int($0), Int($1)) }
    }
    let measure = values[index]
    return groups.sorted { left, right in
      let (left, right) = (Int(left), Int(right))
      let order = measure.compare(left, right, isDescending: isDescending)
      return order == 0 ? keys.precedes(left, right) : order < 0
    }
  }
}
