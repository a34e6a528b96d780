/// What stands in the headers of credentials: `Authorization: Basic …`, `Cookie: a=…; b=…`.
enum HeaderSecret {
  /// Whose credential is one word.
  private static let schemes = Set(
    [
      "basic", "token", "apikey", "api-key", "negotiate", "ntlm", "bot", "key", "jwt", "sso-key", "splunk",
      "kerberos",
    ]
    .map { Array($0.utf8) })
  /// Whose credential is a list.
  private static let listSchemes = Set(
    ["digest", "oauth", "hawk", "signature", "aws4-hmac-sha256", "aws", "mac", "scram-sha-256"].map {
      Array($0.utf8)
    })
  private static let bearer = Array("bearer".utf8)
  private static let schemeBytesMax = 20
  private static let spacesMax = 3
  private static let wordBytesMin = 8

  /// - Parameter at: Behind the separator.
  static func authorization(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    let quote = SecretValue.quote(text, at)
    let start = quote?.inside ?? at
    let schemeEnd = wordEnd(text, start, quote, most: schemeBytesMax)
    let scheme = (start..<schemeEnd).map { TextClass.lowercased(text[$0]) }
    // The detector of bearer tokens looks there.
    if scheme.starts(with: bearer) { return nil }
    var next = schemeEnd
    while next < text.count, next - schemeEnd < spacesMax, TextClass.isSpace(text[next]) { next += 1 }
    if next > schemeEnd, next < text.count {
      if listSchemes.contains(scheme) {
        let end = quote.map { SecretValue.quoted(text, $0).upperBound } ?? lineEnd(text, next)
        return next < end ? masked(text, next..<end) : nil
      }
      if schemes.contains(scheme) { return masked(text, next..<wordEnd(text, next, quote)) }
    }
    let word = start..<wordEnd(text, start, quote)
    let value = text.extracting(word)
    if value.count >= SecretValue.certainBytes { return word }
    guard value.count >= wordBytesMin, !SecretValue.isWord(value), !SecretValue.isPlaceholder(value) else {
      return nil
    }
    let hasDigit = value.indices.contains { TextClass.isDigit(value[$0]) }
    return hasDigit || value.count >= 2 * wordBytesMin ? word : nil
  }

  /// Up to the end of the line, of what is in quotes around it, or of a written line.
  private static func lineEnd(_ text: Span<UInt8>, _ start: Int) -> Int {
    TextClass.runEnd(text, start) {
      $0 != 0x0A && $0 != 0x0D && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "'")
    }
  }

  /// Behind the word at `start`, of at most `most` bytes.
  private static func wordEnd(
    _ text: Span<UInt8>, _ start: Int, _ quote: SecretValue.Quote?, most: Int = .max
  ) -> Int {
    var index = start
    while index < text.count, index - start < most, !TextClass.isBlank(text[index]) {
      let byte = text[index]
      if let quote {
        if byte == quote.byte || byte == UInt8(ascii: "\\") { break }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: ",")
        || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "\\")
      {
        break
      }
      index += 1
    }
    return index
  }

  private static func masked(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    let value = text.extracting(range)
    guard value.count >= 4, !SecretValue.isPlaceholder(value), MaskedText.end(value, 0) == nil else {
      return nil
    }
    // `Authorization: Token is missing`.
    return SecretValue.isWord(value) ? nil : range
  }

  /// From the first pair to the last: `a=b; c=d; Path=/; Secure`.
  static func cookies(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    if let quote = SecretValue.quote(text, at) {
      let range = SecretValue.quoted(text, quote)
      let value = text.extracting(range)
      guard value.count > 2, !SecretValue.isWord(value), !SecretValue.isPlaceholder(value) else { return nil }
      return value.indices.contains { value[$0] == UInt8(ascii: "=") } || value.count >= 16 ? range : nil
    }
    var end: Int?
    var index = at
    while let pairEnd = pairEnd(text, index, isFirst: end == nil) {
      end = pairEnd
      guard pairEnd + 1 < text.count, text[pairEnd] == UInt8(ascii: ";") else { break }
      index = pairEnd + 1
      if TextClass.isSpace(text[index]) { index += 1 }
    }
    guard let end, MaskedText.end(text, at) == nil else { return nil }
    return at..<end
  }

  /// Behind `name=value`, or an attribute without a value that is not the first.
  private static func pairEnd(_ text: Span<UInt8>, _ start: Int, isFirst: Bool) -> Int? {
    let nameEnd = TextClass.runEnd(text, start) { TextClass.isBase64URL($0) || $0 == UInt8(ascii: ".") }
    guard nameEnd > start else { return nil }
    guard nameEnd < text.count, text[nameEnd] == UInt8(ascii: "=") else { return isFirst ? nil : nameEnd }
    // Times of expiry have spaces and a comma.
    if TextClass.hasWord(text, start, expires) {
      return TextClass.runEnd(text, nameEnd + 1) {
        TextClass.isAlphanumeric($0) || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",")
          || $0 == UInt8(ascii: ":")
          || $0 == UInt8(ascii: "-")
      }
    }
    return TextClass.runEnd(text, nameEnd + 1) {
      !TextClass.isBlank($0) && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'")
        && $0 != UInt8(ascii: "\\")
    }
  }

  private static let expires = Array("expires=".utf8)
}
