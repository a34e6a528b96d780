import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns GELF messages (https://go2docs.graylog.org/current/getting_in_log_data/gelf.html, 1.1) into a batch
/// of the dataset `logs` (Docs/gelf.md). Immutable: make one and keep it.
///
/// What is no JSON object is a record with all of its text; but where names are masked, what begins as an
/// object and cannot be read as one is refused: nobody knows what its members are called.
package struct GELFDecoder: Sendable {
  private let decoder: RecordDecoder
  private let shape = RecordShape()
  private let isMasked: Bool

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    self.init(
      RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits),
      isMasked: !masking.isEmpty)
  }

  private init(_ decoder: RecordDecoder, isMasked: Bool) {
    self.decoder = decoder
    self.isMasked = isMasked
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> GELFDecoder {
    GELFDecoder(decoder.masked(by: plan), isMasked: !plan.isEmpty)
  }

  /// - Parameters:
  ///   - batch: Messages, decompressed.
  ///   - now: When they came, in nanoseconds since 1970.
  ///   - memory: What they take as records' text is taken of it meanwhile.
  /// - Throws: `.busy`, `.tooLarge`.
  package func decode(
    _ batch: MessageBatch, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> ListenedRecords {
    var lines = RecordLines(memory: memory, recordsMax: decoder.limits.entriesMax)
    var timesUnread = 0
    do throws(PushFault) {
      for message in batch.messages {
        let bytes = GELFObject.repaired(batch.bytes[message.range])
        let source = batch.sources[message.source]
        var written = JSONWriter(capacity: bytes.count * 2 + 256)
        var host: [UInt8]?
        do throws(PushFault) {
          let plain = try GELFObject(bytes)
          host = plain.host
          if try write(plain.written(from: source), to: &written, now: now) { timesUnread += 1 }
        } catch {
          guard case .badRecord(let reason) = error else { throw error }
          if isMasked, GELFObject.begins(bytes) {
            try lines.refuse("an object that cannot be read: \(reason)")
            continue
          }
          // A character may take six bytes as it is written, and the record has a bound.
          let kept = bytes.prefix(max(1_024, decoder.limits.entryBytesMax / 8))
          written = JSONWriter(capacity: kept.count + 256)
          written.name("message")
          written.value(repaired: Array(kept).span)
          written.name("metadata")
          written.beginObject()
          written.member("parse_error", reason)
          written.member("peer", source)
          if message.isCut || kept.count < bytes.count { written.member("truncated", true) }
          written.endObject()
        }
        let members = written.takeBytes()
        try lines.append(bytesMax: members.count + (host?.count ?? 0) + 64) { text throws(PushFault) in
          text.members(members)
          guard let host else { return }
          text.name("labels")
          text.beginObject()
          text.name("host")
          text.value(written: host.span)
          text.endObject()
        }
      }
      return ListenedRecords(records: try lines.decode(by: decoder, now: now), timesUnreadCount: timesUnread)
    } catch {
      lines.giveBack()
      throw error
    }
  }
}

extension GELFDecoder {
  /// Writes the members of a record for an object.
  ///
  /// - Returns: Whether its time cannot be read.
  private func write(
    _ object: [UInt8], to text: inout JSONWriter, now: Int64
  ) throws(PushFault) -> Bool {
    do throws(JSONTree.SyntaxError) {
      var reader = JSONReader(object, keepsNumberTexts: true)
      let outcome = try shape.write(&reader, of: object, to: &text, times: LogTime(now: now))
      return outcome?.hasUnreadableTime ?? false
    } catch { throw .badRecord(error.reason) }
  }
}

/// A GELF message's members, under the names that other loggers have for the same.
private struct GELFObject {
  /// As it is written; nil: there is none.
  private(set) var host: [UInt8]?
  private let bytes: [UInt8]
  private var members: [(name: String, value: Range<Int>)] = []

  /// Names that mean something in GELF or here: own fields do not take them.
  private static let taken: Set<Name> = [
    "version", "host", "short_message", "full_message", "message", "timestamp", "level", "facility", "line",
    "file", "id", "peer",
  ]

  /// A message without what stands before and behind it, and with U+FFFD for what JSON text cannot have.
  static func repaired(_ message: ArraySlice<UInt8>) -> [UInt8] {
    var kept = message.starts(with: [0xEF, 0xBB, 0xBF]) ? message.dropFirst(3) : message
    while let last = kept.last, isSpace(last) || last == 0 { kept.removeLast() }
    guard let first = kept.firstIndex(where: { !isSpace($0) }) else { return [] }
    kept = kept[first...]
    let isClean = String(validating: kept, as: UTF8.self) != nil
    return JSONRepair.repaired(isClean ? Array(kept) : Array(String(decoding: kept, as: UTF8.self).utf8))
  }

  private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  /// Whether it is an object, or a part of one.
  static func begins(_ bytes: [UInt8]) -> Bool { bytes.first == UInt8(ascii: "{") }

  /// - Throws: `.badRecord`: it is no JSON object.
  init(_ bytes: [UInt8]) throws(PushFault) {
    self.bytes = bytes
    guard GELFObject.begins(bytes) else { throw .badRecord("not a JSON object") }
    do throws(JSONTree.SyntaxError) { try read() } catch { throw .badRecord(error.reason) }
    rename()
  }

  private mutating func read() throws(JSONTree.SyntaxError) {
    var reader = JSONReader(bytes, isLenient: true, keepsNumberTexts: true)
    try reader.open()
    var names = JSONNames()
    var places: [Name: Int] = [:]
    while let name = try reader.member(&names) {
      _ = reader.peek()
      let start = reader.at
      try reader.skip()
      // Of a name that comes twice the last counts.
      if let place = places[Name(name)] {
        members[place].value = start..<reader.at
      } else {
        places[Name(name)] = members.count
        members.append((name, start..<reader.at))
      }
    }
    try reader.end()
  }

  private mutating func rename() {
    let known = Set(members.map { Name($0.name) })
    let hasMessage = known.contains(Name("message"))
    let short = text("short_message")
    let full = text("full_message")
    // The whole of what the short one begins.
    let isWhole =
      !hasMessage
      && (short.map { short in full.map { bytes[$0].starts(with: bytes[short].dropLast()) } ?? false }
        ?? false)
    var kept: [(name: String, value: Range<Int>)] = []
    for (name, value) in members {
      switch Name(name) {
      case "host" where bytes[value.lowerBound] == UInt8(ascii: "\""): host = Array(bytes[value])
      case "version" where bytes[value].count == 5 && bytes[value].starts(with: "\"1.".utf8): break
      case "short_message" where isWhole: break
      case "full_message" where isWhole: kept.append(("message", value))
      case "short_message" where !hasMessage: kept.append(("message", value))
      default:
        let own = name.utf8.first == UInt8(ascii: "_") ? String(name.dropFirst()) : ""
        let isFree = !own.isEmpty && !GELFObject.taken.contains(Name(own)) && !known.contains(Name(own))
        kept.append((isFree ? own : name, value))
      }
    }
    members = kept
  }

  private func text(_ name: Name) -> Range<Int>? {
    members.first { Name($0.name) == name && bytes[$0.value.lowerBound] == UInt8(ascii: "\"") }?.value
  }

  func written(from source: String) -> [UInt8] {
    JSONWriter.object { text in
      for member in members {
        text.name(repaired: member.name)
        text.value(written: bytes.span.extracting(member.value))
      }
      let isNamed = members.contains { Name($0.name) == Name("peer") }
      if !source.isEmpty, !isNamed { text.member("peer", source) }
    }
  }
}
