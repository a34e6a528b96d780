import Codecs
import Records

/// An entry of systemd's journal on its way to be a record of the dataset `logs` (Docs/journald.md).
package struct ExportEntry {
  /// Longer values are cut to it, which `truncated` tells: a dump of a process's memory would be refused
  /// whenever it is sent again, and nothing behind it would ever come.
  package static let valueBytesMax = 64 << 10

  /// Nanoseconds since 1970; nil: there is none that can be read.
  package let time: Int64?
  private let body: [UInt8]
  /// In the order their names first came.
  private let fields: [(name: String, values: [Range<Int>])]
  private let places: [Name: Int]

  /// Fields that are labels: what tells streams of entries apart.
  private static let labels: [Name] = ["_HOSTNAME", "_SYSTEMD_UNIT"]
  /// The first one that is there says whose entry it is.
  private static let services = ["SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM"]

  package init(_ fields: [ExportField], of body: [UInt8]) {
    self.body = body
    var all: [(name: String, values: [Range<Int>])] = []
    var places: [Name: Int] = [:]
    for field in fields {
      let name = String(repairing: body.span.extracting(field.name))
      if let place = places[Name(name)] {
        all[place].values.append(field.value)
      } else {
        places[Name(name)] = all.count
        all.append((name, [field.value]))
      }
    }
    (self.fields, self.places) = (all, places)
    let stamp = places["__REALTIME_TIMESTAMP"].flatMap { all[$0].values.first }
    time = stamp.flatMap { ExportEntry.time(body.span.extracting($0)) }
  }

  /// Whether it says which it is of its journal.
  package var hasCursor: Bool { places["__CURSOR"] != nil }

  /// Microseconds since 1970, as nanoseconds.
  private static func time(_ text: Span<UInt8>) -> Int64? {
    guard let number = Int64(String(repairing: text)), number >= 0 else { return nil }
    let (time, isOver) = number.multipliedReportingOverflow(by: 1_000)
    return isOver ? nil : time
  }

  /// What ``write(to:)`` writes at most: a control character takes six bytes, a byte that is no UTF-8 three,
  /// and a value may stand twice.
  package var bytesMax: Int {
    fields.reduce(512) { sum, field in
      sum + field.name.utf8.count * 6
        + field.values.reduce(0) { $0 + min($1.count, ExportEntry.valueBytesMax) * 12 + 16 }
    }
  }

  /// Writes the members of the record.
  package func write(to text: inout JSONWriter) {
    if let time {
      text.name("timestamp")
      text.value(time: time)
    }
    let priority = first("PRIORITY").flatMap { Int64(String(repairing: body.span.extracting($0))) }
    if let level = priority.flatMap({ LevelName($0, of: .syslog) }) {
      text.name("level")
      text.value(level.rawValue)
    }
    text.name("message")
    if let message = first("MESSAGE") { write(message, to: &text) } else { text.value("") }
    if let service = ExportEntry.services.lazy.compactMap({ first($0) }).first(where: { !$0.isEmpty }) {
      text.name("service")
      write(service, to: &text)
    }
    if ExportEntry.labels.contains(where: { places[$0] != nil }) {
      text.name("labels")
      text.beginObject()
      for field in fields where ExportEntry.labels.contains(Name(field.name)) { write(field, to: &text) }
      text.endObject()
    }
    text.name("metadata")
    text.beginObject()
    for field in fields where isMetadata(field) { write(field, to: &text) }
    let isCut = fields.contains { $0.values.contains { $0.count > ExportEntry.valueBytesMax } }
    if isCut, places["truncated"] == nil { text.member("truncated", true) }
    text.endObject()
  }

  /// Names with two underscores say where the entry lies in the sender's journal, which nobody asks of a
  /// record, but for a time that cannot be read.
  private func isMetadata(_ field: (name: String, values: [Range<Int>])) -> Bool {
    if field.name.hasBytes(of: "MESSAGE") { return field.values.count > 1 }
    if time == nil, field.name.hasBytes(of: "__REALTIME_TIMESTAMP") { return true }
    return !field.name.hasBytes(from: "__") && !ExportEntry.labels.contains(Name(field.name))
  }

  private func first(_ name: String) -> Range<Int>? { places[Name(name)].flatMap { fields[$0].values.first } }

  private func write(_ field: (name: String, values: [Range<Int>]), to text: inout JSONWriter) {
    text.name(repaired: field.name)
    if field.values.count > 1 { text.beginArray() }
    for value in field.values { write(value, to: &text) }
    if field.values.count > 1 { text.endArray() }
  }

  private func write(_ value: Range<Int>, to text: inout JSONWriter) {
    text.value(repaired: body.span.extracting(value.prefix(ExportEntry.valueBytesMax)))
  }
}
