import Logging
import NIOCore
import NIOHTTP1
import Platform
import Records
import Routing
import Synchronization

/// What all connections share.
final class HTTPService: Sendable {
  let router: any RequestRouter
  let limits: HTTPLimits
  let budget: UploadBudget
  /// Of bodies that come without a credential.
  let strangers: UploadBudget
  let answers: MemoryBudget
  let metrics: HTTPMetrics
  let logger: Logger
  private let loops: [ObjectIdentifier: LoopConnections]
  private let stopping = Atomic<Bool>(false)
  private let requestCount = Atomic<UInt64>(0)
  private let requestPrefix: String
  private let drain = Mutex(Drain())
  private let crowded = Atomic<Bool>(false)
  private let connectionShares: FairShares?
  private let streamShares: FairShares?
  private let streamCount = Mutex(0)

  private struct Drain {
    var openCount = 0
    var waiter: CheckedContinuation<Void, Never>?
  }

  init(
    router: any RequestRouter, limits: HTTPLimits, metrics: HTTPMetrics, logger: Logger,
    group: any EventLoopGroup, clock: any WallClock
  ) {
    self.router = router
    self.limits = limits
    self.budget = metrics.uploads
    self.strangers = metrics.strangers
    // So few are in nobody's way, and a server for few connections is for few clients.
    self.connectionShares = FairShares(share: limits.shareMax, floor: 16)
    self.streamShares = FairShares(share: limits.shareMax, floor: 4)
    self.answers = metrics.answers
    self.metrics = metrics
    self.logger = logger
    self.requestPrefix = String(UInt64(bitPattern: clock.now()) / 1_000_000, radix: 36) + "-"
    var loops: [ObjectIdentifier: LoopConnections] = [:]
    for loop in group.makeIterator() {
      loops[ObjectIdentifier(loop)] = LoopConnections(loop: loop, clock: clock)
    }
    self.loops = loops
  }

  var isStopping: Bool { stopping.load(ordering: .relaxed) }

  func connections(on loop: any EventLoop) -> LoopConnections {
    guard let found = loops[ObjectIdentifier(loop)] else {
      bug("a loop of the server's group")
    }
    return found
  }

  /// Unique in this process and, by its prefix, between runs.
  func nextRequestID() -> String {
    requestPrefix + String(requestCount.wrappingAdd(1, ordering: .relaxed).newValue, radix: 36)
  }

  /// Whether connections are short: more than half of those there may be are open.
  var isCrowded: Bool { crowded.load(ordering: .relaxed) }

  /// Counts a new connection; false when there are `connectionCountMax` already, or too many of one of
  /// its holders.
  func connectionOpened(by holders: [ShareHolder]) -> Bool {
    let isWithin = drain.withLock { drain in
      let left = limits.connectionCountMax - drain.openCount
      guard left > 0, connectionShares?.tryTake(1, for: holders, left: left) ?? true else { return false }
      drain.openCount += 1
      noteCrowd(drain.openCount)
      return true
    }
    metrics.connectionOpened(accepted: isWithin)
    return isWithin
  }

  private func noteCrowd(_ openCount: Int) {
    crowded.store(openCount > limits.connectionCountMax / 2, ordering: .relaxed)
  }

  /// Counts a new live stream; false when there are `streamCountMax` already, or too many of one of its
  /// holders.
  func streamOpened(by holders: [ShareHolder]) -> Bool {
    streamCount.withLock { count in
      let left = limits.streamCountMax - count
      guard left > 0, streamShares?.tryTake(1, for: holders, left: left) ?? true else { return false }
      count += 1
      return true
    }
  }

  func streamClosed(by holders: [ShareHolder]) {
    streamCount.withLock { $0 -= 1 }
    streamShares?.give(back: 1, of: holders)
  }

  func connectionClosed(by holders: [ShareHolder]) {
    metrics.connectionClosed()
    connectionShares?.give(back: 1, of: holders)
    let waiter = drain.withLock { drain -> CheckedContinuation<Void, Never>? in
      drain.openCount -= 1
      noteCrowd(drain.openCount)
      guard drain.openCount == 0 else { return nil }
      defer { drain.waiter = nil }
      return drain.waiter
    }
    waiter?.resume()
  }

  /// Writes what went wrong on our side to the log; what the client did wrong is only counted.
  func failed(_ problem: Problem, route: String, requestID: String) {
    if problem.status == 499 {
      logger.info(
        "request ended: its client is gone",
        metadata: ["request_id": "\(requestID)", "route": "\(route)", "reason": "cancelled"])
    }
    guard problem.status >= 500 else { return }
    logger.error(
      "request failed",
      metadata: [
        "request_id": "\(requestID)", "route": "\(route)", "status": "\(problem.status)",
        "detail": "\(problem.cause ?? problem.detail)",
      ])
  }

  func startTicking() {
    for connections in loops.values { connections.startTicking() }
  }

  /// Lets requests finish; those that have not after `seconds` are cut.
  func stop(withinSeconds seconds: Int) async {
    stopping.store(true, ordering: .relaxed)
    for connections in loops.values { connections.quiesce() }
    let cutters = loops.values.map { $0.abandon(afterSeconds: seconds) }
    await withCheckedContinuation { continuation in
      let isDone = drain.withLock { drain in
        if drain.openCount > 0 { drain.waiter = continuation }
        return drain.openCount == 0
      }
      if isDone { continuation.resume() }
    }
    for cutter in cutters { cutter.cancel() }
    for connections in loops.values { connections.stopTicking() }
  }
}

extension HTTPMetrics {
  func requestFinished(_ answered: AnsweredRequest) {
    requestFinished(
      route: answered.route, method: answered.method, status: answered.status,
      seconds: Double(answered.nanoseconds) / 1e9)
  }
}
