/// Tokens that show by how they begin, as their providers publish it.
enum ProviderToken {
  /// How one kind looks.
  private struct Shape {
    let prefix: [UInt8]
    let alphabet: Alphabet
    /// Characters behind the prefix.
    let least: Int
    /// nil: as many as there are.
    let most: Int?
  }

  private enum Alphabet { case hex, word, dashed, dotted, base64, path, upper }

  /// By the first byte, in the case they are written in.
  private static let shapes: [UInt8: [Shape]] = {
    var table: [UInt8: [Shape]] = [:]
    func add(_ prefixes: String, _ alphabet: Alphabet, _ least: Int, _ most: Int? = nil) {
      for prefix in prefixes.split(separator: " ") {
        let bytes = Array(prefix.utf8)
        table[bytes[0], default: []].append(
          Shape(prefix: bytes, alphabet: alphabet, least: least, most: most))
      }
    }
    // Code and packages.
    add("glpat- gldt- glrt- glcbt- glptt- glft- glsoat-", .dotted, 20)
    add("npm_", .word, 30)
    add("pypi-", .dashed, 50)
    add("dckr_pat_ dckr_oat_", .dashed, 20)
    add("dp.pt. dp.st.", .word, 30)
    // Payments and shops.
    add("sk_live_ sk_test_ rk_live_ rk_test_ whsec_", .base64, 16)
    add("shpat_ shpca_ shppa_ shpss_", .hex, 32)
    add("sq0atp- sq0csp- sq0idp-", .dashed, 20)
    add("EAAA", .dashed, 56)
    // Models.
    add("sk-ant- sk-proj- sk-svcacct- sk-admin- sk-or-", .dashed, 20)
    add("sk-", .word, 32)
    add("hf_", .word, 30)
    add("gsk_ r8_", .word, 32)
    // Mail and messages.
    add("SG.", .dotted, 40)
    add("SK", .hex, 32, 32)
    add("key-", .hex, 32, 32)
    add("xkeysib-", .dashed, 60)
    add("xapp-", .dashed, 30)
    // Clouds and services.
    add("dop_v1_ doo_v1_ dor_v1_", .hex, 60)
    add("dapi", .hex, 32, 34)
    add("hvs. hvb. hvr.", .dashed, 24)
    add("ya29.", .dashed, 20)
    add("GOCSPX-", .dashed, 24)
    add("AGE-SECRET-KEY-1", .upper, 50)
    add("pscale_tkn_ pscale_pw_ pscale_oauth_", .dotted, 30)
    add("PMAK-", .dashed, 40)
    add("NRAK-", .upper, 20)
    add("tskey-", .dashed, 16)
    add("sbp_", .hex, 40)
    add("lin_api_ lin_oauth_", .word, 30)
    add("figd_", .dashed, 30)
    add("ntn_", .word, 30)
    add("glc_ glsa_ sntrys_ sntryu_", .base64, 30)
    add("ATATT3 ATCTT3", .base64, 60)
    // The secret parts of addresses that take messages.
    add("hooks.slack.com/services/ hooks.slack.com/workflows/", .path, 30)
    return table
  }()

  /// The token that begins at `at`, which is behind no letter or digit.
  static func range(_ text: Span<UInt8>, _ at: Int) -> Range<Int>? {
    for shape in shapes[text[at]] ?? [] where TextClass.hasPrefix(text, at, shape.prefix) {
      let start = at + shape.prefix.count
      let end = TextClass.runEnd(text, start) { isMember($0, shape.alphabet) }
      guard end - start >= shape.least, end - start <= shape.most ?? .max else { continue }
      return shape.alphabet == .path ? start..<end : at..<end
    }
    return nil
  }

  private static func isMember(_ byte: UInt8, _ alphabet: Alphabet) -> Bool {
    switch alphabet {
    case .hex: TextClass.isHex(byte)
    case .word: TextClass.isAlphanumeric(byte) || byte == UInt8(ascii: "_")
    case .dashed: TextClass.isBase64URL(byte)
    case .dotted: TextClass.isBase64URL(byte) || byte == UInt8(ascii: ".")
    case .base64: TextClass.isBase64(byte) || TextClass.isBase64URL(byte)
    case .path: TextClass.isBase64URL(byte) || byte == UInt8(ascii: "/")
    case .upper: TextClass.isDigit(byte) || byte &- 0x41 < 26
    }
  }
}

/// Tokens of Telegram's bots: the bot's number, a colon, `AA` and 33 more characters.
enum BotToken {
  private static let digits = 8...10
  private static let secretBytes = 35

  /// - Parameter at: A digit before `:AA`.
  static func range(_ text: Span<UInt8>, _ at: Int, floor: Int) -> Range<Int>? {
    guard TextClass.isDigit(text[at]), at + 3 < text.count, text[at + 1] == UInt8(ascii: ":"),
      text[at + 2] == UInt8(ascii: "A"), text[at + 3] == UInt8(ascii: "A")
    else { return nil }
    var start = at
    while start > floor, at - start < digits.upperBound, TextClass.isDigit(text[start - 1]) { start -= 1 }
    let secret = at + 2
    var end = secret
    while end < text.count, end - secret <= secretBytes, TextClass.isBase64URL(text[end]) { end += 1 }
    guard digits.contains(at + 1 - start), end - secret == secretBytes else { return nil }
    return start..<end
  }
}
