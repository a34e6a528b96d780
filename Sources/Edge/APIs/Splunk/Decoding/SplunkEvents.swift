import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns what is sent to Splunk's HTTP Event Collector into a batch of the dataset `logs` (Docs/splunk.md).
/// Immutable: make one and keep it.
package struct SplunkEvents: Sendable {
  /// Where events come from: labels of the record.
  package struct Origin: Sendable, Hashable {
    package var host: String?
    package var source: String?
    package var sourcetype: String?
    package var index: String?
    /// Of events that say none: nanoseconds since 1970.
    package var time: Int64?

    /// Nowhere that is known.
    package init() {}
  }

  /// Why an event is left out, as Splunk numbers it.
  package enum Code: Int, Sendable {
    case format = 6
    case noEvent = 12
    case blankEvent = 13
    case fields = 15

    /// What Splunk says.
    package var text: String {
      switch self {
      case .format: "Invalid data format"
      case .noEvent: "Event field is required"
      case .blankEvent: "Event field cannot be blank"
      case .fields: "Error in handling indexed fields"
      }
    }
  }

  /// The first event that is left out.
  package struct Fault: Sendable, Hashable {
    package let code: Code
    /// From 0.
    package let event: Int
    package let reason: String
  }

  /// What a body held.
  package struct Decoded: Sendable {
    package let records: PushedRecords
    /// nil: all events are to be stored.
    package let fault: Fault?
    /// Events whose time cannot be read: they have the time they came at.
    package let timesUnreadCount: Int
  }

  private var decoder: RecordDecoder
  private var shape = RecordShape()

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> SplunkEvents {
    var other = self
    other.decoder = decoder.masked(by: plan)
    return other
  }

  /// The same where the mapping's names give columns first.
  package func mapped(by mapping: FieldMapping) -> SplunkEvents {
    var other = self
    other.shape = shape.mapped(by: mapping)
    return other
  }

  /// A time as text in nanoseconds since 1970; nil: none that can be read.
  package static func time(_ text: String, now: Int64) -> Int64? { LogTime(now: now).nanoseconds(text) }

  /// Events as objects, one behind the other, with white space between them or none.
  ///
  /// - Parameters:
  ///   - origin: Of events that name none.
  ///   - now: Of events without a time: nanoseconds since 1970.
  ///   - memory: What the events take as records is taken of it meanwhile.
  /// - Throws: `.empty`, `.busy`, `.tooLarge`. Bad events among good ones are left out and told; behind one
  ///   that has no end there are none.
  package func decode(
    _ body: [UInt8], _ origin: Origin, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    var reading = SplunkReading(
      JSONRepair.repaired(body), origin, times: LogTime(now: now), shape: shape)
    return try decode(now, memory) { lines throws(PushFault) in
      try reading.read(into: &lines)
      return (reading.codes, reading.timesUnreadCount)
    }
  }

  /// Lines of text, each an event. Parameters and errors as of ``decode(_:_:now:within:)``.
  package func decode(
    lines body: [UInt8], _ origin: Origin, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    let labels = SplunkLabels(origin)
    let written = labels.members(fields: nil, of: body)
    return try decode(now, memory) { lines throws(PushFault) in
      var cutter = BodyLines(body)
      while let line = cutter.next() {
        // A control character takes six bytes, a byte that is no UTF-8 three.
        try lines.append(bytesMax: line.count * 6 + written.count + 256) { text throws(PushFault) in
          if let time = origin.time {
            text.name("timestamp")
            text.value(time: time)
          }
          text.name("message")
          text.value(repaired: body.span.extracting(line))
          if let service = labels.service {
            text.name("service")
            text.value(repaired: service)
          }
          text.members(written)
        }
      }
      return ([:], 0)
    }
  }

  private func decode(
    _ now: Int64, _ memory: DecodingMemory,
    _ read: (inout RecordLines) throws(PushFault) -> (codes: [Int: Code], timesUnread: Int)
  ) throws(PushFault) -> Decoded {
    let most = decoder.limits.entriesMax
    var lines = RecordLines(memory: memory, recordsMax: most, refusalsMax: most)
    do throws(PushFault) {
      let (codes, timesUnread) = try read(&lines)
      guard lines.count > 0 else { throw .empty }
      let records = try lines.decode(by: decoder, now: now)
      let fault = records.refusals.first.map {
        Fault(code: codes[$0.record] ?? .format, event: $0.record, reason: $0.reason)
      }
      return Decoded(records: records, fault: fault, timesUnreadCount: timesUnread)
    } catch {
      lines.giveBack()
      throw error
    }
  }
}

/// Labels of a record: where it comes from, and Splunk's indexed fields.
struct SplunkLabels {
  private let pairs: [(name: String, value: String)]
  private let source: String?

  init(_ origin: SplunkEvents.Origin) {
    source = origin.source
    pairs = [
      ("host", origin.host), ("source", origin.source), ("sourcetype", origin.sourcetype),
      ("index", origin.index),
    ].compactMap { name, value in value.map { (name, $0) } }
  }

  /// The source, unless it is a file, an address or a pipe's.
  var service: String? {
    source.flatMap { source in
      source.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "\\") }
        ? nil : source
    }
  }

  /// The member `labels`; empty: there are none.
  ///
  /// - Parameter fields: Stands before an object of `body`, which was checked. A field that is called as one
  ///   of ours stands behind `fields.`.
  func members(fields: JSONReader?, of body: [UInt8]) -> [UInt8] {
    var text = JSONWriter(capacity: 256)
    text.name("labels")
    text.beginObject()
    for pair in pairs {
      text.name(text: pair.name)
      text.value(repaired: pair.value)
    }
    var isEmpty = pairs.isEmpty
    if var fields {
      do throws(JSONTree.SyntaxError) {
        try fields.open()
        var names = JSONNames()
        while let name = try fields.member(&names) {
          let value = try ValuePlace(&fields)
          text.name(repaired: pairs.contains { $0.name.hasBytes(of: name) } ? "fields.\(name)" : name)
          text.value(written: body.span.extracting(value.range))
          isEmpty = false
        }
      } catch {
        // It was checked before.
      }
    }
    text.endObject()
    return isEmpty ? [] : text.takeBytes()
  }
}
