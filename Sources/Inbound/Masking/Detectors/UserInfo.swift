/// User and password before the host in a URL, `scheme://user:password@host`, or a MySQL driver's DSN,
/// `user:password@tcp(host)/name`.
enum UserInfo {
  /// Longer ones are cut: what stands behind this many bytes is no user's part of a URL.
  private static let bytesMax = 512
  /// A user without a password is no secret unless it is as long as a token.
  private static let tokenBytesMin = 20
  private static let networks = ["tcp(", "unix(", "tcp6("].map { Array($0.utf8) }

  /// - Parameter at: The `:` of `://`.
  static func range(_ text: Span<UInt8>, inURLAt at: Int) -> Range<Int>? {
    guard at > 0, TextClass.isAlphanumeric(text[at - 1]) else { return nil }
    let start = at + 3
    let most = min(text.count, start + bytesMax)
    var end: Int?
    var colon: Int?
    var index = start
    // Of several `@` the last: passwords are often not escaped.
    while index < most, isMember(text[index]) {
      if text[index] == UInt8(ascii: "@") { end = index }
      if text[index] == UInt8(ascii: ":"), colon == nil { colon = index }
      index += 1
    }
    guard let end, end > start, MaskedText.end(text, start) != end else { return nil }
    guard let colon, colon < end else { return isToken(text, start..<end) ? start..<end : nil }
    guard colon + 1 < end, MaskedText.end(text, colon + 1) != end, !isPlaceholder(text, colon + 1..<end)
    else {
      return nil
    }
    return start..<end
  }

  /// - Parameter at: An `@`.
  static func range(_ text: Span<UInt8>, beforeNetworkAt at: Int, floor: Int) -> Range<Int>? {
    guard networks.contains(where: { TextClass.hasWord(text, at + 1, $0) }) else { return nil }
    var start = at
    while start > floor, at - start < bytesMax, isMember(text[start - 1]),
      text[start - 1] != UInt8(ascii: "="),
      text[start - 1] != UInt8(ascii: "(")
    {
      start -= 1
    }
    guard text.extracting(start..<at).indices.contains(where: { text[start + $0] == UInt8(ascii: ":") }),
      MaskedText.end(text, start) != at
    else { return nil }
    return start..<at
  }

  private static func isMember(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "'"),
      UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "`"), UInt8(ascii: "|"):
      false
    default: !TextClass.isBlank(byte)
    }
  }

  private static func isToken(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count >= tokenBytesMin else { return false }
    for index in range where TextClass.isDigit(text[index]) { return true }
    return false
  }

  /// `${PASSWORD}`, `{password}`, `%s`: what is put in later.
  private static func isPlaceholder(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    SecretValue.isPlaceholder(text.extracting(range))
  }
}
