/// The value behind a secret's name: `password=…`, `"token": "…"`, `PASSWORD '…'`, `--api-key …`,
/// `Authorization: …`, `<secret>…</secret>`, `{"name":"Authorization","value":"…"}`.
enum NamedSecret {
  private static let spacesMax = 3

  /// How a value stands to its name.
  private struct Gap {
    /// Where the value begins.
    var at: Int
    /// With spaces between, as prose has them.
    var isLoose = false
    /// Name and value are in quotes, as in JSON.
    var isMember = false
    /// Only a value in quotes counts.
    var needsQuote = false
    /// The element of a document.
    var isElement = false
  }

  /// - Parameters:
  ///   - at: Somewhere in the name.
  ///   - floor: The name does not begin before.
  static func range(_ text: Span<UInt8>, at: Int, floor: Int) -> Range<Int>? {
    if let range = StatementSecret.range(text, at) { return range }
    guard let name = SecretName.range(text, at: at, floor: floor),
      mayHaveValue(text, behind: name.upperBound),
      let kind = SecretName.of(text, name), let gap = gap(text, behind: name, kind)
    else { return nil }
    switch kind {
    case .authorization: return HeaderSecret.authorization(text, gap.at)
    case .cookie: return HeaderSecret.cookies(text, gap.at)
    case .password, .token, .key, .pass, .session, .code, .signature: break
    }
    if gap.isElement {
      let end = TextClass.runEnd(text, gap.at) { $0 != UInt8(ascii: "<") && $0 != 0x0A }
      return end > gap.at && !SecretValue.isPlaceholder(text.extracting(gap.at..<end)) ? gap.at..<end : nil
    }
    // The directory a shell is in.
    if kind == .password, gap.at < text.count, text[gap.at] == UInt8(ascii: "/"),
      TextClass.hasWord(text, name.upperBound - 3, pwd)
    {
      return nil
    }
    let most = kind == .code ? codeBytesMax : .max
    guard let value = SecretValue.find(text, gap.at, most: most), value.isQuoted || !gap.needsQuote else {
      return nil
    }
    return isSecret(text, value, kind, gap) ? value.range : nil
  }

  private static let codeBytesMax = 12
  private static let pwd = Array("pwd".utf8)

  // MARK: Between name and value

  /// Whether the byte behind a name is one that values stand behind.
  private static func mayHaveValue(_ text: Span<UInt8>, behind end: Int) -> Bool {
    guard end < text.count else { return false }
    switch text[end] {
    case UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"),
      UInt8(ascii: "\\"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "]"), UInt8(ascii: ">"),
      UInt8(ascii: "("), UInt8(ascii: "%"):
      return true
    default: return false
    }
  }

  private static func gap(_ text: Span<UInt8>, behind name: Range<Int>, _ kind: SecretName) -> Gap? {
    var at = name.upperBound
    let quote = SecretValue.quote(text, at)
    if let quote { at = quote.inside } else if TextClass.hasWord(text, at, escapedQuote) { at += 3 }
    if quote == nil, at < text.count, text[at] == UInt8(ascii: ">"), name.lowerBound > 0,
      text[name.lowerBound - 1] == UInt8(ascii: "<")
    {
      return Gap(at: at + 1, isElement: true)
    }
    if at < text.count, text[at] == UInt8(ascii: "]") { at += 1 }
    if TextClass.hasWord(text, at, escapedBracket) { at += 3 }
    let spaceStart = at
    at = spacesEnd(text, at)
    guard at < text.count else { return nil }
    if let end = separatorEnd(text, at) {
      var gap = Gap(at: spacesEnd(text, end))
      gap.isLoose = at > spaceStart || gap.at > end
      gap.isMember = quote != nil && SecretValue.quote(text, gap.at) != nil
      return gap
    }
    if let quote, text[at] == UInt8(ascii: ",") { return pairGap(text, at + 1, quote, kind) }
    return wordGap(text, name, spaceStart, at)
  }

  private static let escapedQuote = Array("%22".utf8)
  private static let escapedBracket = Array("%5d".utf8)
  private static let escapedSeparators = ["%3d", "%3a"].map { Array($0.utf8) }
  private static let valueName = Array("value".utf8)

  private static func spacesEnd(_ text: Span<UInt8>, _ start: Int) -> Int {
    var end = start
    while end < text.count, end - start < spacesMax, TextClass.isSpace(text[end]) { end += 1 }
    return end
  }

  /// Behind `=`, `:`, `:=`, `=>` and the like.
  private static func separatorEnd(_ text: Span<UInt8>, _ at: Int) -> Int? {
    if escapedSeparators.contains(where: { TextClass.hasWord(text, at, $0) }) { return at + 3 }
    guard text[at] == UInt8(ascii: "=") || text[at] == UInt8(ascii: ":") else { return nil }
    var end = at + 1
    while end < text.count, end - at < 3, text[end] == UInt8(ascii: "=") || text[end] == UInt8(ascii: ">") {
      end += 1
    }
    return end
  }

  /// `"name":"Authorization","value":"…"`, and for headers `"Authorization","…"` too.
  private static func pairGap(
    _ text: Span<UInt8>, _ start: Int, _ nameQuote: SecretValue.Quote, _ kind: SecretName
  ) -> Gap? {
    let at = spacesEnd(text, start)
    guard let quote = SecretValue.quote(text, at) else { return nil }
    if TextClass.hasWord(text, quote.inside, valueName),
      let close = SecretValue.quote(text, quote.inside + valueName.count)
    {
      let colon = spacesEnd(text, close.inside)
      guard colon < text.count, text[colon] == UInt8(ascii: ":") else { return nil }
      return Gap(at: spacesEnd(text, colon + 1), isMember: true, needsQuote: true)
    }
    switch kind {
    case .authorization, .cookie: return Gap(at: at, isMember: true, needsQuote: true)
    default: return nil
    }
  }

  /// `--password hunter2`, `PASSWORD 'hunter2'`, `PASSWORD('hunter2')`.
  private static func wordGap(_ text: Span<UInt8>, _ name: Range<Int>, _ nameEnd: Int, _ at: Int) -> Gap? {
    if text[at] == UInt8(ascii: "("), SecretValue.quote(text, at + 1)?.backslashCount == 0 {
      return Gap(at: at + 1, needsQuote: true)
    }
    guard at > nameEnd else { return nil }
    if SecretValue.quote(text, at) != nil { return Gap(at: at, isLoose: true, needsQuote: true) }
    let isFlag =
      text[name.lowerBound] == UInt8(ascii: "-") && name.lowerBound + 1 < name.upperBound
      && text[name.lowerBound + 1] == UInt8(ascii: "-")
    return isFlag && text[at] != UInt8(ascii: "-") ? Gap(at: at) : nil
  }

  // MARK: Values

  private static func isSecret(
    _ text: Span<UInt8>, _ found: SecretValue.Found, _ kind: SecretName, _ gap: Gap
  ) -> Bool {
    let value = text.extracting(found.range)
    if value.count >= SecretValue.certainBytes, kind != .code { return true }
    if SecretValue.isPlaceholder(value) { return false }
    let isLoose = gap.isLoose && !found.isQuoted
    // In JSON whatever stands there was meant to be the value.
    let isMember = gap.isMember && found.isQuoted
    let shape = Shape(value)
    switch kind {
    case .password:
      return isMember && !gap.needsQuote
        ? !isState(value) : !SecretValue.isWord(value) && (!gap.needsQuote || !shape.hasSpace)
    case .key:
      if SecretValue.isWord(value) { return false }
      return isLoose ? shape.hasDigit || value.count >= 12 : value.count >= 3
    case .token:
      if SecretValue.isWord(value) || shape.hasSlash && !shape.hasDigit { return false }
      if isMember { return value.count >= 4 && !shape.hasSpace && (shape.hasDigit || value.count >= 8) }
      if isLoose { return value.count >= 8 && shape.hasDigit && shape.hasLetter || value.count >= 20 }
      return value.count >= 6 && !shape.hasSpace && (shape.hasDigit || value.count >= 16)
    case .pass:
      return !SecretValue.isWord(value) && !shape.hasSpace && shape.hasLetter && value.count >= 4
    case .session:
      if TextClass.hasWord(value, 0, hexPrefix) { return false }
      return shape.hasDigit && value.count >= (isMember ? 8 : 16)
    case .code: return isCode(value)
    case .signature: return !isLoose && value.count >= 16
    case .authorization, .cookie: return false
    }
  }

  private static let hexPrefix = Array("0x".utf8)

  private static func isState(_ value: Span<UInt8>) -> Bool {
    states.contains((0..<min(value.count, 16)).map { TextClass.lowercased(value[$0]) })
  }

  private static let states: Set<[UInt8]> = Set(
    [
      "true", "false", "null", "none", "nil", "undefined", "required", "string", "redacted", "hidden",
      "masked",
      "filtered", "n/a", "text", "password",
    ].map { Array($0.utf8) })

  /// Three to nine digits, single dashes or spaces between: a PIN, a one-time code, a social security number.
  private static func isCode(_ value: Span<UInt8>) -> Bool {
    guard value.count <= codeBytesMax else { return false }
    var digitCount = 0
    for index in value.indices {
      if TextClass.isDigit(value[index]) {
        digitCount += 1
      } else if value[index] != UInt8(ascii: "-"), value[index] != UInt8(ascii: " "),
        index + 1 < value.count || value[index] != UInt8(ascii: ".")
      {
        return false
      }
    }
    return (3...9).contains(digitCount)
  }

  private struct Shape {
    var hasDigit = false
    var hasLetter = false
    var hasSpace = false
    var hasSlash = false

    init(_ value: Span<UInt8>) {
      for index in value.indices {
        let byte = value[index]
        hasDigit = hasDigit || TextClass.isDigit(byte)
        hasLetter = hasLetter || TextClass.isLetter(byte) || byte >= 0x80
        hasSpace = hasSpace || TextClass.isSpace(byte)
        hasSlash = hasSlash || byte == UInt8(ascii: "/")
      }
    }
  }
}

/// Passwords in SQL statements that no name stands before: `IDENTIFIED [WITH plugin] BY '…'`.
enum StatementSecret {
  private static let by = Array("by ".utf8)
  private static let identified = Array("identified ".utf8)
  private static let distanceMax = 48

  /// - Parameter at: Perhaps at `BY`.
  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    guard TextClass.hasWord(text, at, by), let quote = SecretValue.quote(text, at + by.count) else {
      return nil
    }
    let floor = max(0, at - distanceMax)
    guard (floor..<at).contains(where: { TextClass.hasWord(text, $0, identified) }) else { return nil }
    let value = SecretValue.quoted(text, quote)
    guard !value.isEmpty, !SecretValue.isPlaceholder(text.extracting(value)) else { return nil }
    return value
  }
}
