import Codecs
import Masking
import Records

/// Turns JSON entries of an ``EntryForm`` into batches, or into everything that is wrong with them.
///
/// One pass over the body, entry by entry: those that are plainly fine go straight into columns, of any other
/// a tree is built, for which memory is taken first, and let go before the next one. Clients of these APIs
/// expect all faults of a body at once, so reading goes on behind a fault, up to
/// ``ValidationFailure/errorsMax`` of them; a body that is no JSON is told by that alone.
package struct EntryDecoder: Sendable {
  private let plan: EntryPlan

  /// - Parameter hasShortcut: Whether plain entries may go straight into columns; without it the answers are
  ///   the same.
  package init(
    _ form: EntryForm, masking: MaskingPlan, limits: DecodingLimits, hasShortcut: Bool = true
  ) {
    plan = EntryPlan(form, masking: masking, limits: limits, hasShortcut: hasShortcut)
  }

  /// The same with another plan.
  package func masked(by masking: MaskingPlan) -> EntryDecoder {
    EntryDecoder(plan.form, masking: masking, limits: plan.limits)
  }

  /// One entry.
  ///
  /// - Parameters:
  ///   - constants: Columns that every row has the same text in.
  ///   - now: The time of entries without one.
  package func decode(
    entry body: [UInt8], constants: [String: String] = [:], now: Int64,
    within memory: DecodingMemory = .unbounded
  ) throws(ValidationFailure) -> RecordBatch {
    guard !body.isEmpty else { throw ValidationFailure.noBody }
    var pass = EntryPass(plan, body, now: now, memory: memory)
    do throws(EntryHindrance) { try pass.readEntry() } catch { throw ValidationFailure(error) }
    return try pass.finish(constants)
  }

  /// A bare array of entries; nil for an empty one.
  package func decode(
    list body: [UInt8], constants: [String: String] = [:], now: Int64,
    within memory: DecodingMemory = .unbounded
  ) throws(ValidationFailure) -> RecordBatch? {
    guard !body.isEmpty else { throw ValidationFailure.noBody }
    var pass = EntryPass(plan, body, now: now, memory: memory)
    do throws(EntryHindrance) { try pass.readList() } catch { throw ValidationFailure(error) }
    let batch = try pass.finish(constants)
    return batch.rowCount == 0 ? nil : batch
  }
}

extension ValidationFailure {
  fileprivate init(_ hindrance: EntryHindrance) {
    switch hindrance {
    case .syntax(let error): self.init(syntax: error)
    case .shortage(let shortage): self.init(shortage)
    }
  }
}

/// One body on its way into columns.
private struct EntryPass: ~Copyable {
  private let plan: EntryPlan
  private let body: [UInt8]
  private let memory: DecodingMemory
  private var reader: JSONReader
  private var scanner: JSONColumnScanner
  private var rows: EntryRows
  /// What is wrong with the body as a whole, whatever its entries are.
  private var refusal: ValidationFailure?

  init(_ plan: EntryPlan, _ body: [UInt8], now: Int64, memory: DecodingMemory) {
    self.plan = plan
    self.body = body
    self.memory = memory
    reader = JSONReader(body, keepsNumberTexts: true)
    scanner = plan.scanner(byteCount: body.count, now: now)
    rows = EntryRows(plan, now: now)
  }

  mutating func readEntry() throws(EntryHindrance) {
    if try !readEntry(nil) { refusal = ValidationFailure.notAnObject }
    try reading { reader throws(JSONTree.SyntaxError) in try reader.end() }
  }

  mutating func readList() throws(EntryHindrance) {
    guard reader.peek() == UInt8(ascii: "[") else {
      refusal = ValidationFailure([.name("body")], "list_type", "Input should be a valid list")
      return try reading { reader throws(JSONTree.SyntaxError) in
        try reader.skip()
        try reader.end()
      }
    }
    try reading { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var count = 0
    while try hasElement(count) {
      guard count < plan.limits.entriesMax else { return try countRest(from: count) }
      if try !readEntry(count) {
        rows.faults.add(
          [.name("body"), .index(count)], ValidationFailure.notAnObjectType,
          ValidationFailure.notAnObjectMessage)
      }
      if rows.faults.isFull { return }
      count += 1
    }
    try reading { reader throws(JSONTree.SyntaxError) in try reader.end() }
  }

  /// The element at hand is one too many: how many there are is told.
  private mutating func countRest(from count: Int) throws(EntryHindrance) {
    var total = count
    repeat {
      try reading { reader throws(JSONTree.SyntaxError) in try reader.skip() }
      total += 1
    } while try hasElement(total)
    try reading { reader throws(JSONTree.SyntaxError) in try reader.end() }
    let most = plan.limits.entriesMax
    refusal = ValidationFailure(
      [.name("body")], "too_long", "List should have at most \(most) items after validation, not \(total)")
  }

  private mutating func hasElement(_ count: Int) throws(EntryHindrance) -> Bool {
    try reading { reader throws(JSONTree.SyntaxError) in try reader.hasElement(isFirst: count == 0) }
  }

  private mutating func reading<Value>(
    _ step: (inout JSONReader) throws(JSONTree.SyntaxError) -> Value
  ) throws(EntryHindrance) -> Value {
    do throws(JSONTree.SyntaxError) { return try step(&reader) } catch { throw .syntax(error) }
  }

  /// Reads the value at hand as an entry; false, and it was skipped, if it is no object.
  private mutating func readEntry(_ index: Int?) throws(EntryHindrance) -> Bool {
    guard reader.peek() == UInt8(ascii: "{") else {
      try reading { reader throws(JSONTree.SyntaxError) in try reader.skip() }
      return false
    }
    // What has a fault somewhere is stored nowhere, but all of it is looked at.
    let body = body
    if rows.faults.isEmpty, plan.isShort, let end = plan.scan(body.span, at: reader.at, &scanner) {
      reader.move(to: end)
      return true
    }
    let measured: (treeBytes: Int, end: Int)
    do throws(JSONTree.SyntaxError) { measured = try plan.measure(reader) } catch { throw .syntax(error) }
    // Masked, the tree is there twice; once more for its texts as columns want them.
    let bytes = measured.treeBytes * (plan.treeCount + 1)
    try memory.take(bytes)
    defer { memory.give(bytes) }
    let read = try members()
    let cells = rows.cells(of: read.members, count: read.count, index)
    if rows.faults.isEmpty, let cells { scanner.append(cells) }
    return true
  }

  private mutating func members() throws(EntryHindrance) -> (members: [JSONTree.Member], count: Int) {
    do throws(JSONTree.SyntaxError) { return try plan.members(&reader) } catch { throw .syntax(error) }
  }

  /// The rows in the order of the dataset's declared fields; the pass is used up.
  mutating func finish(_ constants: [String: String]) throws(ValidationFailure) -> RecordBatch {
    if let refusal { throw refusal }
    try rows.faults.check()
    let rowCount = scanner.rowCount
    return plan.batch(scanner.finish(), rowCount: rowCount, constants)
  }
}
