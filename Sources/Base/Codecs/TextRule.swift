/// What a text column asks of a value, as it was sent: before masking.
package enum TextRule: Sendable, Hashable {
  case any
  /// So many Unicode scalars.
  case characters(ClosedRange<Int>)
  /// 1 to `charactersMax` of `a` to `z`, `0` to `9` and `-`.
  case slug(charactersMax: Int)
  case oneOf([[UInt8]])

  /// Whether a value can tell nothing that the rule does not.
  var isClosed: Bool {
    switch self {
    case .any, .characters: false
    case .slug, .oneOf: true
    }
  }

  /// Whether `text` keeps the rule. Valid UTF-8.
  func holds(for text: Span<UInt8>) -> Bool {
    switch self {
    case .any: return true
    case .characters(let range):
      // No character has more than four bytes.
      if text.count <= range.upperBound, text.count >= range.lowerBound, range.lowerBound <= 1 { return true }
      var count = 0
      for index in text.indices where text[index] & 0xC0 != 0x80 { count += 1 }
      return range.contains(count)
    case .slug(let most):
      guard text.count >= 1, text.count <= most else { return false }
      for index in text.indices {
        let byte = text[index]
        guard byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D else { return false }
      }
      return true
    case .oneOf(let words):
      return words.contains { word in
        guard word.count == text.count else { return false }
        for index in word.indices where word[index] != text[index] { return false }
        return true
      }
    }
  }
}
