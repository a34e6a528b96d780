/// What stands for secrets, found in a text that was masked before: it stays.
enum MaskedText {
  private static let labelBytesMax = 32

  static func hasStars(_ text: Span<UInt8>, _ at: Int) -> Bool {
    guard at >= 0, text.count - at >= 4 else { return false }
    for index in at..<at + 4 where text[index] != UInt8(ascii: "*") { return false }
    return true
  }

  /// Behind `****` or `****[label]` at `at`; nil if there is neither.
  static func end(_ text: Span<UInt8>, _ at: Int) -> Int? {
    guard hasStars(text, at) else { return nil }
    guard at + 4 < text.count, text[at + 4] == UInt8(ascii: "[") else { return at + 4 }
    var end = at + 5
    while end < text.count, end - at < labelBytesMax {
      let byte = text[end]
      if byte == UInt8(ascii: "]") { return end + 1 }
      guard TextClass.isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: " ") else {
        break
      }
      end += 1
    }
    return at + 4
  }
}
