import APIs
import AsyncHTTPClient
import Codecs
import Foundation
import HTTP
import NIOCore
import NIOHTTP1
import Platform
import Records
import Routing
import Synchronization

/// What `/readyz` looks at: Loki, the disk, the journal, the forwarder.
final class ServerReadiness: ReadinessChecks {
  /// How much must be there.
  struct Needs: Sendable {
    var dataDirectory: String
    /// 0 to 1.
    var diskFreeRatio: Double
    /// nil: nothing is forwarded.
    var lokiURL: String?
    /// What Loki is shown; nil: nothing.
    var lokiAuthorization: String?
    var isLokiRequired: Bool
  }

  private let needs: Needs
  private let control: any StoreControl
  private let reports: StoreReports?
  private let forwarding: any EntryForwarding
  private let client: HTTPClient
  private let clock: any WallClock
  private let disk = DiskThread(name: "readiness")
  /// Anybody may ask: Loki is asked once a second at most.
  private let lastLoki = Mutex<ReadinessCheck?>(nil)

  private static let lokiSeconds: Int64 = 3
  /// Names of damaged files that are listed.
  private static let damagedFilesMax = 20
  private static let keptNanoseconds: Int64 = 1_000_000_000

  init(
    _ needs: Needs, control: any StoreControl, reports: StoreReports?, forwarding: any EntryForwarding,
    client: HTTPClient, clock: any WallClock
  ) {
    self.needs = needs
    self.control = control
    self.reports = reports
    self.forwarding = forwarding
    self.client = client
    self.clock = clock
  }

  func run() async -> [ReadinessCheck] {
    async let loki = loki()
    async let space: ReadinessCheck = disk.run { [self] () -> ReadinessCheck in self.space() }
    return [await loki, await space, await journal(), forwarder()]
  }

  private func loki() async -> ReadinessCheck {
    guard let base = needs.lokiURL else {
      return check("loki", isHealthy: true, "not configured") { _ in }
    }
    let now = clock.now()
    if let last = lastLoki.withLock({ $0 }), abs(now - last.checkedAt) < ServerReadiness.keptNanoseconds {
      return last
    }
    let url = base + "/ready"
    var status: Int?
    do {
      var request = HTTPClientRequest(url: url)
      if let authorization = needs.lokiAuthorization {
        request.headers.add(name: "Authorization", value: authorization)
      }
      let answer = try await client.execute(
        request, timeout: .seconds(ServerReadiness.lokiSeconds))
      status = Int(answer.status.code)
    } catch {
      // Whatever it was, Loki is not to be reached; the forwarder's log says more.
    }
    let milliseconds = Int((clock.now() - now) / 1_000_000)
    var message = "Loki is reachable"
    if status != 200 { message = status.map { "Loki returned status \($0)" } ?? "Loki is not reachable" }
    if status != 200, !needs.isLokiRequired {
      message += "; it is not required (forwarding.loki.required_for_ready)"
    }
    let found = check("loki", isHealthy: status == 200 || !needs.isLokiRequired, message) { text in
      text.name("url")
      text.value(url)
      text.name("status_code")
      if let status { text.value(status) } else { text.null() }
      text.name("response_time_ms")
      text.value(max(0, milliseconds))
    }
    lastLoki.withLock { $0 = found }
    return found
  }

  /// Blocks on the disk.
  private func space() -> ReadinessCheck {
    let path = needs.dataDirectory
    do throws(DiskError) {
      let system = LocalFileSystem()
      let total = try system.totalBytes(at: path)
      let free = try system.freeBytes(at: path)
      let ratio = total > 0 ? Double(free) / Double(total) : 0
      let percent = (ratio * 1000).rounded() / 10
      let isEnough = ratio >= needs.diskFreeRatio
      let message = isEnough ? "Disk space OK: \(percent)% free" : "Low disk space: \(percent)% free"
      return check("disk", isHealthy: isEnough, message) { text in
        text.name("path")
        text.value(path)
        for (name, number) in [("total_bytes", total), ("used_bytes", total - free), ("free_bytes", free)] {
          text.name(text: name)
          text.value(number)
        }
        text.name("free_percentage")
        text.value(rounded: percent)
        text.name("min_required_percentage")
        text.value(rounded: needs.diskFreeRatio * 100)
      }
    } catch {
      return check("disk", isHealthy: false, "The disk could not be asked") { _ in }
    }
  }

  /// For operators: what the disk lacks, as clients are not told.
  private static func told(_ failure: StoreError) -> String {
    if case .diskFull(let detail) = failure { return "No room to write: \(detail)" }
    return Problem(failure).detail
  }

  private func journal() async -> ReadinessCheck {
    var failure = await control.writeFailure()
    var usage: [PartitionUsage] = []
    do throws(StoreError) {
      usage = try await control.usage().filter { $0.partition.tenant.realm == .ingest }
    } catch {
      failure = failure ?? error
    }
    var message =
      failure.map { "Writes are refused: \(ServerReadiness.told($0))" } ?? "WAL system integrity OK"
    // Nothing is lost by it and reads and writes go on, so the server stays ready.
    if failure == nil, let trouble = reports?.trouble { message += "; tried again: \(trouble)" }
    let damaged = await control.damagedFiles()
    if !damaged.isEmpty { message += "; answers lack the records of \(damaged.count) damaged files" }
    return check("wal", isHealthy: failure == nil, message) { text in
      text.name("path")
      text.value(needs.dataDirectory + "/journal")
      text.name("token_directories")
      text.value(usage.count)
      text.name("active_segments")
      text.value(usage.filter { $0.headRows > 0 }.count)
      text.name("ready_segments")
      text.value(usage.reduce(0) { $0 + $1.blockCount })
      text.name("writable")
      text.value(failure == nil)
      // Only where there are any: the ingest system's probes know the others.
      guard !damaged.isEmpty else { return }
      text.name("damaged_files")
      text.beginArray()
      for file in damaged.prefix(ServerReadiness.damagedFilesMax) { text.value(file.name) }
      text.endArray()
    }
  }

  private func forwarder() -> ReadinessCheck {
    let isRunning = forwarding.isRunning
    var message = isRunning ? "Forwarder service is running" : "Forwarder service is not running"
    if !forwarding.isConfigured { message = "not configured" }
    return check("forwarder", isHealthy: isRunning, message) { text in
      text.name("running")
      text.value(isRunning)
      text.name("forwarder_available")
      text.value(forwarding.isConfigured)
    }
  }

  private func check(
    _ name: String, isHealthy: Bool, _ message: String, details: (inout JSONWriter) -> Void
  ) -> ReadinessCheck {
    ReadinessCheck(
      name, isHealthy: isHealthy, message: message, details: JSONWriter.object(details),
      checkedAt: clock.now())
  }
}
