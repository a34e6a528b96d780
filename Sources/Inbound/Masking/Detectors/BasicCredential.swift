/// What stands behind the word `Basic`: base64 of a name, a colon and a password (RFC 7617).
enum BasicCredential {
  private static let word = Array("basic".utf8)
  private static let separatorsMax = 8
  private static let bytesMin = 4
  private static let bytesMax = 512

  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    guard TextClass.hasWord(text, at, word) else { return nil }
    var start = at + word.count
    let separatorsEnd = min(start + separatorsMax, text.count)
    while start < separatorsEnd, isSeparator(text[start]) { start += 1 }
    guard start > at + word.count else { return nil }
    var end = start
    // Longer ones are none.
    while end < text.count, end - start <= bytesMax, value(text[end]) != nil { end += 1 }
    guard holdsColon(text, start..<end) else { return nil }
    return start..<TextClass.runEnd(text, end) { $0 == UInt8(ascii: "=") }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    TextClass.isSpace(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "=")
      || byte == UInt8(ascii: "\"")
  }

  /// Whether the base64 in `range` stands for visible text with a colon in it.
  private static func holdsColon(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count >= bytesMin else { return false }
    var bits: UInt32 = 0
    var count = 0
    var hasColon = false
    for index in range {
      guard let value = value(text[index]) else { break }
      bits = bits << 6 | UInt32(value)
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      let byte = UInt8(truncatingIfNeeded: bits >> UInt32(count))
      guard byte >= 0x20, byte != 0x7F else { return false }
      hasColon = hasColon || byte == UInt8(ascii: ":")
    }
    return hasColon
  }

  private static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
