import Routing
import Logging
import Platform
import Records
import Synchronization

/// Turns what the store tells of its background into lines of the log and into figures.
///
/// The store's threads leave an event and go on; the log is written on a thread of its own. Where it is read
/// so slowly that
/// ``waitingMax`` lines wait, further ones are dropped and counted, and the next line says how many.
package final class StoreReports: StoreObserver {
  static let waitingMax = 10_000

  fileprivate struct State {
    var failing: [StoreWork: Int] = [:]
    var failures: [StoreWork: Int] = [:]
    var poisoned: Set<StoreLog> = []
    var damagedCount = 0
    var waitingCount = 0
    var droppedCount = 0
  }

  private let state = Mutex(State())
  private let logger: Logger
  private let thread = DiskThread(name: "store log")

  package init(logger: Logger) { self.logger = logger }

  package func observe(_ event: StoreEvent) {
    let line = StoreLogLine(event)
    let isLogged = line.level >= logger.logLevel
    let mustWrite = state.withLock { state in
      state.count(event)
      guard isLogged else { return false }
      guard state.waitingCount < StoreReports.waitingMax else {
        state.droppedCount += 1
        return false
      }
      state.waitingCount += 1
      return true
    }
    if mustWrite { thread.submit { [self] in write(line) } }
  }

  private func write(_ line: StoreLogLine) {
    logger.log(level: line.level, "store", metadata: line.metadata)
    let droppedCount = state.withLock { state in
      state.waitingCount -= 1
      defer { state.droppedCount = 0 }
      return state.droppedCount
    }
    if droppedCount > 0 {
      logger.error("\(droppedCount) lines about the store were dropped: the log is read too slowly")
    }
  }

  /// Returns when all that was told before the call is in the log.
  package func drain() async { await thread.run {} }

  /// What fails now, for people; nil: nothing does.
  package var trouble: String? {
    let failing = state.withLock { $0.failing.keys.map(\.rawValue).sorted() }
    return failing.isEmpty ? nil : failing.joined(separator: ", ")
  }

  /// Writes the metric families.
  package func collect(into text: inout MetricsText) {
    let (failing, failures, poisoned, damagedCount) = state.withLock {
      ($0.failing, $0.failures, $0.poisoned, $0.damagedCount)
    }
    text.family("cordwood_store_failing", .gauge, "Pieces of background work whose last try failed.")
    for work in StoreWork.allCases {
      text.sample("cordwood_store_failing", [("work", work.rawValue)], Double(failing[work] ?? 0))
    }
    text.family(
      "cordwood_store_failures_total", .counter, "Rows of failed tries of background work: each counts once.")
    for work in StoreWork.allCases {
      text.sample("cordwood_store_failures_total", [("work", work.rawValue)], Double(failures[work] ?? 0))
    }
    text.family(
      "cordwood_store_poisoned", .gauge, "1 once a sync failed, so that nothing is written before a restart.")
    for log in StoreLog.allCases {
      text.sample("cordwood_store_poisoned", [("log", log.rawValue)], poisoned.contains(log) ? 1 : 0)
    }
    text.single(
      "cordwood_store_damaged_total", .counter, "Blocks that were found damaged when they were to be merged.",
      Double(damagedCount))
  }
}

extension StoreReports.State {
  fileprivate mutating func count(_ event: StoreEvent) {
    switch event {
    case .failed(let work, _, _, _):
      failing[work, default: 0] += 1
      failures[work, default: 0] += 1
    case .healed(let work, _):
      let left = (failing[work] ?? 0) - 1
      failing[work] = left > 0 ? left : nil
    case .poisoned(let log, _): poisoned.insert(log)
    case .damaged: damagedCount += 1
    case .archived, .compacted, .dropped, .orphansRemoved, .setAside: break
    }
  }
}

/// A line of the log (Docs/operating/log.md).
struct StoreLogLine {
  let level: Logger.Level
  let metadata: Logger.Metadata

  init(_ event: StoreEvent) {
    var members: [(name: String, value: String?)] = []
    switch event {
    case .failed(let work, let partition, let file, let error):
      level = work == .commit ? .error : .warning
      members = [
        ("event", "failed"), ("work", work.rawValue), ("partition", partition?.description), ("file", file),
        ("error", error.sentence), ("now", work.consequence),
      ]
    case .healed(let work, let partition):
      level = .notice
      members = [("event", "healed"), ("work", work.rawValue), ("partition", partition?.description)]
    case .poisoned(let log, let error):
      level = .critical
      members = [
        ("event", "poisoned"), ("log", log.rawValue), ("error", error.sentence),
        ("now", "What was acknowledged is kept. Nothing more is written before a restart."),
      ]
    case .damaged(let partition, let error):
      level = .error
      members = [
        ("event", "damaged"), ("partition", partition.description), ("error", error.sentence),
        ("now", "Queries that need these bytes fail; nothing is removed. cordwood check names all damage."),
      ]
    case .archived(let partition, let file, let rowCount):
      level = .debug
      members = [
        ("event", "archived"), ("partition", partition.description), ("file", file), ("rows", "\(rowCount)"),
      ]
    case .compacted(let partition, let inputCount, let file, let rowCount):
      level = .debug
      members = [
        ("event", "compacted"), ("partition", partition.description), ("blocks", "\(inputCount)"),
        ("file", file), ("rows", "\(rowCount)"),
      ]
    case .dropped(let partition, let blockCount, let rowCount):
      level = .info
      members = [
        ("event", "dropped"), ("partition", partition.description), ("blocks", "\(blockCount)"),
        ("rows", "\(rowCount)"),
      ]
    case .orphansRemoved(let count):
      level = .notice
      members = [("event", "orphans_removed"), ("files", "\(count)")]
    case .setAside(let file, let target):
      level = .warning
      let moved = "The store did not write it, so nothing of it is removed."
      members = [
        ("event", "set_aside"), ("file", file), ("target", target),
        ("now", target == nil ? "It could not be moved to lost+found. " + moved : moved),
      ]
    }
    metadata = Logger.Metadata(
      uniqueKeysWithValues: members.compactMap { member in
        member.value.map { (member.name, .string($0)) }
      })
  }
}

extension StoreError {
  /// For people.
  fileprivate var sentence: String {
    switch self {
    case .diskFull(let text), .poisoned(let text), .memoryExhausted(let text), .disk(let text),
      .invalid(let text):
      text
    case .corrupt(let file, let offset, let reason): "\(file), byte \(offset): \(reason)"
    case .laterVersion(let file, let version): "\(file) was made by a later version (format \(version))"
    case .headFull: "the head is full"
    case .stopping: "the store is stopping"
    case .idempotencyMismatch: "a key was used twice"
    case .keysExhausted: "too many idempotency keys"
    }
  }
}
