/// Numbers of payment cards: 13 to 19 digits, single spaces or dashes between groups of them, with the first digits and the
/// length of a known network and a right check digit (Luhn).
enum CardNumber {
  private static let digitsMin = 13
  private static let digitsMax = 19

  /// The number that begins at `at`, the first digit of a run; the longest, if several do.
  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    guard isStart(text, at) else { return nil }
    var digits: [UInt8] = []
    digits.reserveCapacity(digitsMax)
    var end: Int?
    var index = at
    while digits.count < digitsMax, index < text.count, TextClass.isDigit(text[index]) {
      digits.append(text[index] - 0x30)
      index += 1
      let isGroupEnd = index == text.count || !TextClass.isDigit(text[index])
      guard isGroupEnd else { continue }
      if digits.count >= digitsMin, isEnd(text, index), isCard(digits) { end = index }
      // One separator with a digit behind it.
      if index + 1 < text.count, isSeparator(text[index]), TextClass.isDigit(text[index + 1]) { index += 1 }
    }
    return end.map { at..<$0 }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-")
  }

  /// Not within a word, a hexadecimal number or behind the point of a decimal fraction.
  private static func isStart(_ text: Span<UInt8>, _ at: Int) -> Bool {
    guard at > 0 else { return true }
    let before = text[at - 1]
    if TextClass.isLetter(before) { return false }
    return !(before == UInt8(ascii: ".") && at > 1 && TextClass.isDigit(text[at - 2]))
  }

  private static func isEnd(_ text: Span<UInt8>, _ end: Int) -> Bool {
    end == text.count || !TextClass.isLetter(text[end])
  }

  private static func isCard(_ digits: [UInt8]) -> Bool { isKnown(digits) && passesLuhn(digits) }

  private static func passesLuhn(_ digits: [UInt8]) -> Bool {
    var sum = 0
    for (place, digit) in digits.reversed().enumerated() {
      let doubled = Int(digit) * 2
      sum += place % 2 == 0 ? Int(digit) : doubled > 9 ? doubled - 9 : doubled
    }
    return sum % 10 == 0
  }

  /// The networks' ranges of first digits and lengths.
  private static func isKnown(_ digits: [UInt8]) -> Bool {
    let six = digits.prefix(6).reduce(0) { $0 * 10 + Int($1) }
    let count = digits.count
    switch six {
    // Visa.
    case 400_000...499_999: return count == 13 || count == 16 || count == 19
    // Mastercard.
    case 510_000...559_999, 222_100...272_099: return count == 16
    // American Express.
    case 340_000...349_999, 370_000...379_999: return count == 15
    // Diners Club.
    case 300_000...305_999, 309_500...309_599, 360_000...369_999, 380_000...399_999:
      return count == 14 || count >= 16
    // JCB.
    case 352_800...358_999: return count >= 16
    // Mir.
    case 220_000...220_499: return count >= 16
    // Maestro.
    case 500_000...509_999, 560_000...599_999, 630_000...639_999, 670_000...679_999: return true
    // Discover, UnionPay, RuPay.
    case 600_000...629_999, 640_000...659_999, 810_000...829_999: return count >= 16
    default: return false
    }
  }
}
