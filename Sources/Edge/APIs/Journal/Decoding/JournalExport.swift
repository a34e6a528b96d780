import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns entries of systemd's journal in its export format into a batch of the dataset `logs`
/// (Docs/journald.md). Immutable: make one and keep it.
package struct JournalExport: Sendable {
  /// What a piece of a stream of entries held.
  package struct Decoded: Sendable {
    package let records: PushedRecords
    /// Bytes of the piece's beginning that are done with: what is behind them is no whole entry, or too many.
    package let byteCount: Int
    /// Entries whose time cannot be read: they have the time they came at.
    package let timesUnreadCount: Int
    /// Whether each entry says which it is of its journal (`__CURSOR`), so that equal bytes are a repeat.
    package let isTold: Bool
  }

  /// Longer values are cut to it, which `truncated` tells: a dump of a process's memory would be refused
  /// whenever it is sent again, and nothing behind it would ever come.
  package static let valueBytesMax = 64 << 10

  private let decoder: RecordDecoder

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  private init(_ decoder: RecordDecoder) { self.decoder = decoder }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> JournalExport { JournalExport(decoder.masked(by: plan)) }

  /// - Parameters:
  ///   - isLast: Whether nothing comes behind the body: its last entry needs no empty line then.
  ///   - now: Of entries without a time: nanoseconds since 1970.
  ///   - memory: What the entries take as records is taken of it meanwhile.
  /// - Throws: It is no such stream: what follows means nothing. Entries that cannot be stored are left out
  ///   and told.
  package func decode(
    _ body: [UInt8], isLast: Bool, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    let limits = decoder.limits
    var lines = RecordLines(memory: memory, recordsMax: limits.entriesMax)
    var reader = JournalReader(body, isLast: isLast)
    var byteCount = 0
    var timesUnread = 0
    var isTold = true
    do throws(PushFault) {
      while lines.count < limits.entriesMax, let fields = try reader.next() {
        byteCount = reader.at
        if fields.isEmpty { continue }
        let entry = JournalEntry(fields, of: body)
        if entry.time == nil { timesUnread += 1 }
        isTold = isTold && entry.hasCursor
        try lines.append(bytesMax: entry.bytesMax) { text throws(PushFault) in entry.write(to: &text) }
      }
      let records = try lines.decode(by: decoder, now: now)
      return Decoded(
        records: records, byteCount: byteCount, timesUnreadCount: timesUnread, isTold: isTold)
    } catch {
      lines.giveBack()
      throw error
    }
  }
}

/// A field of an entry.
struct JournalField {
  let name: Range<Int>
  let value: Range<Int>
}

/// Reads entries one after the other: fields as `NAME=value` and a line feed or, where the value has one or
/// is no text, `NAME`, a line feed, the value's length in eight bytes, the least first, the value, and a line
/// feed. An empty line ends an entry.
struct JournalReader {
  /// Longer names are none: without a length before it, what has no line feed would be looked at for ever.
  private static let nameBytesMax = 256

  private let body: [UInt8]
  private let isLast: Bool
  /// Behind the last entry that was read.
  private(set) var at = 0

  init(_ body: [UInt8], isLast: Bool) { (self.body, self.isLast) = (body, isLast) }

  /// The fields of the next entry, none for an empty line; nil: there is no whole one any more.
  mutating func next() throws(PushFault) -> [JournalField]? {
    guard at < body.count else { return nil }
    var fields: [JournalField] = []
    var place = at
    while place < body.count {
      if body[place] == 0x0A {
        at = place + 1
        return fields
      }
      guard let found = try field(place) else {
        guard !isLast else { throw .malformed("at byte \(place): the body ends within a field") }
        return nil
      }
      fields.append(found.field)
      place = found.end
    }
    guard isLast else { return nil }
    at = place
    return fields
  }

  /// The field at `start` and where the next begins; nil: it is not whole.
  private func field(_ start: Int) throws(PushFault) -> (field: JournalField, end: Int)? {
    var place = start
    let most = start + JournalReader.nameBytesMax
    while place < body.count, body[place] != 0x0A, body[place] != UInt8(ascii: "=") {
      place += 1
      guard place <= most else { throw .malformed("at byte \(start): a name of more than 256 bytes") }
    }
    guard place < body.count else { return nil }
    let name = start..<place
    guard !name.isEmpty else { throw .malformed("at byte \(start): a field without a name") }
    if body[place] == UInt8(ascii: "=") {
      guard let end = body[place...].firstIndex(of: 0x0A) else { return nil }
      return (JournalField(name: name, value: place + 1..<end), end + 1)
    }
    let from = place + 9
    guard from <= body.count else { return nil }
    let count = (0..<8).reduce(UInt64(0)) { $0 | UInt64(body[place + 1 + $1]) << UInt64(8 * $1) }
    guard count < 1 << 40 else { throw .malformed("at byte \(place + 1): a length that is none") }
    let end = from + Int(count)
    guard end < body.count else { return nil }
    guard body[end] == 0x0A else { throw .malformed("at byte \(end): no line feed behind a value") }
    return (JournalField(name: name, value: from..<end), end + 1)
  }
}
