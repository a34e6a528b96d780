/// Finds the string values of a JSON text, at any depth, names of members left out.
///
/// Total: of a text that is no JSON it hands over something. Escapes are undone; nothing is copied for
/// strings without any.
enum JSONStrings {
  /// Calls `body` with the bytes of each string value.
  @unsafe static func forEach(in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var position = 0
    var unescaped: [UInt8] = []
    while position < text.count {
      guard unsafe text[position] == UInt8(ascii: "\"") else {
        position += 1
        continue
      }
      let start = position + 1
      var end = start
      var hasEscape = false
      while end < text.count, unsafe text[end] != UInt8(ascii: "\"") {
        if unsafe text[end] == UInt8(ascii: "\\") {
          hasEscape = true
          end += 1
        }
        end += 1
      }
      end = min(end, text.count)
      position = end + 1
      if unsafe isName(text, endingAt: position) { continue }
      let value = unsafe UnsafeRawBufferPointer(rebasing: text[start..<end])
      guard hasEscape else {
        unsafe body(value)
        continue
      }
      unsafe unescape(value, into: &unescaped)
      unsafe unescaped.withUnsafeBytes { unsafe body($0) }
    }
  }

  /// Whether a colon follows.
  @unsafe private static func isName(_ text: UnsafeRawBufferPointer, endingAt end: Int) -> Bool {
    var position = end
    while position < text.count {
      switch unsafe text[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case UInt8(ascii: ":"): return true
      default: return false
      }
    }
    return false
  }

  @unsafe private static func unescape(_ value: UnsafeRawBufferPointer, into result: inout [UInt8]) {
    result.removeAll(keepingCapacity: true)
    var position = 0
    while position < value.count {
      let byte = unsafe value[position]
      position += 1
      guard byte == UInt8(ascii: "\\"), position < value.count else {
        result.append(byte)
        continue
      }
      let escape = unsafe value[position]
      position += 1
      switch escape {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "u"): unsafe appendScalar(value, at: &position, to: &result)
      default: result.append(escape)
      }
    }
  }

  /// Reads four hexadecimal digits, and a second escape after the first half of a pair.
  @unsafe private static func appendScalar(
    _ value: UnsafeRawBufferPointer, at position: inout Int, to result: inout [UInt8]
  ) {
    guard let unit = unsafe hexadecimal(value, at: position) else { return }
    position += 4
    var scalar = unit
    if unit & 0xFC00 == 0xD800, position + 1 < value.count, unsafe value[position] == UInt8(ascii: "\\"),
      unsafe value[position + 1] == UInt8(ascii: "u"),
      let second = unsafe hexadecimal(value, at: position + 2), second & 0xFC00 == 0xDC00
    {
      position += 6
      scalar = 0x10000 + (unit & 0x3FF) << 10 + (second & 0x3FF)
    }
    result += Array(String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
  }

  @unsafe private static func hexadecimal(_ value: UnsafeRawBufferPointer, at position: Int) -> UInt32? {
    guard position + 4 <= value.count else { return nil }
    var number: UInt32 = 0
    for index in position..<position + 4 {
      guard let digit = Character(Unicode.Scalar(unsafe value[index])).hexDigitValue else { return nil }
      number = number << 4 | UInt32(digit)
    }
    return number
  }
}
