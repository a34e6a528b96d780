import APIs
import Codecs
import HTTP
import Logging
import Platform
import Routing

/// Writes log lines to standard error: JSON objects, or text for people.
package struct LogOutput: LogHandler {
  /// See `LogHandler`.
  package var logLevel: Logger.Level
  /// See `LogHandler`.
  package var metadata: Logger.Metadata = [:]
  private let isJSON: Bool
  private let clock: any WallClock

  /// Writes to standard error.
  package init(level: Logger.Level, isJSON: Bool, clock: any WallClock) {
    self.logLevel = level
    self.isJSON = isJSON
    self.clock = clock
  }

  /// See `LogHandler`.
  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// See `LogHandler`.
  package func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    let time = String(decoding: RFC3339.format(clock.now() / 1_000_000 * 1_000_000), as: UTF8.self)
    let line = isJSON ? json(event, time: time, all) : text(event, time: time, all)
    // One write a line, so that lines of several threads do not mix.
    StandardError.write(line)
  }

  private func json(_ event: LogEvent, time: String, _ metadata: [(String, Logger.MetadataValue)]) -> [UInt8]
  {
    var text = JSONWriter(capacity: 256)
    text.beginObject()
    text.name("time")
    text.value(time)
    text.name("level")
    text.value(event.level.rawValue)
    text.name("message")
    text.value("\(event.message)")
    for (key, value) in metadata {
      text.name(text: key)
      text.value("\(value)")
    }
    text.endObject()
    return VisibleText.escaped(json: text.takeBytes()) + [UInt8(ascii: "\n")]
  }

  private func text(_ event: LogEvent, time: String, _ metadata: [(String, Logger.MetadataValue)]) -> [UInt8]
  {
    let pairs = metadata.map { " \($0.0)=\($0.1)" }.joined()
    return Array("\(time) \(event.level.rawValue): \(VisibleText.shown("\(event.message)\(pairs)"))\n".utf8)
  }
}
