import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns plain lines, and what loggers write as JSON, into a batch of the dataset `logs` (Docs/insert.md).
/// Immutable: make one and keep it.
package struct InsertBody: Sendable {
  /// How the body is written.
  package enum Form: Sendable {
    /// Each line a record.
    case lines
    /// Objects, one behind the other or in a list.
    case json
  }

  /// What the request says of records that say it not themselves.
  package struct Origin: Sendable, Hashable {
    package var service: String?
    package var env: String?
    package var host: String?
    package var level: String?

    /// Nothing.
    package init() {}
  }

  /// What a body held.
  package struct Decoded: Sendable {
    package let records: PushedRecords
    /// Records whose time cannot be read, and stays in their metadata.
    package let timesUnreadCount: Int
  }

  /// Refusals that are told; the rest is counted.
  package static let refusalsMax = 100

  private var decoder: RecordDecoder
  private var shape = RecordShape()

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> InsertBody {
    var other = self
    other.decoder = decoder.masked(by: plan)
    return other
  }

  /// The same where the mapping's names give columns first.
  package func mapped(by mapping: FieldMapping) -> InsertBody {
    var other = self
    other.shape = shape.mapped(by: mapping)
    return other
  }

  /// - Parameters:
  ///   - now: Of records without a time: nanoseconds since 1970.
  ///   - memory: What the records take as text is taken of it meanwhile.
  /// - Throws: It is no such body as a whole. Bad records among good ones are left out and told.
  package func decode(
    _ body: [UInt8], _ form: Form, _ origin: Origin, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    var lines = RecordLines(
      memory: memory, recordsMax: decoder.limits.entriesMax, refusalsMax: InsertBody.refusalsMax)
    var timesUnread = 0
    do throws(PushFault) {
      switch form {
      case .lines: try InsertBody.readLines(body, origin, into: &lines)
      case .json:
        var reading = InsertReading(
          JSONRepair.repaired(body), origin, times: LogTime(now: now), shape: shape)
        try reading.read(into: &lines)
        timesUnread = reading.timesUnreadCount
      }
      guard lines.count > 0 else { throw .empty }
      return Decoded(records: try lines.decode(by: decoder, now: now), timesUnreadCount: timesUnread)
    } catch {
      lines.giveBack()
      throw error
    }
  }

  private static func readLines(
    _ body: [UInt8], _ origin: Origin, into lines: inout RecordLines
  ) throws(PushFault) {
    let shared = origin.members
    var cutter = BodyLines(body)
    while let line = cutter.next() {
      // A control character takes six bytes, a byte that is no UTF-8 three.
      try lines.append(bytesMax: line.count * 6 + shared.count + 64) { text throws(PushFault) in
        text.name("message")
        text.value(repaired: body.span.extracting(line))
        text.members(shared)
      }
    }
  }
}

extension InsertBody.Origin {
  /// The level in our words, where there is one for it.
  var knownLevel: String? { level.map { LevelName($0)?.rawValue ?? $0 } }

  /// What lines have in common, members and commas.
  fileprivate var members: [UInt8] {
    var text = JSONWriter(capacity: 256)
    for (name, value) in [("service", service), ("env", env), ("level", knownLevel)] {
      guard let value else { continue }
      text.name(text: name)
      text.value(repaired: value)
    }
    writeLabels(to: &text)
    return text.takeBytes()
  }

  /// The member `labels`, if there are any.
  func writeLabels(to text: inout JSONWriter) {
    guard let host else { return }
    text.name("labels")
    text.beginObject()
    text.name("host")
    text.value(repaired: host)
    text.endObject()
  }
}
