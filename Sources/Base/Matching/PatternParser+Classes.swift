import Records

extension PatternParser {
  /// `[...]`, the opening bracket next.
  mutating func parseClass() throws(StoreError) -> PatternNode {
    let start = index
    index += 1
    let isNegated = skip("^")
    var set = ScalarSet()
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while true {
      guard let scalar = next else {
        index = start
        throw failure("has a character class that is not closed")
      }
      if scalar == "]", !isFirst {
        index += 1
        break
      }
      isFirst = false
      if follows("[:") {
        set.formUnion(try parsePOSIXClass())
      } else if let escaped = try parseClassEscape() {
        set.formUnion(escaped)
      } else {
        ranges.append(try parseClassRange())
      }
    }
    set.formUnion(ScalarSet(ranges))
    if flags.ignoreCase { set = set.foldingCase() }
    if isNegated { set = set.inverted() }
    if let single = set.single, !(0xD800...0xDFFF).contains(single) {
      return .literal(ScalarSet.utf8(single), ignoreCase: false)
    }
    return .set(set)
  }

  /// A character of a class, or two with a hyphen between.
  private mutating func parseClassRange() throws(StoreError) -> ClosedRange<UInt32> {
    let low = try parseClassCharacter()
    guard next == "-", index + 1 < scalars.count, scalars[index + 1] != "]" else { return low...low }
    index += 1
    let start = index
    if follows("[:") { throw failure("has a range that ends in a class") }
    if try parseClassEscape() != nil {
      index = start
      throw failure("has a range that ends in a class")
    }
    let high = try parseClassCharacter()
    guard low <= high else { throw failure("has a range whose ends are in the wrong order") }
    return low...high
  }

  private mutating func parseClassCharacter() throws(StoreError) -> UInt32 {
    if next == "\\" { return try parseCharacterEscape() }
    guard let scalar = next else { throw failure("has a character class that is not closed") }
    index += 1
    return scalar.value
  }

  private mutating func parsePOSIXClass() throws(StoreError) -> ScalarSet {
    let start = index
    index += 2
    let isNegated = skip("^")
    var name = ""
    while let scalar = next, scalar != ":", scalar != "]" {
      name.unicodeScalars.append(scalar)
      index += 1
    }
    guard follows(":]"), let set = ScalarSet.posix(name) else {
      index = start
      throw failure("has an unknown named class")
    }
    index += 2
    return isNegated ? set.inverted() : set
  }

  /// `\d`, `\w`, `\s` and their opposites; nil, with nothing read, for anything else.
  mutating func parseClassEscape() throws(StoreError) -> ScalarSet? {
    guard next == "\\", index + 1 < scalars.count else { return nil }
    let set: ScalarSet? =
      switch scalars[index + 1] {
      case "d": .digits
      case "D": ScalarSet.digits.inverted()
      case "w": .wordCharacters
      case "W": ScalarSet.wordCharacters.inverted()
      case "s": .spaces
      case "S": ScalarSet.spaces.inverted()
      default: nil
      }
    if set != nil { index += 2 }
    return set
  }

  /// An escape that stands for one character, the backslash next.
  mutating func parseCharacterEscape() throws(StoreError) -> UInt32 {
    guard index + 1 < scalars.count else { throw failure("ends in a backslash") }
    let scalar = scalars[index + 1]
    switch scalar {
    case "a": return escaped(0x07)
    case "f": return escaped(0x0C)
    case "n": return escaped(0x0A)
    case "r": return escaped(0x0D)
    case "t": return escaped(0x09)
    case "v": return escaped(0x0B)
    case "x": return try parseHexadecimal()
    case "0":
      index += 1
      var value: UInt32 = 0
      var digits = 0
      while digits < 3, let digit = next?.asciiDigit, digit < 8 {
        value = value * 8 + UInt32(digit)
        index += 1
        digits += 1
      }
      return value
    case "1"..."9": throw failure("uses a back-reference, which is not supported,")
    case "p", "P": throw failure("uses a Unicode property class, which is not supported,")
    default:
      // Punctuation stands for itself; letters and digits left over are reserved.
      let isAlphanumeric =
        ScalarSet.wordCharacters.ranges.contains { $0.contains(scalar.value) } && scalar != "_"
      guard scalar.isASCII, !isAlphanumeric else { throw failure("has an unknown escape") }
      return escaped(scalar.value)
    }
  }

  private mutating func escaped(_ value: UInt32) -> UInt32 {
    index += 2
    return value
  }

  /// `\x7F` or `\x{10FFFF}`.
  private mutating func parseHexadecimal() throws(StoreError) -> UInt32 {
    let start = index
    index += 2
    let isBraced = skip("{")
    var value: UInt32 = 0
    var digits = 0
    while digits < (isBraced ? 8 : 2), let digit = next?.hexDigit, value <= ScalarSet.scalarMax {
      value = value * 16 + digit
      index += 1
      digits += 1
    }
    let isClosed = isBraced ? digits > 0 && skip("}") : digits == 2
    guard isClosed, Unicode.Scalar(value) != nil else {
      index = start
      throw failure("has a broken hexadecimal escape")
    }
    return value
  }
}
