import Codecs
import Masking
import Records

/// Turns bodies of the sessions API, `{"logs":[{"timestamp","level","message"},…]}`, into batches of the
/// dataset
/// `sessions`. Immutable: make one and keep it.
///
/// All three members must be there; `level` and `message` may be null, other members are left out. Times are
/// text with a zone and kept to the microsecond, which is what the API gives back.
package struct SessionLogsDecoder: Sendable {
  private let masking: MaskingPlan
  private let limits: DecodingLimits
  private static let names = ["timestamp", "level", "message"]

  package init(masking: MaskingPlan, limits: DecodingLimits) {
    self.masking = masking
    self.limits = limits
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> SessionLogsDecoder {
    SessionLogsDecoder(masking: plan, limits: limits)
  }

  /// - Parameters:
  ///   - body: At most ``RecordDecoder/bodyBytesMax`` bytes.
  ///   - container, session: Put into every row.
  /// - Throws: The first fault. Without an entry number it concerns the body, or its member `logs`.
  package func decode(
    _ body: [UInt8], container: String, session: String
  ) throws(DecodingError) -> RecordBatch {
    guard body.count <= RecordDecoder.bodyBytesMax else {
      throw DecodingError(
        entry: nil, byte: RecordDecoder.bodyBytesMax, field: nil,
        reason: .bodyTooLarge(bytesMax: RecordDecoder.bodyBytesMax))
    }
    let fields = Dataset.sessions.schema.declaredFields
    let scanned = SessionLogsDecoder.names.compactMap { name in fields.first { $0.name == name } }
    var scan = BodyScan(plan(scanned, body.count), fields: scanned, limits: limits, mode: .reject)
    let start = try RecordDecoder.afterByteOrderMark(body.span)
    try scan.scanEnvelope(body.span, from: start, member: "logs")
    let (columns, rowCount) = scan.finishColumns()
    return RecordBatch(
      fields: fields,
      columns: [
        SessionLogsDecoder.microseconds(columns[0]), SessionLogsDecoder.constant(container, rowCount),
        SessionLogsDecoder.constant(session, rowCount), columns[1], columns[2],
      ], rowCount: rowCount)
  }

  private func plan(_ fields: [Field], _ byteCount: Int) -> ScanPlan {
    var plan = ScanPlan(
      slots: fields.map { ColumnSlot(name: $0.name, type: $0.type, isNullable: $0.isNullable) },
      overflowSlot: nil)
    plan.dropsUnknown = true
    plan.requiredSlots = 0b111
    plan.takesTimestampAsTextOnly = true
    plan.mask(masking)
    plan.bound(limits)
    plan.byteCountHint = byteCount
    return plan
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

extension ScanPlan {
  mutating func mask(_ masking: MaskingPlan) {
    self.masking = masking.isEmpty ? nil : masking
    failureSlot = overflowSlot
  }

  mutating func bound(_ limits: DecodingLimits) {
    entryBytesMax = limits.entryBytesMax
    membersMax = limits.membersMax
    keyBytesMax = limits.keyBytesMax
    depthMax = limits.depthMax
  }
}
