import Platform
import Records
import Synchronization

/// What a forwarder works with.
package struct ForwarderPorts: Sendable {
  /// Where records are read.
  package var source: any BatchSource
  /// Tells which tenants have new records.
  package var feed: any CommitFeed
  /// Asked which partitions there are.
  package var control: any StoreControl
  /// Where cursors and dead letters are durable.
  package var state: any ForwardingState
  /// Sends pushes.
  package var transport: any LokiTransport
  /// Times retries and deadlines.
  package var clock: any WallClock
  /// Spreads retries.
  package var entropy: any EntropySource
  /// For reading and encoding: threads that may block. Two keep up with 100,000 entries a second.
  package var workers: WorkerPool
  /// Suspends for so many nanoseconds, or until its task is cancelled.
  package var sleep: @Sendable (Int64) async -> Void
  /// Is charged with windows as long as they are held; nil: nobody counts.
  package var memory: MemoryBudget?

  /// Ports that sleep by the system's clock unless another way is given.
  package init(
    source: any BatchSource, feed: any CommitFeed, control: any StoreControl, state: any ForwardingState,
    transport: any LokiTransport, clock: any WallClock, entropy: any EntropySource, workers: WorkerPool,
    sleep: @escaping @Sendable (Int64) async -> Void = { nanoseconds in
      // Cancelled: the caller's loop ends.
      try? await Task.sleep(nanoseconds: UInt64(max(nanoseconds, 0)))
    }
  ) {
    self.source = source
    self.feed = feed
    self.control = control
    self.state = state
    self.transport = transport
    self.clock = clock
    self.entropy = entropy
    self.workers = workers
    self.sleep = sleep
  }
}

/// Forwards the records of all tenants to Loki: at least once, in order for each stream of a tenant.
///
/// Reads through snapshots, from the head or from blocks, so records that wait never keep the journal from
/// being archived. Memory: ``ForwardingLimits/windowsHeldMax`` and ``ForwardingLimits/pushesInFlightMax``
/// windows.
package final class Forwarder: Sendable {
  /// Tell it of accepted records, ask it before accepting more.
  package let backlog: Backlog
  /// As it was opened with.
  package let options: ForwardingOptions
  let ports: ForwarderPorts
  private let engine: Mutex<ForwardingEngine>
  private let reader: WindowReader
  private let encoder: LokiEncoder
  private let actions: AsyncStream<ForwardingAction>
  private let actionQueue: AsyncStream<ForwardingAction>.Continuation
  private let wakes: AsyncStream<Void>
  private let wakeQueue: AsyncStream<Void>.Continuation
  private let shared = Mutex(SharedState())

  private struct SharedState: Sendable {
    var grown: [Tenant: Int64] = [:]
    var polledAt: Int64 = .min
    var storeFailure: StoreError?
    var flushNumber = 0
    var flushes: [Int: CheckedContinuation<FlushReport, Never>] = [:]
  }

  /// Nanoseconds between two looks at the time.
  private static let tickNanoseconds: Int64 = 200_000_000

  /// Reads the state and the tenants' ends: from then on ``backlog`` knows what waits. Nothing is sent before
  /// ``run()``.
  package static func open(
    _ options: ForwardingOptions, _ ports: ForwarderPorts
  ) async throws(ForwardingStateError) -> Forwarder {
    invariant(options.mapping.fault(for: options.dataset) == nil, "a mapping that fits its dataset")
    let saved = try await ports.state.open(options.name)
    let known = saved.cursors.map(\.tenant).filter { options.realms.contains($0.realm) }
    let ends: [Tenant: Int64]
    do throws(StoreError) { ends = try await ports.ends(options, of: Set(known)) } catch {
      throw .unavailable("asking the store what waits: \(error)")
    }
    return Forwarder(options, ports, saved, ends)
  }

  /// - Parameter ends: Where the records of each tenant end that has some or has a cursor.
  private init(
    _ options: ForwardingOptions, _ ports: ForwarderPorts, _ saved: SavedForwarder, _ ends: [Tenant: Int64]
  ) {
    self.options = options
    self.ports = ports
    reader = WindowReader(dataset: options.dataset, mapping: options.mapping)
    encoder = LokiEncoder(mapping: options.mapping, format: options.format)
    backlog = Backlog(quota: options.quota, dataset: options.dataset, realms: options.realms)
    (actions, actionQueue) = AsyncStream.makeStream()
    (wakes, wakeQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    let now = ports.clock.now()
    let engine = ForwardingEngine(options: options, saved: saved, positionEnds: ends, now: now)
    let backlogs = Dictionary(saved.cursors.map { ($0.tenant, $0.backlog) }) { first, _ in first }
    for (tenant, end) in ends {
      let cursor = SavedCursor(
        tenant: tenant, position: engine.lanes[tenant]?.cursor ?? 0,
        backlog: backlogs[tenant] ?? SavedBacklog())
      backlog.restore(cursor, positionEnd: end, now: now)
    }
    self.engine = Mutex(engine)
  }

  /// Forwards until ``stop(withinSeconds:)``, or until its task is cancelled: then at once, and what was not
  /// saved is sent again after the next start. Call once.
  package func run() async {
    let observation = ports.feed.observeCommits { [self] in note($0) }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [self] in
        while !Task.isCancelled {
          await tick()
          await ports.sleep(Forwarder.tickNanoseconds)
        }
      }
      group.addTask { [self] in
        for await _ in wakes { lookAtGrown() }
      }
      group.addTask { [self] in
        await withDiscardingTaskGroup { work in
          for await action in actions {
            if case .finish = action { break }
            work.addTask { [self] in await carryOut(action) }
          }
          work.cancelAll()
        }
      }
      // The first two never end by themselves.
      await group.next()
      group.cancelAll()
    }
    withExtendedLifetime(observation) {}
    // Cancelled: whoever waits for a flush is answered.
    stop(withinSeconds: 0)
  }

  /// Begins no more pushes; ``run()`` returns once those under way have ended and everything is saved, or
  /// after `seconds`.
  package func stop(withinSeconds seconds: Double) {
    perform(.stop(deadline: ports.clock.now() + Int64(seconds * 1e9)))
  }

  /// Forwards what is there now, for all tenants, without waiting for retries; answers after `seconds` at the
  /// latest (on the tick after). Only while ``run()`` is under way.
  package func flush(withinSeconds seconds: Double) async -> FlushReport {
    await poll()
    let deadline = ports.clock.now() + Int64(seconds * 1e9)
    return await withCheckedContinuation { continuation in
      let number = shared.withLock { state in
        state.flushNumber += 1
        state.flushes[state.flushNumber] = continuation
        return state.flushNumber
      }
      perform(.flush(number, deadline: deadline))
    }
  }

  /// How the forwarder stands. O(tenants).
  package func metrics() -> ForwardingMetrics {
    var metrics = engine.withLock { $0.figures }
    metrics.storeFailure = shared.withLock { $0.storeFailure }
    for tenant in Array(metrics.tenants.keys) {
      let figures = backlog.figures(of: tenant)
      metrics.tenants[tenant]?.backlogBytes = figures.bytes
      metrics.tenants[tenant]?.oldestAt = figures.oldestAt
    }
    return metrics
  }

  /// Whether it has stopped.
  package var isFinished: Bool { engine.withLock(\.isFinished) }

  /// Looks at the time, and now and then at all tenants. ``run()`` calls it five times a second.
  func tick() async {
    let now = ports.clock.now()
    let isPollDue = shared.withLock { state in
      let interval = Int64(options.limits.pollSeconds * 1e9)
      guard state.polledAt == .min || now - state.polledAt >= interval || now < state.polledAt else {
        return false
      }
      state.polledAt = now
      return true
    }
    if isPollDue { await poll() }
    perform(.tick)
  }

  /// Asks the store what waits. If it does not answer, commits go on to be told, and the next look makes up
  /// for it.
  private func poll() async {
    let known = engine.withLock { Set($0.lanes.keys) }
    do throws(StoreError) {
      let ends = try await ports.ends(options, of: known)
      shared.withLock { $0.storeFailure = nil }
      for (tenant, end) in ends { perform(.grown(tenant, positionEnd: end)) }
    } catch {
      shared.withLock { $0.storeFailure = error }
    }
  }

  /// On the journal's thread.
  private func note(_ partitions: [Partition: Int64]) {
    let grown = partitions.filter { options.covers($0.key) }
    guard !grown.isEmpty else { return }
    shared.withLock { state in
      for (partition, end) in grown {
        state.grown[partition.tenant] = max(end, state.grown[partition.tenant] ?? 0)
      }
    }
    wakeQueue.yield()
  }

  private func lookAtGrown() {
    let ends = shared.withLock { state in
      defer { state.grown = [:] }
      return state.grown
    }
    for (tenant, end) in ends { perform(.grown(tenant, positionEnd: end)) }
  }

  /// Tells the engine and hands out what it wants done.
  func perform(_ event: ForwardingEvent) {
    let now = ports.clock.now()
    let chance = ports.entropy.randomUInt64()
    let wanted = engine.withLock { $0.handle(event, now: now, chance: chance) }
    for action in wanted {
      switch action {
      case .advanced(let tenant, let position, let oldestAt):
        backlog.forwarded(tenant, to: position, oldestAt: oldestAt, now: now)
      case .flushed(let number, let report):
        shared.withLock { $0.flushes.removeValue(forKey: number) }?.resume(returning: report)
      // As many as there are turns, one save, one end.
      case .read, .push, .save, .finish: actionQueue.yield(action)
      }
    }
  }

  private func carryOut(_ action: ForwardingAction) async {
    switch action {
    case .read(let tenant, let start, let bounds):
      do throws(StoreError) {
        let partition = Partition(tenant: tenant, dataset: options.dataset)
        let snapshot = try await ports.source.snapshot(of: partition)
        let memory = ports.memory.map { MemoryReservation(of: $0) }
        let window = try await ports.workers.run { [reader] () throws(StoreError) -> EntryWindow in
          try reader.read(snapshot, from: start, bounds: bounds)
        }
        memory?.charge(window.rows.textByteCount + window.rowCount * 64)
        window.memory.withLock { $0 = memory }
        perform(.windowRead(tenant, window))
      } catch {
        perform(.readFailed(tenant))
      }
    case .push(let tenant, let window, let rows, let bytesMax):
      await push(tenant, window, rows, bytesMax)
    case .save(let cursors, let letters, let standing):
      await save(cursors, letters, standing)
    case .advanced, .flushed, .finish: break
    }
  }

  private func push(_ tenant: Tenant, _ window: EntryWindow, _ rows: Range<Int>, _ bytesMax: Int) async {
    let encoded: EncodedPush? = await ports.workers.run { [encoder] in
      // Memory ran out: tried again later.
      try? encoder.encode(window, rows: rows, bytesMax: bytesMax)
    }
    guard let encoded else { return perform(.readFailed(tenant)) }
    let start = ports.clock.now()
    let outcome = await ports.transport.push(
      PushRequest(
        tenant: tenant, body: encoded.body, contentType: encoder.contentType,
        contentEncoding: encoder.contentEncoding, entryCount: encoded.rowCount))
    let seconds = max(0, Double(ports.clock.now() - start) / 1e9)
    perform(
      .pushed(
        tenant,
        PushReport(
          rowCount: encoded.rowCount, plainByteCount: encoded.plainByteCount, byteCount: encoded.body.count,
          seconds: seconds, outcome: outcome)))
  }

  private func save(_ cursors: [Tenant: Int64], _ letters: [DeadLetter], _ standing: [Tenant: Int64]) async {
    var positions = cursors
    if !standing.isEmpty {
      for tenant in backlog.takeChanged() where positions[tenant] == nil {
        positions[tenant] = standing[tenant]
      }
    }
    if positions.isEmpty, letters.isEmpty { return perform(.saved(nil)) }
    let change = ForwardingChange(
      cursors: positions.map { tenant, position in
        SavedCursor(tenant: tenant, position: position, backlog: backlog.saved(tenant))
      }, letters: letters, lettersPerTenantMax: options.limits.deadLettersPerTenantMax)
    do throws(ForwardingStateError) {
      perform(.saved(try await ports.state.save(change, of: options.name)))
    } catch {
      perform(.saveFailed)
    }
  }
}

extension ForwarderPorts {
  /// Where the records of `known` and of all tenants that have records to forward end.
  func ends(_ options: ForwardingOptions, of known: Set<Tenant>) async throws(StoreError) -> [Tenant: Int64] {
    var tenants = known
    for part in try await control.usage() where options.covers(part.partition) {
      tenants.insert(part.partition.tenant)
    }
    var ends: [Tenant: Int64] = [:]
    for tenant in tenants { ends[tenant] = try await feed.positionEnd(of: tenant) }
    return ends
  }
}

extension ForwardingOptions {
  /// Whether the partition's records are forwarded.
  func covers(_ partition: Partition) -> Bool {
    partition.dataset == dataset && realms.contains(partition.tenant.realm)
  }
}
