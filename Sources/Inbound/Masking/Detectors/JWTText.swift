/// JSON Web Tokens: parts of base64url with points between, three or (encrypted) five, the first beginning
/// `eyJ`, the base64 of
/// `{"`.
enum JWTText {
  private static let start = Array("eyJ".utf8)
  private static let partBytesMin = 4
  private static let partsMax = 5

  /// Behind the token that begins at `at`. If there is none, `floor` moves behind what was looked at, so that
  /// a run of characters is read once.
  static func end(_ text: Span<UInt8>, _ at: Int, floor: inout Int) -> Int? {
    guard TextClass.hasPrefix(text, at, start) else { return nil }
    if at > 0, TextClass.isBase64URL(text[at - 1]) { return nil }
    var end = TextClass.runEnd(text, at, TextClass.isBase64URL)
    guard isPoint(text, end) else {
      floor = end
      return nil
    }
    let second = end + 1
    end = TextClass.runEnd(text, second, TextClass.isBase64URL)
    // The third part may be missing or cut off: a token without its signature still tells its claims.
    guard end - second >= partBytesMin else {
      floor = end
      return nil
    }
    var partCount = 2
    while partCount < partsMax, isPoint(text, end) {
      end = TextClass.runEnd(text, end + 1, TextClass.isBase64URL)
      partCount += 1
    }
    // A point behind the token ends a sentence.
    if text[end - 1] == UInt8(ascii: ".") { end -= 1 }
    return end
  }

  private static func isPoint(_ text: Span<UInt8>, _ index: Int) -> Bool {
    index < text.count && text[index] == UInt8(ascii: ".")
  }
}
