/// What names of secrets in texts say of the values behind them. The list is fixed: members' names are the
/// settings' business, but in prose the same words stand for much else.
enum SecretName: Sendable {
  /// A password: whatever it is.
  case password
  /// A secret that is no word and not short.
  case token
  /// The same, under a name that stands for nothing else: may be a word.
  case key
  /// A working password or one of the states of a test.
  case pass
  /// The identifier of somebody's session: long.
  case session
  /// A code of digits.
  case code
  /// A signature in an address.
  case signature
  /// The header of credentials, and those of cookies.
  case authorization, cookie

  private static let bytesMax = 48

  /// The range of the name that holds the byte at `at`; nil for what is too long to be one.
  static func range(_ text: Span<UInt8>, at: Int, floor: Int) -> Range<Int>? {
    var end = at
    while end < text.count, isMember(text[end]) {
      guard end - at < bytesMax else { return nil }
      end += 1
    }
    var start = at
    while start > floor, at - start < bytesMax, isMember(text[start - 1]) { start -= 1 }
    // A full stop or dash ends a name, it is none of it.
    while end > at, !TextClass.isAlphanumeric(text[end - 1]) { end -= 1 }
    return start..<end
  }

  private static func isMember(_ byte: UInt8) -> Bool {
    TextClass.isBase64URL(byte) || byte == UInt8(ascii: ".")
  }

  /// What the name in `range` stands for; nil for no secret.
  static func of(_ text: Span<UInt8>, _ range: Range<Int>) -> SecretName? {
    let name = plain(text, range)
    if let kind = ofPlain(name) { return kind }
    if let last = lastWord(text, range), let kind = words[last] { return kind }
    for tail in tails where name.count > tail.count && name.suffix(tail.count).elementsEqual(tail) {
      return ofPlain(name.dropLast(tail.count))
    }
    return nil
  }

  /// Letters in lower case and digits alone; digits at the end are dropped.
  private static func plain(_ text: Span<UInt8>, _ range: Range<Int>) -> ArraySlice<UInt8> {
    var name: [UInt8] = []
    name.reserveCapacity(range.count)
    for index in range where TextClass.isAlphanumeric(text[index]) {
      name.append(TextClass.lowercased(text[index]))
    }
    var end = name.count
    while end > 0, name.count - end < 3, TextClass.isDigit(name[end - 1]) { end -= 1 }
    return name[..<end]
  }

  private static func ofPlain(_ name: ArraySlice<UInt8>) -> SecretName? {
    guard let last = name.last else { return nil }
    for (suffix, kind) in suffixes[Int(last)] where name.count >= suffix.count {
      if name.suffix(suffix.count).elementsEqual(suffix) { return kind }
    }
    return nil
  }

  /// What stands behind the last dash, underscore, point or small letter before a capital, in lower case,
  /// digits at the end dropped.
  private static func lastWord(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var end = range.upperBound
    while end > range.lowerBound, range.upperBound - end < 3, TextClass.isDigit(text[end - 1]) { end -= 1 }
    var start = end
    while start > range.lowerBound {
      let byte = text[start - 1]
      guard TextClass.isLetter(byte) else { break }
      if start < end, byte & 0x20 != 0, text[start] & 0x20 == 0 { break }
      start -= 1
    }
    guard start < end else { return nil }
    return (start..<end).map { TextClass.lowercased(text[$0]) }
  }

  /// By the last byte: how names end; the first that fits counts.
  private static let suffixes: [[([UInt8], SecretName?)]] = {
    var table = [[([UInt8], SecretName?)]](repeating: [], count: 256)
    func add(_ kind: SecretName?, _ names: String) {
      for name in names.split(separator: " ") {
        table[Int(name.utf8.last ?? 0)].append((Array(name.utf8), kind))
      }
    }
    add(.password, "password passwd passphrase passcode passwort passwordhash passwords pswd")
    add(
      nil,
      """
      nexttoken pagetoken continuationtoken cancellationtoken synctoken paginationtoken cursortoken \
      canceltoken publickey
      """)
    add(
      .key,
      """
      accesstoken refreshtoken authtoken idtoken apitoken bearertoken sessiontoken csrftoken \
      xsrftoken bottoken usertoken devicetoken logintoken resettoken clienttoken servicetoken \
      securitytoken privatetoken personaltoken oauthtoken jwttoken githubtoken gitlabtoken \
      slacktoken npmtoken deploytoken vaulttoken admintoken secrettoken middlewaretoken pushtoken \
      jointoken registrationtoken ghtoken clientsecret appsecret sharedsecret jwtsecret apisecret \
      consumersecret webhooksecret totpsecret signingsecret oauthsecret sessionsecret cookiesecret \
      apikey accesskey secretkey privatekey accountkey encryptionkey signingkey masterkey sharedkey \
      storagekey authkey appkey servicekey sessionkey aeskey hmackey sshkey clientkey licensekey \
      subscriptionkey
      """)
    add(.token, "token secret credential credentials")
    add(.authorization, "authorization")
    add(.cookie, "cookie cookies")
    add(.session, "sessionid sessid jsessionid")
    return table
  }()

  /// By the last word, which stands alone or behind a separator: these are parts of other words.
  private static let words: [[UInt8]: SecretName] = {
    let kinds: [(SecretName, String)] = [
      (.password, "pwd"), (.pass, "pass"), (.key, "jwt"), (.token, "auth"), (.session, "sid"),
      (.code, "pin otp totp cvv cvc ssn"), (.signature, "sig"),
    ]
    var table: [[UInt8]: SecretName] = [:]
    for (kind, names) in kinds {
      for name in names.split(separator: " ") { table[Array(name.utf8)] = kind }
    }
    return table
  }()

  /// What may stand behind a name without changing what it is.
  private static let tails = [
    "confirmation", "confirm", "hash", "value", "new", "old", "repeat", "again", "plaintext", "plain", "raw",
    "base64", "hex",
  ].map { Array($0.utf8) }
}
