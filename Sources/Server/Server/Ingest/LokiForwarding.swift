import APIs
import Access
import AsyncHTTPClient
import Forwarding
import HTTP
import Logging
import Platform
import Records
import Routing
import Synchronization

/// The forwarder to Loki as the ingest API and the server's start and stop see it.
final class LokiForwarding: EntryForwarding {
  /// What `/readyz`, metrics and messages call the destination.
  static let name = "loki"
  /// Reading, encoding and compressing; one of two cores stays free for requests.
  private static let threads = 1

  private let forwarder: Forwarder
  private let clock: any WallClock
  private let running = Mutex<Task<Void, Never>?>(nil)
  /// What ``tell(_:)`` said last of each key.
  private let told = Mutex<[Tenant: Told]>([:])
  private let storeFailure = Mutex<StoreError?>(nil)

  private struct Told {
    var fault: ForwardingFault?
    var letterCount: Int
  }

  /// Reads where forwarding was left; ``start()`` goes on from there.
  init(
    _ configuration: Configuration, url: String, engine: Engine,
    state: any ForwardingState, client: HTTPClient, clock: any WallClock
  ) async throws(ForwardingStateError) {
    let settings = configuration.loki
    var options = ForwardingOptions()
    options.name = LokiForwarding.name
    options.realms = [.ingest]
    options.format = settings.isJSON ? .json : .protobuf
    options.limits.pushEntriesMax = settings.batchEntriesMax
    options.limits.pushBytesMax = settings.batchBytesMax
    options.retry.delaysSeconds = settings.backoffSeconds.map { Double($0) }
    options.retry.parkedSeconds = Double(settings.parkSeconds)
    options.quota = configuration.ingest.quota
    var ports = ForwarderPorts(
      source: engine.source, feed: engine.feed, control: engine.control, state: state,
      transport: LokiHTTPTransport(client: client, settings: settings, url: url), clock: clock,
      entropy: SystemEntropy(), workers: WorkerPool(threads: LokiForwarding.threads, name: "forward"))
    ports.memory = engine.forwardingMemory
    forwarder = try await Forwarder.open(options, ports)
    self.clock = clock
  }

  /// Begins to forward.
  func start() {
    let forwarder = forwarder
    running.withLock { running in
      invariant(running == nil, "started once")
      running = Task { await forwarder.run() }
    }
  }

  /// Lets pushes that are under way end, saves, and returns after `seconds` at the latest.
  func stop(withinSeconds seconds: Double) async {
    forwarder.stop(withinSeconds: seconds)
    await running.withLock { $0 }?.value
  }

  var isConfigured: Bool { true }
  var isRunning: Bool { running.withLock { $0 != nil } && !forwarder.isFinished }

  func use(_ quota: BacklogQuota) { forwarder.backlog.use(quota) }

  func refusal(of tenant: Tenant, adding bytes: Int) -> QuotaRefusal? {
    switch forwarder.backlog.mayAccept(tenant, bytes: bytes, now: clock.now()) {
    case .ok: nil
    case .quotaExceeded(let kind, let seconds):
      QuotaRefusal(kind: kind.rawValue, retryAfterSeconds: seconds)
    }
  }

  func accepted(_ tenant: Tenant, positions: Range<Int64>, bytes: Int) {
    forwarder.backlog.accepted(
      Partition(tenant: tenant, dataset: .logs), positions: positions, bytes: bytes, now: clock.now())
  }

  func flush(timeoutSeconds: Int) async -> IngestFlush {
    let before = forwarder.metrics().tenants.mapValues(\.backlogBytes)
    let report = await forwarder.flush(withinSeconds: Double(timeoutSeconds))
    let after = forwarder.metrics()
    let parts = report.entriesByTenant.sorted { $0.key.name < $1.key.name }.map { tenant, count in
      IngestFlush.Part(
        tenant: tenant, entryCount: count,
        bytes: max(0, (before[tenant] ?? 0) - (after.tenants[tenant]?.backlogBytes ?? 0)))
    }
    guard !report.isComplete else { return IngestFlush(parts: parts) }
    let fault = after.tenants.values.lazy.compactMap(\.fault).first
    return IngestFlush(
      parts: parts, failure: "not everything is forwarded: \(LokiForwarding.text(of: fault))")
  }

  private static func text(of fault: ForwardingFault?) -> String {
    switch fault {
    case nil: "the time ran out"
    case .noAnswer(let failure)?: "Loki gave no answer (\(failure.rawValue))"
    case .busy(let status)?: "Loki answered \(status)"
    case .configuration(let status)?: "Loki answered \(status): its address or credentials are wrong"
    case .unreadable?: "records could not be read"
    }
  }

  // MARK: Dead letters

  func deadLetters(
    of tenant: Tenant?, after: Int64, limit: Int
  ) async throws(ForwardingFailure) -> [DeadLetterEntry] {
    do throws(ForwardingStateError) {
      return try await forwarder.deadLetters(of: tenant, after: after, limit: limit).map { letter in
        DeadLetterEntry(
          id: letter.number, tenant: letter.tenant, refusedAt: letter.refusedAt,
          reason: "\(letter.reason.rawValue) (status \(letter.status))", timestamp: letter.timestamp,
          line: String(decoding: letter.entry, as: UTF8.self))
      }
    } catch {
      throw LokiForwarding.failure(error)
    }
  }

  func replay(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int {
    var accepted = 0
    try await forAll(choice) { numbers throws(ForwardingFailure) in
      let report: ReplayReport
      do throws(ForwardingStateError) { report = try await forwarder.replayDeadLetters(numbers) } catch {
        throw LokiForwarding.failure(error)
      }
      accepted += report.accepted.count
      if let fault = report.fault {
        throw .destination(
          "\(accepted) entries were forwarded, the others wait: \(LokiForwarding.text(of: fault))")
      }
    }
    return accepted
  }

  func drop(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int {
    var dropped = 0
    try await forAll(choice) { numbers throws(ForwardingFailure) in
      do throws(ForwardingStateError) {
        try await forwarder.dropDeadLetters(numbers)
        dropped += numbers.count
      } catch {
        throw LokiForwarding.failure(error)
      }
    }
    return dropped
  }

  /// Calls `body` with the numbers of existing letters, some at a time; each letter once.
  private func forAll(
    _ choice: DeadLetterChoice, _ body: ([Int64]) async throws(ForwardingFailure) -> Void
  ) async throws(ForwardingFailure) {
    var after: Int64 = 0
    while true {
      let page: [DeadLetter]
      do throws(ForwardingStateError) {
        page =
          switch choice {
          case .all: try await forwarder.deadLetters(after: after, limit: Forwarder.lettersMax)
          case .tenant(let tenant):
            try await forwarder.deadLetters(of: tenant, after: after, limit: Forwarder.lettersMax)
          case .ids(let ids): try await forwarder.deadLetters(numbers: ids.filter { $0 > after })
          }
      } catch {
        throw LokiForwarding.failure(error)
      }
      guard let last = page.last else { return }
      after = last.number
      try await body(page.map(\.number))
    }
  }

  private static func failure(_ error: ForwardingStateError) -> ForwardingFailure {
    switch error {
    case .unavailable(let reason): .storage(reason)
    }
  }

  // MARK: Figures

  /// Writes the families.
  func collect(into text: inout MetricsText) {
    LokiMetrics.collect(forwarder.metrics(), now: clock.now(), into: &text)
  }

  /// Logs what has changed since this was called last: whose entries wait and why, and new dead letters.
  func tell(_ logger: Logger) {
    let metrics = forwarder.metrics()
    let failure = metrics.storeFailure
    let failureBefore = storeFailure.withLock { before in
      defer { before = failure }
      return before
    }
    if let failure, failure != failureBefore {
      logger.warning("the store could not be asked what waits", metadata: ["reason": "\(failure)"])
    }
    for (tenant, figures) in metrics.tenants.sorted(by: { $0.key.name < $1.key.name }).prefix(
      IngestMetrics.keysMax)
    {
      let before = told.withLock { told in
        defer { told[tenant] = Told(fault: figures.fault, letterCount: figures.deadLetterCount) }
        return told[tenant] ?? Told(fault: nil, letterCount: figures.deadLetterCount)
      }
      let name: Logger.Metadata = ["token": "\(tenant.name)"]
      if let fault = figures.fault, fault != before.fault {
        logger.warning(
          "entries are not forwarded",
          metadata: name.merging(["reason": "\(LokiForwarding.text(of: fault))"]) { $1 })
      } else if figures.fault == nil, before.fault != nil {
        logger.notice("entries are forwarded again", metadata: name)
      }
      if figures.deadLetterCount > before.letterCount {
        logger.warning(
          "Loki refused entries for good",
          metadata: name.merging(["dead_letters": "\(figures.deadLetterCount)"]) { $1 })
      }
    }
  }
}
