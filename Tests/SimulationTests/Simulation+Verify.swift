import Codecs
import Records
import Storage
import TestKit

extension Simulation {
  /// Every partition has exactly the model's rows, in order, once.
  func verifyAll() throws {
    for partition in partitions {
      guard let found = try reading({ () throws in try scan(partition, pick([.ascending, .descending])) })
      else { continue }
      try compare(found, model.sorted(partition), "all of \(partition)")
    }
  }

  /// nil if faults that are switched on may have made it fail.
  private func reading<Value>(_ body: () throws -> Value) throws -> Value? {
    do { return try body() } catch let error as StoreError {
      note("  read: \(error)")
      if case .disk = error, hasFaults { return nil }
      throw violation("reading fails: \(error)")
    }
  }

  func compare(_ found: [ModelRow], _ expected: [ModelRow], _ what: String) throws {
    if found == expected { return }
    let missing = expected.filter { !found.contains($0) }
    let surplus = found.filter { !expected.contains($0) }
    let text = "\(what): \(found.count) rows instead of \(expected.count)"
    throw violation("\(text); missing \(missing.prefix(3)); too many \(surplus.prefix(3))")
  }

  func scan(_ partition: Partition, _ order: ScanOrder) throws -> [ModelRow] {
    try Simulation.rows(
      engine.snapshot(of: partition), partition, ScanRequest(columns: [], order: order), violation)
  }

  static func columns(of dataset: Dataset) -> [OutputColumn] {
    dataset.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) }
  }

  /// The rows a request gives, merged into ascending order; checks what units promise.
  static func rows(
    _ snapshot: any PartitionSnapshot, _ partition: Partition, _ request: ScanRequest,
    _ violation: (String) -> Violation
  ) throws -> [ModelRow] {
    var request = request
    request.columns = columns(of: partition.dataset)
    var all: [ModelRow] = []
    for unit in try snapshot.plan(request) {
      let cursor = try unit.open()
      var rows: [ModelRow] = []
      while let batch = try cursor.next() {
        if batch.rowCount == 0 { throw violation("an empty batch") }
        rows += modelRows(batch, partition.dataset)
      }
      if rows.count > unit.rowCountMax { throw violation("a unit gives more rows than it says") }
      if try unit.countMatches() != rows.count { throw violation("a unit counts other rows than it gives") }
      for row in rows where !unit.bounds.holds(row) { throw violation("a row outside its unit's bounds") }
      let ascending = request.order == .descending ? rows.reversed() : rows
      if request.order != .unordered, ascending != Model.sorted(rows, partition.dataset) {
        throw violation("a unit's rows are not in order")
      }
      all += rows
    }
    if let row = all.first(where: { $0.position >= snapshot.positionEnd }) {
      throw violation("position \(row.position) is not below the snapshot's end \(snapshot.positionEnd)")
    }
    return Model.sorted(all, partition.dataset)
  }

  static func modelRows(_ batch: RecordBatch, _ dataset: Dataset) -> [ModelRow] {
    let rows = PlainRows(batch)
    let positions = rows.integers("position")
    let times = rows.integers("timestamp")
    let ingested = rows.integers("ingested_at")
    func texts(_ name: String) -> [String?] {
      let found = rows.texts(name).map { $0.map { String(decoding: $0, as: UTF8.self) } }
      return found.isEmpty ? [String?](repeating: nil, count: batch.rowCount) : found
    }
    let levels = texts(dataset == .queries ? "status" : "level")
    let messages = texts(dataset == .queries ? "query" : "message")
    let containers = texts("container")
    let sessions = texts("session")
    let metadata = texts("metadata")
    let ids = batch.column("id")?.withUUIDs { span in
      (0..<batch.rowCount).map { row in (row * 16..<row * 16 + 16).map { span[$0] } }
    }
    return (0..<batch.rowCount).map { row in
      ModelRow(
        position: positions[row], id: ids?[row] ?? [], timestamp: times[row], ingestedAt: ingested[row],
        level: levels[row], message: messages[row] ?? "", container: containers[row] ?? "",
        session: sessions[row] ?? "", metadata: metadata[row])
    }
  }

  /// A scan with a filter, times and positions, a count and a grouped count, all against the model.
  func query() throws {
    let partition = partition()
    let filter = filter(of: partition.dataset)
    let now = clock.now()
    let positionLow = Int64(number(0...20))
    var request = ScanRequest(
      columns: [], predicate: filter.predicate,
      start: generator.chance(oneIn: 2) ? now - Int64(number(0...200)) * 1_000_000_000 : nil,
      end: generator.chance(oneIn: 2) ? now + Int64(number(-100...10)) * 1_000_000_000 : nil,
      order: pick([.ascending, .descending, .unordered]))
    if generator.chance(oneIn: 3) { request.positions = positionLow..<positionLow + Int64(number(0...50)) }
    let snapshot = engine.snapshot(of: partition)
    guard
      let found = try reading({ () throws in
        try Simulation.rows(snapshot, partition, request, violation)
      })
    else { return }
    let expected = model.sorted(partition).filter { row in
      filter.matches(row) && row.timestamp >= request.start ?? .min
        && (request.end.map { row.timestamp < $0 } ?? true) && request.positions.contains(row.position)
    }
    try compare(found, expected, "\(request) of \(partition)")
    try checkGroups(snapshot, partition, request, expected)
  }

  private func checkGroups(
    _ snapshot: any PartitionSnapshot, _ partition: Partition, _ request: ScanRequest, _ rows: [ModelRow]
  ) throws {
    let column = partition.dataset == .queries ? "status" : "level"
    let width: Int64? = generator.chance(oneIn: 2) ? nil : 10_000_000_000
    let groups = GroupedCountRequest(
      groupBy: [ColumnPath(column)], bucketNanoseconds: width, predicate: request.predicate,
      start: request.start, end: request.end, positions: request.positions)
    var expected: [GroupKey: Int] = [:]
    for row in rows {
      let bucket = width.map { row.timestamp - row.timestamp % $0 } ?? 0
      expected[GroupKey(bucket: bucket, values: [row.level]), default: 0] += 1
    }
    let counted = try reading { () throws in
      let answer = try snapshot.groupedCounts(groups)
      var counts = answer.counts
      for unit in answer.remaining {
        let cursor = try unit.open()
        while let batch = try cursor.next() {
          let plain = PlainRows(batch)
          let times = plain.integers("timestamp")
          for (row, level) in plain.texts(column).enumerated() {
            let bucket = width.map { times[row] - times[row] % $0 } ?? 0
            let text = level.map { String(decoding: $0, as: UTF8.self) }
            counts[GroupKey(bucket: bucket, values: [text]), default: 0] += 1
          }
        }
      }
      return counts
    }
    if let counted, counted != expected { throw violation("grouped counts \(counted), not \(expected)") }
  }

  func holdSnapshot() {
    if snapshots.count >= 3 { snapshots.removeFirst() }
    let partition = partition()
    snapshots.append(
      HeldSnapshot(
        partition: partition, snapshot: engine.snapshot(of: partition), rows: model.sorted(partition)))
  }

  /// A snapshot goes on showing its moment.
  func check(_ held: HeldSnapshot) throws {
    let request = ScanRequest(columns: [], order: .ascending)
    guard
      let found = try reading({ () throws in
        try Simulation.rows(held.snapshot, held.partition, request, violation)
      })
    else { return }
    try compare(found, held.rows, "a snapshot of \(held.partition)")
  }
}

extension KeyBounds {
  func holds(_ row: ModelRow) -> Bool {
    (timestampMin...timestampMax).contains(row.timestamp)
      && (positionMin...positionMax).contains(row.position)
  }
}
