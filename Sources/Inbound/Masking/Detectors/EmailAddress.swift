/// E-mail addresses: a local part, `@`, and a domain with a point whose last label is no number.
enum EmailAddress {
  /// The address around the `@` at `at`; it begins at `floor` or behind it.
  static func range(_ text: Span<UInt8>, _ at: Int, floor: Int) -> Range<Int>? {
    var start = at
    while start > floor, isLocal(text[start - 1]) { start -= 1 }
    guard start < at, let end = domainEnd(text, at + 1) else { return nil }
    return start..<end
  }

  /// Letters of all scripts, digits and `.`, `_`, `%`, `+`, `-`, `'`. What else the standard allows (`=`,
  /// `/`, `&`) stands before addresses in logs far more often than in them.
  private static func isLocal(_ byte: UInt8) -> Bool {
    if TextClass.isBase64URL(byte) || byte >= 0x80 { return true }
    return byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "%")
      || byte == UInt8(ascii: "'")
  }

  private static func domainEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
    var end = start
    var pointCount = 0
    var lastLabel = start
    while end < text.count {
      let byte = text[end]
      if byte == UInt8(ascii: ".") {
        // A point ends the address unless a label stands on both sides.
        guard end > lastLabel, end + 1 < text.count, isLabel(text[end + 1]) else { break }
        pointCount += 1
        lastLabel = end + 1
      } else if !isLabel(byte) {
        break
      }
      end += 1
    }
    guard pointCount > 0, end - lastLabel >= 2 else { return nil }
    for index in lastLabel..<end where !TextClass.isDigit(text[index]) { return end }
    return nil
  }

  private static func isLabel(_ byte: UInt8) -> Bool {
    TextClass.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte >= 0x80
  }
}
