extension JSONReader {
  // MARK: Numbers

  mutating func number() throws(JSONTree.SyntaxError) -> JSONTree {
    let digits = try checkNumber()
    if isLenient, digits.count > 18 || text[digits].contains(where: { $0 < 0x30 || $0 > 0x39 }) {
      return .number(String(decoding: text[digits], as: UTF8.self))
    }
    let number = text.span.extracting(digits)
    switch keepsNumberTexts ? JSONNumber.typed(number) : JSONNumber.classify(number) {
    case .int64(let value): return .int64(value)
    case .float64(let value): return .float64(value)
    case .other: return .number(String(decoding: text[digits], as: UTF8.self))
    }
  }

  private var isAtDigit: Bool { at < text.count && text[at] >= 0x30 && text[at] <= 0x39 }

  /// Where the number at hand lies.
  mutating func checkNumber() throws(JSONTree.SyntaxError) -> Range<Int> {
    let start = at
    if at < text.count, text[at] == UInt8(ascii: "-") { at += 1 }
    guard isAtDigit else { throw error("not a JSON value") }
    if text[at] == UInt8(ascii: "0") { at += 1 } else { while isAtDigit { at += 1 } }
    if at < text.count, text[at] == UInt8(ascii: ".") {
      at += 1
      guard isAtDigit else { throw error("digits behind the point") }
      while isAtDigit { at += 1 }
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
      guard isAtDigit else { throw error("digits in the exponent") }
      while isAtDigit { at += 1 }
    }
    return start..<at
  }

  // MARK: Strings

  /// What the string with this inside, which was checked, stands for.
  func string(_ inside: Range<Int>, _ hasEscapes: Bool) -> String {
    guard hasEscapes else { return String(decoding: text[inside], as: UTF8.self) }
    var bytes: [UInt8] = []
    JSONScanner.appendUnescapedInside(text.span, inside, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Where the inside of the string at hand lies, and whether it has escapes; they are checked.
  package mutating func checkString() throws(JSONTree.SyntaxError) -> (inside: Range<Int>, hasEscapes: Bool) {
    at += 1
    let start = at
    var hasEscapes = false
    var bits: UInt8 = 0
    while at < text.count {
      let byte = text[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        let inside = start..<at - 1
        if bits & 0x80 != 0, let wrong = UTF8Repair.firstInvalid(text.span.extracting(inside), from: 0) {
          throw JSONTree.SyntaxError(offsetBytes: start + wrong, reason: "not UTF-8")
        }
        return (inside, hasEscapes)
      case 0..<0x20: throw error("a control character in a string")
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try checkEscape()
      default: bits |= byte
      }
    }
    throw error("a string without an end")
  }

  private mutating func checkEscape() throws(JSONTree.SyntaxError) {
    guard at < text.count else { throw error("a string without an end") }
    let escape = text[at]
    at += 1
    switch escape {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return
    case UInt8(ascii: "u"): break
    default: throw error("an unknown escape")
    }
    let code = try checkHex()
    if (0xD800..<0xDC00).contains(code), at + 1 < text.count, text[at] == 0x5C, text[at + 1] == 0x75 {
      at += 2
      guard (0xDC00..<0xE000).contains(try checkHex()) else { throw error("half a surrogate pair") }
      return
    }
    guard isLenient || code != 0 else { throw error("NUL in a string") }
    guard !(0xD800..<0xE000).contains(code) else { throw error("half a surrogate pair") }
  }

  private mutating func checkHex() throws(JSONTree.SyntaxError) -> UInt32 {
    guard at + 4 <= text.count else { throw error("four hexadecimal digits") }
    var code: UInt32 = 0
    for index in at..<at + 4 {
      let byte = text[index]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x37
      case 0x61...0x66: digit = byte - 0x57
      default: throw error("four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    at += 4
    return code
  }
}
