import NIOCore
import Platform

/// The connections of one event loop, and what they share: the clock tick, the `Date` header, the executor.
///
/// One sweep a second over all of a loop's connections replaces a timer per request.
final class LoopConnections: @unchecked Sendable {
  // Safe because: `open`, `ticking` and `date` are touched on the event loop only; the rest is constant.
  let loop: any EventLoop
  let executor: CallbackExecutor
  private var open: [ObjectIdentifier: any LoopConnection] = [:]
  private var ticking: RepeatedTask?
  private let clock: any WallClock
  private(set) var date: String

  init(loop: any EventLoop, clock: any WallClock) {
    self.loop = loop
    self.clock = clock
    self.date = HTTPDate.text(for: clock)
    self.executor = CallbackExecutor { loop.execute($0) }
  }

  func add(_ connection: any LoopConnection) { open[ObjectIdentifier(connection)] = connection }
  func remove(_ connection: any LoopConnection) { open[ObjectIdentifier(connection)] = nil }

  func startTicking() {
    loop.execute {
      self.ticking = self.loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
        self.date = HTTPDate.text(for: self.clock)
        let now = NIODeadline.now()
        // A copy: a connection that closes leaves the table while we go over it.
        for connection in Array(self.open.values) { connection.tick(now) }
      }
    }
  }

  func stopTicking() { loop.execute { self.ticking?.cancel() } }

  func quiesce() {
    loop.execute { for connection in Array(self.open.values) { connection.quiesce() } }
  }

  func abandon(afterSeconds seconds: Int) -> Scheduled<Void> {
    loop.scheduleTask(in: .seconds(Int64(seconds))) {
      for connection in Array(self.open.values) { connection.abandon() }
    }
  }
}
