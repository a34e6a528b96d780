import Codecs
import Decoding
import Masking
import Records

/// A body of the ingest API on its way into columns.
struct IngestPass: ~Copyable {
  private let limits: IngestLimits
  private let masking: MaskingPlan
  private let body: [UInt8]
  private let memory: DecodingMemory
  private let hasShortcut: Bool
  /// 3 behind a UTF-8 byte order mark, else 0.
  private let start: Int
  private var reader: JSONReader
  private var scan: IngestScan
  private var tree: IngestTree
  private var hasEntries = false
  private var hasKey = false
  private var key: JSONTree?
  /// What is wrong with the body as a whole, whatever its entries are.
  private var refusal: ValidationFailure?

  /// - Parameter hasShortcut: Whether plain entries may go straight into columns.
  init(
    _ limits: IngestLimits, masking: MaskingPlan, _ body: [UInt8], memory: DecodingMemory,
    hasShortcut: Bool = true
  ) {
    self.limits = limits
    self.masking = masking
    self.body = body
    self.memory = memory
    // Rules of objects hold for what was sent, which the scan would not keep.
    let isHidden = masking.rule(forKey: "labels") != 0 || masking.rule(forKey: "metadata") != 0
    self.hasShortcut = hasShortcut && !isHidden
    start = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    reader = JSONReader(body, from: start, isLenient: true)
    scan = IngestScan(limits, masking: masking, byteCount: body.count)
    tree = IngestTree(limits, masking: masking)
  }

  mutating func run() throws(ValidationFailure) -> IngestBatch {
    guard body.count <= limits.batchBytesMax + IngestDecoder.otherBytesMax else { throw batchTooLarge }
    guard body.count > start else { throw ValidationFailure.noBody }
    do throws(EntryHindrance) { try readBody() } catch {
      switch error {
      case .syntax(let error):
        // Places are counted in characters.
        let offset = body[start..<max(start, error.offsetBytes)].count { $0 & 0xC0 != 0x80 }
        throw ValidationFailure.notJSON(at: offset, [ValidationContext("error", .text(error.reason))])
      case .shortage(let shortage): throw ValidationFailure(shortage)
      }
    }
    if let refusal { throw refusal }
    if tree.faults.isFull { try tree.faults.check() }
    if !hasEntries { _ = tree.faults.missing(IngestPass.place) }
    let key = tree.idempotencyKey(key)
    try tree.faults.check()
    return IngestBatch(
      records: scan.finish(), idempotencyKey: key, maskedCounts: masking.counts(maskedCounts),
      maskingFailedCount: tree.failedCount)
  }

  private static let place: [ValidationPlace] = [.name("body"), .name("entries")]

  /// Faults of the list as a whole stand where the original has them: one level down.
  private static let whole = place + [.name("entries")]

  private var batchTooLarge: ValidationFailure {
    var faults = ValidationFaults()
    faults.addValueError(
      IngestPass.whole, "Batch size exceeds \(ValidationFaults.size(limits.batchBytesMax)) limit")
    return ValidationFailure(faults.errors)
  }

  private var maskedCounts: [Int] {
    let scanned = scan.maskedCounts
    // Without rules the scan has no counts.
    return tree.counts.indices.map { tree.counts[$0] + ($0 < scanned.count ? scanned[$0] : 0) }
  }

  private mutating func reading<Value>(
    _ step: (inout JSONReader) throws(JSONTree.SyntaxError) -> Value
  ) throws(EntryHindrance) -> Value {
    do throws(JSONTree.SyntaxError) { return try step(&reader) } catch { throw .syntax(error) }
  }

  private mutating func readBody() throws(EntryHindrance) {
    guard reader.peek() == UInt8(ascii: "{") else {
      refusal = ValidationFailure.notAnObject
      return try reading { reader throws(JSONTree.SyntaxError) in
        try reader.skip()
        try reader.end()
      }
    }
    try reading { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var names = JSONNames()
    while let name = try member(&names) {
      if name.hasBytes(of: "entries") {
        if hasEntries { tree.refuseRepeated(name, at: [.name("body")]) }
        try readEntries()
        // The list is refused, whatever follows.
        if tree.faults.isFull || refusal != nil { return }
      } else if name.hasBytes(of: "idempotency_key") {
        if hasKey { tree.refuseRepeated(name, at: [.name("body")]) }
        hasKey = true
        key = try reading { reader throws(JSONTree.SyntaxError) in try reader.scalar() }
      } else {
        tree.refuseUnknown(name, at: [.name("body")])
        try reading { reader throws(JSONTree.SyntaxError) in try reader.skip() }
      }
    }
    try reading { reader throws(JSONTree.SyntaxError) in try reader.end() }
  }

  private mutating func member(_ names: inout JSONNames) throws(EntryHindrance) -> String? {
    do throws(JSONTree.SyntaxError) { return try reader.member(&names) } catch { throw .syntax(error) }
  }

  /// The value of the member `entries`.
  private mutating func readEntries() throws(EntryHindrance) {
    hasEntries = true
    guard reader.peek() == UInt8(ascii: "[") else {
      tree.faults.add(IngestPass.place, "list_type", "Input should be a valid list")
      return try reading { reader throws(JSONTree.SyntaxError) in try reader.skip() }
    }
    try reading { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var count = 0
    var bytesLeft = limits.batchBytesMax
    while try hasElement(count) {
      guard count < limits.entriesMax else { return try countRest(from: count) }
      bytesLeft -= try readEntry(count)
      if tree.faults.isFull { return }
      count += 1
    }
    guard tree.faults.isEmpty else { return }
    if count == 0 {
      tree.faults.add(
        IngestPass.whole, "too_short", "List should have at least 1 item after validation, not 0",
        [
          ValidationContext("field_type", .text("List")), ValidationContext("min_length", .number(1)),
          ValidationContext("actual_length", .number(0)),
        ])
    }
    if bytesLeft < 0 { refusal = batchTooLarge }
  }

  private mutating func hasElement(_ count: Int) throws(EntryHindrance) -> Bool {
    try reading { reader throws(JSONTree.SyntaxError) in try reader.hasElement(isFirst: count == 0) }
  }

  /// The element at hand is one too many: how many there are is told.
  private mutating func countRest(from count: Int) throws(EntryHindrance) {
    var total = count
    repeat {
      try reading { reader throws(JSONTree.SyntaxError) in try reader.skip() }
      total += 1
    } while try hasElement(total)
    let most = limits.entriesMax
    refusal = ValidationFailure(
      IngestPass.whole, "too_long",
      "List should have at most \(ValidationFaults.count(most, "item")) after validation, not \(total)",
      [
        ValidationContext("field_type", .text("List")), ValidationContext("max_length", .number(most)),
        ValidationContext("actual_length", .number(total)),
      ])
  }

  /// Reads the element at hand; returns its bytes.
  private mutating func readEntry(_ index: Int) throws(EntryHindrance) -> Int {
    let isObject = reader.peek() == UInt8(ascii: "{")
    let body = body
    let start = reader.at
    // What has a fault somewhere is stored nowhere, but all of it is looked at.
    if isObject, hasShortcut, tree.faults.isEmpty, let end = scan.row(body.span, at: start) {
      reader.move(to: end)
      return end - start
    }
    let measured: (treeBytes: Int, end: Int)
    do throws(JSONTree.SyntaxError) { measured = try reader.measure() } catch { throw .syntax(error) }
    let sizeBytes = measured.end - start
    let place = IngestPass.place + [.index(index)]
    guard isObject, tree.takes(sizeBytes: sizeBytes, at: place) else {
      if !isObject { tree.refuseKind(at: place) }
      reader.move(to: measured.end)
      return sizeBytes
    }
    // Objects are there as sent and masked; their texts as columns want them.
    let bytes = measured.treeBytes * 3 + sizeBytes * 2
    try memory.take(bytes)
    defer { memory.give(bytes) }
    let members = try reading { reader throws(JSONTree.SyntaxError) in try reader.members() }
    if let row = tree.read(members, at: place), tree.faults.isEmpty { scan.append(row) }
    return sizeBytes
  }
}
