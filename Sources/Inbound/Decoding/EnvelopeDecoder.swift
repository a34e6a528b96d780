import Codecs
import Masking
import Records

/// Turns bodies that are one object, with the records in one of its members, into columns. Immutable: make
/// one and keep it.
///
/// Every field must be there; what else records have is left out, of the envelope it is a fault. No name may
/// be there twice. Times are text with a zone.
package struct EnvelopeDecoder: Sendable {
  private let member: String
  private let fields: [Field]
  private let masking: MaskingPlan
  private let limits: DecodingLimits

  /// - Parameters:
  ///   - member: The name of the array of records.
  ///   - fields: Of a record, at most 64; null is for those that are nullable.
  package init(member: String, fields: [Field], masking: MaskingPlan, limits: DecodingLimits) {
    self.member = member
    self.fields = fields
    self.masking = masking
    self.limits = limits
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> EnvelopeDecoder {
    EnvelopeDecoder(member: member, fields: fields, masking: plan, limits: limits)
  }

  /// The records' columns in the order of the fields.
  ///
  /// - Parameter body: At most ``RecordDecoder/bodyBytesMax`` bytes.
  /// - Throws: The first fault. Without an entry number it concerns the body, or its array.
  package func decode(_ body: [UInt8]) throws(DecodingError) -> (columns: [Column], rowCount: Int) {
    guard body.count <= RecordDecoder.bodyBytesMax else {
      throw DecodingError(
        entry: nil, byte: RecordDecoder.bodyBytesMax, field: nil,
        reason: .bodyTooLarge(bytesMax: RecordDecoder.bodyBytesMax))
    }
    var scan = BodyScan(plan(body.count), fields: fields, limits: limits, mode: .reject)
    let start = try RecordDecoder.afterByteOrderMark(body.span)
    try scan.scanEnvelope(body, from: start, member: member)
    return scan.finishColumns()
  }

  private func plan(_ byteCount: Int) -> ScanPlan {
    var plan = ScanPlan(
      slots: fields.map { ColumnSlot(name: $0.name, type: $0.type, isNullable: $0.isNullable) },
      overflowSlot: nil)
    plan.dropsUnknown = true
    for slot in fields.indices { plan.requiredSlots |= 1 << UInt64(slot) }
    plan.takesTimestampAsTextOnly = true
    plan.refusesRepeatedNames = true
    plan.mask(masking)
    plan.bound(limits)
    plan.byteCountHint = byteCount
    return plan
  }
}
