import Decoding

/// Faults that only the fields of this API can have.
extension ValidationFaults {
  mutating func choice(_ place: [ValidationPlace], _ words: [String]) -> String? {
    let quoted = words.map { "'\($0)'" }
    let expected = quoted.dropLast().joined(separator: ", ") + " or " + (quoted.last ?? "")
    add(place, "enum", "Input should be \(expected)", [ValidationContext("expected", .text(expected))])
    return nil
  }

  mutating func pattern(_ place: [ValidationPlace], _ pattern: String) -> String? {
    add(
      place, "string_pattern_mismatch", "String should match pattern '\(pattern)'",
      [ValidationContext("pattern", .text(pattern))])
    return nil
  }

  /// `1MB`, `32KB`, `100 bytes`.
  static func size(_ bytes: Int) -> String {
    if bytes > 0, bytes % (1 << 20) == 0 { return "\(bytes >> 20)MB" }
    if bytes > 0, bytes % (1 << 10) == 0 { return "\(bytes >> 10)KB" }
    return "\(bytes) bytes"
  }
}
