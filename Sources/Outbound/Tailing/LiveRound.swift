import Matching
import Records

/// Offers rows to all who want them: each filter is evaluated once, each matching row encoded once a shape,
/// and each group's frames made once.
struct LiveRound {
  let plan: LivePlan
  /// Members from here on have their turn later.
  let positionStart: Int64
  let limits: LiveLimits
  let budget: LiveBudget
  private(set) var statistics = LiveStatistics()

  init(plan: LivePlan, positionStart: Int64, limits: LiveLimits, budget: LiveBudget) {
    self.plan = plan
    self.positionStart = positionStart
    self.limits = limits
    self.budget = budget
  }

  /// A group that some of the rows are for.
  private struct Matched {
    let members: [LiveGroup.Member]
    let rows: Selection
    /// Whether anybody has room for them.
    let isWanted: Bool
  }

  /// - Parameter batch: The plan's columns, in the order of positions, at least one row.
  mutating func offer(_ batch: RecordBatch) {
    statistics.recordsOffered += batch.rowCount
    let allStarted = plan.allStarted(by: positionStart)
    var selections = [Found?](repeating: nil, count: plan.filters.count)
    for shape in plan.shapes {
      var matched: [Matched] = []
      for group in shape.groups {
        let members =
          allStarted ? group.members : group.members.filter { $0.positionStart <= positionStart }
        if members.isEmpty { continue }
        let found = selections[group.filter] ?? find(plan.filters[group.filter], batch)
        selections[group.filter] = found
        guard case .rows(let rows) = found else {
          for member in members { member.queue.fail(LiveRound.tooDear) }
          continue
        }
        if rows.isEmpty { continue }
        matched.append(
          Matched(members: members, rows: rows, isWanted: members.contains { $0.queue.hasRoom }))
      }
      deliver(matched, of: batch, as: shape.shape)
    }
  }

  /// What a filter finds.
  private enum Found {
    case rows(Selection)
    case tooDear
  }

  private static let tooDear = StoreError.invalid(
    "the filter's text patterns are too dear to be followed: use fewer or smaller ones")

  private func find(_ filter: CompiledPredicate, _ batch: RecordBatch) -> Found {
    let token = CancellationToken(secondsMax: 0, patternStepsMax: limits.patternStepsMax) { 0 }
    var evaluation = EvaluationBatch(batch)
    evaluation.cancellation = token
    let rows = filter.evaluate(evaluation)
    return token.isOver ? .tooDear : .rows(rows)
  }

  private mutating func deliver(_ matched: [Matched], of batch: RecordBatch, as shape: any LiveShape) {
    var wanted = Selection(rowCount: batch.rowCount, all: false)
    for group in matched where group.isWanted { wanted.formUnion(group.rows) }
    let encoded = encode(wanted, of: batch, as: shape)
    for group in matched {
      guard group.isWanted, let encoded else {
        let count = group.rows.count
        for member in group.members { member.queue.drop(count) }
        statistics.messagesDropped += count * group.members.count
        continue
      }
      let frames = encoded.rows.frames(
        encoded.messages(of: group.rows), bytesMax: limits.frameBytesMax, budget: budget)
      statistics.framesMade += frames.count
      for member in group.members {
        for frame in frames {
          if member.queue.push(frame) {
            statistics.messagesQueued += frame.messageCount
          } else {
            statistics.messagesDropped += frame.messageCount
          }
        }
      }
    }
  }

  private struct Encoded {
    let rows: EncodedRows
    /// For each row of the batch which message it is; nil: all rows are messages.
    let messageOfRow: [Int32]?

    /// The messages of the selected rows as ranges.
    func messages(of selected: Selection) -> [Range<Int>] {
      guard let messageOfRow else { return selected.ranges() }
      var ranges: [Range<Int>] = []
      selected.forEach { row in
        let message = Int(messageOfRow[row])
        if let last = ranges.last, last.upperBound == message {
          ranges[ranges.count - 1] = last.lowerBound..<message + 1
        } else {
          ranges.append(message..<message + 1)
        }
      }
      return ranges
    }
  }

  private mutating func encode(
    _ wanted: Selection, of batch: RecordBatch, as shape: any LiveShape
  ) -> Encoded? {
    let count = wanted.count
    if count == 0 { return nil }
    statistics.messagesEncoded += count
    let narrow = batch.projected(shape.columns + ["position"])
    if count == batch.rowCount { return Encoded(rows: EncodedRows(narrow, shape: shape), messageOfRow: nil) }
    var messageOfRow = [Int32](repeating: -1, count: batch.rowCount)
    var message: Int32 = 0
    wanted.forEach { row in
      messageOfRow[row] = message
      message += 1
    }
    let runs = wanted.ranges().map { RowRun(source: 0, start: $0.lowerBound, count: $0.count) }
    return Encoded(
      rows: EncodedRows(RecordBatch.gather([narrow], runs: runs), shape: shape), messageOfRow: messageOfRow)
  }
}
