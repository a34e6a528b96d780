import Codecs
import Matching
import Records

/// What is wrong with an expression, and where.
package struct ExpressionFault: Error, Sendable, Hashable {
  /// What would have been right there.
  enum Wanted: Sendable, Hashable {
    case column, connective, listStart, listEnd, quote, `in`, other
    /// Of a column.
    case comparison(ColumnPath)
    /// To compare a column with.
    case value(ColumnPath)
  }

  /// The number of the character, from 1: Unicode scalars. Behind the last one where more is expected.
  package let place: Int
  /// What is expected there, or else is wrong.
  package let detail: String
  let wanted: Wanted

  init(_ place: Int, _ detail: String, _ wanted: Wanted = .other) {
    self.place = place
    self.detail = detail
    self.wanted = wanted
  }

  /// Both, for people.
  package var text: String { "character \(place): \(detail)" }
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

  static func tokens(of text: String) throws(ExpressionFault) -> [ExpressionToken] {
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

  private static func quotedText(_ characters: [Unicode.Scalar], at: inout Int) throws(ExpressionFault)
    -> String
  {
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
    throw ExpressionFault(start + 1, "a text without its closing quote", .quote)
  }

  /// Words end at white space, quotes and symbols; `["…"]` belongs to a path.
  private static func skipWord(_ characters: [Unicode.Scalar], at: inout Int) throws(ExpressionFault) {
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
      throw ExpressionFault(at + 1, "did you mean !=")
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

  private func error(_ detail: String, _ wanted: ExpressionFault.Wanted = .other) -> ExpressionFault {
    ExpressionFault(next.place, "expected \(detail)", wanted)
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

  mutating func parseWhole() throws(ExpressionFault) -> Predicate {
    let predicate = try parseOr()
    guard next.kind == .end else { throw error("and, or, or the end", .connective) }
    return predicate
  }

  private mutating func parseOr() throws(ExpressionFault) -> Predicate {
    var parts = [try parseAnd()]
    while takeWord("or") { parts.append(try parseAnd()) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func parseAnd() throws(ExpressionFault) -> Predicate {
    var parts = [try parseNot()]
    while takeWord("and") { parts.append(try parseNot()) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func parseNot() throws(ExpressionFault) -> Predicate {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Expression.nestingMax else { throw error("fewer levels than \(Expression.nestingMax)") }
    if takeWord("not") { return .not(try parseNot()) }
    if takeWord("all") { return .all }
    if takeWord("none") { return .none }
    if takeSymbol("(") {
      let inner = try parseOr()
      guard takeSymbol(")") else { throw error("and, or, or a closing parenthesis", .connective) }
      return inner
    }
    return try parseCondition()
  }

  private mutating func parseCondition() throws(ExpressionFault) -> Predicate {
    guard case .word(let name) = next.kind, let path = ColumnPath(parsing: name) else {
      throw error("a column", .column)
    }
    at += 1
    if takeWord("exists") { return .exists(path) }
    if takeWord("in") { return .isIn(path, try parseList(path)) }
    if takeWord("not") {
      guard takeWord("in") else { throw error("in", .in) }
      return .not(.isIn(path, try parseList(path)))
    }
    if takeWord("contains") { return .contains(path, needle: try parseText(path), ignoreCase: false) }
    if takeWord("icontains") { return .contains(path, needle: try parseText(path), ignoreCase: true) }
    if takeWord("word") { return .word(path, try parseText(path)) }
    if takeWord("prefix") { return .prefix(path, try parseText(path)) }
    if takeSymbol("~*") { return .regex(path, pattern: try parseText(path), ignoreCase: true) }
    if takeSymbol("~") { return .regex(path, pattern: try parseText(path), ignoreCase: false) }
    let comparisons: [Comparison] = [.lessOrEqual, .greaterOrEqual, .notEqual, .equal, .less, .greater]
    for comparison in comparisons where takeSymbol(ExpressionParser.symbol(comparison)) {
      return .compare(path, comparison, try parseLiteral(path))
    }
    throw error(
      "an operator: =, !=, <, <=, >, >=, ~, ~*, in, contains, icontains, word, prefix or exists",
      .comparison(path))
  }

  private mutating func parseText(_ path: ColumnPath) throws(ExpressionFault) -> String {
    switch next.kind {
    case .quoted(let text), .word(let text):
      at += 1
      return text
    case .symbol, .end: throw error("a text, in quotes if it has spaces", .value(path))
    }
  }

  private mutating func parseList(_ path: ColumnPath) throws(ExpressionFault) -> [Literal] {
    guard takeSymbol("(") else { throw error("an opening parenthesis", .listStart) }
    if takeSymbol(")") { return [] }
    var literals = [try parseLiteral(path)]
    while takeSymbol(",") { literals.append(try parseLiteral(path)) }
    guard takeSymbol(")") else { throw error("a comma or a closing parenthesis", .listEnd) }
    return literals
  }

  private mutating func parseLiteral(_ path: ColumnPath) throws(ExpressionFault) -> Literal {
    switch next.kind {
    case .quoted(let text):
      at += 1
      return .string(text)
    case .word(let text):
      at += 1
      if text.hasBytes(of: "true") { return .bool(true) }
      if text.hasBytes(of: "false") { return .bool(false) }
      return Literal(number: text) ?? .string(text)
    case .symbol, .end: throw error("a value", .value(path))
    }
  }
}
