import Decoding
import Masking
import Records

/// Turns bodies of the sessions API, `{"logs":[{"timestamp","level","message"},…]}`, into batches of the
/// dataset
/// `sessions`. Immutable: make one and keep it.
///
/// All three members must be there; `level` and `message` may be null, other members are left out. Times are
/// text with a zone and kept to the microsecond, which is what the API gives back.
package struct SessionLogsDecoder: Sendable {
  private static let fields = Dataset.sessions.schema.declaredFields
  private let envelope: EnvelopeDecoder

  /// - Parameter masking: What is hidden, for the dataset `sessions`.
  package init(masking: MaskingPlan, limits: DecodingLimits) {
    let sent = ["timestamp", "level", "message"].compactMap { name in
      SessionLogsDecoder.fields.first { $0.name == name }
    }
    envelope = EnvelopeDecoder(member: "logs", fields: sent, masking: masking, limits: limits)
  }

  private init(_ envelope: EnvelopeDecoder) { self.envelope = envelope }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> SessionLogsDecoder {
    SessionLogsDecoder(envelope.masked(by: plan))
  }

  /// - Parameters:
  ///   - body: At most ``RecordDecoder/bodyBytesMax`` bytes.
  ///   - container, session: Put into every row.
  /// - Throws: The first fault. Without an entry number it concerns the body, or its member `logs`.
  package func decode(
    _ body: [UInt8], container: String, session: String
  ) throws(DecodingError) -> RecordBatch {
    let (columns, rowCount) = try envelope.decode(body)
    return RecordBatch(
      fields: SessionLogsDecoder.fields,
      columns: [
        SessionLogsDecoder.microseconds(columns[0]), SessionLogsDecoder.constant(container, rowCount),
        SessionLogsDecoder.constant(session, rowCount), columns[1], columns[2],
      ], rowCount: rowCount)
  }

  /// Times rounded down to microseconds.
  private static func microseconds(_ column: Column) -> Column {
    column.withInt64 { times in
      var rounded: [Int64] = []
      rounded.reserveCapacity(times.count)
      for index in times.indices {
        let time = times[index]
        let below = time % 1_000
        // The very first microsecond there is has no beginning in 64 bits.
        rounded.append(time < .min + 1_000 ? time : time - (below < 0 ? below + 1_000 : below))
      }
      return Column(timestamps: rounded)
    }
  }

  private static func constant(_ text: String, _ rowCount: Int) -> Column {
    let bytes = Array(text.utf8)
    var builder = TextBuilder(capacity: rowCount)
    builder.reserve(rowCount * bytes.count)
    for _ in 0..<rowCount {
      builder.append(contentsOf: bytes.span)
      builder.endRow()
    }
    return builder.finish()
  }
}
