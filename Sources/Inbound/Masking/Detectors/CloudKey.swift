/// Keys of clouds and hosts that show by their first letters: AWS access keys (and the secret that stands
/// behind one), Google API keys, tokens of GitHub and Slack.
enum CloudKey {
  private static let accessKeyStarts = ["AKIA", "ASIA"].map { Array($0.utf8) }
  private static let googleStart = Array("AIza".utf8)
  private static let gitHubStart = Array("github_pat_".utf8)
  private static let gitHubShortStart = Array("gh".utf8)
  private static let slackStart = Array("xox".utf8)
  private static let secretBytes = 40
  /// How far behind an access key its secret is looked for.
  private static let secretDistanceMax = 128
  private static let tailBytesMin = 20

  /// Behind the key that begins at `at`, which is behind no letter or digit.
  static func end(_ text: Span<UInt8>, _ at: Int) -> Int? {
    switch text[at] {
    case UInt8(ascii: "A"): accessKeyEnd(text, at) ?? googleEnd(text, at)
    case UInt8(ascii: "g"): gitHubEnd(text, at)
    case UInt8(ascii: "x"): slackEnd(text, at)
    default: nil
    }
  }

  private static func accessKeyEnd(_ text: Span<UInt8>, _ at: Int) -> Int? {
    guard accessKeyStarts.contains(where: { TextClass.hasPrefix(text, at, $0) }) else { return nil }
    let end = at + 20
    guard end <= text.count else { return nil }
    for index in at + 4..<end {
      let byte = text[index]
      guard TextClass.isDigit(byte) || byte &- 0x41 < 26 else { return nil }
    }
    return end < text.count && TextClass.isAlphanumeric(text[end]) ? nil : end
  }

  /// The run of exactly 40 characters of base64 that begins close behind the AWS key in `range`.
  static func secret(_ text: Span<UInt8>, behind range: Range<Int>) -> Range<Int>? {
    guard text[range.lowerBound] == UInt8(ascii: "A"), range.count == 20 else { return nil }
    var start = range.upperBound
    let last = min(range.upperBound + secretDistanceMax, text.count)
    while start < last {
      var end = start
      while end < text.count, end - start <= secretBytes, isBase64(text[end]) { end += 1 }
      if end - start == secretBytes { return start..<end }
      // Longer runs are something else; their rest is passed over, but not beyond what belongs to this key:
      // the next one would read it again.
      while end < last, isBase64(text[end]) { end += 1 }
      start = end + 1
    }
    return nil
  }

  private static func isBase64(_ byte: UInt8) -> Bool {
    TextClass.isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
  }

  private static func googleEnd(_ text: Span<UInt8>, _ at: Int) -> Int? {
    guard TextClass.hasPrefix(text, at, googleStart) else { return nil }
    let end = at + 39
    guard end <= text.count else { return nil }
    for index in at..<end where !TextClass.isBase64URL(text[index]) { return nil }
    return end
  }

  private static func gitHubEnd(_ text: Span<UInt8>, _ at: Int) -> Int? {
    if TextClass.hasPrefix(text, at, gitHubStart) {
      return tailEnd(text, at + gitHubStart.count) { TextClass.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
    }
    guard text.count - at > 4, TextClass.hasPrefix(text, at, gitHubShortStart),
      text[at + 3] == UInt8(ascii: "_")
    else {
      return nil
    }
    switch text[at + 2] {
    case UInt8(ascii: "p"), UInt8(ascii: "o"), UInt8(ascii: "u"), UInt8(ascii: "s"), UInt8(ascii: "r"):
      return tailEnd(text, at + 4, TextClass.isAlphanumeric)
    default: return nil
    }
  }

  private static func slackEnd(_ text: Span<UInt8>, _ at: Int) -> Int? {
    guard text.count - at > 5, TextClass.hasPrefix(text, at, slackStart), TextClass.isLetter(text[at + 3]),
      text[at + 4] == UInt8(ascii: "-")
    else { return nil }
    return tailEnd(text, at + 5, bytesMin: 10) { TextClass.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
  }

  private static func tailEnd(
    _ text: Span<UInt8>, _ start: Int, bytesMin: Int = tailBytesMin, _ isMember: (UInt8) -> Bool
  ) -> Int? {
    let end = TextClass.runEnd(text, start, isMember)
    return end - start >= bytesMin ? end : nil
  }
}
