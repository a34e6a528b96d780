/// The value behind a secret's name: where it ends, and whether it is one.
enum SecretValue {
  /// Whatever is as long is taken for a secret, so that no text is read twice for nothing.
  static let certainBytes = 64
  private static let backslashesMax = 8

  struct Found {
    let range: Range<Int>
    let isQuoted: Bool
  }

  /// The value that begins at `at`; nil if there is none.
  ///
  /// - Parameter most: Of a value without quotes more bytes than one more are not read.
  static func find(_ text: Span<UInt8>, _ at: Int, most: Int = .max) -> Found? {
    var at = at
    // `['x']`, `b'x'`.
    if at + 1 < text.count, text[at] == UInt8(ascii: "["), quote(text, at + 1) != nil { at += 1 }
    if at + 1 < text.count, text[at] | 0x20 == UInt8(ascii: "b") || text[at] | 0x20 == UInt8(ascii: "u"),
      quote(text, at + 1)?.backslashCount == 0
    {
      at += 1
    }
    if let quote = quote(text, at) {
      let range = quoted(text, quote)
      return range.isEmpty ? nil : Found(range: range, isQuoted: true)
    }
    let end = bareEnd(text, at, most: most)
    return end > at ? Found(range: at..<end, isQuoted: false) : nil
  }

  // MARK: In quotes

  struct Quote {
    /// Behind it.
    let inside: Int
    let byte: UInt8
    /// How many stand before it: it is in a text in a text.
    let backslashCount: Int
  }

  /// The opening quote at `at`, with what escapes it.
  static func quote(_ text: Span<UInt8>, _ at: Int) -> Quote? {
    var index = at
    while index < text.count, index - at < backslashesMax, text[index] == UInt8(ascii: "\\") { index += 1 }
    guard index < text.count else { return nil }
    switch text[index] {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
      return Quote(inside: index + 1, byte: text[index], backslashCount: index - at)
    default: return nil
    }
  }

  /// Up to the quote that closes `quote`: escaped as it is, not deeper. To the line's end without one.
  static func quoted(_ text: Span<UInt8>, _ quote: Quote) -> Range<Int> {
    var backslashes = 0
    var index = quote.inside
    while index < text.count, text[index] != 0x0A {
      let byte = text[index]
      if byte == quote.byte {
        let isEnd = quote.backslashCount == 0 ? backslashes % 2 == 0 : backslashes <= quote.backslashCount
        // SQL writes a quote in a text twice.
        let isDoubled =
          byte == UInt8(ascii: "'") && quote.backslashCount == 0 && index > quote.inside
          && index + 1 < text.count && text[index + 1] == byte
        if isEnd, !isDoubled {
          return quote.inside..<max(quote.inside, index - (quote.backslashCount == 0 ? 0 : backslashes))
        }
        if isDoubled { index += 1 }
      }
      backslashes = byte == UInt8(ascii: "\\") ? backslashes + 1 : 0
      index += 1
    }
    return quote.inside..<index
  }

  // MARK: Bare

  private static func bareEnd(_ text: Span<UInt8>, _ at: Int, most: Int) -> Int {
    if let end = MaskedText.end(text, at) { return end }
    var index = at
    while index < text.count, index - at <= most, !isEnd(text, index) { index += 1 }
    return index
  }

  private static func isEnd(_ text: Span<UInt8>, _ at: Int) -> Bool {
    switch text[at] {
    case UInt8(ascii: "&"), UInt8(ascii: ";"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"),
      UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "|"):
      return true
    case UInt8(ascii: ","), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      return endsValue(text, behind: at + 1)
    case UInt8(ascii: "\\"):
      // A line feed or a quote, written.
      guard at + 1 < text.count else { return false }
      let next = text[at + 1]
      return next == UInt8(ascii: "n") || next == UInt8(ascii: "r") || next == UInt8(ascii: "t")
        || next == UInt8(ascii: "\"") || next == UInt8(ascii: "'")
    default: return TextClass.isBlank(text[at])
    }
  }

  /// Whether a comma or bracket before `at` ends the value: nothing stands behind it, or another name does.
  private static func endsValue(_ text: Span<UInt8>, behind at: Int) -> Bool {
    guard at < text.count else { return true }
    let byte = text[at]
    if TextClass.isBlank(byte) || !TextClass.isAlphanumeric(byte) { return true }
    let end = min(text.count, at + 32)
    for index in at..<end where !TextClass.isBase64URL(text[index]) {
      return text[index] == UInt8(ascii: "=") || text[index] == UInt8(ascii: ":")
    }
    return false
  }

  // MARK: What is none

  /// What stands for a value that is put in later, or was taken out: `${X}`, `%s`, `<password>`,
  /// `[FILTERED]`.
  static func isPlaceholder(_ value: Span<UInt8>) -> Bool {
    guard value.count > 0, value.count < certainBytes else { return value.count == 0 }
    if MaskedText.end(value, 0) == value.count { return true }
    let first = value[0]
    let last = value[value.count - 1]
    switch first {
    case UInt8(ascii: "$"):
      guard value.count > 1 else { return true }
      if value[1] == UInt8(ascii: "{") || value[1] == UInt8(ascii: "(") { return true }
      return isAll(value, from: 1) { $0 &- 0x41 < 26 || TextClass.isDigit($0) || $0 == UInt8(ascii: "_") }
    case UInt8(ascii: "%"): return value.count <= 3 || last == first
    case UInt8(ascii: "{"), UInt8(ascii: "("): return true
    case UInt8(ascii: "<"): return last == UInt8(ascii: ">")
    case UInt8(ascii: "["):
      // The bracket that closes it may have ended the value.
      return last == UInt8(ascii: "]") || isIdentifier(value, from: 1)
    case UInt8(ascii: ":"): return isIdentifier(value, from: 1)
    case UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: "?"):
      if value.count == 1 || value[1] == UInt8(ascii: "{") { return true }
    default: break
    }
    // Nothing but stars, points, dashes or crosses.
    return isAll(value, from: 0) {
      $0 == first && !TextClass.isAlphanumeric($0) || $0 | 0x20 == UInt8(ascii: "x")
    }
  }

  private static func isIdentifier(_ value: Span<UInt8>, from start: Int) -> Bool {
    isAll(value, from: start) { TextClass.isLetter($0) || $0 == UInt8(ascii: "_") }
  }

  private static func isAll(_ value: Span<UInt8>, from start: Int, _ isMember: (UInt8) -> Bool) -> Bool {
    for index in start..<value.count where !isMember(value[index]) { return false }
    return true
  }

  /// Whether `value` is a word that says something of a secret and is none.
  static func isWord(_ value: Span<UInt8>) -> Bool {
    var count = value.count
    while count > 0, !TextClass.isAlphanumeric(value[count - 1]) { count -= 1 }
    guard count > 0 else { return true }
    guard count <= 16 else { return false }
    return words.contains((0..<count).map { TextClass.lowercased(value[$0]) })
  }

  private static let words: Set<[UInt8]> = Set(
    """
    a about above accepted access account accounts active added after again algorithm all allowed \
    already also am an and any are as at attempt auth authenticated authentication auto available bad \
    basic be bearer because been before below blank both but by can cannot changed check checked \
    checking code config configured correct could count created default deleted denied digest disabled \
    do does done email empty enabled enter error exists expired expires expiry fail failed failure false \
    field fields file for format forgotten found from function generated generating get given granted \
    had has hash hashed have header hidden how id if ignored in incorrect info input invalid is issued \
    it its key keys known last length less limit limited list locked login logging long lookup masked \
    match matched matches may me mismatch missing more must my n/a name needed never new next nil no \
    none not null number of off ok old omitted on one only opaque optional or other our out over parse \
    parsed pass passed password pending please policy present previous protected provided read ready \
    received redacted refresh refreshed regenerated rejected removed renewed required requires reset \
    response revoked rotated rotation same saved secret see send sent server session set short should \
    shown since skipped so some spaces store stored string strong success successful supplied text than \
    that the them then there these they this those to token tokens too true type unauthorized \
    unavailable undefined unexpected unknown unset update updated updating url use used user username \
    using valid validated validation value values verified version via void was we weak were what when \
    where which while who why will with without wrong x yes you your str int bool bytes varchar char \
    object
    """.split(separator: " ").map { Array($0.utf8) })
}
