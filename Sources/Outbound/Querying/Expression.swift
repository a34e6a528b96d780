import Codecs
import Matching
import Records

/// Filters as text, for the command line (Docs/query.md):
/// `level = ERROR and message contains "timed out" and metadata.amount > 10 and not service in (a, b)`.
package enum Expression {
  /// The most bytes an expression may have, and the most levels of parentheses.
  package static let bytesMax = 64 << 10
  static let nestingMax = 64

  /// - Throws: `.invalid` with a sentence and the character's number.
  package static func parse(_ text: String) throws(StoreError) -> Predicate {
    do throws(ExpressionFault) { return try checked(text) } catch { throw .invalid(error.text) }
  }

  /// As ``parse(_:)``; says where the fault is.
  package static func checked(_ text: String) throws(ExpressionFault) -> Predicate {
    guard text.utf8.count <= bytesMax else {
      throw ExpressionFault(1, "an expression has at most \(bytesMax) bytes")
    }
    var parser = ExpressionParser(tokens: try ExpressionLexer.tokens(of: text))
    return try parser.parseWhole()
  }

  /// The text form; ``parse(_:)`` of it gives an equal predicate when no list of `and`, `or` has fewer than
  /// two parts.
  package static func print(_ predicate: Predicate) -> String { print(predicate, inside: 0) }

  /// - Parameter level: 0 outermost, 1 a part of `or`, 2 a part of `and`, 3 behind `not`.
  private static func print(_ predicate: Predicate, inside level: Int) -> String {
    func wrapped(_ text: String, at own: Int) -> String { level >= own ? "(\(text))" : text }
    switch predicate {
    case .all: return "all"
    case .none: return "none"
    case .and(let parts):
      if parts.isEmpty { return "all" }
      return wrapped(parts.map { print($0, inside: 2) }.joined(separator: " and "), at: 2)
    case .or(let parts):
      if parts.isEmpty { return "none" }
      return wrapped(parts.map { print($0, inside: 1) }.joined(separator: " or "), at: 1)
    case .not(let part): return wrapped("not " + print(part, inside: 3), at: 4)
    case .compare(let path, let comparison, let literal):
      return "\(path) \(ExpressionParser.symbol(comparison)) \(print(literal))"
    case .isIn(let path, let literals):
      return "\(path) in (\(literals.map(print).joined(separator: ", ")))"
    case .contains(let path, let needle, let ignoreCase):
      return "\(path) \(ignoreCase ? "icontains" : "contains") \(quoted(needle))"
    case .word(let path, let word): return "\(path) word \(quoted(word))"
    case .regex(let path, let pattern, let ignoreCase):
      return "\(path) \(ignoreCase ? "~*" : "~") \(quoted(pattern))"
    case .prefix(let path, let prefix): return "\(path) prefix \(quoted(prefix))"
    case .exists(let path): return "\(path) exists"
    }
  }

  private static func print(_ literal: Literal) -> String {
    switch literal {
    case .string(let text): quoted(text)
    default: literal.json.text
    }
  }

  static func quoted(_ text: String) -> String {
    "\"" + text.escaped { $0 == "\"" || $0 == "\\" } + "\""
  }
}
