import Records

/// Cursors, flushes and the end.
extension ForwardingEngine {
  /// Asks for a save when letters wait, cursors moved a while ago, or accounts are due. One at a time.
  mutating func saveIfDue(_ now: Int64) {
    guard saving == nil, isDue(saveRetryAt, now) else { return }
    let hasLetters = dirty.contains { lanes[$0].map { !$0.letters.isEmpty } ?? false }
    let isStopping = stopDeadline != nil && turnsInFlight == 0 && !dirty.isEmpty
    let isDirtyLong = !dirty.isEmpty && isPast(savedAt, options.limits.saveSeconds, now)
    let isAccounting = isPast(accountedAt, options.limits.accountingSeconds, now)
    guard hasLetters || isStopping || isDirtyLong || isAccounting else { return }
    var cursors: [Tenant: Int64] = [:]
    var letters: [DeadLetter] = []
    var counts: [Tenant: Int] = [:]
    for tenant in dirty {
      guard let lane = lanes[tenant] else { continue }
      cursors[tenant] = lane.cursor
      counts[tenant] = lane.letters.count
      letters += lane.letters
    }
    saving = (dirty, counts)
    dirty = []
    savedAt = now
    if isAccounting { accountedAt = now }
    let standing = isAccounting || isStopping ? lanes.mapValues(\.cursor) : [:]
    actions.append(.save(cursors: cursors, letters: letters, standing: standing))
  }

  /// Whether `seconds` have gone since `time`; also when the clock was set back.
  private func isPast(_ time: Int64, _ seconds: Double, _ now: Int64) -> Bool {
    now - time >= Int64(seconds * 1e9) || now < time
  }

  mutating func finishSave(_ counts: DeadLetterCounts?) {
    guard let saved = saving else { bug("a save that was asked for") }
    saving = nil
    saveRetryAt = .min
    metrics.isStateFailing = false
    for (tenant, count) in saved.letters where count > 0 {
      update(tenant) { $0.letters.removeFirst(count) }
      schedule(tenant, savedAt)
    }
    if let counts { self.count(counts) }
  }

  mutating func failSave(_ now: Int64) {
    guard let failed = saving else { bug("a save that was asked for") }
    saving = nil
    dirty.formUnion(failed.tenants)
    saveRetryAt = now + 5_000_000_000
    metrics.isStateFailing = true
    // The entries are sent again after the restart.
    if stopDeadline != nil, turnsInFlight == 0 { finish() }
  }

  mutating func count(_ counts: DeadLetterCounts) {
    metrics.deadLettersDropped += counts.droppedCount
    for tenant in Array(lanes.keys) {
      let count = counts.byTenant[tenant] ?? 0
      if lanes[tenant]?.figures.deadLetterCount != count {
        update(tenant) { $0.figures.deadLetterCount = count }
      }
    }
  }

  /// More flushes at once are answered with nothing done.
  static let flushCountMax = 16

  mutating func beginFlush(_ number: Int, deadline: Int64, _ now: Int64) {
    if flushes.count >= ForwardingEngine.flushCountMax {
      actions.append(.flushed(number, FlushReport(entriesByTenant: [:], isComplete: false)))
      return
    }
    var flush = Flush(deadline: deadline, targets: [:], forwardedBefore: [:])
    for (tenant, lane) in lanes {
      flush.forwardedBefore[tenant] = lane.figures.entriesForwarded
      if lane.cursor < lane.positionEnd { flush.targets[tenant] = lane.positionEnd }
    }
    flushes[number] = flush
    for (tenant, target) in flush.targets {
      update(tenant) { lane in
        lane.flushTarget = target
        if case .waiting = lane.stage { lane.stage = .idle }
      }
      schedule(tenant, now)
    }
  }

  /// Answers flushes that are done, late, or caught by the stop.
  mutating func endFlushes(_ now: Int64) {
    for (number, flush) in flushes {
      let isComplete = flush.targets.allSatisfy { tenant, target in
        lanes[tenant].map { $0.cursor >= target } ?? true
      }
      guard isComplete || now >= flush.deadline || stopDeadline != nil else { continue }
      flushes[number] = nil
      let entries = lanes.mapValues(\.figures.entriesForwarded)
        .merging(flush.forwardedBefore, uniquingKeysWith: -).filter { $0.value > 0 }
      actions.append(.flushed(number, FlushReport(entriesByTenant: entries, isComplete: isComplete)))
    }
  }

  mutating func finishIfStopped(_ now: Int64) {
    guard let stopDeadline, !isFinished else { return }
    let isDone = turnsInFlight == 0 && saving == nil && dirty.isEmpty
    if isDone || now >= stopDeadline { finish() }
  }

  private mutating func finish() {
    isFinished = true
    actions.append(.finish)
  }

  /// How the forwarder stands; bytes and ages of backlogs are the caller's to add.
  var figures: ForwardingMetrics {
    var figures = metrics
    figures.tenants = lanes.mapValues { lane in
      var tenant = lane.figures
      tenant.backlogRows = max(0, lane.positionEnd - lane.cursor)
      return tenant
    }
    return figures
  }
}
