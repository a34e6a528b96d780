import Codecs
import Masking
import Records

/// Turns JSON entries of an ``EntryForm`` into batches, or into everything that is wrong with them.
///
/// Clients of these APIs expect all faults of a body at once. So what has any goes by way of a tree, and what
/// is plainly fine by ``PlainEntries``, which is some thirty times faster.
package struct EntryDecoder: Sendable {
  private let form: EntryForm
  private let masking: MaskingPlan
  private let limits: DecodingLimits
  /// nil: everything goes by the tree.
  private let plain: PlainEntries?

  /// - Parameter hasShortcut: Whether ``PlainEntries`` may be taken; without it the answers are the same.
  package init(
    _ form: EntryForm, masking: MaskingPlan, limits: DecodingLimits, hasShortcut: Bool = true
  ) {
    self.form = form
    self.masking = masking
    self.limits = limits
    plain = hasShortcut ? PlainEntries(form, masking: masking, limits: limits) : nil
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> EntryDecoder {
    EntryDecoder(form, masking: plan, limits: limits)
  }

  /// One entry.
  ///
  /// - Parameters:
  ///   - constants: Columns that every row has the same text in.
  ///   - now: The time of entries without one.
  package func decode(
    entry body: [UInt8], constants: [String: String] = [:], now: Int64
  ) throws(ValidationFailure) -> RecordBatch {
    if let batch = plain?.batch(entry: body, constants: constants, now: now) { return batch }
    let tree = try tree(body)
    guard case .object(let members) = tree else { throw ValidationFailure.notAnObject }
    var rows = EntryRows(form, constants: constants, now: now)
    rows.add(members, at: [.name("body")], limits: limits, masking: masking)
    return try rows.finish()
  }

  /// A bare array of entries; nil for an empty one.
  package func decode(
    list body: [UInt8], constants: [String: String] = [:], now: Int64
  ) throws(ValidationFailure) -> RecordBatch? {
    if let batch = plain?.batch(list: body, constants: constants, now: now) { return batch }
    let tree = try tree(body)
    guard case .array(let items) = tree else {
      throw ValidationFailure([.name("body")], "list_type", "Input should be a valid list")
    }
    guard items.count <= limits.entriesMax else {
      throw ValidationFailure(
        [.name("body")], "too_long",
        "List should have at most \(limits.entriesMax) items after validation, not \(items.count)")
    }
    if items.isEmpty { return nil }
    var rows = EntryRows(form, constants: constants, now: now)
    for (index, item) in items.enumerated() {
      let place: [ValidationPlace] = [.name("body"), .index(index)]
      if case .object(let members) = item {
        rows.add(members, at: place, limits: limits, masking: masking)
      } else {
        rows.faults.add(place, ValidationFailure.notAnObjectType, ValidationFailure.notAnObjectMessage)
      }
      if rows.faults.isFull { break }
    }
    return try rows.finish()
  }

  private func tree(_ body: [UInt8]) throws(ValidationFailure) -> JSONTree {
    guard !body.isEmpty else { throw ValidationFailure.noBody }
    do throws(JSONTree.SyntaxError) { return try JSONTree(parsing: body) } catch {
      throw ValidationFailure.notJSON(at: error.offsetBytes)
    }
  }
}

/// Entries on their way into columns.
struct EntryRows {
  private enum Cells {
    case times([Int64])
    case numbers([Double?])
    case texts([String?])
  }

  private let form: EntryForm
  private let constants: [String: String]
  private let now: Int64
  private var cells: [Cells]
  private var rowCount = 0
  /// The masking of the entry being added.
  private var record = RecordMasking(.none)
  var faults = ValidationFaults()

  init(_ form: EntryForm, constants: [String: String], now: Int64) {
    self.form = form
    self.constants = constants
    self.now = now
    cells = form.fields.map { field in
      switch field.kind {
      case .time: .times([])
      case .number: .numbers([])
      case .text, .choice, .object: .texts([])
      }
    }
  }

  mutating func add(
    _ members: [JSONTree.Member], at place: [ValidationPlace], limits: DecodingLimits, masking: MaskingPlan
  ) {
    if members.count > limits.membersMax {
      faults.add(place, "too_many_members", "An object may have at most \(limits.membersMax) members")
      return
    }
    // Of members with equal names the last counts.
    let values = Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    let names = Set(form.fields.map(\.name))
    let unknown = form.overflow == nil ? [] : members.filter { !names.contains($0.name) }
    record = RecordMasking(masking)
    for (index, field) in form.fields.enumerated() {
      var value = values[field.name]
      let rule = field.kind == .object || field.kind == .number ? masking.rule(forKey: field.name) : 0
      if rule != 0, value != nil, value != .null {
        record.note(rule)
        value = .null
      }
      if field.column == form.overflow, !unknown.isEmpty { value = EntryRows.merged(unknown, with: value) }
      append(value, to: index, field, place + [.name(field.name)])
    }
    rowCount += 1
    if record.isOverBound { giveUpContent(members) }
  }

  /// Replaces the content of the row appended last, whose masking hit its bound.
  private mutating func giveUpContent(_ members: [JSONTree.Member]) {
    let sent = Set(members.map(\.name))
    for (index, field) in form.fields.enumerated() {
      guard case .texts(var texts) = cells[index], !texts.isEmpty else { continue }
      if field.column == form.dataset.schema.overflowColumn {
        let names = form.fields.filter { sent.contains($0.name) }.map { Array($0.name.utf8) }
        texts[texts.count - 1] = String(decoding: MaskingFailure.object(names), as: UTF8.self)
      } else if field.kind == .object {
        texts[texts.count - 1] = nil
      } else if case .text = field.kind, texts[texts.count - 1] != nil {
        texts[texts.count - 1] = MaskingFailure.text
      }
      cells[index] = .texts(texts)
    }
  }

  /// Unknown members as an object, the members of `own` behind them, so that these win.
  private static func merged(_ unknown: [JSONTree.Member], with own: JSONTree?) -> JSONTree {
    switch own {
    case nil, .null?: .object(unknown)
    case .object(let members)?: .object(unknown + members)
    // No object: told as an error by who reads it.
    case .some(let other): other
    }
  }

  private mutating func append(
    _ value: JSONTree?, to index: Int, _ field: EntryForm.EntryField, _ place: [ValidationPlace]
  ) {
    guard let value else {
      if field.isRequired { faults.add(place, "missing", "Field required") }
      return appendNull(to: index)
    }
    if value == .null, field.isNullable { return appendNull(to: index) }
    switch (field.kind, value) {
    case (.text(let most), .string(let text)):
      if let most, text.unicodeScalars.count > most {
        faults.add(place, "string_too_long", "String should have at most \(most) characters")
      }
      append(record.column(field.name, text), to: index, place)
    case (.choice(let words, _), .string(let text)) where words.contains(text):
      append(record.column(field.name, text), to: index, place)
    case (.choice(let words, let hasOwnWords), _):
      if hasOwnWords, case .string = value {
        let list = words.map { "'\($0)'" }.joined(separator: ", ")
        faults.addValueError(place, "\(field.name) must be one of [\(list)]")
      } else if hasOwnWords {
        faults.add(place, "string_type", "Input should be a valid string")
      } else {
        let list = words.dropLast().map { "'\($0)'" }.joined(separator: ", ")
        faults.add(place, "enum", "Input should be \(list) or '\(words.last ?? "")'")
      }
    // A number of more than 64 bits.
    case (.time, .number): faults.add(place, "datetime_type", "Input should be a valid datetime")
    case (.time(let takesDates), _):
      if let time = faults.time(value, at: place, takesDates: takesDates) { append(time, to: index) }
    case (.number, .int64(let number)): append(Double(number), to: index)
    case (.number, .float64(let number)): append(number, to: index)
    case (.number, .number(let text)): append(Double(text) ?? .infinity, to: index, place)
    case (.number, .string(let text)):
      guard let number = Double(text.filter { $0 != "_" && $0 != " " }), number.isFinite else {
        return faults.add(
          place, "float_parsing", "Input should be a valid number, unable to parse string as a number")
      }
      append(number, to: index)
    case (.number, _): faults.add(place, "float_type", "Input should be a valid number")
    case (.object, .object):
      let tree = record.value(value).withDistinctNames
      guard !tree.hasNUL else {
        return faults.addValueError(place, ValidationFaults.nul)
      }
      append(tree.text, to: index, place)
    case (.object, _): faults.add(place, "dict_type", "Input should be a valid dictionary")
    case (.text, _): faults.add(place, "string_type", "Input should be a valid string")
    }
  }

  private mutating func append(_ text: String, to index: Int, _ place: [ValidationPlace]) {
    guard !text.utf8.contains(0) else {
      return faults.addValueError(place, ValidationFaults.nul)
    }
    guard case .texts(var texts) = cells[index] else { preconditionFailure("a text column") }
    cells[index] = .texts([])
    texts.append(text)
    cells[index] = .texts(texts)
  }

  private mutating func append(_ number: Double, to index: Int, _ place: [ValidationPlace]) {
    guard number.isFinite else {
      return faults.add(place, "finite_number", "Input should be a finite number")
    }
    append(number, to: index)
  }

  private mutating func append(_ number: Double, to index: Int) {
    guard case .numbers(var numbers) = cells[index] else { preconditionFailure("a number column") }
    cells[index] = .numbers([])
    numbers.append(number)
    cells[index] = .numbers(numbers)
  }

  private mutating func append(_ time: Int64, to index: Int) {
    guard case .times(var times) = cells[index] else { preconditionFailure("a time column") }
    cells[index] = .times([])
    times.append(time)
    cells[index] = .times(times)
  }

  private mutating func appendNull(to index: Int) {
    switch cells[index] {
    case .times: append(now, to: index)
    case .numbers(var numbers):
      cells[index] = .numbers([])
      numbers.append(nil)
      cells[index] = .numbers(numbers)
    case .texts(var texts):
      cells[index] = .texts([])
      texts.append(nil)
      cells[index] = .texts(texts)
    }
  }

  /// The rows in the order of the dataset's declared fields.
  func finish() throws(ValidationFailure) -> RecordBatch {
    try faults.check()
    let fields = form.dataset.schema.declaredFields
    let columns = fields.map { field -> Column in
      if let index = form.fields.firstIndex(where: { $0.column == field.name }) {
        return column(cells[index], type: field.type)
      }
      return column(.texts(Array(repeating: constants[field.name], count: rowCount)), type: field.type)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
  }

  private func column(_ cells: Cells, type: ColumnType) -> Column {
    switch cells {
    case .times(let times): return Column(timestamps: times)
    case .numbers(let numbers):
      var builder = FixedBuilder<Double>(capacity: numbers.count)
      for number in numbers {
        if let number { builder.append(number) } else { builder.appendNull(placeholder: 0) }
      }
      return builder.finish(type: .float64)
    case .texts(let texts):
      var builder = TextBuilder(capacity: texts.count)
      for text in texts { if let text { builder.appendRow(text) } else { builder.appendNull() } }
      return builder.finish(type: type)
    }
  }
}
