/// PEM blocks of private keys, also with line feeds written as `\n`, and cut off.
enum PrivateKey {
  private static let begin = Array("-----begin ".utf8)
  private static let end = Array("-----end ".utf8)
  private static let key = Array("private key".utf8)
  private static let dashes = Array("-----".utf8)
  /// `-----BEGIN OPENSSH PRIVATE KEY BLOCK-----`.
  private static let titleBytesMax = 48

  /// The block whose `-BEG` is at `at`, dashes included.
  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    let start = at - 4
    guard TextClass.hasWord(text, start, begin),
      let titleEnd = titleEnd(text, start + begin.count, isKey: true)
    else { return nil }
    var index = titleEnd
    while index < text.count {
      if TextClass.hasWord(text, index, end) {
        return start..<(self.titleEnd(text, index + end.count) ?? index)
      }
      guard isBody(text[index]) else { break }
      index += 1
    }
    return index - titleEnd > 0 ? start..<index : nil
  }

  /// Behind the dashes that end a title.
  private static func titleEnd(_ text: Span<UInt8>, _ start: Int, isKey: Bool = false) -> Int? {
    var hasKey = !isKey
    var index = start
    while index < text.count, index - start < titleBytesMax {
      if TextClass.hasPrefix(text, index, dashes) { return hasKey ? index + dashes.count : nil }
      hasKey = hasKey || TextClass.hasWord(text, index, key)
      index += 1
    }
    return nil
  }

  /// Base64, white space, written line feeds, and the headers of encrypted keys.
  private static func isBody(_ byte: UInt8) -> Bool {
    if TextClass.isBase64(byte) || TextClass.isBlank(byte) { return true }
    return byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ",")
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
  }
}
