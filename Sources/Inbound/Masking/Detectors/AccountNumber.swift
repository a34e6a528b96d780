/// International bank account numbers (ISO 13616): a country, its length, single spaces anywhere, and the
/// remainder 1 modulo 97.
enum AccountNumber {
  /// Characters of the numbers of each country.
  private static let lengths: [[UInt8]: Int] = {
    let table =
      "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
      + "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 "
      + "KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 "
      + "PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 "
      + "VA22 VG24 XK20 YE30"
    let entries = table.split(separator: " ").map { entry in
      let bytes = Array(entry.utf8)
      return (Array(bytes[..<2]), Int(bytes[2] - 0x30) * 10 + Int(bytes[3] - 0x30))
    }
    return Dictionary(uniqueKeysWithValues: entries)
  }()

  /// Behind the number that begins at `at`, which is behind no letter or digit.
  static func end(_ text: Span<UInt8>, _ at: Int) -> Int? {
    guard text.count - at >= 15, TextClass.isLetter(text[at]), TextClass.isLetter(text[at + 1]),
      TextClass.isDigit(text[at + 2]), TextClass.isDigit(text[at + 3]),
      let length = lengths[[text[at] & 0xDF, text[at + 1] & 0xDF]]
    else { return nil }
    // Country and check digits count as if they stood at the end.
    var remainder = 0
    var count = 4
    var index = at + 4
    while count < length {
      guard index < text.count else { return nil }
      let byte = text[index]
      index += 1
      if byte == UInt8(ascii: " "), text[index - 2] != UInt8(ascii: " ") { continue }
      guard TextClass.isAlphanumeric(byte) else { return nil }
      remainder = append(byte, to: remainder)
      count += 1
    }
    if index < text.count, TextClass.isAlphanumeric(text[index]) { return nil }
    for offset in 0..<4 { remainder = append(text[at + offset], to: remainder) }
    return remainder == 1 ? index : nil
  }

  /// The remainder with a digit, or a letter as the two digits 10 to 35, appended.
  private static func append(_ byte: UInt8, to remainder: Int) -> Int {
    if TextClass.isDigit(byte) { return (remainder * 10 + Int(byte - 0x30)) % 97 }
    return (remainder * 100 + Int(byte & 0xDF) - 0x41 + 10) % 97
  }
}
