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
    var reader = ExportReader(body, isLast: isLast)
    var byteCount = 0
    var timesUnread = 0
    var isTold = true
    do throws(PushFault) {
      while lines.count < limits.entriesMax, let fields = try JournalExport.next(&reader) {
        byteCount = reader.at
        if fields.isEmpty { continue }
        let entry = ExportEntry(fields, of: body)
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
  private static func next(_ reader: inout ExportReader) throws(PushFault) -> [ExportField]? {
    do throws(ExportFault) { return try reader.next() } catch { throw .malformed(error.reason) }
  }
}
