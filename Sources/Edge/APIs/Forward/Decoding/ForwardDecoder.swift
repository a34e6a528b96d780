import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns events of Fluentd's forward protocol into a batch of the dataset `logs` (Docs/forward.md).
/// Immutable: make one and keep it.
///
/// An event's record becomes JSON, in which ``RecordShape`` finds the columns; its tag is a label.
package struct ForwardDecoder: Sendable {
  /// Events of one message.
  package struct Part: Sendable {
    let bytes: [UInt8]
    let tag: String
    let events: ForwardMessage.Events

    /// - Parameters:
    ///   - bytes: In which the message lies.
    ///   - unpacked: Its events, decompressed, where they were compressed.
    package init(_ message: ForwardMessage, in bytes: [UInt8], unpacked: [UInt8]? = nil) {
      tag = message.tag.map { String(repairing: bytes.span.extracting($0)) } ?? ""
      self.bytes = unpacked ?? bytes
      events = unpacked.map { .packed(0..<$0.count, coding: nil) } ?? message.events
    }
  }

  private let decoder: RecordDecoder
  private let shape = RecordShape()

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  private init(_ decoder: RecordDecoder) { self.decoder = decoder }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> ForwardDecoder { ForwardDecoder(decoder.masked(by: plan)) }

  /// Some of the events, one after the other.
  package struct Decoded: Sendable {
    package let listened: ListenedRecords
    /// Events up to the last of these, those that were left out too.
    package let endCount: Int
    /// Whether there are more.
    package let isCut: Bool
  }

  /// Text of records decoded at once, about.
  private static let textBytesMax = 16 << 20

  /// As many events as a request may have, or some megabytes.
  ///
  /// - Parameters:
  ///   - skipped: So many of the first are passed over.
  ///   - now: Of events without a time: nanoseconds since 1970.
  ///   - memory: What they take as records' text is taken of it meanwhile.
  /// - Throws: `.busy`, `.tooLarge`. An event that cannot be taken is left out; so is what follows one that
  ///   is broken within its message.
  package func decode(
    _ parts: [Part], from skipped: Int = 0, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    var lines = RecordLines(memory: memory, recordsMax: decoder.limits.entriesMax)
    var (timesUnread, endCount, isCut) = (0, 0, false)
    do throws(PushFault) {
      for part in parts where !isCut {
        var events = ForwardEvents(part.events, in: part.bytes)
        while let event = events.next() {
          if endCount >= skipped {
            isCut = lines.count == decoder.limits.entriesMax || lines.textBytes > ForwardDecoder.textBytesMax
            if isCut { break }
            if try append(event, of: part, now: now, to: &lines) { timesUnread += 1 }
          }
          endCount += 1
        }
      }
      let records = try lines.decode(by: decoder, now: now)
      return Decoded(
        listened: ListenedRecords(records: records, timesUnreadCount: timesUnread), endCount: endCount,
        isCut: isCut)
    } catch {
      lines.giveBack()
      throw error
    }
  }

  /// - Returns: Whether its time cannot be read.
  private func append(
    _ event: ForwardEvents.Event, of part: Part, now: Int64, to lines: inout RecordLines
  ) throws(PushFault) -> Bool {
    do throws(PushFault) {
      let written = try written(event, of: part.bytes, now: now)
      try lines.append(bytesMax: written.members.count + part.tag.utf8.count * 6 + 64) {
        text throws(PushFault) in
        text.members(written.members)
        if part.tag.isEmpty { return }
        text.name("labels")
        text.beginObject()
        text.name("tag")
        text.value(repaired: part.tag)
        text.endObject()
      }
      return written.hasUnreadableTime
    } catch {
      guard case .badRecord(let reason) = error else { throw error }
      try lines.refuse(reason)
      return false
    }
  }

  /// The members of an event's record.
  private func written(
    _ event: ForwardEvents.Event, of bytes: [UInt8], now: Int64
  ) throws(PushFault) -> (members: [UInt8], hasUnreadableTime: Bool) {
    guard case .whole(let time, let record) = event else {
      throw .badRecord("an event is a list of its time and its record")
    }
    let when = ForwardTime(bytes, time)
    var object = JSONWriter(capacity: record.count * 2 + 64)
    object.beginObject()
    if let metadata = when.metadata {
      object.name("event_metadata")
      var reader = MessagePackReader(bytes, metadata)
      try MessagePackJSON.write(&reader, of: bytes, to: &object)
    }
    var reader = MessagePackReader(bytes, record)
    try MessagePackJSON.writeMembers(&reader, of: bytes, to: &object)
    object.endObject()
    let json = object.takeBytes()
    var members = JSONWriter(capacity: json.count + 256)
    do throws(JSONTree.SyntaxError) {
      var reader = JSONReader(json, keepsNumberTexts: true)
      var given = RecordShape.Given()
      given.time = when.nanoseconds
      let outcome = try shape.write(
        &reader, of: json, to: &members, times: LogTime(now: now), given: given)
      let isUnreadable = outcome?.hasUnreadableTime ?? false || when.isUnreadable
      return (members.takeBytes(), isUnreadable)
    } catch { throw .badRecord(error.reason) }
  }
}

/// Goes through the events of a message.
private struct ForwardEvents {
  enum Event {
    case whole(time: Range<Int>, record: Range<Int>)
    /// It is no event, or nobody knows where it ends: then it is the last.
    case broken
  }

  private var reader: MessagePackReader
  /// Whether it is one, without a list around it.
  private let isAlone: Bool
  private var isOver = false

  init(_ events: ForwardMessage.Events, in bytes: [UInt8]) {
    switch events {
    case .one(let range):
      isAlone = true
      reader = MessagePackReader(bytes, range)
    case .list(let range, _), .packed(let range, _):
      isAlone = false
      reader = MessagePackReader(bytes, range)
    }
  }

  mutating func next() -> Event? {
    guard !isOver, !reader.isAtEnd else { return nil }
    isOver = isAlone
    do throws(MessagePackReader.Fault) {
      var inner = reader
      if !isAlone {
        try reader.skip()
        guard case .array(2) = try inner.next() else { return .broken }
      }
      let start = inner.at
      try inner.skip()
      let middle = inner.at
      try inner.skip()
      return .whole(time: start..<middle, record: middle..<inner.at)
    } catch {
      isOver = true
      return .broken
    }
  }
}

/// An event's time: whole seconds, an EventTime (extension 0: seconds and nanoseconds, 32 bits each), or, of
/// Fluent Bit, one of these with metadata.
private struct ForwardTime {
  /// Since 1970; nil: there is none.
  private(set) var nanoseconds: Int64?
  /// A map that is not empty.
  private(set) var metadata: Range<Int>?
  /// Whether there is a time that cannot be read.
  private(set) var isUnreadable = false

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    do throws(MessagePackReader.Fault) {
      var reader = MessagePackReader(bytes, range)
      var value = try reader.next()
      if case .array(2) = value {
        value = try reader.next()
        let start = reader.at
        if case .map(1...) = try reader.next() { metadata = start..<range.upperBound }
      }
      nanoseconds = ForwardTime.nanoseconds(value, of: bytes)
      if case .null = value { return }
      isUnreadable = nanoseconds == nil
    } catch { isUnreadable = true }
  }

  static func nanoseconds(_ value: MessagePackReader.Value, of bytes: [UInt8]) -> Int64? {
    switch value {
    case .int(let number): return UnixTime.nanoseconds(number)
    case .float(let number): return number.isFinite ? UnixTime.nanoseconds(number) : nil
    case .other(0, let range) where range.count == 8:
      let (seconds, rest) = (range.prefix(4), range.suffix(4))
      let number = { (part: Range<Int>) in part.reduce(Int64(0)) { $0 << 8 | Int64(bytes[$1]) } }
      return number(seconds) * 1_000_000_000 + number(rest)
    case .null, .bool, .uint, .text, .binary, .array, .map, .other: return nil
    }
  }
}

/// Values of MessagePack as JSON. What JSON does not have is a text: bytes as such, other types in
/// hexadecimal digits, numbers that are none by their names.
private enum MessagePackJSON {
  /// Deeper values are refused.
  private static let depthMax = 32

  /// - Throws: `.badRecord`.
  static func write(
    _ reader: inout MessagePackReader, of bytes: [UInt8], to text: inout JSONWriter, depth: Int = 0
  ) throws(PushFault) {
    guard depth <= depthMax else { throw .badRecord("a value nested deeper than \(depthMax) levels") }
    switch try next(&reader) {
    case .null: text.null()
    case .bool(let flag): text.value(flag)
    case .int(let number): text.value(number)
    case .uint(let number): text.raw(Array("\(number)".utf8))
    case .float(let number):
      if number.isFinite { text.value(float64: number) } else { text.value("\(number)") }
    case .text(let range), .binary(let range): text.value(repaired: bytes.span.extracting(range))
    case .array(let count):
      text.beginArray()
      for _ in 0..<count { try write(&reader, of: bytes, to: &text, depth: depth + 1) }
      text.endArray()
    case .map(let count):
      text.beginObject()
      try writeMembers(count, &reader, of: bytes, to: &text, depth: depth)
      text.endObject()
    case .other(let type, let range):
      if let time = ForwardTime.nanoseconds(.other(type, range), of: bytes) {
        text.value(time: time)
      } else {
        text.value(Hex.text(Array(bytes[range])))
      }
    }
  }

  /// The members of a map.
  ///
  /// - Throws: `.badRecord`: it is none, or has a name that is no text.
  static func writeMembers(
    _ reader: inout MessagePackReader, of bytes: [UInt8], to text: inout JSONWriter
  ) throws(PushFault) {
    guard case .map(let count) = try next(&reader) else { throw .badRecord("a record is a map") }
    try writeMembers(count, &reader, of: bytes, to: &text, depth: 0)
  }

  private static func writeMembers(
    _ count: Int, _ reader: inout MessagePackReader, of bytes: [UInt8], to text: inout JSONWriter, depth: Int
  ) throws(PushFault) {
    for _ in 0..<count {
      switch try next(&reader) {
      case .text(let name), .binary(let name):
        text.name(repaired: String(repairing: bytes.span.extracting(name)))
      case .int(let number): text.name(text: "\(number)")
      case .null, .bool, .uint, .float, .array, .map, .other: throw .badRecord("a name that is no text")
      }
      try write(&reader, of: bytes, to: &text, depth: depth + 1)
    }
  }

  private static func next(
    _ reader: inout MessagePackReader
  ) throws(PushFault) -> MessagePackReader.Value {
    do throws(MessagePackReader.Fault) { return try reader.next() } catch {
      throw .badRecord("bytes that are no MessagePack")
    }
  }
}
