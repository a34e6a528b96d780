import Codecs

/// What stands for a hidden text.
enum ValueMask: Sendable, Hashable {
  case full
  case keepPrefix(Int)
  case keepSuffix(Int)
  case email

  static let stars = Array("****".utf8)
  /// Longer texts show their length.
  static let plainCharactersMax = 16
  private static let emailStarsMax = 5
  private static let domainBytesMax = 253

  init(_ partial: MaskingRules.Partial) {
    self =
      switch partial {
      case .keepPrefix(let count): .keepPrefix(max(count, 0))
      case .keepSuffix(let count): .keepSuffix(max(count, 0))
      case .maskEmail: .email
      }
  }

  func append(_ text: Span<UInt8>, to output: inout [UInt8]) {
    if isMasked(text) {
      output.append(copying: text)
      return
    }
    switch self {
    case .full:
      output += ValueMask.stars
      // No text has more characters than bytes.
      guard text.count > ValueMask.plainCharactersMax else { return }
      let count = ValueMask.characterCount(text)
      if count > ValueMask.plainCharactersMax { output += Array("[\(count) chars]".utf8) }
    case .keepPrefix(let most):
      let kept = ValueMask.kept(most, of: ValueMask.characterCount(text))
      if kept > 0 {
        output.append(copying: text.extracting(0..<ValueMask.offset(ofCharacter: kept, in: text)))
      }
      output += ValueMask.stars
    case .keepSuffix(let most):
      output += ValueMask.stars
      let count = ValueMask.characterCount(text)
      let kept = ValueMask.kept(most, of: count)
      if kept > 0 {
        output.append(
          copying: text.extracting(ValueMask.offset(ofCharacter: count - kept, in: text)..<text.count))
      }
    case .email: ValueMask.appendEmail(text, to: &output)
    }
  }

  /// What is left of a short secret would be most of it.
  private static func kept(_ most: Int, of count: Int) -> Int { min(most, count / 4) }

  /// Whether this left `text` of another one: then it stays, so that masking twice changes nothing.
  private func isMasked(_ text: Span<UInt8>) -> Bool {
    switch self {
    case .full: return MaskedText.end(text, 0) == text.count
    case .email: return false
    case .keepPrefix(let most):
      guard text.count >= 4, MaskedText.hasStars(text, text.count - 4) else { return false }
      return ValueMask.characterCount(text.extracting(0..<text.count - 4)) <= most
    case .keepSuffix(let most):
      guard MaskedText.hasStars(text, 0) else { return false }
      return ValueMask.characterCount(text.extracting(4..<text.count)) <= most
    }
  }

  private static func appendEmail(_ text: Span<UInt8>, to output: inout [UInt8]) {
    // What stands behind the `@` is shown, so it must look like a domain.
    guard let at = text.indices.last(where: { text[$0] == UInt8(ascii: "@") }), isDomain(text, from: at + 1)
    else {
      output += stars
      return
    }
    let local = text.extracting(0..<at)
    let count = characterCount(local)
    if count <= 2 {
      output += stars
    } else {
      output.append(copying: local.extracting(0..<offset(ofCharacter: 1, in: local)))
      output += [UInt8](repeating: UInt8(ascii: "*"), count: min(emailStarsMax, count - 2))
      output.append(copying: local.extracting(offset(ofCharacter: count - 1, in: local)..<at))
    }
    output.append(copying: text.extracting(at..<text.count))
  }

  private static func isDomain(_ text: Span<UInt8>, from start: Int) -> Bool {
    guard start < text.count, text.count - start <= domainBytesMax else { return false }
    for index in start..<text.count {
      let byte = text[index]
      guard
        TextClass.isAlphanumeric(byte) || byte >= 0x80 || byte == UInt8(ascii: ".")
          || byte == UInt8(ascii: "-")
      else { return false }
    }
    return true
  }

  /// Unicode scalars of valid UTF-8.
  static func characterCount(_ text: Span<UInt8>) -> Int {
    var count = 0
    for index in text.indices where text[index] & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// Where scalar number `character` starts; the end for their count.
  private static func offset(ofCharacter character: Int, in text: Span<UInt8>) -> Int {
    var seen = 0
    for index in text.indices where text[index] & 0xC0 != 0x80 {
      if seen == character { return index }
      seen += 1
    }
    return text.count
  }
}
