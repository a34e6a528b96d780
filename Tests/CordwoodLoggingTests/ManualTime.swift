import Synchronization

@testable import CordwoodLogging

/// Time that a test moves. Whoever sleeps wakes when it has come so far.
final class ManualTime: Sendable {
  private struct Sleeper: Sendable {
    let length: Duration
    let end: Duration
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State: Sendable {
    var now: Duration = .zero
    var number = 0
    var sleepers: [Int: Sleeper] = [:]
    var watchers: [(length: Duration, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  /// Chance is always a half.
  var timing: Timing {
    Timing(
      now: { 1_800_000_000_000_000_000 }, elapsed: { self.state.withLock { $0.now } },
      sleep: { try await self.sleep($0) }, chance: { 0.5 })
  }

  private func sleep(_ length: Duration) async throws {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    let isCancelled = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let watchers = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
          if Task.isCancelled { return nil }
          state.sleepers[number] = Sleeper(
            length: length, end: state.now + length, continuation: continuation)
          let seen = state.watchers.filter { $0.length == length }
          state.watchers.removeAll { $0.length == length }
          return seen.map(\.continuation)
        }
        guard let watchers else { return continuation.resume(returning: true) }
        for watcher in watchers { watcher.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume(returning: true)
    }
    if isCancelled { throw CancellationError() }
  }

  func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.now += duration
      let woken = state.sleepers.filter { $0.value.end <= state.now }
      for number in woken.keys { state.sleepers[number] = nil }
      return woken.values.map(\.continuation)
    }
    for sleeper in woken { sleeper.resume(returning: false) }
  }

  /// Returns when somebody sleeps for `length`.
  func untilSomebodySleeps(for length: Duration) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.values.contains(where: { $0.length == length }) { return true }
        state.watchers.append((length, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}
