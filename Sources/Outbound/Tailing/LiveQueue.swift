import Records
import Synchronization

/// What waits for one subscriber, bounded in messages and bytes.
final class LiveQueue: Sendable {
  private enum Entry: Sendable {
    case frame(LiveFrame)
    case dropped(Int)
  }

  private struct State: Sendable {
    var entries: [Entry] = []
    /// Entries before it were taken.
    var start = 0
    var messageCount = 0
    var byteCount = 0
    var failure: StoreError?
    /// Whether `wake` was called since the queue was last empty.
    var isSignalled = false
    var isClosed = false

    var isEmpty: Bool { start == entries.count }
  }

  /// What an entry takes beside its frame, about; charged to the budget.
  private static let entryBytes = 32

  private let limits: LiveLimits
  private let budget: LiveBudget
  private let wake: @Sendable () -> Void
  private let state = Mutex(State())

  init(limits: LiveLimits, budget: LiveBudget, wake: @escaping @Sendable () -> Void) {
    self.limits = limits
    self.budget = budget
    self.wake = wake
  }

  deinit { close() }

  /// What queues that hold something may still grow by. An eighth is kept for those that are empty: for the
  /// quick.
  private var bytesLeftToGrow: Int { max(0, budget.bytesLeft - limits.bytesMax / 8) }

  /// Whether a small frame would be taken in.
  var hasRoom: Bool {
    state.withLock { state in
      state.isEmpty && budget.bytesLeft > 0
        || state.messageCount < limits.queueMessagesMax
          && state.byteCount < min(limits.queueBytesMax, bytesLeftToGrow)
    }
  }

  /// Takes the frame in, or drops it and notes how many messages are missing; whether it was taken in.
  @discardableResult func push(_ frame: LiveFrame) -> Bool {
    let (isTaken, mustWake) = state.withLock { state in
      if state.isClosed { return (false, false) }
      // The frame itself is charged already.
      let fits =
        state.isEmpty
        ? budget.bytesLeft > 0
        : state.messageCount + frame.messageCount <= limits.queueMessagesMax
          && state.byteCount + frame.bytes.count <= min(limits.queueBytesMax, bytesLeftToGrow)
      if fits {
        state.entries.append(.frame(frame))
        state.messageCount += frame.messageCount
        state.byteCount += frame.bytes.count
        budget.charge(LiveQueue.entryBytes)
      } else {
        noteDropped(frame.messageCount, &state)
      }
      return (fits, signal(&state))
    }
    if mustWake { wake() }
    return isTaken
  }

  /// Notes that `count` messages are missing here.
  func drop(_ count: Int) {
    let mustWake = state.withLock { state in
      if state.isClosed { return false }
      noteDropped(count, &state)
      return signal(&state)
    }
    if mustWake { wake() }
  }

  /// Gives `error` out behind what waits; nothing is taken in any more.
  func fail(_ error: StoreError) {
    let mustWake = state.withLock { state in
      if state.isClosed { return false }
      state.isClosed = true
      state.failure = error
      return signal(&state)
    }
    if mustWake { wake() }
  }

  private func noteDropped(_ count: Int, _ state: inout State) {
    if !state.isEmpty, case .dropped(let before) = state.entries[state.entries.count - 1] {
      state.entries[state.entries.count - 1] = .dropped(before + count)
    } else {
      state.entries.append(.dropped(count))
      budget.charge(LiveQueue.entryBytes)
    }
  }

  private func signal(_ state: inout State) -> Bool {
    defer { state.isSignalled = true }
    return !state.isSignalled
  }

  func take(bytesMax: Int) -> [LiveDelivery] {
    state.withLock { state in
      var deliveries: [LiveDelivery] = []
      var bytes = 0
      while !state.isEmpty {
        switch state.entries[state.start] {
        case .dropped(let count): deliveries.append(.dropped(count))
        case .frame(let frame):
          if !deliveries.isEmpty, bytes + frame.bytes.count > bytesMax { return deliveries }
          deliveries.append(.frame(frame))
          bytes += frame.bytes.count
          state.messageCount -= frame.messageCount
          state.byteCount -= frame.bytes.count
        }
        removeFirst(&state)
      }
      if let failure = state.failure {
        deliveries.append(.failed(failure))
        state.failure = nil
      }
      state.isSignalled = false
      return deliveries
    }
  }

  private func removeFirst(_ state: inout State) {
    budget.giveBack(LiveQueue.entryBytes)
    // Lets go of the frame: the entry itself goes with many others.
    state.entries[state.start] = .dropped(0)
    state.start += 1
    if state.start == state.entries.count {
      state.entries.removeAll(keepingCapacity: state.entries.capacity <= 64)
      state.start = 0
    } else if state.start * 2 > state.entries.count, state.start >= 64 {
      state.entries.removeFirst(state.start)
      state.start = 0
    }
  }

  /// Lets go of what waits; nothing is taken in any more.
  func close() {
    state.withLock { state in
      state.isClosed = true
      budget.giveBack((state.entries.count - state.start) * LiveQueue.entryBytes)
      state.entries = []
      state.start = 0
      state.messageCount = 0
      state.byteCount = 0
      state.failure = nil
    }
  }
}
