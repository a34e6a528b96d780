import Records
import Synchronization

/// What a store has told, in order.
package final class EventList: StoreObserver {
  private let list = Mutex<[StoreEvent]>([])

  package init() {}

  package func observe(_ event: StoreEvent) { list.withLock { $0.append(event) } }

  /// All of it.
  package var all: [StoreEvent] { list.withLock { $0 } }

  /// All of it; the list is empty afterwards.
  package func take() -> [StoreEvent] {
    list.withLock { list in
      defer { list = [] }
      return list
    }
  }

  /// As ``take()``, but only what failed, healed or ended: no word of work that was done.
  package func takeTroubles() -> [StoreEvent] {
    take().filter { event in
      switch event {
      case .failed, .healed, .poisoned, .damaged: true
      case .archived, .compacted, .dropped, .orphansRemoved, .setAside: false
      }
    }
  }

  /// What one life of a store must not tell, if it did: a failure twice, an end of what had not failed, a
  /// second poisoning.
  package var problem: String? {
    var failing: Set<String> = []
    var poisoned: Set<StoreLog> = []
    for event in all {
      switch event {
      case .failed(let work, let partition, _, _):
        let piece = "\(work.rawValue) of \(partition.map { "\($0)" } ?? "all")"
        if !failing.insert(piece).inserted { return "\(piece) failed twice: \(event)" }
      case .healed(let work, let partition):
        let piece = "\(work.rawValue) of \(partition.map { "\($0)" } ?? "all")"
        if failing.remove(piece) == nil { return "\(piece) healed without a failure" }
      case .poisoned(let log, _):
        if !poisoned.insert(log).inserted { return "the \(log.rawValue) was poisoned twice" }
      case .damaged, .archived, .compacted, .dropped, .orphansRemoved, .setAside: break
      }
    }
    return nil
  }
}
