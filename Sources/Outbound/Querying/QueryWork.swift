import Platform
import Records
import Synchronization

/// What a query does between being asked and its last row: ended when its task is cancelled, and when it has
/// taken its time. A query works within ``run(_:)`` and rests between, while its client reads.
struct QueryWork: Sendable {
  let cancellation: CancellationToken
  let endings: QueryEndings

  /// Runs `body`, which looks at ``cancellation`` as it goes. One call at a time.
  ///
  /// - Throws: `.cancelled`, `.deadlineExceeded`, besides what `body` throws.
  func run<Value>(_ body: () async throws(StoreError) -> Value) async throws(StoreError) -> Value {
    let cancellation = cancellation
    cancellation.resume()
    defer { cancellation.pause() }
    let result: Result<Value, StoreError> = await withTaskCancellationHandler {
      do throws(StoreError) {
        try cancellation.check()
        return .success(try await body())
      } catch { return .failure(error) }
    } onCancel: {
      cancellation.cancel()
    }
    if case .failure(let error) = result { endings.note(error) }
    return try result.get()
  }
}

/// What a query runs on and with.
struct QueryRun: Sendable {
  let workers: any QueryWorkers
  let share: MemoryShare
  let work: QueryWork
  let uptime: any UptimeClock
}

/// How many queries did not come to their end, by what ended them.
package final class QueryEndings: Sendable {
  private let cancelledCount = Atomic<Int>(0)
  private let deadlineCount = Atomic<Int>(0)
  private let memoryCount = Atomic<Int>(0)

  /// None.
  package init() {}

  /// Whose asker was gone.
  package var cancelled: Int { cancelledCount.load(ordering: .relaxed) }
  /// That took longer than `query.seconds_max`.
  package var overdue: Int { deadlineCount.load(ordering: .relaxed) }
  /// For which there was not enough memory.
  package var starved: Int { memoryCount.load(ordering: .relaxed) }

  func note(_ error: StoreError) {
    switch error {
    case .cancelled: cancelledCount.add(1, ordering: .relaxed)
    case .deadlineExceeded: deadlineCount.add(1, ordering: .relaxed)
    case .memoryExhausted: memoryCount.add(1, ordering: .relaxed)
    case .diskFull, .headFull, .poisoned, .stopping, .idempotencyMismatch, .importElsewhere, .keysExhausted,
      .exhausted, .clockStepped, .disk, .corrupt, .laterVersion, .invalid,
      .invalidFilter:
      break
    }
  }
}
