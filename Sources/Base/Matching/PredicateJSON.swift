import Codecs
import Records

extension Predicate {
  /// The most filters in one expression, so that a request cannot cost more to check than to answer.
  package static let leavesMax = 1_000

  /// Reads the JSON form of a filter (Docs/query.md): `{"eq":["level","ERROR"]}`, `{"and":[…]}`.
  ///
  /// Columns and types are not checked here: see ``CompiledPredicate``.
  /// - Throws: `.invalid` with a sentence that names the place, never a value.
  package init(json tree: JSONTree) throws(StoreError) {
    var leaves = 0
    self = try Predicate.parse(tree, place: "where", leaves: &leaves)
  }

  private static func parse(
    _ tree: JSONTree, place: String, leaves: inout Int
  ) throws(StoreError) -> Predicate {
    guard case .object(let members) = tree, let member = members.first, members.count == 1 else {
      throw .invalid("\(place): an object with exactly one operator, such as {\"eq\":[\"level\",\"ERROR\"]}")
    }
    let here = "\(place).\(operators.contains(member.name) ? member.name : "?")"
    leaves += 1
    guard leaves <= leavesMax else { throw .invalid("where: more than \(leavesMax) conditions") }
    switch member.name {
    case "and": return .and(try parseList(member.value, place: here, leaves: &leaves))
    case "or": return .or(try parseList(member.value, place: here, leaves: &leaves))
    case "not": return .not(try parse(member.value, place: here, leaves: &leaves))
    case "exists": return .exists(try path(member.value, place: here))
    case "in": return try parseIn(member.value, place: here)
    case "contains", "word", "regex", "prefix": return try parseText(member.name, member.value, place: here)
    default:
      guard let comparison = Comparison(word: member.name) else {
        throw .invalid("\(here): unknown operator; there are \(operators.joined(separator: ", "))")
      }
      let (column, rest) = try operands(member.value, place: here)
      guard rest.count == 1 else { throw .invalid("\(here): a column and one value") }
      return .compare(column, comparison, try literal(rest[0], place: here))
    }
  }

  private static let operators = [
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "word", "regex", "prefix",
    "exists",
  ]

  private static func parseList(
    _ tree: JSONTree, place: String, leaves: inout Int
  ) throws(StoreError) -> [Predicate] {
    guard case .array(let elements) = tree else { throw .invalid("\(place): a list of conditions") }
    var parts: [Predicate] = []
    for (index, element) in elements.enumerated() {
      parts.append(try parse(element, place: "\(place)[\(index)]", leaves: &leaves))
    }
    return parts
  }

  private static func operands(
    _ tree: JSONTree, place: String
  ) throws(StoreError) -> (ColumnPath, ArraySlice<JSONTree>) {
    guard case .array(let elements) = tree, let first = elements.first else {
      throw .invalid("\(place): a list that begins with a column")
    }
    let column = try path(first, place: place)
    return (column, ArraySlice(Array(elements.dropFirst())))
  }

  private static func path(_ tree: JSONTree, place: String) throws(StoreError) -> ColumnPath {
    guard case .string(let text) = tree, let path = ColumnPath(parsing: text) else {
      throw .invalid("\(place): a column's name, such as \"level\" or \"metadata.user\"")
    }
    return path
  }

  private static func literal(_ tree: JSONTree, place: String) throws(StoreError) -> Literal {
    if let literal = Literal(json: tree) { return literal }
    if case .number = tree { throw .invalid("\(place): a number whose exponent has at most 15 digits") }
    throw .invalid("\(place): a string, a number, true or false (for null use {\"not\":{\"exists\":…}})")
  }

  private static func parseIn(_ tree: JSONTree, place: String) throws(StoreError) -> Predicate {
    let (column, rest) = try operands(tree, place: place)
    guard rest.count == 1, case .array(let values) = rest[0] else {
      throw .invalid("\(place): a column and a list of values")
    }
    var literals: [Literal] = []
    for value in values { literals.append(try literal(value, place: place)) }
    return .isIn(column, literals)
  }

  private static func parseText(
    _ name: String, _ tree: JSONTree, place: String
  ) throws(StoreError) -> Predicate {
    let (column, rest) = try operands(tree, place: place)
    guard case .string(let text)? = rest.first, rest.count <= 2 else {
      throw .invalid("\(place): a column, a text, and perhaps {\"ignore_case\":true}")
    }
    var ignoreCase = false
    if rest.count == 2 {
      guard case .object(let options) = rest[1], options.count == 1,
        options[0].name.hasBytes(of: "ignore_case"),
        case .bool(let value) = options[0].value, name.hasBytes(of: "contains") || name.hasBytes(of: "regex")
      else { throw .invalid("\(place): the only option is {\"ignore_case\":true}, for contains and regex") }
      ignoreCase = value
    }
    switch name {
    case "contains": return .contains(column, needle: text, ignoreCase: ignoreCase)
    case "word": return .word(column, text)
    case "regex": return .regex(column, pattern: text, ignoreCase: ignoreCase)
    default: return .prefix(column, text)
    }
  }

  /// The JSON form; ``init(json:)`` of it gives an equal predicate, but for literals that only a schema gives
  /// (timestamps and UUIDs become their text).
  package var json: JSONTree {
    func one(_ name: String, _ value: JSONTree) -> JSONTree { .object([JSONTree.Member(name, value)]) }
    func text(_ name: String, _ path: ColumnPath, _ text: String, _ ignoreCase: Bool) -> JSONTree {
      let options: [JSONTree] = ignoreCase ? [one("ignore_case", .bool(true))] : []
      return one(name, .array([.string(path.description), .string(text)] + options))
    }
    switch self {
    case .all: return one("and", .array([]))
    case .none: return one("or", .array([]))
    case .and(let parts): return one("and", .array(parts.map(\.json)))
    case .or(let parts): return one("or", .array(parts.map(\.json)))
    case .not(let part): return one("not", part.json)
    case .compare(let path, let comparison, let literal):
      return one(comparison.rawValue, .array([.string(path.description), literal.json]))
    case .isIn(let path, let literals):
      return one("in", .array([.string(path.description), .array(literals.map(\.json))]))
    case .contains(let path, let needle, let ignoreCase): return text("contains", path, needle, ignoreCase)
    case .word(let path, let word): return text("word", path, word, false)
    case .regex(let path, let pattern, let ignoreCase): return text("regex", path, pattern, ignoreCase)
    case .prefix(let path, let prefix): return text("prefix", path, prefix, false)
    case .exists(let path): return one("exists", .string(path.description))
    }
  }
}

extension Literal {
  /// A string, a number, true or false; nil for anything else, and for numbers with exponents of more than 15
  /// digits.
  package init?(json tree: JSONTree) {
    switch tree {
    case .string(let text): self = .string(text)
    case .int64(let value): self = .int64(value)
    case .float64(let value): self = .float64(value)
    case .bool(let value): self = .bool(value)
    case .number(let text):
      guard let literal = Literal(number: text) else { return nil }
      self = literal
    case .null, .array, .object: return nil
    }
  }

  /// The JSON form: timestamps as RFC 3339, UUIDs as text.
  package var json: JSONTree {
    switch self {
    case .string(let text): .string(text)
    case .int64(let value): .int64(value)
    case .float64(let value), .rounded(let value): .float64(value)
    case .number(let text): .number(text)
    case .bool(let value): .bool(value)
    case .timestamp(let value): .string(RFC3339.string(value))
    case .uuid(let bytes): .string(UUIDv7.text(bytes))
    }
  }
}

extension ColumnPath {
  /// Reads the form ``description`` prints: `level`, `metadata.user`, `metadata["a.b"]`. nil if it is not
  /// one.
  package init?(parsing text: String) {
    var rest = text.unicodeScalars[...]
    func plain(_ rest: inout Substring.UnicodeScalarView) -> String? {
      let end = rest.firstIndex { $0 == "." || $0 == "[" } ?? rest.endIndex
      let name = rest[..<end]
      guard !name.isEmpty, !name.contains(where: { $0 == "]" || $0 == "\"" || $0 == "\0" }) else {
        return nil
      }
      rest = rest[end...]
      return String(name)
    }
    guard let column = plain(&rest) else { return nil }
    var members: [String] = []
    while let first = rest.first {
      rest.removeFirst()
      if first == "." {
        guard let name = plain(&rest) else { return nil }
        members.append(name)
      } else {
        guard let name = ColumnPath.quoted(&rest) else { return nil }
        members.append(name)
      }
    }
    guard members.count <= JSONTree.nestingMax else { return nil }
    self.init(column, members: members)
  }

  private static func quoted(_ rest: inout Substring.UnicodeScalarView) -> String? {
    guard rest.popFirst() == "\"" else { return nil }
    var name = String.UnicodeScalarView()
    while let character = rest.popFirst() {
      switch character {
      case "\"": return rest.popFirst() == "]" ? String(name) : nil
      case "\\":
        guard let next = rest.popFirst() else { return nil }
        name.append(next)
      default: name.append(character)
      }
    }
    return nil
  }
}
