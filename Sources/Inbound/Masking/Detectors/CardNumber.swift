/// Numbers of payment cards: 13 to 19 digits, single spaces or dashes between groups of them, with the first
/// digits and the length of a known network and a right check digit (Luhn).
enum CardNumber {
  private static let digitsMin = 13
  private static let digitsMax = 19

  /// The number that begins at `at`, the first digit of a run; the longest, if several do.
  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    guard isStart(text, at) else { return nil }
    var digits = Digits()
    var end: Int?
    var index = at
    while digits.count < digitsMax, index < text.count, TextClass.isDigit(text[index]) {
      digits.append(text[index] - 0x30)
      index += 1
      let isGroupEnd = index == text.count || !TextClass.isDigit(text[index])
      guard isGroupEnd else { continue }
      if digits.count >= digitsMin, isEnd(text, index), digits.isCard { end = index }
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
}

/// The digits of what may be a card number, at most 19: they fit into a word.
private struct Digits {
  private var number: UInt64 = 0
  /// The number that the first six make.
  private var six: UInt64 = 0
  private(set) var count = 0

  mutating func append(_ digit: UInt8) {
    number = number * 10 + UInt64(digit)
    count += 1
    if count <= 6 { six = number }
  }

  var isCard: Bool { isKnown && passesLuhn }

  private var passesLuhn: Bool {
    var sum: UInt64 = 0
    var rest = number
    for place in 0..<count {
      let digit = rest % 10
      rest /= 10
      let doubled = digit * 2
      sum += place % 2 == 0 ? digit : doubled > 9 ? doubled - 9 : doubled
    }
    return sum % 10 == 0
  }

  /// The networks' ranges of first digits and lengths.
  private var isKnown: Bool {
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
