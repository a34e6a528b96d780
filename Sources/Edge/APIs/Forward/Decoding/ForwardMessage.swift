import Codecs
import Decoding
import Records

/// A message of Fluentd's forward protocol (version 1), taken apart as far as is needed to know what becomes
/// of it: events stay where they lie.
package struct ForwardMessage: Sendable, Hashable {
  /// Where the events are.
  package enum Events: Sendable, Hashable {
    /// One, as two values: its time and its record.
    case one(Range<Int>)
    /// So many lists of a time and a record.
    case list(Range<Int>, count: Int)
    /// As lists one behind the other until the bytes end; compressed as `coding` says.
    case packed(Range<Int>, coding: String?)
  }

  /// What decides where events go; nil: it is no text.
  package let tag: Range<Int>?
  package let events: Events
  /// By which a repeat is known, and what is to be answered; nil: nobody waits for an answer.
  package let chunk: Range<Int>?
  /// Metrics or traces of Fluent Bit, which are no records.
  package let isOfOtherKind: Bool

  /// Whether its events are.
  package var isCompressed: Bool {
    if case .packed(_, coding: .some) = events { true } else { false }
  }

  /// - Throws: `.malformed`.
  package init(_ bytes: [UInt8], _ range: Range<Int>) throws(PushFault) {
    do throws(MessagePackReader.Fault) {
      var reader = MessagePackReader(bytes, range)
      guard case .array(let count) = try reader.next(), (2...4).contains(count) else {
        throw MessagePackReader.Fault.malformed
      }
      switch try reader.next() {
      case .text(let range), .binary(let range): tag = range
      case .null, .bool, .int, .uint, .float, .other: tag = nil
      case .array, .map: throw MessagePackReader.Fault.malformed
      }
      let start = reader.at
      let found: Events
      var packed: Range<Int>?
      var read = 2
      switch try reader.next() {
      case .array(let events):
        let first = reader.at
        for _ in 0..<events { try reader.skip() }
        found = .list(first..<reader.at, count: events)
      case .text(let range), .binary(let range):
        packed = range
        found = .packed(range, coding: nil)
      case .null, .bool, .int, .uint, .float, .other:
        guard count >= 3 else { throw MessagePackReader.Fault.malformed }
        try reader.skip()
        read = 3
        found = .one(start..<reader.at)
      case .map: throw MessagePackReader.Fault.malformed
      }
      let options = read < count ? try ForwardOptions(&reader, bytes) : ForwardOptions()
      if let packed { events = .packed(packed, coding: options.coding) } else { events = found }
      chunk = options.chunk
      isOfOtherKind = options.isOfOtherKind
    } catch { throw .malformed("not a message of Fluentd's forward protocol") }
  }

  /// What says that the events of a chunk are on the disk.
  package func answer(in bytes: [UInt8]) -> [UInt8] {
    guard let chunk, let count = UInt16(exactly: chunk.count) else { return [] }
    var answer: [UInt8] = [0x81, 0xA3]
    answer += "ack".utf8
    if let short = UInt8(exactly: count) {
      answer += [0xD9, short]
    } else {
      answer += [0xDA, UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
    }
    answer += bytes[chunk]
    return answer
  }
}

/// What a message says of itself behind its events.
private struct ForwardOptions {
  private(set) var chunk: Range<Int>?
  private(set) var coding: String?
  private(set) var isOfOtherKind = false

  init() {}

  init(_ reader: inout MessagePackReader, _ bytes: [UInt8]) throws(MessagePackReader.Fault) {
    guard case .map(let count) = try reader.next() else { return }
    for _ in 0..<count {
      guard case .text(let name) = try reader.next() else {
        try reader.skip()
        continue
      }
      let start = reader.at
      try reader.skip()
      var option = MessagePackReader(bytes, start..<reader.at)
      switch (bytes[name], try option.next()) {
      case (let name, .text(let value)) where name.elementsEqual("chunk".utf8),
        (let name, .binary(let value)) where name.elementsEqual("chunk".utf8):
        chunk = value
      case (let name, .text(let value)) where name.elementsEqual("compressed".utf8):
        let text = String(repairing: bytes.span.extracting(value))
        coding = text.hasBytes(of: "text") ? nil : text
      case (let name, .int(let signal)) where name.elementsEqual("fluent_signal".utf8):
        isOfOtherKind = signal != 0
      default: break
      }
    }
  }
}
