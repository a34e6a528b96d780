import Records
import Synchronization

/// Who is told of commits.
final class CommitObservers: Sendable {
  typealias Wake = @Sendable ([Partition: Int64]) -> Void

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

  /// Calls each with the partitions of `frames` and where their rows end now. Holds no lock meanwhile: an
  /// observation may be ended inside.
  func tell(_ frames: [DraftFrame]) {
    let wakes = state.withLock { $0.wakes }
    if wakes.isEmpty { return }
    var ends: [Partition: Int64] = [:]
    for frame in frames {
      guard let partition = frame.partition else { continue }
      // A partition's frames come in the order of their positions.
      ends[partition] = frame.header.firstPosition + Int64(frame.header.rowCount)
    }
    if ends.isEmpty { return }
    for (_, wake) in wakes { wake(ends) }
  }
}
