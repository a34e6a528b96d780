/// Reads names as people see them, so that no spelling hides one: letters in full width or of a mathematical
/// alphabet, with marks, of other alphabets but looking like Latin ones, and characters that are not seen.
///
/// It does what matters of Unicode's compatibility forms (NFKC) and confusables to find ASCII names, from the
/// characters' own names in the standard library's tables. Costs far more than a byte's comparison: for names
/// that are not visible ASCII alone.
enum LookAlikes {
  /// Characters beyond this many bytes of a name are left as they are: a scalar costs up to a microsecond.
  private static let bytesMax = 512

  /// Valid UTF-8 `name` with each such character replaced by the ASCII letter, digit or mark it stands for,
  /// its case kept, and unseen ones left out.
  static func folded(_ name: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(name.count)
    for scalar in String(decoding: name.prefix(bytesMax), as: UTF8.self).unicodeScalars {
      if scalar.isASCII {
        if scalar.value >= 0x20, scalar.value != 0x7F { output.append(UInt8(scalar.value)) }
      } else {
        output += folded(scalar)
      }
    }
    return output + name.dropFirst(bytesMax)
  }

  private static func folded(_ scalar: Unicode.Scalar) -> [UInt8] {
    let properties = scalar.properties
    // What NUL, half surrogates and broken bytes have become is seen, and hides a name as well.
    if properties.isDefaultIgnorableCodePoint || scalar.value == 0xFFFD { return [] }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return []
    default: break
    }
    if let letter = others[scalar] { return [letter] }
    // Full width: the same order as in ASCII.
    if (0xFF01...0xFF5E).contains(scalar.value) { return [UInt8(scalar.value - 0xFEE0)] }
    if let number = properties.numericValue, (0...9).contains(number), number == number.rounded(),
      properties.numericType != .numeric
    {
      return [UInt8(number) + UInt8(ascii: "0")]
    }
    if properties.generalCategory == .connectorPunctuation { return [UInt8(ascii: "_")] }
    if properties.generalCategory == .dashPunctuation { return [UInt8(ascii: "-")] }
    if let name = properties.name, let letters = latin(name) { return letters }
    return Array(String(scalar).utf8)
  }

  /// `LATIN SMALL LETTER P WITH ACUTE`, `MATHEMATICAL BOLD CAPITAL P`, `CIRCLED LATIN SMALL LETTER P`: the
  /// last word before `WITH` is the letter. nil for letters of other alphabets, and what is none.
  private static func latin(_ name: String) -> [UInt8]? {
    let words = name.utf8.split(separator: UInt8(ascii: " ")).map(Array.init)
    guard words.contains(where: kinds.contains), !words.contains(where: alphabets.contains),
      let last = words.prefix(while: { $0 != with }).last,
      last.allSatisfy({ (0x41...0x5A).contains($0) })
    else { return nil }
    guard last.count == 1 || words.contains(ligature) && last.count <= 3 else { return nil }
    let isSmall = words.contains(small) && !words.contains(capital) || words.contains(ligature)
    return isSmall ? last.map { $0 | 0x20 } : last
  }

  private static let with = Array("WITH".utf8)
  private static let small = Array("SMALL".utf8)
  private static let capital = Array("CAPITAL".utf8)
  private static let ligature = Array("LIGATURE".utf8)
  /// One of these is in the name of every letter that stands for a Latin one.
  private static let kinds: Set<[UInt8]> = Set(
    ["LATIN", "MATHEMATICAL", "SCRIPT", "BLACK-LETTER", "DOUBLE-STRUCK", "MODIFIER", "LETTER", "SYMBOL"]
      .map { Array($0.utf8) })
  /// Alphabets whose letters have names of one letter that look like another or like none.
  private static let alphabets: Set<[UInt8]> = Set(
    [
      "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "GLAGOLITIC", "GOTHIC",
      "CHEROKEE", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "THAI", "DEVANAGARI", "DESERET", "OSAGE",
      "LISU", "VAI", "YI", "TAMIL", "BENGALI", "RUNIC", "OGHAM", "TIFINAGH", "ETHIOPIC", "ADLAM",
    ]
    .map { Array($0.utf8) })

  /// Letters of other alphabets that look like a Latin one.
  private static let others: [Unicode.Scalar: UInt8] = {
    let pairs: [(String, String)] = [
      // Cyrillic.
      ("абвгеёзкмнорстухьіїјѕһԁԛԝӏ", "a6breeзkmhopctyxbiijshdqwl"),
      ("АВЕЁЗКМНОРСТУХЬІЇЈЅҺԚԜӀ", "ABEEЗKMHOPCTYXbIIJSHQWI"),
      // Greek.
      ("αβγεηικνορστυχωϲϳ", "abyenikvopotuxwcj"), ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ", "ABEZHIKMNOPTYXCJ"),
      // Armenian, Cherokee, and signs.
      ("ոսցօհյ", "nugohj"), ("ՏՍՕ", "SUO"), ("ᎪᏴᏟᎠᎬᎢᎫᏦᏞᎷᎻᏢᏒᏚᎳ", "AbCDEiJKLMHPRSW"),
      ("\u{212A}\u{212B}ℓ℮∣", "kAlel"),
    ]
    var table: [Unicode.Scalar: UInt8] = [:]
    for (letters, likes) in pairs {
      for (letter, like) in zip(letters.unicodeScalars, likes.unicodeScalars) where like.isASCII {
        table[letter] = UInt8(like.value)
      }
    }
    return table
  }()
}
