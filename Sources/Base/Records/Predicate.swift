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

  /// Dotted, members with dots in brackets and quotes: `metadata["a.b"]`.
  package var description: String {
    members.reduce(column) { path, member in
      member.isEmpty || member.contains(where: { ".[]\"".contains($0) })
        ? path + "[\"" + member.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"]"
        : path + "." + member
    }
  }
}

/// A constant a filter compares with.
package enum Literal: Sendable, Hashable {
  case string(String)
  case int64(Int64)
  case float64(Double)
  case bool(Bool)
  /// Nanoseconds since 1970 (a timestamp column compared with RFC 3339 text).
  case timestamp(Int64)
  case uuid([UInt8])
}

/// How two values are compared; the raw values are the operators' names in JSON.
package enum Comparison: String, Sendable, Hashable {
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
/// the rows that do not match into matches. Strings compare by their UTF-8 bytes; numbers by value
/// across int64 and float64; a literal of another kind than the value does not match.
package indirect enum Predicate: Sendable, Hashable {
  case all
  case none
  case and([Predicate])
  case or([Predicate])
  case not(Predicate)
  case compare(ColumnPath, Comparison, Literal)
  case isIn(ColumnPath, [Literal])
  /// The column's text has `needle` as a substring. On an object column: some string value at any depth has.
  case contains(ColumnPath, needle: String, ignoreCase: Bool)
  /// The text has `word` between non-word bytes or its ends, ASCII case ignored. Word bytes are ASCII letters
  /// and digits, `_`, and all bytes from 0x80 on. On an object column: some string value at any depth has.
  case word(ColumnPath, String)
  /// The text has a match of the regular expression (linear time; see Matching).
  case regex(ColumnPath, pattern: String, ignoreCase: Bool)
  /// The text starts with `prefix`.
  case prefix(ColumnPath, String)
  /// The column or member has a value that is not null.
  case exists(ColumnPath)

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
