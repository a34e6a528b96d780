import APIs
import Access
import Codecs
import Foundation
import HTTP
import Platform
import Records
import Routing
import Synchronization

/// Writes access events to standard error, a line each, on a thread of its own: an event loop never waits for
/// whoever reads the log. Beyond ``waitingBytesMax`` lines are dropped and counted, and the next line says
/// how many.
///
/// The first line after a rest is written at once. What comes within ``restNanoseconds`` of it is written
/// together: a system call and a wakened thread a line cost a short request a sixth of its time.
package final class AccessLogOutput: AccessLog {
  private struct Waiting {
    var bytes: [UInt8] = []
    var droppedCount = 0
    var isScheduled = false
  }

  static let waitingBytesMax = 8 << 20
  static let restNanoseconds: Int64 = 5_000_000

  private let waiting = Mutex(Waiting())
  private let thread = DiskThread(name: "access log")
  private let isJSON: Bool
  private let logsAll: Bool
  private let clock: any WallClock
  private let write: @Sendable ([UInt8]) -> Void

  /// - Parameters:
  ///   - logsAll: Otherwise granted requests are left out.
  ///   - write: Takes whole lines; may block.
  package init(
    isJSON: Bool, logsAll: Bool, clock: any WallClock,
    write: @escaping @Sendable ([UInt8]) -> Void = { StandardError.write($0) }
  ) {
    self.isJSON = isJSON
    self.logsAll = logsAll
    self.clock = clock
    self.write = write
  }

  /// See ``AccessLog``.
  package func record(_ event: AccessEvent) {
    if !logsAll, event.kind == .request, event.outcome == .granted { return }
    let line = isJSON ? json(event) : text(event)
    let mustSchedule = waiting.withLock { waiting in
      guard waiting.bytes.count + line.count <= AccessLogOutput.waitingBytesMax else {
        waiting.droppedCount += 1
        return false
      }
      waiting.bytes += line
      defer { waiting.isScheduled = true }
      return !waiting.isScheduled
    }
    if mustSchedule { thread.submit { [self] in flushAndRest() } }
  }

  /// Writes what waits; call at the end.
  package func drain() async {
    await thread.run { [self] in flush() }
  }

  private func flushAndRest() {
    flush()
    DiskThread.pause(nanoseconds: AccessLogOutput.restNanoseconds)
    let hasMore = waiting.withLock { waiting in
      waiting.isScheduled = !waiting.bytes.isEmpty || waiting.droppedCount > 0
      return waiting.isScheduled
    }
    // A job of its own, so that whoever drains gets a turn.
    if hasMore { thread.submit { [self] in flushAndRest() } }
  }

  private func flush() {
    let (bytes, droppedCount) = waiting.withLock { waiting in
      defer { (waiting.bytes, waiting.droppedCount) = ([], 0) }
      return (waiting.bytes, waiting.droppedCount)
    }
    if !bytes.isEmpty { write(bytes) }
    if droppedCount > 0 { write(dropped(droppedCount)) }
  }

  private func dropped(_ count: Int) -> [UInt8] {
    let sentence = "\(count) access log lines were dropped: the log is read too slowly"
    return isJSON ? json("error", sentence) : Array("\(time) error: \(sentence)\n".utf8)
  }

  private var time: String { RFC3339.string(clock.now() / 1_000_000 * 1_000_000) }

  /// Gives the members of the event's line in order.
  private func give(_ event: AccessEvent, _ member: (_ name: StaticString, _ value: String) -> Void) {
    member("event", event.name)
    switch event.outcome {
    case .granted: member("outcome", "granted")
    case .grantedInMemory:
      member("outcome", "granted")
      member("reason", "disk_full_kept_in_memory")
    case .refused(let reason):
      member("outcome", "refused")
      member("reason", reason)
    }
    member("realm", event.realm.name)
    if let subject = event.subject { member("subject", subject) }
    if let tenant = event.tenant { member("tenant", tenant.name) }
    member("method", event.method)
    member("route", event.route)
    member("address", event.address)
    member("request_id", event.requestID)
  }

  private func json(_ event: AccessEvent) -> [UInt8] {
    json(event.outcome == .granted ? "info" : "warning", "access") { text in
      give(event) { name, value in
        text.name(name)
        text.value(value)
      }
    }
  }

  private func json(
    _ level: String, _ message: String, _ members: (inout JSONWriter) -> Void = { _ in }
  ) -> [UInt8] {
    var text = JSONWriter(capacity: 512)
    text.beginObject()
    text.name("time")
    text.value(time)
    text.name("level")
    text.value(level)
    text.name("message")
    text.value(message)
    members(&text)
    text.endObject()
    var line = VisibleText.escaped(json: text.takeBytes())
    line.append(UInt8(ascii: "\n"))
    return line
  }

  private func text(_ event: AccessEvent) -> [UInt8] {
    var pairs = ""
    give(event) { name, value in pairs += " \(name)=\(AccessLogOutput.quoted(value))" }
    return Array("\(time) \(event.outcome == .granted ? "info" : "warning"): access\(pairs)\n".utf8)
  }

  /// In quotes, as JSON, if it could be taken for something else: names come from outside.
  private static func quoted(_ value: String) -> String {
    let isPlain = value.unicodeScalars.allSatisfy {
      $0.value > 0x20 && $0.value < 0x7F && $0 != "\"" && $0 != "="
    }
    if isPlain, !value.isEmpty { return value }
    var text = JSONWriter(capacity: 256)
    text.value(value)
    return String(decoding: VisibleText.escaped(json: text.takeBytes()), as: UTF8.self)
  }
}
