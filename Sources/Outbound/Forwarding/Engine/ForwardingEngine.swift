import Records

/// Decides what a forwarder does: whose turn it is, what is read and sent, what a refusal means, when cursors
/// are saved.
///
/// Synchronous and pure: time, chance and the outcomes of all work are arguments. Tenants with something to
/// send take turns; a turn is one push, so nobody's backlog holds up the others. A tenant has at most one
/// push under way, which keeps the order.
struct ForwardingEngine: Sendable {
  let options: ForwardingOptions
  var lanes: [Tenant: Lane] = [:]
  /// Tenants in stage `ready`, next first.
  private var queue: [Tenant] = []
  private var queueHead = 0
  var turnsInFlight = 0
  /// Lanes that hold a window.
  private var windowsHeld = 0
  var metrics = ForwardingMetrics()

  var dirty: Set<Tenant> = []
  var saving: (tenants: Set<Tenant>, letters: [Tenant: Int])?
  var savedAt: Int64
  var accountedAt: Int64
  var saveRetryAt: Int64 = .min
  var flushes: [Int: Flush] = [:]
  var stopDeadline: Int64?
  var isFinished = false
  var actions: [ForwardingAction] = []

  struct Flush: Sendable {
    var deadline: Int64
    var targets: [Tenant: Int64]
    var forwardedBefore: [Tenant: Int]
  }

  /// - Parameter positionEnds: The durable ends of all tenants that are to be forwarded.
  init(options: ForwardingOptions, saved: SavedForwarder, positionEnds: [Tenant: Int64], now: Int64) {
    self.options = options
    savedAt = now
    accountedAt = now
    let cursors = Dictionary(
      saved.cursors.map { ($0.tenant, $0.position) }, uniquingKeysWith: { first, _ in first })
    for (tenant, end) in positionEnds {
      let beginsAtEnd = saved.isNew && options.start == .latest
      // Ahead of the end: the store was set back to an older state. What it has given since is new.
      let cursor = min(cursors[tenant] ?? (beginsAtEnd ? end : 0), end)
      lanes[tenant] = Lane(cursor: cursor, positionEnd: end, bytesMax: options.limits.pushBytesMax)
      if beginsAtEnd { dirty.insert(tenant) }
    }
    for (tenant, count) in saved.deadLetters { lanes[tenant]?.figures.deadLetterCount = count }
  }

  /// Takes in what happened at `now` (ns since 1970); returns what is to be done, in no particular order.
  mutating func handle(_ event: ForwardingEvent, now: Int64, chance: UInt64) -> [ForwardingAction] {
    if isFinished { return lastAnswer(to: event) }
    switch event {
    case .grown(let tenant, let positionEnd): grow(tenant, positionEnd, now)
    case .windowRead(let tenant, let window): take(window, of: tenant, now)
    case .readFailed(let tenant):
      turnsInFlight -= 1
      wait(tenant, fault: .unreadable, asked: nil, now: now, chance: chance)
    case .pushed(let tenant, let report):
      turnsInFlight -= 1
      settle(tenant, report, now: now, chance: chance)
    case .saved(let counts): finishSave(counts)
    case .saveFailed: failSave(now)
    case .lettersCounted(let counts): count(counts)
    case .tick: tick(now)
    case .flush(let number, let deadline): beginFlush(number, deadline: deadline, now)
    case .stop(let deadline): stopDeadline = deadline
    }
    takeTurns(now)
    saveIfDue(now)
    endFlushes(now)
    finishIfStopped(now)
    defer { actions = [] }
    return actions
  }

  private func lastAnswer(to event: ForwardingEvent) -> [ForwardingAction] {
    guard case .flush(let number, _) = event else { return [] }
    return [.flushed(number, FlushReport(entriesByTenant: [:], isComplete: false))]
  }

  private mutating func grow(_ tenant: Tenant, _ positionEnd: Int64, _ now: Int64) {
    if lanes[tenant] == nil {
      guard positionEnd > 0 else { return }
      lanes[tenant] = Lane(cursor: 0, positionEnd: 0, bytesMax: options.limits.pushBytesMax)
    }
    update(tenant) { $0.positionEnd = max($0.positionEnd, positionEnd) }
    schedule(tenant, now)
  }

  private mutating func tick(_ now: Int64) {
    for tenant in Array(lanes.keys) {
      guard let lane = lanes[tenant] else { continue }
      if case .waiting(let until) = lane.stage, isDue(until, now) { update(tenant) { $0.stage = .idle } }
      schedule(tenant, now)
    }
  }

  /// Whether `time` has come. Clocks may be set back: no wait is longer than the longest there is.
  func isDue(_ time: Int64, _ now: Int64) -> Bool {
    let longest = max(options.retry.retryAfterSecondsMax, options.retry.parkedSeconds) * 2
    return now >= time || Double(time - now) > longest * 1e9
  }

  mutating func update(_ tenant: Tenant, _ body: (inout Lane) -> Void) {
    guard var lane = lanes[tenant] else { bug("a tenant that is known") }
    // Out of the dictionary meanwhile, so that the lane's arrays are not copied.
    lanes[tenant] = nil
    let held = lane.window != nil
    body(&lane)
    windowsHeld += (lane.window != nil ? 1 : 0) - (held ? 1 : 0)
    lanes[tenant] = lane
  }

  /// Puts an idle lane with enough to do into the queue.
  mutating func schedule(_ tenant: Tenant, _ now: Int64) {
    guard let lane = lanes[tenant], lane.stage == .idle, stopDeadline == nil else { return }
    guard lane.cursor < lane.positionEnd, lane.letters.count < Lane.lettersPendingMax else { return }
    let since = lane.pendingSince ?? now
    let lingerEnd = since + Int64(options.limits.lingerSeconds * 1e9)
    let isWorth =
      lane.positionEnd - lane.cursor >= options.limits.pushEntriesMax || lane.window != nil
      || !lane.splitEnds.isEmpty || lane.cursor < lane.flushTarget || now >= lingerEnd || now < since
    update(tenant) {
      $0.pendingSince = since
      if isWorth { $0.stage = .ready }
    }
    if isWorth { queue.append(tenant) }
  }

  private mutating func takeTurns(_ now: Int64) {
    guard stopDeadline == nil else { return }
    while turnsInFlight < options.limits.pushesInFlightMax, queueHead < queue.count {
      let tenant = queue[queueHead]
      queueHead += 1
      if queueHead > 64, queueHead * 2 > queue.count {
        queue.removeFirst(queueHead)
        queueHead = 0
      }
      turnsInFlight += 1
      startPush(tenant)
      if lanes[tenant]?.stage == .ready { startRead(tenant) }
    }
  }

  private mutating func startRead(_ tenant: Tenant) {
    let limits = options.limits
    let isLarge = windowsHeld < limits.windowsHeldMax
    let rowsMax = isLarge ? max(limits.windowRowsMax, limits.pushEntriesMax) : limits.pushEntriesMax
    let bytesMax = isLarge ? limits.windowBytesMax : min(limits.pushBytesMax, limits.windowBytesMax)
    var wanted: [ForwardingAction] = []
    update(tenant) { lane in
      let bounds = WindowBounds(
        span: Int64(rowsMax) << Int64(lane.sparsity), rowsMax: rowsMax, bytesMax: bytesMax)
      lane.window = nil
      lane.stage = .reading
      wanted.append(.read(tenant, from: lane.cursor, bounds: bounds))
    }
    actions += wanted
  }

  /// Sends the next rows of the lane's window, if there are any.
  private mutating func startPush(_ tenant: Tenant) {
    let entriesMax = options.limits.pushEntriesMax
    var wanted: [ForwardingAction] = []
    update(tenant) { lane in
      guard let rows = lane.nextRows(entriesMax: entriesMax), let window = lane.window else { return }
      lane.stage = .pushing(rows: rows)
      wanted.append(.push(tenant, window, rows: rows, bytesMax: lane.bytesMax))
    }
    actions += wanted
  }

  private mutating func take(_ window: EntryWindow, of tenant: Tenant, _ now: Int64) {
    guard let lane = lanes[tenant], lane.stage == .reading else {
      bug("a window that was asked for")
    }
    let start = lane.cursor
    update(tenant) { lane in
      lane.positionEnd = max(lane.positionEnd, window.positionEnd)
      let looked = window.coveredEnd - start
      if looked > Int64(window.rowCount) * 4, window.coveredEnd < window.positionEnd {
        lane.sparsity = min(lane.sparsity + 1, Lane.sparsityMax)
      } else if looked < Int64(window.rowCount) * 2 {
        lane.sparsity = max(lane.sparsity - 1, 0)
      }
      if window.rowCount > 0 { lane.window = window }
    }
    if window.rowCount > 0 {
      actions.append(.advanced(tenant, to: start, oldestAt: window.ingestedAt(0)))
      if stopDeadline != nil {
        turnsInFlight -= 1
        return update(tenant) { $0.stage = .idle }
      }
      startPush(tenant)
      guard case .pushing? = lanes[tenant]?.stage else {
        bug("a window's rows lie behind the cursor")
      }
      return
    }
    turnsInFlight -= 1
    if window.coveredEnd > start {
      advance(tenant, to: window.coveredEnd, forwarded: 0, now)
      endTurn(tenant, now)
    } else {
      // Told of more than a snapshot shows: not again at once.
      let until = now + Int64(options.limits.pollSeconds * 1e9)
      update(tenant) { $0.stage = .waiting(until: until) }
    }
  }

  /// Moves the cursor past `forwarded` rows.
  mutating func advance(_ tenant: Tenant, to position: Int64, forwarded: Int, _ now: Int64) {
    var oldestAt: Int64?
    // Realms with one dataset have a record at every position, but for those deleted since.
    let countsGaps = tenant.realm != .native
    update(tenant) { lane in
      let passed = position - lane.cursor
      invariant(passed >= forwarded, "a position a row")
      if countsGaps { lane.figures.entriesDeletedBefore += Int(passed) - forwarded }
      lane.cursor = position
      while let split = lane.splitEnds.last, split <= position { lane.splitEnds.removeLast() }
      if let window = lane.window {
        let row = window.firstRow(from: position)
        if row < window.rowCount { oldestAt = window.ingestedAt(row) } else { lane.window = nil }
      }
      lane.pendingSince = nil
    }
    dirty.insert(tenant)
    actions.append(.advanced(tenant, to: position, oldestAt: oldestAt))
  }

  /// Gives the turn back and lines up again.
  mutating func endTurn(_ tenant: Tenant, _ now: Int64) {
    let isCrowded = windowsHeld > options.limits.windowsHeldMax
    update(tenant) { lane in
      lane.stage = .idle
      if isCrowded { lane.window = nil }
    }
    schedule(tenant, now)
  }

  mutating func wait(
    _ tenant: Tenant, fault: ForwardingFault, asked: Double?, now: Int64, chance: UInt64
  ) {
    let retry = options.retry
    update(tenant) { lane in
      lane.failures += 1
      if case .configuration = fault { lane.failures = max(lane.failures, retry.delaysSeconds.count + 1) }
      lane.figures.fault = fault
      lane.figures.isParked = retry.isParked(failures: lane.failures)
      // Many tenants may wait for long: their memory is wanted elsewhere.
      lane.window = nil
      let wait = retry.wait(failures: lane.failures, asked: asked, chance: chance)
      lane.stage = .waiting(until: now + wait)
    }
  }
}
