import Platform
import Records

/// A summary as it is computed, the newest rows first: each answer knows more than the one before, and the
/// last one all. One consumer at a time.
package protocol SummaryAnswers: AnyObject, Sendable {
  /// The next answer; nil after the last.
  ///
  /// - Throws: As ``QueryAnswering/run(_:for:)``.
  func next() async throws(StoreError) -> SummaryAnswer?
}

/// How far a summary of a snapshot has come.
private struct SummaryProgress {
  let snapshot: any PartitionSnapshot
  /// Rows that blocks' own summaries have told of.
  let rowsKnown: Int
  /// Rows of all that is read.
  let rowsInAll: Int
  /// What is still to be read, an answer behind each.
  var stages: [[SummaryState.Work]]
  /// What is known so far.
  var whole: SummaryState
  var rowsRead = 0
}

/// As this process computes it.
private final class SummaryRun: SummaryAnswers, @unchecked Sendable {
  // Safe because: its one consumer awaits each call to next() before the following one.
  private let plan: SummaryPlan
  private let run: QueryRun
  private let isStrict: Bool
  private let start: @Sendable (_ isGradual: Bool) async throws(StoreError) -> SummaryProgress
  private var tries = 1
  private var isGradual: Bool
  /// nil: it is to begin.
  private var progress: SummaryProgress?
  private var isFinished = false

  /// - Parameter start: Takes a snapshot; called anew when a file turns out to be damaged.
  init(
    _ plan: SummaryPlan, _ run: QueryRun, isGradual: Bool, isStrict: Bool,
    start: @escaping @Sendable (_ isGradual: Bool) async throws(StoreError) -> SummaryProgress
  ) {
    self.plan = plan
    self.run = run
    self.isStrict = isStrict
    self.isGradual = isGradual
    self.start = start
  }

  /// Before the first answer is asked for.
  func begin() async throws(StoreError) {
    while progress == nil {
      do throws(StoreError) { progress = try await start(isGradual) } catch { try takeAsDamage(error) }
    }
  }

  /// A damaged file is known to the store from its reading on: what begins anew does without it, and answers
  /// once, with all, so that no answer knows less than one before.
  ///
  /// - Throws: `error`, if it is another or there is an end to it.
  private func takeAsDamage(_ error: StoreError) throws(StoreError) {
    guard case .corrupt = error, !isStrict, tries < QueryEngine.startsMax else { throw error }
    tries += 1
    run.work.cancellation.meter.beginAnew()
    isGradual = false
    // What was gathered is given back before as much is gathered anew.
    progress = nil
  }

  /// Below, one answer is as soon there as two.
  private static let gradualRowsMin = 1 << 20
  /// Shares of the rows after which an answer is given.
  private static let shares = [0.02, 0.1, 0.3, 0.6, 1.0]

  static func stages(of work: [SummaryState.Work], rowCount: Int) -> [[SummaryState.Work]] {
    guard rowCount >= gradualRowsMin else { return [work] }
    var stages: [[SummaryState.Work]] = []
    var (at, rows) = (0, 0)
    for share in shares {
      let first = at
      while at < work.count, Double(rows) < share * Double(rowCount) || share == 1 {
        rows += work[at].unit.rowCountMax
        at += 1
      }
      if at > first { stages.append(Array(work[first..<at])) }
    }
    return stages
  }

  func next() async throws(StoreError) -> SummaryAnswer? {
    guard !isFinished else { return nil }
    var answer: SummaryAnswer
    do throws(StoreError) {
      answer = try await run.work.run { () throws(StoreError) -> SummaryAnswer in
        while true {
          do throws(StoreError) { return try await self.nextOnce() } catch {
            try self.takeAsDamage(error)
            try await self.begin()
          }
        }
      }
    } catch {
      isFinished = true
      throw error
    }
    answer.statistics = run.work.cancellation.statistics
    answer.statistics?.rowsKnown = progress?.rowsKnown ?? 0
    return answer
  }

  private func nextOnce() async throws(StoreError) -> SummaryAnswer {
    guard var progress else { bug("a summary is begun before it is asked") }
    // What is known is held once: it is changed, not copied. If this fails it begins anew, or is over.
    self.progress = nil
    let stage = progress.stages.isEmpty ? [] : progress.stages.removeFirst()
    var answer = try await read(stage, into: &progress.whole)
    progress.rowsRead += stage.reduce(0) { $0 + $1.unit.rowCountMax }
    let isLast = progress.stages.isEmpty
    if isLast { try progress.snapshot.requireReadable() }
    let rowsInAll = progress.rowsInAll
    answer.share = isLast || rowsInAll == 0 ? 1 : Double(progress.rowsRead) / Double(rowsInAll)
    AnswerMarks.current?.note(progress.snapshot.damagedFiles, nil)
    self.progress = progress
    isFinished = isLast
    return answer
  }

  /// Adds what is read to `whole`, and says what is known then.
  private func read(
    _ stage: [SummaryState.Work], into whole: inout SummaryState
  ) async throws(StoreError) -> SummaryAnswer {
    let (plan, memory) = (plan, whole.memory)
    let queue = WorkQueue(stage, endingTogether: run.workers.workerCount) { work in
      work.unit.parts().map { SummaryState.Work(unit: $0, parts: work.parts, places: work.places) }
    }
    let done = MergingPlace<SummaryState>()
    _ = done.leave(whole)
    whole = SummaryState(plan, memory: memory)
    if queue.count > 0 {
      _ = try await run.workers.runOnAll(upTo: queue.count) { () throws(StoreError) in
        var part = SummaryState(plan, memory: memory)
        while let work = queue.take() { try part.add(work) }
        while let other = done.leave(part) { try part.merge(other) }
      }
    }
    let (state, answer) = try await run.workers.perform { () throws(StoreError) in
      guard var state = done.take() else { bug("what was known is there") }
      let answer = try state.answer()
      return (state, answer)
    }
    whole = state
    return answer
  }
}

extension QueryEngine {
  /// See ``QueryAnswering``. What blocks' summaries prove is not read, and what looks at the same rows is
  /// gathered in one scan of them.
  package func summarize(
    _ asked: SummaryRequest, isGradual: Bool, for tenant: Tenant
  ) async throws(StoreError) -> any SummaryAnswers {
    let run = begin(for: tenant)
    var request = asked
    request.isStrict = request.isStrict || AnswerMarks.current?.isStrict ?? false
    let source = source
    let prepared = request
    return try await run.work.run { () throws(StoreError) -> SummaryRun in
      let token = run.work.cancellation
      let plan = try await run.workers.perform { () throws(StoreError) in
        try SummaryPlan(prepared, cancellation: token)
      }
      let partition = Partition(tenant: tenant, dataset: prepared.dataset)
      let summary = SummaryRun(plan, run, isGradual: isGradual, isStrict: prepared.isStrict) {
        isGradual async throws(StoreError) -> SummaryProgress in
        try await begin(plan, run, source.snapshot(of: partition), isGradual: isGradual)
      }
      try await summary.begin()
      return summary
    }
  }

  private func begin(
    _ plan: SummaryPlan, _ run: QueryRun, _ snapshot: any PartitionSnapshot, isGradual: Bool
  ) async throws(StoreError) -> SummaryProgress {
    var whole = SummaryState(plan, memory: GroupMemory(run.share, limits: groupLimits))
    var work: [SummaryState.Work] = []
    var rowsKnown = 0
    for scan in plan.scans {
      var unknown: [Int] = []
      for number in scan.parts {
        let part = plan.parts[number].plan
        let pass = GroupPass(plan: part, snapshot: snapshot, run: run)
        guard let found = try await known(pass) else {
          unknown.append(number)
          continue
        }
        try whole.add(found, to: number)
        rowsKnown = max(rowsKnown, found.rowCount)
        // What is left to count without a group or a bucket comes without columns.
        let places = [part.query.isTotal ? [] : Array(part.columns.indices)]
        work += found.units.map { SummaryState.Work(unit: $0, parts: [number], places: places) }
      }
      guard !unknown.isEmpty else { continue }
      let (columns, places) = plan.columns(of: unknown)
      let pass = GroupPass(plan: plan.parts[unknown[0]].plan, snapshot: snapshot, run: run)
      let units = try await pass.plan(plan.request(scan, columns: columns))
      work += units.map { SummaryState.Work(unit: $0, parts: unknown, places: places) }
    }
    work.sort { $0.unit.bounds.timestampMax > $1.unit.bounds.timestampMax }
    let rowsInAll = work.reduce(0) { $0 + $1.unit.rowCountMax }
    return SummaryProgress(
      snapshot: snapshot, rowsKnown: rowsKnown, rowsInAll: rowsInAll,
      stages: isGradual ? SummaryRun.stages(of: work, rowCount: rowsInAll) : [work], whole: whole)
  }

  /// What summaries of blocks say of a part, if they say anything; nil: all of it is to be read.
  private func known(_ pass: GroupPass) async throws(StoreError) -> AggregateSources? {
    guard pass.plan.query.isPlainCount else { return nil }
    let found = try await pass.summed(pass.shares(of: pass.plan.scan))
    return found.rowCount > 0 || found.units.isEmpty ? found : nil
  }
}
