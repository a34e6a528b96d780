import Synchronization

/// Sends what ``RecordBuffer`` holds, a batch at a time, for as long as its task lives. It decides nothing:
/// what a batch is, the buffer says, and whether to try again, ``RetryPolicy``.
final class Sender: Sendable {
  private let options: CordwoodLogOptions
  private let transport: any Transport
  private let timing: Timing
  private let policy = RetryPolicy()
  private let complaints: Complaints
  private let state: Mutex<State>
  private let wake = Wake()

  private struct State: Sendable {
    var buffer: RecordBuffer
    /// Who waits until a record is settled.
    var flushes: [Int: (count: UInt64, done: Wake)] = [:]
    var flushNumber = 0
  }

  init(options: CordwoodLogOptions, transport: any Transport, timing: Timing, complaints: Complaints) {
    self.options = options.bounded
    self.transport = transport
    self.timing = timing
    self.complaints = complaints
    var random = SystemRandomNumberGenerator()
    let prefix = String(random.next(), radix: 16) + String(random.next(), radix: 16)
    state = Mutex(State(buffer: RecordBuffer(options: options.bounded, keyPrefix: prefix)))
  }

  var textBytesMax: Int { options.textBytesMax }

  /// Takes a line of JSON. Never waits for the network: for a lock at most, which nobody holds for longer
  /// than copying a record, or a batch now and then, takes.
  func append(_ record: [UInt8]) {
    let isNews = state.withLock { $0.buffer.append(record) }
    if isNews { wake.ring() }
  }

  var counts: CordwoodLogCounts { state.withLock { $0.buffer.current } }

  /// Sends batches until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      if state.withLock({ $0.buffer.isEmpty }) {
        await wake.wait()
        continue
      }
      await waitForMore()
      let batch = state.withLock { state in state.buffer.take(report: Sender.report(timing.now())) }
      if let batch { await send(batch) }
    }
  }

  /// Returns when a batch is full, somebody waits for a flush, or the interval is over.
  private func waitForMore() async {
    await timing.limit(options.batchInterval) { [self] in
      while !Task.isCancelled, !state.withLock({ $0.buffer.isUrgent }) { await wake.wait() }
    }
  }

  private func send(_ batch: Batch) async {
    let start = timing.elapsed()
    var attemptCount = 0
    while !Task.isCancelled {
      let (answer, failure) = await attempt(batch)
      attemptCount += 1
      switch policy.decide(answer) {
      case .settle(let outcome):
        if outcome == .refused {
          complaints.tell("the server refused a batch of log records", answer, nil, batch.recordCount)
        }
        return settle(batch, outcome)
      case .retry(let afterSeconds):
        complaints.tell("log records cannot be sent yet", answer, failure, batch.recordCount)
        let delay = policy.delay(
          attemptCount: attemptCount, retryAfterSeconds: afterSeconds, chance: timing.chance())
        guard timing.elapsed() - start + delay < options.giveUpAfter else {
          complaints.tell("a batch of log records was given up", answer, failure, batch.recordCount)
          return settle(batch, .abandoned)
        }
        guard await timing.sleeps(delay) else { return }
      }
    }
  }

  private func attempt(_ batch: Batch) async -> (answer: TransportAnswer?, failure: (any Error)?) {
    do {
      return (try await transport.send(batch.body, key: batch.key), nil)
    } catch {
      return (nil, error)
    }
  }

  private func settle(_ batch: Batch, _ outcome: BatchOutcome) {
    let done = state.withLock { state in
      state.buffer.settle(batch, outcome)
      return state.flushes.values.filter { $0.count <= state.buffer.settledCount }.map(\.done)
    }
    for flush in done { flush.ring() }
  }

  /// Waits until all that was taken in before is stored or lost, for as long as `limit`.
  ///
  /// - Returns: Whether it is.
  func flush(within limit: Duration) async -> Bool {
    let done = Wake()
    let number = state.withLock { state -> Int? in
      let count = state.buffer.acceptedCount
      guard count > state.buffer.settledCount else { return nil }
      state.buffer.flushCount = max(state.buffer.flushCount, count)
      state.flushNumber += 1
      state.flushes[state.flushNumber] = (count, done)
      return state.flushNumber
    }
    guard let number else { return true }
    wake.ring()
    await timing.limit(limit) { await done.wait() }
    return state.withLock { state in
      guard let flush = state.flushes.removeValue(forKey: number) else { return true }
      return flush.count <= state.buffer.settledCount
    }
  }

  /// Takes no more records. What still waits is lost, counted and complained of.
  func close() {
    let (lostCount, done) = state.withLock { state in
      (state.buffer.close(), state.flushes.values.map(\.done))
    }
    for flush in done { flush.ring() }
    if lostCount > 0 { complaints.tell("log records were not sent before the end", nil, nil, lostCount) }
  }

  /// The record that tells how many were lost.
  private static func report(_ nanoseconds: Int64) -> (Int) -> [UInt8] {
    return { count in
      var json = JSONText(textBytesMax: 64, capacity: RecordBuffer.reportBytesMax)
      json.raw("{\"timestamp\":")
      json.integer(nanoseconds)
      json.raw(",\"level\":\"WARN\",\"message\":\"log records were lost\",\"metadata\":{\"lost_records\":")
      json.integer(Int64(count))
      json.raw(",\"logger\":\"CordwoodLogging\"}}\n")
      return json.bytes
    }
  }
}
