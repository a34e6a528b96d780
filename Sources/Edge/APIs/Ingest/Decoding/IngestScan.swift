import Codecs
import Decoding
import Masking
import Records

/// A body of the ingest API on its way straight into columns. Gives up at the first thing that is not plain:
/// ``IngestTree`` then says what it is.
struct IngestScan: ~Copyable {
  private let limits: IngestLimits
  private let masking: MaskingPlan
  private var scanner: JSONColumnScanner
  private var hasEntries = false
  private var hasKey = false
  private var idempotencyKey: String?

  private static let fields = Dataset.logs.schema.declaredFields
  private static let slots = fields.map { slot($0) }
  private static let labelsSlot = fields.firstIndex { $0.name == "labels" }
  private static let required = ["timestamp", "level", "message", "service", "env"].reduce(into: UInt64(0)) {
    bits, name in
    if let slot = fields.firstIndex(where: { $0.name == name }) { bits |= 1 << UInt64(slot) }
  }
  private static let labelNames = IngestDecoder.labelKeys.map { Array($0.utf8) }

  init(_ limits: IngestLimits, masking: MaskingPlan, byteCount: Int) {
    self.limits = limits
    self.masking = masking
    var plan = ScanPlan(slots: IngestScan.slots, overflowSlot: nil)
    plan.dropsUnknown = true
    plan.requiredSlots = IngestScan.required
    plan.takesTimestampAsTextOnly = true
    plan.takesLooseTimestamp = true
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
    default: slot.takesEmptyArray = true
    }
    return slot
  }

  /// Whether the whole body was plain.
  mutating func run(_ body: Span<UInt8>) -> Bool {
    var at = JSONScanner.skipSpace(body, from: IngestScan.start(body))
    guard at < body.count, body[at] == UInt8(ascii: "{") else { return false }
    at += 1
    while true {
      at = JSONScanner.skipSpace(body, from: at)
      guard let next = member(body, at) else { return false }
      at = JSONScanner.skipSpace(body, from: next)
      guard at < body.count else { return false }
      if body[at] == UInt8(ascii: "}") { break }
      guard body[at] == UInt8(ascii: ",") else { return false }
      at += 1
    }
    guard JSONScanner.skipSpace(body, from: at + 1) == body.count else { return false }
    return hasEntries && scanner.rowCount > 0
  }

  /// 3 behind a UTF-8 byte order mark, else 0.
  static func start(_ body: Span<UInt8>) -> Int {
    body.count >= 3 && body[0] == 0xEF && body[1] == 0xBB && body[2] == 0xBF ? 3 : 0
  }

  /// The byte behind the member at `at`; nil if it is not plain.
  private mutating func member(_ body: Span<UInt8>, _ at: Int) -> Int? {
    if !hasEntries, let value = IngestScan.value(body, at, "\"entries\"") {
      hasEntries = true
      return entries(body, value)
    }
    if !hasKey, let value = IngestScan.value(body, at, "\"idempotency_key\"") {
      hasKey = true
      return key(body, value)
    }
    return nil
  }

  /// Where the value starts if the name at `at` is `name`, its quotes included.
  private static func value(_ body: Span<UInt8>, _ at: Int, _ name: String) -> Int? {
    var index = at
    for byte in name.utf8 {
      guard index < body.count, body[index] == byte else { return nil }
      index += 1
    }
    index = JSONScanner.skipSpace(body, from: index)
    guard index < body.count, body[index] == UInt8(ascii: ":") else { return nil }
    return JSONScanner.skipSpace(body, from: index + 1)
  }

  private mutating func entries(_ body: Span<UInt8>, _ open: Int) -> Int? {
    guard open < body.count, body[open] == UInt8(ascii: "[") else { return nil }
    var at = open + 1
    var bytesLeft = limits.batchBytesMax
    while true {
      at = JSONScanner.skipSpace(body, from: at)
      guard at < body.count, body[at] == UInt8(ascii: "{"), scanner.rowCount < limits.entriesMax,
        let end = scanner.scan(body, at: at), scanner.fault == nil
      else { return nil }
      bytesLeft -= end - at
      guard bytesLeft >= 0 else { return nil }
      at = JSONScanner.skipSpace(body, from: end)
      guard at < body.count else { return nil }
      if body[at] == UInt8(ascii: "]") { return at + 1 }
      guard body[at] == UInt8(ascii: ",") else { return nil }
      at += 1
    }
  }

  private mutating func key(_ body: Span<UInt8>, _ at: Int) -> Int? {
    let end = JSONScanner.skipValue(body, from: at)
    guard at < end, end - at <= IngestDecoder.idempotencyKeyCharactersMax + 2, body[at] == UInt8(ascii: "\"")
    else { return nil }
    for index in at + 1..<end - 1 {
      let byte = body[index]
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\\") else { return nil }
    }
    guard end - at >= 2, body[end - 1] == UInt8(ascii: "\"") else { return nil }
    idempotencyKey = JSONScanner.string(body, at..<end)
    return end
  }

  /// What was scanned; nil if a rule of labels is broken. The scan is used up.
  consuming func finish() -> IngestBatch? {
    guard let labelsSlot = IngestScan.labelsSlot else { preconditionFailure("the dataset has labels") }
    // Labels that were masked or given up do not tell whether they kept the rules.
    guard scanner.alteredSlots & (1 << UInt64(labelsSlot)) == 0, scanner.maskingFailedCount == 0 else {
      return nil
    }
    let rowCount = scanner.rowCount
    let counts = masking.isEmpty ? [] : masking.counts(scanner.maskedCounts)
    let columns = scanner.finish()
    guard IngestScan.keepsRules(columns[labelsSlot]) else { return nil }
    return IngestBatch(
      records: RecordBatch(fields: IngestScan.fields, columns: columns, rowCount: rowCount),
      idempotencyKey: idempotencyKey, maskedCounts: counts, maskingFailedCount: 0)
  }

  /// Whether all members of the objects are texts of allowed names and lengths.
  private static func keepsRules(_ labels: Column) -> Bool {
    labels.withText { offsets, bytes in
      for row in 0..<labels.rowCount where offsets[row + 1] - offsets[row] > 2 {
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        var members = JSONMembers(text)
        while members.next(text) {
          // Bytes, with escapes: never fewer than characters.
          guard members.kind == .string, members.value.count - 2 <= IngestDecoder.labelCharactersMax,
            labelNames.contains(where: { members.keyEquals(text, $0) })
          else { return false }
        }
      }
      return true
    }
  }
}
