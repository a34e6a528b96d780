/// What stands behind the word `Bearer`, in any case: a word of eight or more characters, or a shorter one
/// with a digit.
enum BearerToken {
  private static let separatorsMax = 8
  private static let wordBytesMin = 8
  private static let word = Array("bearer".utf8)

  /// The token (without the word) if the word is at `at`.
  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    guard text.count - at > word.count else { return nil }
    for (index, byte) in word.enumerated() where text[at + index] | 0x20 != byte { return nil }
    var start = at + word.count
    let separatorsEnd = min(start + separatorsMax, text.count)
    while start < separatorsEnd, isSeparator(text[start]) { start += 1 }
    guard start > at + word.count else { return nil }
    let end = TextClass.runEnd(text, start, isToken)
    if end - start >= wordBytesMin { return start..<end }
    for index in start..<end where TextClass.isDigit(text[index]) { return start..<end }
    return nil
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "\""),
      UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: "["):
      true
    default: false
    }
  }

  /// RFC 6750's b64token.
  private static func isToken(_ byte: UInt8) -> Bool {
    if TextClass.isBase64URL(byte) { return true }
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
      return true
    default: return false
    }
  }
}
