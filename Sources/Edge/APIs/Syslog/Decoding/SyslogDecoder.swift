import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns syslog messages into a batch of the dataset `logs` (Docs/syslog.md). Immutable: make one and keep
/// it.
///
/// Nothing a message says is left out: what has no column goes into `metadata`.
package struct SyslogDecoder: Sendable {
  private let decoder: RecordDecoder

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  private init(_ decoder: RecordDecoder) { self.decoder = decoder }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> SyslogDecoder { SyslogDecoder(decoder.masked(by: plan)) }

  /// - Parameters:
  ///   - batch: No more messages than `limits.entries_max`.
  ///   - offsetSeconds: Of times without a zone: seconds east of UTC.
  ///   - now: When they came, in nanoseconds since 1970.
  ///   - memory: What they take as records' text is taken of it meanwhile.
  /// - Throws: `.busy`, `.tooLarge`.
  package func decode(
    _ batch: MessageBatch, offsetSeconds: Int, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> ListenedRecords {
    let times = LogTime(offsetSeconds: offsetSeconds, now: now)
    var lines = RecordLines(memory: memory, recordsMax: decoder.limits.entriesMax)
    var timesUnread = 0
    let bytes = batch.bytes
    do throws(PushFault) {
      for message in batch.messages {
        let read = SyslogMessage(bytes.span.extracting(message.range), times: times)
        if read.unreadTime != nil { timesUnread += 1 }
        let record = SyslogRecord(read, of: bytes, message.range)
        // Twelve bytes for one: a control character takes six, and a value may be written twice.
        try lines.append(bytesMax: message.range.count * 12 + 1_024) { text throws(PushFault) in
          record.write(from: batch.sources[message.source], isCut: message.isCut, to: &text)
        }
      }
      let records = try lines.decode(by: decoder, now: now)
      return ListenedRecords(records: records, timesUnreadCount: timesUnread)
    } catch {
      lines.giveBack()
      throw error
    }
  }
}

/// A message on its way to be a record.
private struct SyslogRecord {
  private let message: SyslogMessage
  private let bytes: [UInt8]
  private let range: Range<Int>

  /// What `<13>` says, which RFC 3164 (§4.3.3) gives to messages without a priority: a user's notice.
  private static let priorityOfNone = 13
  /// Members of `metadata` that are written here: elements of those names stand behind `sd.`.
  private static let own: [Name] = [
    "facility", "severity", "hostname", "proc_id", "msg_id", "peer", "time_unread", "parse_error",
    "truncated",
  ]

  init(_ message: SyslogMessage, of bytes: [UInt8], _ range: Range<Int>) {
    (self.message, self.bytes, self.range) = (message, bytes, range)
  }

  /// Where a part of the message lies among all bytes.
  private func place(_ part: Range<Int>) -> Range<Int> {
    range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound
  }

  func write(from source: String, isCut: Bool, to text: inout JSONWriter) {
    let priority = message.priority ?? SyslogRecord.priorityOfNone
    if let time = message.time {
      text.name("timestamp")
      text.value(time: time)
    }
    if let level = LevelName(Int64(priority & 7), of: .syslog) {
      text.name("level")
      text.value(level.rawValue)
    }
    text.name("message")
    text.value(repaired: bytes.span.extracting(place(message.message)))
    write("service", message.app, to: &text)
    text.name("metadata")
    text.beginObject()
    text.name("facility")
    text.value(String(describing: SyslogMessage.facilities[priority >> 3]))
    text.name("severity")
    text.value(priority & 7)
    write("hostname", message.host, to: &text)
    write("proc_id", message.process, to: &text)
    write("msg_id", message.messageID, to: &text)
    if !source.isEmpty { text.member("peer", source) }
    write("time_unread", message.unreadTime, to: &text)
    if let fault = message.fault { text.member("parse_error", String(describing: fault)) }
    if isCut { text.member("truncated", true) }
    if !message.structuredData.isEmpty { writeData(to: &text) }
    text.endObject()
  }

  private func write(_ name: StaticString, _ range: Range<Int>?, to text: inout JSONWriter) {
    guard let range else { return }
    text.name(name)
    text.value(repaired: bytes.span.extracting(place(range)))
  }

  /// An object an element, with a text a parameter, or a list of them where a name comes more than once.
  private func writeData(to text: inout JSONWriter) {
    let whole = bytes.span.extracting(range)
    let parameters = message.parameters(whole)
    var elements: [(name: String, members: [(name: String, values: [Range<Int>])])] = []
    var places: [Name: Int] = [:]
    var memberPlaces: [[Name: Int]] = []
    for parameter in parameters {
      let element = String(repairing: whole.extracting(parameter.element))
      let name = String(repairing: whole.extracting(parameter.name))
      let place = places[Name(element)] ?? elements.count
      if place == elements.count {
        places[Name(element)] = place
        elements.append((element, []))
        memberPlaces.append([:])
      }
      if let member = memberPlaces[place][Name(name)] {
        elements[place].members[member].values.append(parameter.value)
      } else {
        memberPlaces[place][Name(name)] = elements[place].members.count
        elements[place].members.append((name, [parameter.value]))
      }
    }
    for element in elements {
      let isTaken =
        SyslogRecord.own.contains(Name(element.name)) || element.name.utf8.starts(with: "sd.".utf8)
      text.name(repaired: isTaken ? "sd.\(element.name)" : element.name)
      text.beginObject()
      for member in element.members {
        text.name(repaired: member.name)
        if member.values.count > 1 { text.beginArray() }
        for value in member.values { text.value(repaired: SyslogMessage.value(value, of: whole).span) }
        if member.values.count > 1 { text.endArray() }
      }
      text.endObject()
    }
  }
}
