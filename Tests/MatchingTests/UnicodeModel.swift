/// What searching in any case and for words means, by the properties of scalars that Swift knows.
enum UnicodeModel {
  /// The same for all cases of a letter. ASCII stays among itself.
  static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    func single(_ text: String, or scalar: Unicode.Scalar) -> Unicode.Scalar {
      let scalars = Array(text.unicodeScalars)
      return scalars.count == 1 ? scalars[0] : scalar
    }
    let upper = single(scalar.properties.uppercaseMapping, or: scalar)
    let lower = single(upper.properties.lowercaseMapping, or: upper)
    return lower.isASCII == scalar.isASCII ? lower : scalar
  }

  static func folded(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] { text.map(folded) }

  /// Scalars of a text; 0xFF and the like are U+FFFD.
  static func scalars(_ text: [UInt8]) -> [Unicode.Scalar] {
    Array(String(decoding: text, as: UTF8.self).unicodeScalars)
  }

  /// Whether it is of words.
  static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .enclosingMark:
      true
    default: scalar == "_"
    }
  }

  /// The text's words, whatever their case.
  static func words(_ text: [UInt8]) -> [String] {
    scalarsOfWords(text).split { !isWord($0) }.map { String(String.UnicodeScalarView($0)) }
  }

  /// Bytes that are no UTF-8 are of words, so they are letters here.
  private static func scalarsOfWords(_ text: [UInt8]) -> [Unicode.Scalar] {
    scalars(text.flatMap { $0 == 0xFF ? Array("\u{A000}".utf8) : [$0] })
  }

  /// Whether the text has the needle between characters that are of no word, in any case.
  static func hasWord(_ needle: String, in text: [UInt8]) -> Bool {
    let wanted = folded(needle.unicodeScalars)
    let text = scalarsOfWords(text)
    let letters = folded(text)
    return text.indices.contains { start in
      let end = start + wanted.count
      guard letters[start] == wanted[0], letters[start...].starts(with: wanted) else { return false }
      return (start == 0 || !isWord(text[start - 1])) && (end == text.count || !isWord(text[end]))
    }
  }

  /// Whether the text has the needle, in any case.
  static func has(_ needle: String, in text: [UInt8]) -> Bool {
    let wanted = folded(needle.unicodeScalars)
    guard let first = wanted.first else { return true }
    let text = folded(scalars(text))
    return text.indices.contains {
      text[$0] == first && text[$0...].starts(with: wanted)
    }
  }
}
