import Codecs
import Matching
import Records
import Synchronization

@testable import Querying

/// A store in memory: rows dealt out to units at random, each unit sorted. What the engine must merge.
struct MemorySource: BatchSource {
  struct Row: Hashable {
    var position: Int64
    var timestamp: Int64
    var level: String?
    var message: String
    var service: String?
    /// JSON text of an object.
    var metadata: String?
  }

  let units: [[Row]]
  var rot: Rot?

  func snapshot(of partition: Partition) -> any PartitionSnapshot {
    let isKnown = rot?.isKnown.withLock { $0 } ?? false
    return MemorySnapshot(units: isKnown ? Array(units.dropLast()) : units, rot: isKnown ? nil : rot)
  }
}

/// Damage of the last unit, which shows when it is read; whoever looks from then on is without that unit.
final class Rot: Sendable {
  let isKnown = Mutex(false)

  func show() -> StoreError {
    isKnown.withLock { $0 = true }
    return .corrupt(file: "block", offsetBytes: 7, reason: "rot")
  }
}

final class MemorySnapshot: PartitionSnapshot {
  let units: [[MemorySource.Row]]
  /// With which each part was planned, in turn.
  let policies = Mutex<[DamagePolicy]>([])
  private let rot: Rot?
  init(units: [[MemorySource.Row]], rot: Rot? = nil) { (self.units, self.rot) = (units, rot) }

  var positionEnd: Int64 { (units.flatMap { $0 }.map(\.position).max() ?? -1) + 1 }

  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] {
    let compiled = try CompiledPredicate(request.predicate, schema: Dataset.logs.schema)
    let made = units.indices.filter { !units[$0].isEmpty }.map {
      MemoryUnit(
        rows: MemoryUnit.sorted(units[$0], request), request: request, predicate: compiled,
        rot: $0 == units.count - 1 ? rot : nil)
    }
    return request.order == .descending
      ? made.sorted { $0.bounds.timestampMax > $1.bounds.timestampMax }
      : made.sorted { $0.bounds.timestampMin < $1.bounds.timestampMin }
  }

  /// Every three units are a part.
  func parts(_ request: ScanRequest) throws(StoreError) -> [ScanPart] {
    let planned = try plan(request)
    return stride(from: 0, to: planned.count, by: 3).map { start in
      let some = Array(planned[start..<min(start + 3, planned.count)])
      let all = some.map(\.bounds)
      let bounds = KeyBounds(
        timestampMin: all.map(\.timestampMin).min() ?? 0, timestampMax: all.map(\.timestampMax).max() ?? 0,
        positionMin: all.map(\.positionMin).min() ?? 0, positionMax: all.map(\.positionMax).max() ?? 0)
      return ScanPart(objects: [], bounds: bounds) { [self] policy in
        policies.withLock { $0.append(policy) }
        return some
      }
    }
  }

  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    var columns = request.groupBy.map { OutputColumn($0, type: .utf8) }
    if request.bucketNanoseconds != nil {
      columns.insert(OutputColumn(ColumnPath("timestamp"), type: .timestamp), at: 0)
    }
    let scan = ScanRequest(
      columns: columns, predicate: request.predicate, start: request.start, end: request.end)
    return GroupedCountAnswer(counts: [:], remaining: try plan(scan))
  }
}

struct MemoryUnit: ScanUnit {
  let rows: [MemorySource.Row]
  let request: ScanRequest
  let predicate: CompiledPredicate
  var rot: Rot?

  static func sorted(_ rows: [MemorySource.Row], _ request: ScanRequest) -> [MemorySource.Row] {
    let ascending = rows.sorted { ($0.timestamp, $0.position) < ($1.timestamp, $1.position) }
    return request.order == .descending ? ascending.reversed() : ascending
  }

  var bounds: KeyBounds {
    KeyBounds(
      timestampMin: rows.map(\.timestamp).min() ?? 0, timestampMax: rows.map(\.timestamp).max() ?? 0,
      positionMin: rows.map(\.position).min() ?? 0, positionMax: rows.map(\.position).max() ?? 0)
  }
  var objects: Set<StoredObject> { [] }
  var rowCountMax: Int { rows.count }
  var memoryBytesEstimate: Int { 1000 }

  /// Of an odd number of rows, text comes as a dictionary.
  static func column(_ output: OutputColumn, _ rows: [MemorySource.Row]) -> Column {
    let column = column(output.path.column, rows)
    if !output.path.members.isEmpty {
      return MemberColumns.extract(column, output)
    }
    return rows.count.isMultiple(of: 2) ? column : DictionaryEncoder.encode(column, valuesMax: 100)
  }

  private static func column(_ name: String, _ rows: [MemorySource.Row]) -> Column {
    switch name {
    case "position": return Column(int64: rows.map(\.position))
    case "timestamp": return Column(timestamps: rows.map(\.timestamp))
    default:
      var builder = TextBuilder()
      for row in rows {
        let texts = [
          "level": row.level, "message": row.message, "service": row.service, "metadata": row.metadata,
        ]
        if let text = texts[name] ?? nil { builder.appendRow(text) } else { builder.appendNull() }
      }
      return builder.finish(type: name == "metadata" ? .json : .utf8)
    }
  }

  private func matching() -> [MemorySource.Row] {
    guard !rows.isEmpty else { return [] }
    let names = ["position", "timestamp", "level", "message", "service"]
    var columns = Dictionary(
      uniqueKeysWithValues: names.map { ($0, EvaluationColumn.plain(MemoryUnit.column($0, rows))) })
    columns["metadata"] = .object(ObjectColumns(rest: MemoryUnit.column("metadata", rows), members: []))
    let selection = predicate.evaluate(EvaluationBatch(rowCount: rows.count, columns: columns))
    return rows.indices.filter { index in
      let row = rows[index]
      return selection[index] && row.timestamp >= request.start ?? .min && row.timestamp < request.end ?? .max
        && request.positions.contains(row.position)
    }.map { rows[$0] }
  }

  func countMatches() throws(StoreError) -> Int { matching().count }

  func open() throws(StoreError) -> any BatchCursor {
    if let rot { throw rot.show() }
    let rows = matching()
    if request.order == .unordered, rows.count % 3 == 1 {
      // Batches of one dictionary.
      let columns = request.columns.map { output in
        let column = MemoryUnit.column(output, rows)
        return column.type == .utf8 ? DictionaryEncoder.encode(column, valuesMax: 1_000) : column
      }
      let whole = RecordBatch(outputs: request.columns, columns: columns, rowCount: rows.count)
      return MemoryCursor(
        batches: stride(from: 0, to: rows.count, by: 16).map {
          whole.slice($0..<min($0 + 16, rows.count))
        })
    }
    let batches = stride(from: 0, to: rows.count, by: 7).map { start in
      let part = Array(rows[start..<min(start + 7, rows.count)])
      return RecordBatch(
        outputs: request.columns, columns: request.columns.map { MemoryUnit.column($0, part) },
        rowCount: part.count)
    }
    return MemoryCursor(batches: batches)
  }
}

final class MemoryCursor: BatchCursor {
  private var batches: [RecordBatch]
  init(batches: [RecordBatch]) { self.batches = batches.reversed() }
  func next() throws(StoreError) -> RecordBatch? { batches.popLast() }
}
