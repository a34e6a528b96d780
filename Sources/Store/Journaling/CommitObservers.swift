import Records
import Synchronization

/// Who is told of commits.
final class CommitObservers: Sendable {
  typealias Wake = @Sendable (Set<Partition>) -> Void

  private struct State: Sendable {
    var nextID: UInt64 = 0
    var wakes: [(id: UInt64, wake: Wake)] = []
  }

  private let state = Mutex(State())

  func add(_ wake: @escaping Wake) -> CommitObservation {
    let id = state.withLock { state in
      defer { state.nextID += 1 }
      state.wakes.append((state.nextID, wake))
      return state.nextID
    }
    return CommitObservation { [weak self] in
      self?.state.withLock { state in state.wakes.removeAll { $0.id == id } }
    }
  }

  /// Calls each with the partitions of `frames`. Holds no lock meanwhile: an observation may be ended inside.
  func tell(_ frames: [DraftFrame]) {
    let wakes = state.withLock { $0.wakes }
    if wakes.isEmpty { return }
    let partitions = Set(frames.compactMap(\.partition))
    if partitions.isEmpty { return }
    for (_, wake) in wakes { wake(partitions) }
  }
}
