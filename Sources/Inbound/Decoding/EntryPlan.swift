import Codecs
import Masking
import Records

/// What passes over bodies of one form have in common: how columns are filled, and which entries are plain.
///
/// Plain are entries that the scan takes and whose names do not repeat. Their rows are those of the way by a
/// tree, but that numbers inside objects keep the text they were sent in.
struct EntryPlan: Sendable {
  let form: EntryForm
  let masking: MaskingPlan
  let limits: DecodingLimits
  /// Whether plain entries go straight into columns. Masked ones go by the tree.
  let isShort: Bool
  private let plan: ScanPlan
  /// The slot of unknown members that are not kept; nil: they are.
  private let asideSlot: Int?
  /// Slots that the scan takes null for, but the form does not.
  private let nullRefusing: [Int]
  /// Names of the members that are looked at; nil: all are.
  private let names: Set<Name>?

  init(_ form: EntryForm, masking: MaskingPlan, limits: DecodingLimits, hasShortcut: Bool) {
    self.form = form
    self.masking = masking
    self.limits = limits
    isShort = hasShortcut && masking.isEmpty
    var slots = form.fields.map(EntryPlan.slot)
    let overflow = form.overflow.flatMap { name in form.fields.firstIndex { $0.column == name } }
    asideSlot = overflow == nil ? slots.count : nil
    if overflow == nil {
      // Unknown members are kept until it is seen that none comes twice. No member can have this name.
      slots.append(ColumnSlot(name: "\u{0}", type: .json, isNullable: true))
    }
    names = overflow == nil ? Set(form.fields.map { Name($0.name) }) : nil
    var plan = ScanPlan(slots: slots, overflowSlot: overflow ?? asideSlot)
    plan.bound(limits)
    // A list is a level, which the record's own count leaves out.
    plan.depthMax = min(limits.depthMax, JSONTree.nestingMax - 1)
    plan.takesLooseTimestamp = true
    for (index, field) in form.fields.enumerated() where field.isRequired {
      plan.requiredSlots |= 1 << UInt64(index)
    }
    self.plan = plan
    nullRefusing = form.fields.indices.filter { index in
      let field = form.fields[index]
      if field.isNullable { return false }
      if case .time = field.kind { return true }
      return !field.isRequired
    }
  }

  private static func slot(_ field: EntryForm.EntryField) -> ColumnSlot {
    let type: ColumnType
    var rule = TextRule.any
    switch field.kind {
    case .text(let most):
      type = .utf8
      if let most { rule = .characters(0...most) }
    case .choice(let words, _):
      type = .utf8
      rule = .oneOf(words.map { Array($0.utf8) })
    case .time: type = .timestamp
    case .number: type = .float64
    case .object: type = .json
    }
    var slot = ColumnSlot(name: field.name, type: type, isNullable: field.isNullable || !field.isRequired)
    slot.rule = rule
    slot.takesQuotedNumber = true
    return slot
  }

  /// How many trees an entry is at one time.
  var treeCount: Int { masking.isEmpty ? 1 : 2 }

  /// A scanner for a body of so many bytes.
  func scanner(byteCount: Int, now: Int64) -> JSONColumnScanner {
    var plan = plan
    plan.byteCountHint = min(byteCount, EntryPlan.hintBytesMax)
    plan.now = now
    return JSONColumnScanner(plan)
  }

  /// Columns begin with room for a body of so many bytes, whatever is sent.
  private static let hintBytesMax = 4 << 20

  /// Appends the entry at `start`; returns the offset behind it, or nil if it is not plain.
  func scan(_ text: Span<UInt8>, at start: Int, _ scanner: inout JSONColumnScanner) -> Int? {
    guard let end = scanner.scan(text, at: start), scanner.fault == nil else { return nil }
    if scanner.hasRepeatedName || nullRefusing.contains(where: { scanner.hasNull(slot: $0) }) {
      scanner.dropLastRow()
      return nil
    }
    if let asideSlot { scanner.emptyLastText(of: asideSlot) }
    return end
  }

  /// What trees of the members at hand that matter would take, in bytes, and where the entry ends.
  func measure(_ reader: JSONReader) throws(JSONTree.SyntaxError) -> (treeBytes: Int, end: Int) {
    try reader.measure(named: names)
  }

  /// The members at hand that matter, and how many there are in all.
  func members(
    _ reader: inout JSONReader
  ) throws(JSONTree.SyntaxError) -> (members: [JSONTree.Member], count: Int) {
    if let names { return try reader.members(named: names) }
    let members = try reader.members()
    return (members, members.count)
  }

  /// A row of cells as the scanner wants it: what it keeps aside is nothing.
  func row(_ cells: [ScanCell]) -> [ScanCell] { asideSlot == nil ? cells : cells + [.null] }

  /// The columns in the order of the dataset's declared fields.
  func batch(_ columns: [Column], rowCount: Int, _ constants: [String: String]) -> RecordBatch {
    let fields = form.dataset.schema.declaredFields
    let ordered = fields.map { field -> Column in
      if let index = form.fields.firstIndex(where: { $0.column == field.name }) { return columns[index] }
      var builder = TextBuilder(capacity: rowCount)
      for _ in 0..<rowCount {
        if let text = constants[field.name] { builder.appendRow(text) } else { builder.appendNull() }
      }
      return builder.finish(type: field.type)
    }
    return RecordBatch(fields: fields, columns: ordered, rowCount: rowCount)
  }
}
