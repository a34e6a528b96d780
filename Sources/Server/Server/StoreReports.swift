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

  /// What fails, and why since when.
  fileprivate struct Failure {
    let partition: Partition?
    let error: StoreError
    /// By the uptime clock.
    let since: Int64
  }

  fileprivate struct Piece: Hashable {
    let work: StoreWork
    let partition: Partition?
  }

  fileprivate struct State {
    var failing: [Piece: Failure] = [:]
    var remindedAt: Int64?
    var failures: [StoreWork: Int] = [:]
    var poisoned: Set<StoreLog> = []
    var damagedCount = 0
    var clockStep: SettledClock.Step?
    var waitingCount = 0
    var droppedCount = 0
  }

  private let state = Mutex(State())
  private let logger: Logger
  private let thread = DiskThread(name: "store log")
  private let uptime: any UptimeClock
  /// Between two lines about what still fails.
  private static let reminderNanoseconds: Int64 = 60_000_000_000
  /// Failures that `/readyz` spells out.
  private static let spelledMax = 3

  /// - Parameter uptime: Says for how long something has failed.
  package init(logger: Logger, uptime: any UptimeClock = SystemUptime()) {
    self.logger = logger
    self.uptime = uptime
  }

  package func observe(_ event: StoreEvent) {
    let line = StoreLogLine(event)
    let isLogged = line.level >= logger.logLevel
    let now = uptime.uptime()
    let mustWrite = state.withLock { state in
      state.count(event, at: now)
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

  /// Takes note of whether the machine's clock is believed, and logs when that changes. Blocks on the log.
  func note(_ step: SettledClock.Step?) {
    let before = state.withLock { state in
      defer { state.clockStep = step }
      return state.clockStep
    }
    if let step, before == nil {
      logger.warning(
        "the clock stepped",
        metadata: [
          "seconds": "\(step.seconds)",
          "now": """
          Nothing is dropped for its age and no token expires by the new time until it has stayed for \
          \(step.secondsLeft) s. If it is right, a restart with clock.step_seconds=0 believes it at once.
          """,
        ])
    } else if step == nil, before != nil {
      logger.notice("the clock is believed again")
    }
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

  /// Logs what still fails, a line a minute for each kind of work: a failure is told once only, and who looks
  /// at the log an hour later must see it. Called about once a second; blocks on the log.
  package func remind() {
    let now = uptime.uptime()
    let failing = state.withLock { state -> [(StoreWork, [Failure])] in
      guard !state.failing.isEmpty else {
        state.remindedAt = nil
        return []
      }
      let last = state.remindedAt ?? state.failing.values.map(\.since).min() ?? now
      guard now - last >= StoreReports.reminderNanoseconds else { return [] }
      state.remindedAt = now
      return state.failures(longerThan: StoreReports.reminderNanoseconds / 2, at: now)
    }
    for (work, failures) in failing {
      guard let first = failures.first else { continue }
      logger.warning(
        "store",
        metadata: [
          "event": "still_failing", "work": "\(work.rawValue)", "pieces": "\(failures.count)",
          "partition": "\(first.partition?.description ?? "")", "error": "\(first.error.sentence)",
          "seconds": "\((now - first.since) / 1_000_000_000)", "now": "\(work.consequence)",
          "do": "\(first.error.remedy)",
        ])
    }
  }

  /// What fails now, of which partition, what is true meanwhile and what to do, for people; nil: nothing
  /// does.
  package var trouble: String? {
    let now = uptime.uptime()
    let (failing, step) = state.withLock { ($0.failures(longerThan: 0, at: now), $0.clockStep) }
    var sentences = failing.flatMap { work, failures in
      failures.map { failure in
        let place = failure.partition.map { " of \($0)" } ?? ""
        let what = "\(work.rawValue)\(place): \(failure.error.sentence)"
        return "\(what). \(work.consequence) \(failure.error.remedy)"
      }
    }
    let more = sentences.count - StoreReports.spelledMax
    if more > 0 { sentences = sentences.prefix(StoreReports.spelledMax) + ["\(more) more"] }
    if let step {
      sentences.append("the clock stepped by \(step.seconds) s, not believed for \(step.secondsLeft) s")
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: "; ")
  }

  /// Writes the metric families.
  package func collect(into text: inout MetricsText) {
    let (failing, failures, poisoned, damagedCount, step) = state.withLock {
      ($0.failingCounts, $0.failures, $0.poisoned, $0.damagedCount, $0.clockStep)
    }
    text.single(
      "cordwood_clock_step_seconds", .gauge,
      "By how much the clock is ahead of the time by which things expire; 0: it is believed.",
      Double(step?.seconds ?? 0))
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
      "cordwood_store_damaged_total", .counter, "Files that were found damaged or missing.",
      Double(damagedCount))
  }
}

extension StoreReports.State {
  /// How much of each kind of work fails.
  fileprivate var failingCounts: [StoreWork: Int] {
    failing.keys.reduce(into: [:]) { $0[$1.work, default: 0] += 1 }
  }

  /// What fails for so long, by kind of work, the longest first.
  fileprivate func failures(
    longerThan nanoseconds: Int64, at now: Int64
  ) -> [(StoreWork, [StoreReports.Failure])] {
    StoreWork.allCases.compactMap { work in
      let found = failing.filter { $0.key.work == work && now - $0.value.since >= nanoseconds }.map(\.value)
      return found.isEmpty ? nil : (work, found.sorted { $0.since < $1.since })
    }
  }

  fileprivate mutating func count(_ event: StoreEvent, at now: Int64) {
    switch event {
    case .failed(let work, let partition, _, let error):
      failing[StoreReports.Piece(work: work, partition: partition)] = StoreReports.Failure(
        partition: partition, error: error, since: now)
      failures[work, default: 0] += 1
    case .healed(let work, let partition):
      failing[StoreReports.Piece(work: work, partition: partition)] = nil
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

  private static let afterDamage =
    "The file is left out of answers, which say so, and kept as it is. Restore it from a copy and restart; "
    + "cordwood check names all damage, cordwood repair does without it."

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
        ("now", StoreLogLine.afterDamage),
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
  /// What people can do about it.
  fileprivate var remedy: String {
    switch self {
    case .diskFull: "Make room on the volume (bytes or inodes), or lower storage.write_reserve_bytes."
    case .exhausted: "Let the process have more descriptors (ulimit -n, LimitNOFILE)."
    case .disk: "Look at the file's permissions, at mounts, and at the kernel's log for the disk."
    case .corrupt: "Copy the data directory before anything else; cordwood check names all damage."
    case .clockStepped:
      "Set the clock; if it is right, wait, or restart with clock.step_seconds=0."
    case .headFull: "It ends when archiving has caught up: look for what that fails with."
    case .poisoned: "Look at the disk, then restart the server."
    case .laterVersion: "Start the later version."
    case .memoryExhausted: "Raise query.memory_bytes_max, or run fewer queries at one time."
    case .idempotencyMismatch, .importElsewhere, .invalid, .keysExhausted, .stopping, .cancelled,
      .deadlineExceeded, .invalidFilter:
      "There is nothing to be done."
    }
  }

  /// For people.
  fileprivate var sentence: String {
    switch self {
    case .diskFull(let text), .poisoned(let text), .memoryExhausted(let text), .exhausted(let text),
      .disk(let text), .invalid(let text):
      text
    case .corrupt(let file, let offset, let reason): "\(file), byte \(offset): \(reason)"
    case .laterVersion(let file, let version): "\(file) was made by a later version (format \(version))"
    case .headFull: "the head is full"
    case .stopping: "the store is stopping"
    case .idempotencyMismatch: "a key was used twice"
    case .cancelled: "whoever asked is gone"
    case .deadlineExceeded(let seconds): "it took longer than \(seconds) s"
    case .clockStepped(let seconds):
      "the clock is \(abs(seconds)) s \(seconds < 0 ? "behind" : "ahead of") what was expected"
    case .keysExhausted: "too many idempotency keys or imports"
    case .importElsewhere: "an import goes on elsewhere"
    case .invalidFilter(let place, let detail): "the filter, character \(place): \(detail)"
    }
  }
}
