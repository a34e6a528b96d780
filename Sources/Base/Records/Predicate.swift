/// A column or, inside an object column, a member: `level`, `metadata.user.name`.
package struct ColumnPath: Sendable, Hashable, CustomStringConvertible {
  /// Name of a column of the dataset's schema.
  package let column: String
  /// Member names from the outside in; empty for the column itself.
  package let members: [String]

  package init(_ column: String, members: [String] = []) {
    self.column = column
    self.members = members
  }

  /// Byte by byte: members whose names look the same are two members.
  package static func == (left: ColumnPath, right: ColumnPath) -> Bool {
    left.column.hasBytes(of: right.column)
      && left.members.elementsEqual(right.members) { $0.hasBytes(of: $1) }
  }

  /// Of the names' bytes.
  package func hash(into hasher: inout Hasher) {
    column.hashBytes(into: &hasher)
    for member in members { member.hashBytes(into: &hasher) }
  }

  /// Dotted, members with dots in brackets and quotes: `metadata["a.b"]`.
  package var description: String {
    members.reduce(column) { path, member in
      member.isEmpty || member.utf8.contains(where: { ".[]\"".utf8.contains($0) })
        ? path + "[\"" + member.escaped { $0 == "\\" || $0 == "\"" } + "\"]" : path + "." + member
    }
  }
}

/// A constant a filter compares with.
package enum Literal: Sendable, Hashable {
  case string(String)
  case int64(Int64)
  /// The number that the shortest text of the double denotes.
  case float64(Double)
  /// Any other number, in the spelling of Docs/query.md.
  case number(String)
  /// All numbers whose nearest double it is: of deletions that were asked for when numbers beyond int64 were
  /// compared so.
  case rounded(Double)
  case bool(Bool)
  /// Nanoseconds since 1970 (a timestamp column compared with RFC 3339 text).
  case timestamp(Int64)
  case uuid([UInt8])

  /// Byte by byte.
  package static func == (left: Literal, right: Literal) -> Bool {
    switch (left, right) {
    case (.string(let left), .string(let right)): left.hasBytes(of: right)
    case (.int64(let left), .int64(let right)): left == right
    case (.float64(let left), .float64(let right)), (.rounded(let left), .rounded(let right)): left == right
    case (.number(let left), .number(let right)): left.hasBytes(of: right)
    case (.bool(let left), .bool(let right)): left == right
    case (.timestamp(let left), .timestamp(let right)): left == right
    case (.uuid(let left), .uuid(let right)): left == right
    case (.string, _), (.int64, _), (.float64, _), (.number, _), (.rounded, _), (.bool, _), (.timestamp, _),
      (.uuid, _):
      false
    }
  }

  /// Of a text's bytes.
  package func hash(into hasher: inout Hasher) {
    switch self {
    case .string(let text), .number(let text): text.hashBytes(into: &hasher)
    case .int64(let value): hasher.combine(value)
    case .float64(let value), .rounded(let value): hasher.combine(value)
    case .bool(let value): hasher.combine(value)
    case .timestamp(let time): hasher.combine(time)
    case .uuid(let bytes): hasher.combine(bytes)
    }
  }
}

/// How two values are compared; the raw values are the operators' names in JSON.
package enum Comparison: String, Sendable, Hashable, CaseIterable {
  case equal = "eq"
  case notEqual = "ne"
  case less = "lt"
  case lessOrEqual = "le"
  case greater = "gt"
  case greaterOrEqual = "ge"
}

/// Which rows a scan wants: the tree every API's filters compile to.
///
/// Two-valued: a comparison with a missing or null value is false, `notEqual` included; `not` turns exactly
/// the rows that do not match into matches. Strings compare by their UTF-8 bytes; numbers by their exact
/// value, whatever their size; a literal of another kind than the value does not match.
package indirect enum Predicate: Sendable, Hashable {
  case all
  case none
  case and([Predicate])
  case or([Predicate])
  case not(Predicate)
  case compare(ColumnPath, Comparison, Literal)
  case isIn(ColumnPath, [Literal])
  /// The column's text has `needle` as a substring, in any case if case is ignored: Unicode's simple case
  /// folding, but that ASCII letters are the same as each other alone. On an object column: some string value
  /// at any depth has.
  case contains(ColumnPath, needle: String, ignoreCase: Bool)
  /// The text has `word` between characters of no word or its ends, in any case. Of words are Unicode's
  /// letters, marks and numbers, and `_`. On an object column: some string value at any depth has.
  case word(ColumnPath, String)
  /// The text has a match of the regular expression (linear time; see Matching).
  case regex(ColumnPath, pattern: String, ignoreCase: Bool)
  /// The text starts with `prefix`.
  case prefix(ColumnPath, String)
  /// The column or member has a value that is not null.
  case exists(ColumnPath)

  /// Texts byte by byte.
  package static func == (left: Predicate, right: Predicate) -> Bool {
    switch (left, right) {
    case (.all, .all), (.none, .none): true
    case (.and(let left), .and(let right)), (.or(let left), .or(let right)): left == right
    case (.not(let left), .not(let right)): left == right
    case (.compare(let left, let how, let value), .compare(let right, let otherwise, let other)):
      left == right && how == otherwise && value == other
    case (.isIn(let left, let values), .isIn(let right, let others)): left == right && values == others
    case (.contains(let left, let text, let folds), .contains(let right, let other, let foldsToo)),
      (.regex(let left, let text, let folds), .regex(let right, let other, let foldsToo)):
      left == right && folds == foldsToo && text.hasBytes(of: other)
    case (.word(let left, let text), .word(let right, let other)),
      (.prefix(let left, let text), .prefix(let right, let other)):
      left == right && text.hasBytes(of: other)
    case (.exists(let left), .exists(let right)): left == right
    case (.all, _), (.none, _), (.and, _), (.or, _), (.not, _), (.compare, _), (.isIn, _), (.contains, _),
      (.regex, _), (.word, _), (.prefix, _), (.exists, _):
      false
    }
  }

  /// Of what it asks for and where, texts by their bytes.
  package func hash(into hasher: inout Hasher) {
    switch self {
    case .all: hasher.combine(0)
    case .none: hasher.combine(1)
    case .and(let parts): hasher.combine(parts)
    case .or(let parts):
      hasher.combine(2)
      hasher.combine(parts)
    case .not(let part):
      hasher.combine(3)
      hasher.combine(part)
    case .compare(let path, let comparison, let literal):
      hasher.combine(path)
      hasher.combine(comparison)
      hasher.combine(literal)
    case .isIn(let path, let literals):
      hasher.combine(path)
      hasher.combine(literals)
    case .contains(let path, let text, _), .word(let path, let text), .regex(let path, let text, _),
      .prefix(let path, let text):
      hasher.combine(path)
      text.hashBytes(into: &hasher)
    case .exists(let path): hasher.combine(path)
    }
  }

  /// The parts that all must be fulfilled.
  package var conjunction: [Predicate] {
    switch self {
    case .and(let parts): parts.flatMap(\.conjunction)
    case .all, .none, .or, .not, .compare, .isIn, .contains, .word, .regex, .prefix, .exists: [self]
    }
  }

  /// `and` of both, without needless nesting.
  package static func both(_ left: Predicate, _ right: Predicate) -> Predicate {
    switch (left, right) {
    case (.all, let other), (let other, .all): other
    case (.none, _), (_, .none): .none
    case (.and(let a), .and(let b)): .and(a + b)
    case (.and(let a), let b): .and(a + [b])
    case (let a, .and(let b)): .and([a] + b)
    case (let a, let b): .and([a, b])
    }
  }
}
