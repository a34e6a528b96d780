import Codecs
import Decoding
import Masking
import Records

/// Columns that entries of the ingest API go into: plain ones straight from their text, others as rows that
/// ``IngestTree`` made of them.
struct IngestScan: ~Copyable {
  private var scanner: JSONColumnScanner

  private static let fields = Dataset.logs.schema.declaredFields
  private static let slots = fields.map { slot($0) }
  private static let required = ["timestamp", "level", "message", "service", "env"].reduce(into: UInt64(0)) {
    bits, name in
    if let slot = fields.firstIndex(where: { $0.name == name }) { bits |= 1 << UInt64(slot) }
  }
  private static let labelNames = IngestDecoder.labelKeys.map { Array($0.utf8) }

  init(_ limits: IngestLimits, masking: MaskingPlan, byteCount: Int) {
    var plan = ScanPlan(slots: IngestScan.slots, overflowSlot: nil)
    plan.dropsUnknown = true
    plan.requiredSlots = IngestScan.required
    plan.takesTimestampAsTextOnly = true
    plan.takesLooseTimestamp = true
    plan.refusesRepeatedNames = true
    // The rules of objects hold for what was sent; of what is given up it is not known any more.
    plan.refusesOverBound = true
    plan.masking = masking.isEmpty ? nil : masking
    plan.entryBytesMax = limits.entryBytesMax
    plan.membersMax = limits.membersMax
    plan.keyBytesMax = limits.keyBytesMax
    plan.byteCountHint = byteCount
    scanner = JSONColumnScanner(plan)
  }

  private static func slot(_ field: Field) -> ColumnSlot {
    let mayBeNull = ["trace_id", "span_id", "labels", "metadata"].contains(field.name)
    var slot = ColumnSlot(name: field.name, type: field.type, isNullable: mayBeNull)
    switch field.name {
    case "level": slot.rule = .oneOf(IngestDecoder.levels.map { Array($0.utf8) })
    case "message": slot.rule = .characters(1...IngestDecoder.messageCharactersMax)
    case "service": slot.rule = .slug(charactersMax: IngestDecoder.serviceCharactersMax)
    case "env": slot.rule = .slug(charactersMax: IngestDecoder.envCharactersMax)
    case "trace_id": slot.rule = .characters(0...IngestDecoder.traceCharactersMax)
    case "span_id": slot.rule = .characters(0...IngestDecoder.spanCharactersMax)
    case "metadata":
      slot.depthMax = IngestDecoder.metadataDepthMax
      slot.takesEmptyArray = true
    case "labels":
      slot.takesEmptyArray = true
      slot.memberNames = labelNames
      // Bytes, with escapes: never fewer than characters.
      slot.memberBytesMax = IngestDecoder.labelCharactersMax
    default: break
    }
    return slot
  }

  /// How often each rule hid a value in the entries that went straight in.
  var maskedCounts: [Int] { scanner.maskedCounts }

  /// Appends the entry at `start`; returns the offset behind it, or nil if it is not plain.
  mutating func row(_ body: Span<UInt8>, at start: Int) -> Int? {
    guard let end = scanner.scan(body, at: start), scanner.fault == nil else { return nil }
    return end
  }

  /// Appends an entry that was read otherwise.
  mutating func append(_ row: IngestRow) {
    scanner.append([.time(row.time)] + row.texts.map { $0.map { .text($0) } ?? .null })
  }

  /// What there is now; the scan is used up.
  mutating func finish() -> RecordBatch {
    let rowCount = scanner.rowCount
    return RecordBatch(fields: IngestScan.fields, columns: scanner.finish(), rowCount: rowCount)
  }
}
