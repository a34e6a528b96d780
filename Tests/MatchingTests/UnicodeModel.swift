/// What searching in any case means, by the properties of scalars that Swift knows.
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
