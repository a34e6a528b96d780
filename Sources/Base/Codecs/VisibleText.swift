/// Text that comes from others, as it is shown to people: what would steer a terminal, end a line or turn the
/// order of the text around it stands there by its number or name.
///
/// That is C0 and C1 with DEL, the separators of lines and paragraphs, and what sets the direction of text
/// (Unicode's Bidi_Control).
package enum VisibleText {
  /// `\x1b` for those of eight bits, the name for the others: `\N{RLO}`. Costs a look at each byte; text
  /// without any is given back as it is.
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
    if let name = name(of: scalar) { return "\\N{\(name)}" }
    let digits = String(scalar.value, radix: 16)
    return "\\x" + (digits.count < 2 ? "0" : "") + digits
  }

  /// The short name that Unicode has for a control character beyond eight bits (NameAliases.txt).
  private static func name(of scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0x061C: "ALM"
    case 0x200E: "LRM"
    case 0x200F: "RLM"
    case 0x2028: "LS"
    case 0x2029: "PS"
    case 0x202A: "LRE"
    case 0x202B: "RLE"
    case 0x202C: "PDF"
    case 0x202D: "LRO"
    case 0x202E: "RLO"
    case 0x2066: "LRI"
    case 0x2067: "RLI"
    case 0x2068: "FSI"
    case 0x2069: "PDI"
    default: nil
    }
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
