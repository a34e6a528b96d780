import GRDB
import Records
import Synchronization

/// Changes that wait for a commit. All that wait at one time share one transaction and its sync, so that many
/// connections do not wait for a sync each.
package final class ChangeQueue: Sendable {
  /// What became of a change that was to wait.
  package enum Enqueued {
    /// Nothing was kept of it.
    case isFull
    /// Nobody commits: the caller is to see to it.
    case commitIsDue
    case waits
  }

  private struct State: Sendable {
    var waiting: [any Change] = []
    /// Whether a commit is running or about to.
    var isBusy = false
  }

  /// Each waits in a request; beyond so many they are refused.
  private static let waitingMax = 10_000
  /// Of one transaction: some milliseconds of work, for which a sync is worth waiting.
  private static let commitMax = 256

  private let state = Mutex(State())

  /// An empty queue.
  package init() {}

  /// Has `change` wait for ``commitWaiting(on:telling:)``. Any thread.
  package func enqueue(_ change: any Change) -> Enqueued {
    state.withLock { state in
      guard state.waiting.count < ChangeQueue.waitingMax else { return .isFull }
      state.waiting.append(change)
      if state.isBusy { return .waits }
      state.isBusy = true
      return .commitIsDue
    }
  }

  /// Whether another commit must follow; if not, the next to come starts one.
  package func isCommitDue() -> Bool {
    state.withLock { state in
      state.isBusy = !state.waiting.isEmpty
      return state.isBusy
    }
  }

  /// Commits the oldest of those that wait, tells what they changed, in their order, and then answers them.
  /// A change that fails fails alone. On the writer's turn; blocks for a sync, as the connection's
  /// `synchronous` has it.
  package func commitWaiting(on database: Database, telling tell: ([ControlChange]) -> Void) {
    let changes = state.withLock { state in
      let count = min(state.waiting.count, ChangeQueue.commitMax)
      defer { state.waiting.removeFirst(count) }
      return Array(state.waiting[..<count])
    }
    commit(changes, on: database, tell)
  }

  private func commit(
    _ changes: [any Change], on database: Database, _ tell: ([ControlChange]) -> Void
  ) {
    do {
      let outcomes = try ChangeQueue.transaction(changes, on: database)
      for outcome in outcomes { if case .success(let told) = outcome { tell(told) } }
      for (change, outcome) in zip(changes, outcomes) { change.end(outcome) }
    } catch {
      // One that needs more room than there is must not take the others with it.
      if changes.count > 1, (error as? DatabaseError)?.isOfFullDisk == true {
        for change in changes { commit([change], on: database, tell) }
      } else {
        for change in changes { change.end(.failure(error)) }
      }
    }
  }

  /// What became of each change, all in one transaction; throws if nothing of it was kept.
  private static func transaction(
    _ changes: [any Change], on database: Database
  ) throws -> [Result<[ControlChange], any Error>] {
    var outcomes: [Result<[ControlChange], any Error>] = []
    try database.inTransaction(.immediate) {
      for change in changes { outcomes.append(try attempt(change, on: database)) }
      return .commit
    }
    return outcomes
  }

  /// A change that fails leaves nothing in the transaction, and the transaction as it was.
  private static func attempt(
    _ change: any Change, on database: Database
  ) throws -> Result<[ControlChange], any Error> {
    var told: [ControlChange] = []
    do {
      try database.inSavepoint {
        told = try change.run(database)
        return .commit
      }
      return .success(told)
    } catch {
      // Some failures make SQLite roll back all of it.
      guard database.isInsideTransaction else { throw error }
      return .failure(error)
    }
  }
}

/// Something that is to be changed, and who waits for it.
package protocol Change: Sendable {
  /// Makes the change; gives what is to be told of it. May be run twice, the first time for nothing.
  func run(_ database: Database) throws -> [ControlChange]
  /// Answers who waits. Once, after the last run.
  func end(_ outcome: Result<[ControlChange], any Error>)
}

/// A change whose caller is suspended.
final class WaitingChange<Value: Sendable>: Change {
  typealias Waiter = CheckedContinuation<Result<Value, AccessError>, Never>

  private let doing: String
  private let body: @Sendable (Database) throws -> Value
  private let changes: @Sendable (Value) -> [ControlChange]
  private let waiter: Waiter
  /// Of the last run.
  private let value = Mutex<Value?>(nil)

  init(
    doing: String, body: @escaping @Sendable (Database) throws -> Value,
    telling changes: @escaping @Sendable (Value) -> [ControlChange], _ waiter: Waiter
  ) {
    self.doing = doing
    self.body = body
    self.changes = changes
    self.waiter = waiter
  }

  func run(_ database: Database) throws -> [ControlChange] {
    let result = try body(database)
    value.withLock { $0 = result }
    return changes(result)
  }

  func end(_ outcome: Result<[ControlChange], any Error>) {
    switch outcome {
    case .success:
      guard let result = value.withLock({ $0 }) else { bug("the change ran") }
      waiter.resume(returning: .success(result))
    case .failure(let error): fail(AccessError(error, doing: doing))
    }
  }

  func fail(_ error: AccessError) { waiter.resume(returning: .failure(error)) }
}
