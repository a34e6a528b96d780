import Routing
import Logging
import Records
import Server
import Synchronization
import TestKit
import Testing

/// What the store tells becomes lines of the log, figures, and a word in `/readyz`.
@Suite struct StoreReportsTests {
  private static let logs = Partition(tenant: Tenant(realm: .native, name: "acme"), dataset: .logs)

  /// Keeps lines as text.
  private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }

  private struct Handler: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let members = (event.metadata ?? [:]).filter { $0.key != "now" }.map { "\($0.key)=\($0.value)" }
      lines.add("\(event.level) \(event.message): \(members.sorted().joined(separator: " "))")
    }
  }

  private func figures(_ reports: StoreReports) -> Set<String> {
    var text = MetricsText()
    reports.collect(into: &text)
    return Set(String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  @Test func eventsBecomeLinesAndFigures() async {
    let lines = Lines()
    let reports = StoreReports(logger: Logger(label: "test") { _ in Handler(lines: lines) })
    #expect(reports.trouble == nil)
    reports.observe(
      .failed(
        .archiving, partition: Self.logs, file: nil, error: .disk("cannot write a/b: Input/output error")))
    reports.observe(.failed(.unlinking, partition: nil, file: "a/b", error: .disk("no")))
    let trouble = reports.trouble ?? ""
    let first = "archiving of native/acme/logs: cannot write a/b: Input/output error. Nothing is lost; "
    #expect(trouble.hasPrefix(first) && trouble.contains("; unlinking: no. "), "\(trouble)")
    var found = figures(reports)
    #expect(found.contains(#"cordwood_store_failing{work="archiving"} 1"#))
    #expect(found.contains(#"cordwood_store_failing{work="commit"} 0"#))
    #expect(found.contains(#"cordwood_store_poisoned{log="journal"} 0"#))
    reports.observe(.healed(.archiving, partition: Self.logs))
    reports.observe(.archived(Self.logs, file: "x.parquet", rowCount: 5))
    reports.observe(.dropped(Self.logs, blockCount: 2, rowCount: 9))
    reports.observe(.poisoned(.journal, error: .poisoned("the journal could not be made durable")))
    reports.observe(.damaged(Self.logs, error: .corrupt(file: "c", offsetBytes: 7, reason: "checksum")))
    reports.observe(.orphansRemoved(count: 3))
    await reports.drain()
    #expect(
      lines.all == [
        "warning store: error=cannot write a/b: Input/output error event=failed partition=native/acme/logs work=archiving",
        "warning store: error=no event=failed file=a/b work=unlinking",
        "notice store: event=healed partition=native/acme/logs work=archiving",
        "info store: blocks=2 event=dropped partition=native/acme/logs rows=9",
        "critical store: error=the journal could not be made durable event=poisoned log=journal",
        "error store: error=c, byte 7: checksum event=damaged partition=native/acme/logs",
        "notice store: event=orphans_removed files=3",
      ])
    found = figures(reports)
    #expect(found.contains(#"cordwood_store_failing{work="archiving"} 0"#))
    #expect(found.contains(#"cordwood_store_failures_total{work="archiving"} 1"#))
    #expect(found.contains(#"cordwood_store_failing{work="unlinking"} 1"#))
    #expect(found.contains(#"cordwood_store_poisoned{log="journal"} 1"#))
    #expect(found.contains("cordwood_store_damaged_total 1"))
    #expect(reports.trouble?.hasPrefix("unlinking: no. ") == true)
  }

  /// What fails for hours is said every minute, in one line for each kind of work, until it ends.
  @Test func whatStillFailsIsSaidAgain() {
    let lines = Lines()
    let clock = ManualClock()
    let reports = StoreReports(logger: Logger(label: "test") { _ in Handler(lines: lines) }, uptime: clock)
    reports.remind()
    for number in 0..<1_000 {
      let partition = Partition(tenant: Tenant(realm: .native, name: "t\(number)"), dataset: .logs)
      reports.observe(.failed(.archiving, partition: partition, file: nil, error: .disk("no")))
      clock.advance(nanoseconds: 1)
    }
    #expect(reports.trouble?.hasSuffix("; 997 more") == true)
    for _ in 0..<180 {
      clock.advance(seconds: 1)
      reports.remind()
    }
    let found = lines.all.filter { $0.contains("still_failing") }
    #expect(found.count == 3)
    #expect(
      found.first?.contains("error=no event=still_failing partition=native/t0/logs pieces=1000") == true,
      "\(found)")
    for number in 0..<1_000 {
      let partition = Partition(tenant: Tenant(realm: .native, name: "t\(number)"), dataset: .logs)
      reports.observe(.healed(.archiving, partition: partition))
    }
    clock.advance(seconds: 100)
    reports.remind()
    #expect(lines.all.filter { $0.contains("still_failing") }.count == 3)
    #expect(reports.trouble == nil)
  }
}
