import Matching
import Records
import TestKit

/// JSON as the naive evaluator sees it.
indirect enum JSON: Hashable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case array([JSON])
  /// Names may repeat; the last counts.
  case object([Member])

  struct Member: Hashable {
    var name: String
    var value: JSON
  }

  /// The members that count.
  var effective: [Member] {
    guard case .object(let members) = self else { return [] }
    return members.enumerated().filter { index, member in
      !members[(index + 1)...].contains { $0.name == member.name }
    }.map(\.element)
  }

  var strings: [String] {
    switch self {
    case .string(let text): [text]
    case .array(let items): items.flatMap(\.strings)
    case .object: effective.flatMap(\.value.strings)
    default: []
    }
  }

  func value(at path: [String]) -> JSON? {
    guard let name = path.first else { return self }
    return effective.first { $0.name == name }?.value.value(at: Array(path.dropFirst()))
  }

  /// Text of it with random spaces and escapes.
  func text(_ random: inout SeededRandom) -> String {
    func space(_ random: inout SeededRandom) -> String {
      random.once(in: 6) ? random.pick([" ", "\n", "\t "]) : ""
    }
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .int(let value): return String(value)
    case .double(let value):
      let plain = "\(value)"
      return random.once(in: 2) ? plain.uppercased() : plain
    case .string(let value): return JSON.literal(value, &random)
    case .array(let items):
      var parts: [String] = []
      for item in items { parts.append(space(&random) + item.text(&random) + space(&random)) }
      return "[" + space(&random) + parts.joined(separator: ",") + "]"
    case .object(let members):
      var parts: [String] = []
      for member in members {
        parts.append(
          space(&random) + JSON.literal(member.name, &random) + space(&random) + ":" + space(&random)
            + member.value.text(&random) + space(&random))
      }
      return "{" + space(&random) + parts.joined(separator: ",") + "}"
    }
  }

  static func literal(_ text: String, _ random: inout SeededRandom) -> String {
    var result = "\""
    for unit in text.utf16 {
      let needsEscape = unit < 0x20 || unit == 0x22 || unit == 0x5C
      if needsEscape || random.once(in: 12) {
        switch unit {
        case 0x22, 0x5C, 0x2F: result += "\\" + String(Unicode.Scalar(UInt8(unit)))
        case 0x0A: result += "\\n"
        default:
          let digits = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      } else {
        // A surrogate pair is escaped as a whole or not at all.
        if let scalar = Unicode.Scalar(unit) {
          result.unicodeScalars.append(scalar)
        } else {
          result += "\\u" + String(unit, radix: 16)
        }
      }
    }
    return result + "\""
  }
}

/// A row as the naive evaluator sees it.
struct ModelRow {
  var position: Int64
  var id: [UInt8]
  var timestamp: Int64
  var level: String?
  var message: String
  var seconds: Double?
  var payload: JSON?

  enum Value {
    case int(Int64), double(Double), string(String), bool(Bool), uuid([UInt8]), time(Int64), object(JSON),
      array
  }

  func value(_ path: ColumnPath) -> Value? {
    switch path.column {
    case "position": return .int(position)
    case "id": return .uuid(id)
    case "timestamp": return .time(timestamp)
    case "environment": return level.map { .string($0) }
    case "category": return .string(message)
    case "execution_time_seconds": return seconds.map { .double($0) }
    default:
      guard let payload, let value = payload.value(at: path.members) else { return nil }
      switch value {
      case .null: return nil
      case .bool(let value): return .bool(value)
      case .int(let value): return .int(value)
      case .double(let value): return .double(value)
      case .string(let value): return .string(value)
      case .array: return path.members.isEmpty ? .object(value) : .array
      case .object: return path.members.isEmpty ? .object(value) : .array
      }
    }
  }
}

enum NaiveEvaluator {
  static func matches(_ predicate: Predicate, _ row: ModelRow) -> Bool {
    switch predicate {
    case .all: return true
    case .none: return false
    case .and(let parts): return parts.allSatisfy { matches($0, row) }
    case .or(let parts): return parts.contains { matches($0, row) }
    case .not(let part): return !matches(part, row)
    case .exists(let path): return row.value(path) != nil
    case .compare(let path, let comparison, let literal): return compare(row.value(path), comparison, literal)
    case .isIn(let path, let literals): return literals.contains { compare(row.value(path), .equal, $0) }
    case .contains(let path, let needle, let ignoreCase):
      return anyText(row.value(path), .contains(needle, ignoreCase: ignoreCase))
    case .word(let path, let word): return anyText(row.value(path), .word(word))
    case .prefix(let path, let prefix): return anyText(row.value(path), .prefix(prefix))
    case .regex(let path, let pattern, let ignoreCase):
      return anyText(row.value(path), .regex(pattern, ignoreCase: ignoreCase))
    }
  }

  static func anyText(_ value: ModelRow.Value?, _ pattern: TextPattern) -> Bool {
    let texts: [String]
    switch value {
    case .string(let text): texts = [text]
    case .object(let json): texts = json.strings
    default: return false
    }
    return texts.contains { text in
      if case .regex = pattern { return ((try? TextAutomaton(pattern))?.accepts(Array(text.utf8))) ?? false }
      return TextAutomatonTests.naive(pattern, Array(text.utf8))
    }
  }

  static func compare(_ value: ModelRow.Value?, _ comparison: Comparison, _ literal: Literal) -> Bool {
    guard let order = order(value, literal) else { return false }
    switch comparison {
    case .equal: return order == 0
    case .notEqual: return order != 0
    case .less: return order < 0
    case .lessOrEqual: return order <= 0
    case .greater: return order > 0
    case .greaterOrEqual: return order >= 0
    }
  }

  static func order(_ value: ModelRow.Value?, _ literal: Literal) -> Int? {
    func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
    func bytes(_ a: [UInt8], _ b: [UInt8]) -> Int {
      a.lexicographicallyPrecedes(b) ? -1 : b.lexicographicallyPrecedes(a) ? 1 : 0
    }
    // A double is what its shortest text says.
    func mixed(_ a: Int64, _ b: Double) -> Int {
      if a.magnitude <= 1 << 53 { return sign(Double(a), b) }
      guard let a = DecimalModel("\(a)"), let b = DecimalModel("\(b)") else { return 0 }
      return sign(a, b)
    }
    switch (value, literal) {
    case (.int(let a), .int64(let b)), (.time(let a), .timestamp(let b)): return sign(a, b)
    case (.int(let a), .float64(let b)): return mixed(a, b)
    case (.double(let a), .int64(let b)): return -mixed(b, a)
    case (.double(let a), .float64(let b)): return sign(a, b)
    case (.string(let a), .string(let b)): return bytes(Array(a.utf8), Array(b.utf8))
    case (.uuid(let a), .uuid(let b)): return bytes(a, b)
    case (.bool(let a), .bool(let b)): return a == b ? 0 : 1
    default: return nil
    }
  }
}

/// The model rows as the batches a predicate meets.
enum BatchForm: CaseIterable {
  case head, dictionary, shredded

  func batch(_ rows: [ModelRow], _ random: inout SeededRandom) -> EvaluationBatch {
    var seconds = FixedBuilder<Double>()
    for row in rows {
      if let value = row.seconds { seconds.append(value) } else { seconds.appendNull(placeholder: 1.5) }
    }
    var ids: [UInt8] = []
    for row in rows { ids += row.id }
    func text(_ values: [String?]) -> Column {
      self == .head || random.once(in: 4) ? textColumn(values) : dictionaryColumn(values, &random)
    }
    return EvaluationBatch(
      rowCount: rows.count,
      columns: [
        "position": .plain(Column(int64: rows.map(\.position))),
        "id": .plain(
          Column(type: .uuid, rowCount: rows.count, validity: nil, storage: .fixed(Buffer(copying: ids)))),
        "timestamp": .plain(Column(timestamps: rows.map(\.timestamp))),
        "environment": .plain(text(rows.map(\.level))),
        "category": .plain(text(rows.map(\.message))),
        "execution_time_seconds": .plain(seconds.finish(type: .float64)),
        "payload": object(rows, &random),
      ])
  }

  func object(_ rows: [ModelRow], _ random: inout SeededRandom) -> EvaluationColumn {
    guard self == .shredded else {
      var texts: [String?] = []
      for row in rows { texts.append(row.payload?.text(&random)) }
      let column = textColumn(texts, type: .json)
      return random.once(in: 2) ? .plain(column) : .object(ObjectColumns(rest: column, members: []))
    }
    var members: [ObjectColumns.Member] = []
    var rests = rows.map(\.payload)
    func take(_ name: String, _ convert: (JSON) -> Bool) {
      for index in rests.indices {
        guard let json = rests[index], let value = json.value(at: [name]), convert(value) else { continue }
        rests[index] = .object(json.effective.filter { $0.name != name })
      }
    }
    for name in ["a", "b", "x.y"] where !random.once(in: 3) {
      func column(_ body: (JSON?) -> String?) -> [JSON?] { rests.map { $0?.value(at: [name]) } }
      let values = rests.map { $0?.value(at: [name]) }
      if random.once(in: 2) {
        var builder = FixedBuilder<Int64>()
        for value in values {
          if case .int(let number)? = value {
            builder.append(number)
          } else {
            builder.appendNull(placeholder: 7)
          }
        }
        members.append(ObjectColumns.Member(name: name, column: builder.finish(type: .int64)))
        take(name) { if case .int = $0 { true } else { false } }
      }
      if random.once(in: 2) {
        var builder = FixedBuilder<Double>()
        for value in values {
          if case .double(let number)? = value {
            builder.append(number)
          } else {
            builder.appendNull(placeholder: 7)
          }
        }
        members.append(ObjectColumns.Member(name: name, column: builder.finish(type: .float64)))
        take(name) { if case .double = $0 { true } else { false } }
      }
      if random.once(in: 2) {
        let texts = values.map { value -> String? in if case .string(let text)? = value { text } else { nil }
        }
        let column = random.once(in: 2) ? textColumn(texts) : dictionaryColumn(texts, &random)
        members.append(ObjectColumns.Member(name: name, column: column))
        take(name) { if case .string = $0 { true } else { false } }
      }
      if random.once(in: 2) {
        var builder = BoolBuilder()
        for value in values {
          if case .bool(let flag)? = value { builder.append(flag) } else { builder.appendNull() }
        }
        members.append(ObjectColumns.Member(name: name, column: builder.finish()))
        take(name) { if case .bool = $0 { true } else { false } }
      }
    }
    var texts: [String?] = []
    for rest in rests { texts.append(rest?.text(&random)) }
    return .object(ObjectColumns(rest: textColumn(texts, type: .json), members: members))
  }
}

/// The same values in a dictionary, with some that no row refers to.
func dictionaryColumn(_ values: [String?], _ random: inout SeededRandom) -> Column {
  var distinct = ["unused"] + Set(values.compactMap { $0 }).sorted()
  distinct.shuffle(using: &random)
  distinct.append("last")
  let plain = textColumn(distinct)
  guard case .text(let offsets, let bytes) = plain.storage else { preconditionFailure("plain text") }
  let indices = values.map { value in Int32(value.flatMap { distinct.firstIndex(of: $0) } ?? 0) }
  var validity: Buffer?
  if values.contains(nil) {
    var bits = [UInt8](repeating: 0, count: (values.count + 7) / 8)
    for (row, value) in values.enumerated() where value != nil { bits[row >> 3] |= 1 << UInt8(row & 7) }
    validity = Buffer(copying: bits)
  }
  return Column(
    type: .utf8, rowCount: values.count, validity: validity,
    storage: .dictionary(
      indices: Buffer(copying: indices), offsets: offsets, bytes: bytes, valueCount: distinct.count))
}

extension CompiledPredicate {
  /// What statistics prove of all rows they cover, by what is known of each condition.
  func verdict(_ statistics: (String) -> ColumnStatistics?) -> Verdict {
    let page = Selection(rowCount: 1, all: true)
    let pruned = PrunedPredicate(self, among: page) { condition, pages in
      var sets = PageSets(unknown: pages)
      let verdict = statistics(condition.path.column).map { condition.verdict($0) } ?? .maybe
      if verdict == .no { sets.may = Selection(rowCount: 1, all: false) }
      if verdict == .yes { sets.sure = page }
      return sets
    }
    let reduced = pruned.reduced(to: page)
    if pruned.pages.may.isEmpty { return .no }
    return pruned.pages.sure.isFull || reduced.isAlways ? .yes : .maybe
  }
}
