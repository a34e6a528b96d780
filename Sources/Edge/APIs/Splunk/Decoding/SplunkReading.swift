import Codecs
import Decoding
import Records
import Shaping

/// Reads events one after the other.
struct SplunkReading {
  private let body: [UInt8]
  private let origin: SplunkEvents.Origin
  private let times: LogTime
  private let shape: RecordShape
  /// Of events that are left out, why.
  private(set) var codes: [Int: SplunkEvents.Code] = [:]
  private(set) var timesUnreadCount = 0
  private var at: Int

  /// The members of an event, where they lie.
  private struct Envelope {
    var time: ValuePlace?
    var event: ValuePlace?
    var fields: ValuePlace?
    var origin: SplunkEvents.Origin
  }

  init(_ body: [UInt8], _ origin: SplunkEvents.Origin, times: LogTime, shape: RecordShape) {
    (self.body, self.origin, self.times, self.shape) = (body, origin, times, shape)
    at = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  mutating func read(into lines: inout RecordLines) throws(PushFault) {
    while skipSpace() {
      guard body[at] == UInt8(ascii: "{") else {
        return try refuse(.format, "at byte \(at): an event is an object", &lines)
      }
      guard let end = JSONRepair.end(of: body, from: at) else {
        return try refuse(.format, "at byte \(at): an event without an end", &lines)
      }
      let start = at
      at = end
      let envelope: Envelope
      do throws(JSONTree.SyntaxError) {
        var reader = JSONReader(body, from: start)
        envelope = try self.envelope(&reader)
      } catch {
        try refuse(.format, "at byte \(error.offsetBytes): \(error.reason)", &lines)
        continue
      }
      try read(envelope, into: &lines)
    }
  }

  /// Whether there is something behind white space.
  private mutating func skipSpace() -> Bool {
    while at < body.count, [0x20, 0x0A, 0x0D, 0x09].contains(body[at]) { at += 1 }
    return at < body.count
  }

  private mutating func refuse(
    _ code: SplunkEvents.Code, _ reason: String, _ lines: inout RecordLines
  ) throws(PushFault) {
    codes[lines.count] = code
    try lines.refuse(reason)
  }

  private func envelope(_ reader: inout JSONReader) throws(JSONTree.SyntaxError) -> Envelope {
    var envelope = Envelope(origin: origin)
    try reader.open()
    var names = JSONNames()
    while let name = try reader.member(&names) {
      let value = try ValuePlace(&reader)
      switch name {
      case "time": envelope.time = value.isNull ? nil : value
      case "event": envelope.event = value.isNull ? nil : value
      case "fields": envelope.fields = value.isNull ? nil : value
      case "host": envelope.origin.host = value.word(body) ?? origin.host
      case "source": envelope.origin.source = value.word(body) ?? origin.source
      case "sourcetype": envelope.origin.sourcetype = value.word(body) ?? origin.sourcetype
      case "index": envelope.origin.index = value.word(body) ?? origin.index
      // As Splunk: what it does not know it passes over.
      default: break
      }
    }
    return envelope
  }

  private mutating func read(_ envelope: Envelope, into lines: inout RecordLines) throws(PushFault) {
    guard let event = envelope.event else { return try refuse(.noEvent, "no event", &lines) }
    if let text = event.text(body), text.utf8.allSatisfy({ $0 <= 0x20 }) {
      return try refuse(.blankEvent, "a blank event", &lines)
    }
    guard envelope.fields?.isObject ?? true else {
      return try refuse(.fields, "fields are an object", &lines)
    }
    var given = RecordShape.Given()
    var unread: ValuePlace?
    if let time = envelope.time {
      given.time = time.time(body, times)
      if given.time == nil { unread = time }
      if given.time == nil, shape.refusesUnreadTimes {
        return try refuse(.format, "the time cannot be read", &lines)
      }
    }
    given.time = given.time ?? envelope.origin.time
    let labels = SplunkLabels(envelope.origin)
    given.service = labels.service
    let (text, start, fields) = object(event, envelope.fields)
    if let fields { given.columns = JSONReader(text, from: fields) }
    var members = JSONWriter(capacity: event.range.count + 256)
    var reader = JSONReader(text, from: start)
    let outcome: RecordShape.Outcome?
    do throws(JSONTree.SyntaxError) {
      outcome = try shape.write(&reader, of: text, to: &members, times: times, given: given)
    } catch { return try refuse(.format, error.reason, &lines) }
    if unread != nil || outcome?.hasUnreadableTime == true { timesUnreadCount += 1 }
    members.members(labels.members(fields: given.columns, of: text))
    if let unread {
      members.name("time_unread")
      members.value(written: body.span.extracting(unread.range))
    }
    let written = members.takeBytes()
    try lines.append(bytesMax: written.count) { text throws(PushFault) in text.members(written) }
  }

  /// The event as an object in a text, where it begins there, and where its fields do: an event that is none
  /// is the member `message`, a list the member `event`.
  private func object(
    _ event: ValuePlace, _ fields: ValuePlace?
  ) -> (text: [UInt8], start: Int, fields: Int?) {
    if event.isObject { return (body, event.range.lowerBound, fields?.range.lowerBound) }
    var text = Array((event.isList ? #"{"event":"# : #"{"message":"#).utf8)
    text += body[event.range]
    text.append(UInt8(ascii: "}"))
    let start = text.count
    if let fields { text += body[fields.range] }
    return (text, 0, fields == nil ? nil : start)
  }
}
