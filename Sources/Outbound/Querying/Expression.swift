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
    guard text.utf8.count <= bytesMax else { throw .invalid("an expression has at most \(bytesMax) bytes") }
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

/// A word, symbol or text of an expression and the number of its first character (from 1).
struct ExpressionToken: Hashable {
  enum Kind: Hashable {
    case word(String)
    case quoted(String)
    case symbol(String)
    case end
  }
  let kind: Kind
  let place: Int
}

enum ExpressionLexer {
  private static let symbols = ["<=", ">=", "!=", "~*", "(", ")", ",", "=", "<", ">", "~"]

  static func tokens(of text: String) throws(StoreError) -> [ExpressionToken] {
    let characters = Array(text.unicodeScalars)
    var tokens: [ExpressionToken] = []
    var at = 0
    while at < characters.count {
      let character = characters[at]
      if character.properties.isWhitespace {
        at += 1
      } else if character == "\"" || character == "'" {
        let start = at
        let value = try quotedText(characters, at: &at)
        tokens.append(ExpressionToken(kind: .quoted(value), place: start + 1))
      } else if let symbol = symbols.first(where: { characters[at...].starts(with: $0.unicodeScalars) }) {
        tokens.append(ExpressionToken(kind: .symbol(symbol), place: at + 1))
        at += symbol.unicodeScalars.count
      } else {
        let start = at
        try skipWord(characters, at: &at)
        tokens.append(
          ExpressionToken(kind: .word(ExpressionLexer.word(characters[start..<at])), place: start + 1))
      }
    }
    return tokens + [ExpressionToken(kind: .end, place: characters.count + 1)]
  }

  private static func word(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  private static func quotedText(_ characters: [Unicode.Scalar], at: inout Int) throws(StoreError) -> String {
    let quote = characters[at]
    let start = at
    at += 1
    var value = String.UnicodeScalarView()
    while at < characters.count {
      let character = characters[at]
      at += 1
      if character == quote { return String(value) }
      if character == "\\", at < characters.count {
        // Only the quote and the backslash are escapes, so that patterns need no doubling of theirs.
        if characters[at] == quote || characters[at] == "\\" {
          value.append(characters[at])
          at += 1
          continue
        }
      }
      value.append(character)
    }
    throw .invalid("character \(start + 1): a text without its closing quote")
  }

  /// Words end at white space, quotes and symbols; `["…"]` belongs to a path.
  private static func skipWord(_ characters: [Unicode.Scalar], at: inout Int) throws(StoreError) {
    while at < characters.count {
      let character = characters[at]
      if character == "[", at + 1 < characters.count, characters[at + 1] == "\"" {
        at += 1
        _ = try quotedText(characters, at: &at)
        continue
      }
      if character.properties.isWhitespace || "\"'(),=<>~!".unicodeScalars.contains(character) { break }
      at += 1
    }
    if at < characters.count, characters[at] == "!", !characters[at...].starts(with: "!=".unicodeScalars) {
      throw .invalid("character \(at + 1): did you mean !=")
    }
  }
}

struct ExpressionParser {
  private let tokens: [ExpressionToken]
  private var at = 0
  private var depth = 0

  init(tokens: [ExpressionToken]) { self.tokens = tokens }

  static func symbol(_ comparison: Comparison) -> String {
    switch comparison {
    case .equal: "="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    }
  }

  private var next: ExpressionToken { tokens[at] }

  private func error(_ wanted: String) -> StoreError {
    .invalid("character \(next.place): expected \(wanted)")
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard case .word(let text) = next.kind, text.lowercased().hasBytes(of: word) else { return false }
    at += 1
    return true
  }

  private mutating func takeSymbol(_ symbol: String) -> Bool {
    guard next.kind == .symbol(symbol) else { return false }
    at += 1
    return true
  }

  mutating func parseWhole() throws(StoreError) -> Predicate {
    let predicate = try parseOr()
    guard next.kind == .end else { throw error("and, or, or the end") }
    return predicate
  }

  private mutating func parseOr() throws(StoreError) -> Predicate {
    var parts = [try parseAnd()]
    while takeWord("or") { parts.append(try parseAnd()) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func parseAnd() throws(StoreError) -> Predicate {
    var parts = [try parseNot()]
    while takeWord("and") { parts.append(try parseNot()) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func parseNot() throws(StoreError) -> Predicate {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Expression.nestingMax else { throw error("fewer levels than \(Expression.nestingMax)") }
    if takeWord("not") { return .not(try parseNot()) }
    if takeWord("all") { return .all }
    if takeWord("none") { return .none }
    if takeSymbol("(") {
      let inner = try parseOr()
      guard takeSymbol(")") else { throw error("a closing parenthesis") }
      return inner
    }
    return try parseCondition()
  }

  private mutating func parseCondition() throws(StoreError) -> Predicate {
    guard case .word(let name) = next.kind, let path = ColumnPath(parsing: name) else {
      throw error("a column")
    }
    at += 1
    if takeWord("exists") { return .exists(path) }
    if takeWord("in") { return .isIn(path, try parseList()) }
    if takeWord("not") {
      guard takeWord("in") else { throw error("in") }
      return .not(.isIn(path, try parseList()))
    }
    if takeWord("contains") { return .contains(path, needle: try parseText(), ignoreCase: false) }
    if takeWord("icontains") { return .contains(path, needle: try parseText(), ignoreCase: true) }
    if takeWord("word") { return .word(path, try parseText()) }
    if takeWord("prefix") { return .prefix(path, try parseText()) }
    if takeSymbol("~*") { return .regex(path, pattern: try parseText(), ignoreCase: true) }
    if takeSymbol("~") { return .regex(path, pattern: try parseText(), ignoreCase: false) }
    let comparisons: [Comparison] = [.lessOrEqual, .greaterOrEqual, .notEqual, .equal, .less, .greater]
    for comparison in comparisons where takeSymbol(ExpressionParser.symbol(comparison)) {
      return .compare(path, comparison, try parseLiteral())
    }
    throw error("an operator: =, !=, <, <=, >, >=, ~, ~*, in, contains, icontains, word, prefix or exists")
  }

  private mutating func parseText() throws(StoreError) -> String {
    switch next.kind {
    case .quoted(let text), .word(let text):
      at += 1
      return text
    case .symbol, .end: throw error("a text, in quotes if it has spaces")
    }
  }

  private mutating func parseList() throws(StoreError) -> [Literal] {
    guard takeSymbol("(") else { throw error("an opening parenthesis") }
    if takeSymbol(")") { return [] }
    var literals = [try parseLiteral()]
    while takeSymbol(",") { literals.append(try parseLiteral()) }
    guard takeSymbol(")") else { throw error("a comma or a closing parenthesis") }
    return literals
  }

  private mutating func parseLiteral() throws(StoreError) -> Literal {
    switch next.kind {
    case .quoted(let text):
      at += 1
      return .string(text)
    case .word(let text):
      at += 1
      if text.hasBytes(of: "true") { return .bool(true) }
      if text.hasBytes(of: "false") { return .bool(false) }
      return Literal(number: text) ?? .string(text)
    case .symbol, .end: throw error("a value")
    }
  }
}
