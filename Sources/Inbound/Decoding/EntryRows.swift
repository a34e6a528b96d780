import Codecs
import Masking
import Records

/// Turns entries that were read as trees into rows, and notes all that is wrong with them.
struct EntryRows {
  private let plan: EntryPlan
  private let form: EntryForm
  private let now: Int64
  private let names: Set<Name>
  /// The masking of the entry being read.
  private var record = RecordMasking(.none)
  /// The entry's number in a list.
  private var index: Int?
  /// Of all entries so far.
  var faults = ValidationFaults()

  init(_ plan: EntryPlan, now: Int64) {
    self.plan = plan
    form = plan.form
    self.now = now
    names = Set(form.fields.map { Name($0.name) })
  }

  /// The entry's row; nil with a fault that was noted.
  ///
  /// - Parameters:
  ///   - members: Those that matter.
  ///   - count: Of all members it was sent with.
  ///   - index: In a list.
  mutating func cells(of members: [JSONTree.Member], count: Int, _ index: Int?) -> [ScanCell]? {
    self.index = index
    if count > plan.limits.membersMax {
      faults.add(place, "too_many_members", "An object may have at most \(plan.limits.membersMax) members")
      return nil
    }
    let before = faults.errors.count
    let unknown = form.overflow == nil ? [] : members.filter { !names.contains(Name($0.name)) }
    record = RecordMasking(plan.masking)
    var cells: [ScanCell] = []
    cells.reserveCapacity(form.fields.count + 1)
    for field in form.fields {
      // Of members with equal names the last counts.
      var value = members.last { $0.name == field.name }?.value
      let rule = field.kind == .object || field.kind == .number ? plan.masking.rule(forKey: field.name) : 0
      if rule != 0, value != nil, value != .null {
        record.note(rule)
        value = .null
      }
      if field.column == form.overflow, !unknown.isEmpty { value = EntryRows.merged(unknown, with: value) }
      // What a fault leaves in the place is never stored.
      cells.append(cell(value, field) ?? .null)
    }
    guard faults.errors.count == before else { return nil }
    if record.isOverBound { giveUpContent(&cells, members) }
    return plan.row(cells)
  }

  /// Replaces the content of a row whose masking hit its bound.
  private func giveUpContent(_ cells: inout [ScanCell], _ members: [JSONTree.Member]) {
    let sent = Set(members.map(\.name))
    for (index, field) in form.fields.enumerated() {
      if field.column == form.dataset.schema.overflowColumn {
        let names = form.fields.filter { sent.contains($0.name) }.map { [UInt8]($0.name.utf8) }
        cells[index] = .text(String(decoding: MaskingFailure.object(names), as: UTF8.self))
      } else if field.kind == .object {
        cells[index] = .null
      } else if case .text = field.kind, cells[index] != .null {
        cells[index] = .text(MaskingFailure.text)
      }
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

  private var place: [ValidationPlace] {
    if let index { [.name("body"), .index(index)] } else { [.name("body")] }
  }

  private mutating func refuse(
    _ field: EntryForm.EntryField, _ type: String, _ message: String
  ) -> ScanCell? {
    faults.add(place + [.name(field.name)], type, message)
    return nil
  }

  /// nil with a fault.
  private mutating func cell(_ value: JSONTree?, _ field: EntryForm.EntryField) -> ScanCell? {
    guard let value else {
      return field.isRequired ? refuse(field, "missing", "Field required") : empty(field)
    }
    if value == .null, field.isNullable { return empty(field) }
    switch field.kind {
    case .text(let most):
      guard case .string(let text) = value else {
        return refuse(field, "string_type", "Input should be a valid string")
      }
      if let most, text.utf8.count > most, text.unicodeScalars.count > most {
        return refuse(field, "string_too_long", "String should have at most \(most) characters")
      }
      return .text(record.column(field.name, text))
    case .choice(let words, let hasOwnWords):
      if case .string(let text) = value, words.contains(text) {
        return .text(record.column(field.name, text))
      }
      return refuseChoice(field, words, hasOwnWords: hasOwnWords, value)
    case .time(let takesDates): return time(value, field, takesDates: takesDates)
    case .number: return number(value, field)
    case .object:
      guard case .object = value else {
        return refuse(field, "dict_type", "Input should be a valid dictionary")
      }
      return .text(object(value, isMerged: field.column == form.overflow))
    }
  }

  private func empty(_ field: EntryForm.EntryField) -> ScanCell {
    if case .time = field.kind { .time(now) } else { .null }
  }

  private mutating func refuseChoice(
    _ field: EntryForm.EntryField, _ words: [String], hasOwnWords: Bool, _ value: JSONTree
  ) -> ScanCell? {
    if hasOwnWords, case .string = value {
      let list = words.map { "'\($0)'" }.joined(separator: ", ")
      faults.addValueError(place + [.name(field.name)], "\(field.name) must be one of [\(list)]")
      return nil
    }
    if hasOwnWords { return refuse(field, "string_type", "Input should be a valid string") }
    let list = words.dropLast().map { "'\($0)'" }.joined(separator: ", ")
    return refuse(field, "enum", "Input should be \(list) or '\(words.last ?? "")'")
  }

  private mutating func time(
    _ value: JSONTree, _ field: EntryForm.EntryField, takesDates: Bool
  ) -> ScanCell? {
    let place = place
    let time = faults.time(value, at: place + [.name(field.name)], takesDates: takesDates)
    return time.map { .time($0) }
  }

  private mutating func number(_ value: JSONTree, _ field: EntryForm.EntryField) -> ScanCell? {
    let number: Double
    switch value {
    case .int64(let whole): number = Double(whole)
    case .float64(let exact): number = exact
    case .number(let text): number = Double(text) ?? .infinity
    case .string(let text):
      // Swift takes hexadecimal too.
      guard let read = Double(text.filter { $0 != "_" && $0 != " " }), read.isFinite,
        text.utf8.allSatisfy({ $0 != UInt8(ascii: "x") && $0 != UInt8(ascii: "X") })
      else {
        return refuse(
          field, "float_parsing", "Input should be a valid number, unable to parse string as a number")
      }
      number = read
    case .null, .bool, .array, .object:
      return refuse(field, "float_type", "Input should be a valid number")
    }
    guard number.isFinite else { return refuse(field, "finite_number", "Input should be a finite number") }
    return .number(number)
  }

  /// The text of an object. No name comes twice in what was read, and none has a NUL; only what was merged
  /// may have a name twice, at its own level.
  private mutating func object(_ value: JSONTree, isMerged: Bool) -> String {
    let masked = plan.masking.isEmpty ? value : record.value(value)
    guard isMerged, case .object(let members) = masked else { return masked.text }
    return JSONTree.object(members.distinct).text
  }
}

extension [JSONTree.Member] {
  /// Of members with equal names only the last. Names are compared by their bytes.
  fileprivate var distinct: [JSONTree.Member] {
    guard count > 1 else { return self }
    var last: [[UInt8]: Int] = [:]
    for (index, member) in enumerated() { last[[UInt8](member.name.utf8)] = index }
    if last.count == count { return self }
    return enumerated().filter { last[[UInt8]($0.element.name.utf8)] == $0.offset }.map(\.element)
  }
}
