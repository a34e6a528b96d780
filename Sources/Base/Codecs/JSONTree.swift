import Records

/// A JSON value as a tree, for small texts from outside: requests, filters, settings. Records never go
/// through it.
package indirect enum JSONTree: Sendable, Hashable {
  case null
  case bool(Bool)
  case int64(Int64)
  case float64(Double)
  /// A number neither int64 nor double holds exactly, as its text.
  case number(String)
  case string(String)
  case array([JSONTree])
  /// Members in the text's order; names are distinct, but for ``init(lenientlyParsing:)``.
  case object([Member])

  /// A name and its value.
  package struct Member: Sendable, Hashable {
    /// Escapes resolved.
    package let name: String
    /// The value.
    package let value: JSONTree
    /// A member of an object.
    package init(_ name: String, _ value: JSONTree) {
      self.name = name
      self.value = value
    }
  }

  /// Why a text is not JSON.
  package struct SyntaxError: Error, Sendable, Hashable {
    /// Where in the text.
    package let offsetBytes: Int
    /// For people; quotes nothing of the text.
    package let reason: String
  }

  /// The most levels of arrays and objects in each other.
  package static let nestingMax = 64

  /// The value of member `name`, or nil.
  package subscript(name: String) -> JSONTree? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// Parses a whole text (RFC 8259). NUL, broken UTF-8, lone surrogates, repeated names and anything behind
  /// the value are errors.
  package init(parsing text: [UInt8]) throws(SyntaxError) { try self.init(text, isLenient: false) }

  /// As ``init(parsing:)``, but names may repeat, NUL may be escaped in strings, and numbers that are not
  /// plain digits stay the text they are: for bodies whose rules deal with that.
  package init(lenientlyParsing text: [UInt8]) throws(SyntaxError) { try self.init(text, isLenient: true) }

  private init(_ text: [UInt8], isLenient: Bool) throws(SyntaxError) {
    if let offset = UTF8Repair.firstInvalid(text.span, from: 0) {
      throw SyntaxError(offsetBytes: offset, reason: "not UTF-8")
    }
    var parser = JSONTreeParser(text: text, isLenient: isLenient)
    self = try parser.parseDocument()
  }

  /// The JSON text, without white space.
  package var text: String {
    var writer = JSONWriter(capacity: 256)
    write(to: &writer)
    return String(decoding: writer.takeBytes(), as: UTF8.self)
  }

  private func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.appendNull()
    case .bool(let value): writer.appendBool(value)
    case .int64(let value): writer.appendInt64(value)
    case .float64(let value): writer.appendFloat64(value)
    case .number(let text): writer.append(raw: text)
    case .string(let text): writer.appendString(text)
    case .array(let elements):
      writer.append(raw: "[")
      for (index, element) in elements.enumerated() {
        if index > 0 { writer.append(raw: ",") }
        element.write(to: &writer)
      }
      writer.append(raw: "]")
    case .object(let members):
      writer.append(raw: "{")
      for (index, member) in members.enumerated() {
        if index > 0 { writer.append(raw: ",") }
        writer.appendString(member.name)
        writer.append(raw: ":")
        member.value.write(to: &writer)
      }
      writer.append(raw: "}")
    }
  }
}

private struct JSONTreeParser {
  let text: [UInt8]
  let isLenient: Bool
  var at = 0
  var depth = 0

  init(text: [UInt8], isLenient: Bool) {
    self.text = text
    self.isLenient = isLenient
  }

  mutating func parseDocument() throws(JSONTree.SyntaxError) -> JSONTree {
    let value = try parseValue()
    skipSpace()
    guard at == text.count else { throw error("text behind the value") }
    return value
  }

  private func error(_ reason: String) -> JSONTree.SyntaxError {
    JSONTree.SyntaxError(offsetBytes: at, reason: reason)
  }

  private mutating func skipSpace() {
    while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard at < text.count, text[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func parseValue() throws(JSONTree.SyntaxError) -> JSONTree {
    skipSpace()
    guard at < text.count else { throw error("the text ends early") }
    switch text[at] {
    case UInt8(ascii: "{"): return try parseObject()
    case UInt8(ascii: "["): return try parseArray()
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    default: return try parseNumber()
    }
  }

  private mutating func parseWord(_ word: String, _ value: JSONTree) throws(JSONTree.SyntaxError) -> JSONTree
  {
    guard text[at...].starts(with: word.utf8) else { throw error("not a JSON value") }
    at += word.utf8.count
    return value
  }

  private mutating func enter() throws(JSONTree.SyntaxError) {
    depth += 1
    guard depth <= JSONTree.nestingMax else { throw error("nested deeper than \(JSONTree.nestingMax)") }
    at += 1
  }

  private mutating func parseObject() throws(JSONTree.SyntaxError) -> JSONTree {
    try enter()
    defer { depth -= 1 }
    var members: [JSONTree.Member] = []
    var names: Set<String> = []
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      guard at < text.count, text[at] == UInt8(ascii: "\"") else {
        throw error("a member's name is a string")
      }
      let name = try parseString()
      guard isLenient || names.insert(name).inserted else { throw error("a name twice in one object") }
      guard take(UInt8(ascii: ":")) else { throw error("a colon behind the name") }
      members.append(JSONTree.Member(name, try parseValue()))
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw error("a comma or the object's end") }
    }
  }

  private mutating func parseArray() throws(JSONTree.SyntaxError) -> JSONTree {
    try enter()
    defer { depth -= 1 }
    var elements: [JSONTree] = []
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try parseValue())
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw error("a comma or the array's end") }
    }
  }

  private mutating func parseNumber() throws(JSONTree.SyntaxError) -> JSONTree {
    let start = at
    func digit() -> Bool { at < text.count && text[at] >= 0x30 && text[at] <= 0x39 }
    if at < text.count, text[at] == UInt8(ascii: "-") { at += 1 }
    guard digit() else { throw error("not a JSON value") }
    if text[at] == UInt8(ascii: "0") { at += 1 } else { while digit() { at += 1 } }
    if at < text.count, text[at] == UInt8(ascii: ".") {
      at += 1
      guard digit() else { throw error("digits behind the point") }
      while digit() { at += 1 }
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
      guard digit() else { throw error("digits in the exponent") }
      while digit() { at += 1 }
    }
    let digits = Array(text[start..<at])
    if isLenient, !digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) || digits.count > 18 {
      return .number(String(decoding: digits, as: UTF8.self))
    }
    switch JSONNumber.classify(digits.span) {
    case .int64(let value): return .int64(value)
    case .float64(let value): return .float64(value)
    case .other: return .number(String(decoding: digits, as: UTF8.self))
    }
  }

  private mutating func parseString() throws(JSONTree.SyntaxError) -> String {
    at += 1
    var bytes: [UInt8] = []
    while true {
      guard at < text.count else { throw error("a string without an end") }
      let byte = text[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case 0..<0x20: throw error("a control character in a string")
      case UInt8(ascii: "\\"): try parseEscape(into: &bytes)
      default: bytes.append(byte)
      }
    }
  }

  private static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
  ]

  private mutating func parseEscape(into bytes: inout [UInt8]) throws(JSONTree.SyntaxError) {
    guard at < text.count else { throw error("a string without an end") }
    let escape = text[at]
    at += 1
    if let byte = JSONTreeParser.escapes[escape] { return bytes.append(byte) }
    guard escape == UInt8(ascii: "u") else { throw error("an unknown escape") }
    var code = try parseHex()
    if (0xD800..<0xDC00).contains(code), text[at...].starts(with: [0x5C, 0x75]) {
      at += 2
      let low = try parseHex()
      guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard isLenient || code != 0 else { throw error("NUL in a string") }
    guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
    bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
  }

  private mutating func parseHex() throws(JSONTree.SyntaxError) -> UInt32 {
    guard at + 4 <= text.count else { throw error("four hexadecimal digits") }
    var code: UInt32 = 0
    for byte in text[at..<at + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    at += 4
    return code
  }
}
