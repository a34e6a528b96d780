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
package final class AccessLogOutput: AccessLog {
  private struct Waiting {
    var bytes: [UInt8] = []
    var droppedCount = 0
    var isScheduled = false
  }

  static let waitingBytesMax = 8 << 20

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
    if mustSchedule { thread.submit { [self] in flush() } }
  }

  /// Writes what waits; call at the end.
  package func drain() async {
    await thread.run { [self] in flush() }
  }

  private func flush() {
    let (bytes, droppedCount) = waiting.withLock { waiting in
      defer { waiting = Waiting() }
      return (waiting.bytes, waiting.droppedCount)
    }
    if !bytes.isEmpty { write(bytes) }
    if droppedCount > 0 { write(dropped(droppedCount)) }
  }

  private func dropped(_ count: Int) -> [UInt8] {
    let sentence = "\(count) access log lines were dropped: the log is read too slowly"
    return isJSON ? json("error", sentence, []) : Array("\(time) error: \(sentence)\n".utf8)
  }

  private var time: String { RFC3339.string(clock.now() / 1_000_000 * 1_000_000) }

  private func members(_ event: AccessEvent) -> [(name: StaticString, value: String)] {
    var members: [(name: StaticString, value: String)] = [("event", event.name)]
    switch event.outcome {
    case .granted: members.append(("outcome", "granted"))
    case .grantedInMemory: members += [("outcome", "granted"), ("reason", "disk_full_kept_in_memory")]
    case .refused(let reason): members += [("outcome", "refused"), ("reason", reason)]
    }
    members.append(("realm", event.realm.name))
    if let subject = event.subject { members.append(("subject", subject)) }
    if let tenant = event.tenant { members.append(("tenant", tenant.name)) }
    members += [("method", event.method), ("route", event.route), ("address", event.address)]
    members.append(("request_id", event.requestID))
    return members
  }

  private func json(_ event: AccessEvent) -> [UInt8] {
    json(event.outcome == .granted ? "info" : "warning", "access", members(event))
  }

  private func json(
    _ level: String, _ message: String, _ members: [(name: StaticString, value: String)]
  ) -> [UInt8] {
    var text = JSONWriter(capacity: 256)
    text.beginObject()
    text.name("time")
    text.value(time)
    text.name("level")
    text.value(level)
    text.name("message")
    text.value(message)
    for member in members {
      text.name(member.name)
      text.value(member.value)
    }
    text.endObject()
    return VisibleText.escaped(json: text.takeBytes()) + [UInt8(ascii: "\n")]
  }

  private func text(_ event: AccessEvent) -> [UInt8] {
    let pairs = members(event).map { " \($0.name)=\(AccessLogOutput.quoted($0.value))" }.joined()
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
