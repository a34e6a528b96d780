import Records
import Synchronization

/// Tells an observer what a store's background does: of each piece of work its first failure and then its
/// end.
///
/// Any thread. Costs a lock of a few words a call, and the observer's time where there is something to tell.
package final class StoreReporter: Sendable {
  private struct Piece: Hashable {
    let work: StoreWork
    let partition: Partition?
  }

  private let observer: any StoreObserver
  /// What has failed and not yet succeeded: at most one a kind of work and partition.
  private let failing = Mutex<Set<Piece>>([])

  /// Nothing fails yet.
  package init(_ observer: any StoreObserver) { self.observer = observer }

  /// Tells `event` as it is.
  package func tell(_ event: StoreEvent) { observer.observe(event) }

  /// Says that work failed; told unless its last try failed too. That the store stops is no failure, and that
  /// a log is poisoned is told by itself.
  package func failed(
    _ work: StoreWork, of partition: Partition? = nil, file: String? = nil, _ error: StoreError
  ) {
    switch error {
    case .stopping, .poisoned: return
    case .diskFull, .headFull, .idempotencyMismatch, .importElsewhere, .keysExhausted, .memoryExhausted,
      .cancelled, .deadlineExceeded, .exhausted, .clockStepped, .disk, .corrupt, .laterVersion, .invalid,
      .invalidFilter:
      break
    }
    let isFirst = failing.withLock { $0.insert(Piece(work: work, partition: partition)).inserted }
    if isFirst { observer.observe(.failed(work, partition: partition, file: file, error: error)) }
  }

  /// Says that work is done, or that there is none; told if its last try failed.
  package func done(_ work: StoreWork, of partition: Partition? = nil) {
    let wasFailing = failing.withLock { failing in
      !failing.isEmpty && failing.remove(Piece(work: work, partition: partition)) != nil
    }
    if wasFailing { observer.observe(.healed(work, partition: partition)) }
  }
}
