import Blocks
import Codecs
import Journaling
import Matching
import Records

/// One moment of a partition. Its blocks' files are unlinked only after it is gone, its part of the journal
/// stays mapped.
final class StorageSnapshot: PartitionSnapshot {
  let positionEnd: Int64
  private let schema: DatasetSchema
  private let frames: HeadFrames
  private let blocks: [LiveBlock]
  private let deletions: [PendingDeletion]
  private let openBlocks: OpenBlocks

  init(
    schema: DatasetSchema, positionEnd: Int64, frames: HeadFrames, blocks: [LiveBlock],
    deletions: [PendingDeletion], openBlocks: OpenBlocks
  ) {
    self.schema = schema
    self.positionEnd = positionEnd
    self.frames = frames
    self.blocks = blocks
    self.deletions = deletions
    self.openBlocks = openBlocks
  }

  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] {
    try check(request.columns)
    let predicate = try CompiledPredicate(request.predicate, schema: schema)
    var request = request
    request.positions = visible(request.positions)
    var units: [any ScanUnit] = []
    for block in blocks
    where block.facts.bounds.meets(start: request.start, end: request.end, positions: request.positions) {
      let pending = deletions.filter { $0.isPending(for: block.facts) }
      units += try openBlocks.reader(of: block).units(request, predicate: predicate, deletions: pending)
    }
    units += headUnits(request, predicate)
    return sorted(units, request.order)
  }

  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    try check(request.scan.columns)
    let predicate = try CompiledPredicate(request.predicate, schema: schema)
    var request = request
    request.positions = visible(request.positions)
    var answer = GroupedCountAnswer(counts: [:], remaining: [])
    for block in blocks
    where block.facts.bounds.meets(start: request.start, end: request.end, positions: request.positions) {
      let pending = deletions.filter { $0.isPending(for: block.facts) }
      let part = try openBlocks.reader(of: block).groupedCounts(
        request, predicate: predicate, deletions: pending)
      if answer.counts.isEmpty {
        answer.counts = part.counts
      } else {
        answer.counts.merge(part.counts, uniquingKeysWith: +)
      }
      answer.remaining += part.remaining
    }
    answer.remaining += headUnits(request.scan, predicate)
    return answer
  }

  private func visible(_ positions: Range<Int64>) -> Range<Int64> {
    let low = max(0, positions.lowerBound)
    return low..<max(low, min(positions.upperBound, positionEnd))
  }

  private func headUnits(_ request: ScanRequest, _ predicate: CompiledPredicate) -> [any ScanUnit] {
    let filter = RowFilter(
      predicate: predicate, start: request.start, end: request.end, positions: request.positions,
      deletions: deletions)
    // An id says when its row was taken in, to the millisecond: one of a few frames, of thousands.
    guard let times = predicate.ingestTimes else {
      return HeadUnit.units(frames, request: request, filter: filter, schema: schema)
    }
    return HeadUnit.units(frames.ingested(at: times), request: request, filter: filter, schema: schema)
  }

  private func sorted(_ units: [any ScanUnit], _ order: ScanOrder) -> [any ScanUnit] {
    guard schema.sortKey.first == "timestamp" else { return units }
    switch order {
    case .unordered: return units
    case .ascending: return units.sorted { $0.bounds.timestampMin < $1.bounds.timestampMin }
    case .descending: return units.sorted { $0.bounds.timestampMax > $1.bounds.timestampMax }
    }
  }

  private func check(_ columns: [OutputColumn]) throws(StoreError) {
    for output in columns {
      guard let field = schema.field(output.path.column) else {
        throw .invalid("there is no column `\(output.path.column)`")
      }
      if output.path.members.isEmpty {
        guard output.type == field.type || output.type == .utf8 else {
          throw .invalid("the column `\(output.path.column)` has another type")
        }
      } else {
        guard field.type == .json, [.utf8, .float64, .json].contains(output.type) else {
          throw .invalid("the column `\(output.path.column)` has no members")
        }
      }
    }
  }
}

extension CompiledPredicate {
  /// The `ingested_at` that matching rows have, where the predicate asks for certain ids; nil: it does not.
  fileprivate var ingestTimes: Set<Int64>? {
    guard let ids = requiredIDs else { return nil }
    return Set(
      ids.compactMap { id in
        let (time, isOver) = UUIDv7.milliseconds(of: id).multipliedReportingOverflow(by: 1_000_000)
        return isOver ? nil : time
      })
  }
}
