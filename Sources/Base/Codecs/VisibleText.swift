/// Text that comes from others, as it is shown to people: what would steer a terminal, end a line or turn the
/// order of the text around it stands there by its number.
///
/// That is C0 and C1 with DEL, the separators of lines and paragraphs, and what sets the direction of text
/// (Unicode's Bidi_Control).
package enum VisibleText {
  /// `\x1b` for those of eight bits, `\u{202e}` for the others. Costs a look at each byte; text without any
  /// is given back as it is.
  ///
  /// - Parameter kept: Stay as they are: a line end in what is lines.
  package static func shown(_ text: String, keeping kept: String = "") -> String {
    guard hasControl(text.utf8) else { return text }
    var shown = ""
    for scalar in text.unicodeScalars {
      if isControl(scalar), !kept.unicodeScalars.contains(scalar) {
        shown += escape(scalar)
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  /// What stands for a control character.
  package static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return scalar.value < 0x100 ? "\\x" + (digits.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
  }

  /// JSON text with the same characters as `\u202e`: they stand in strings alone, or white space.
  ///
  /// - Parameter json: In UTF-8; line ends between values stay.
  package static func escaped(json: [UInt8]) -> [UInt8] {
    guard hasControl(json) else { return json }
    var escaped = ""
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      if scalar.value >= 0x20, isControl(scalar) {
        let digits = String(scalar.value, radix: 16)
        escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      } else {
        escaped.unicodeScalars.append(scalar)
      }
    }
    return Array(escaped.utf8)
  }

  /// Whether a character is never shown as it is.
  package static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// Whether there may be any: exact for ASCII, by the first byte for the rest.
  private static func hasControl(_ bytes: some Sequence<UInt8>) -> Bool {
    bytes.contains { $0 < 0x20 || $0 == 0x7F || $0 == 0xC2 || $0 == 0xD8 || $0 == 0xE2 }
  }
}
