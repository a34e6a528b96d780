import Codecs

/// One text on its way through the detectors: places found are replaced, the rest is copied.
///
/// ``TextCandidates`` says where something may begin; a detector looks at that place alone, forward over a
/// bounded number of bytes or over bytes it will not look at again. So the time is linear in the text,
/// whatever is in it.
struct Redaction {
  /// A place in a text and the detector that knows it.
  struct Place {
    let range: Range<Int>
    let detector: DetectorSet
  }

  private let detectors: DetectorSet
  private let firstRule: UInt16
  /// Text before this index is dealt with.
  private var done = 0
  /// The local part of an address does not reach below this index.
  private var localFloor = 0
  /// No JWT begins below this index.
  private var tokenFloor = 0
  /// The secret that belongs to an access key seen before it.
  private var pending: Range<Int>?
  private var hasFound = false
  /// Places are kept, not replaced.
  private var isKeeping = false
  private var kept: [Place] = []

  init(detectors: DetectorSet, firstRule: UInt16) {
    self.detectors = detectors
    self.firstRule = firstRule
  }

  /// See ``ScanMasking/appendRedacted(_:detectors:to:found:)``.
  mutating func run(_ text: Span<UInt8>, to output: inout [UInt8], found: inout [UInt16]) -> Bool {
    search(text, &output, &found)
    if hasFound { output.append(copying: text.extracting(done..<text.count)) }
    return hasFound
  }

  /// What is found, in order.
  mutating func places(in text: Span<UInt8>) -> [Place] {
    isKeeping = true
    var (output, found): ([UInt8], [UInt16]) = ([], [])
    search(text, &output, &found)
    return kept
  }

  private mutating func search(_ text: Span<UInt8>, _ output: inout [UInt8], _ found: inout [UInt16]) {
    let hasPlain = !detectors.isDisjoint(with: [.email, .card, .iban, .userinfo])
    let hasAnchors = !detectors.isDisjoint(with: .anchored)
    var at = hasPlain ? TextCandidates.next(text, from: 0) : text.count
    var anchor = hasAnchors ? TextCandidates.anchor(text, from: 0) : nil
    while at < text.count || anchor != nil {
      let anchorAt = anchor?.at ?? text.count
      let next = min(at, anchorAt)
      replacePending(text, before: next, &output, &found)
      if next == anchorAt, let seen = anchor {
        if seen.at >= done, let place = find(text, seen) { replace(place, text, &output, &found) }
        anchor = TextCandidates.anchor(text, from: max(done, seen.at + 1))
      } else {
        if at >= done, let place = find(text, at) { replace(place, text, &output, &found) }
        at = TextCandidates.next(text, from: max(done, at + 1))
      }
    }
    replacePending(text, before: text.count, &output, &found)
  }

  private mutating func replacePending(
    _ text: Span<UInt8>, before at: Int, _ output: inout [UInt8], _ found: inout [UInt16]
  ) {
    guard let range = pending, range.lowerBound <= at else { return }
    pending = nil
    if range.lowerBound >= done {
      replace(Place(range: range, detector: .cloudKey), text, &output, &found)
    }
  }

  private mutating func replace(
    _ place: Place, _ text: Span<UInt8>, _ output: inout [UInt8], _ found: inout [UInt16]
  ) {
    defer { done = place.range.upperBound }
    if isKeeping {
      kept.append(place)
      return
    }
    output.append(copying: text.extracting(done..<place.range.lowerBound))
    output += DetectorSet.replacements[place.detector.index]
    found.append(firstRule + UInt16(place.detector.index))
    hasFound = true
  }

  /// What is found at the candidate `at`.
  private mutating func find(_ text: Span<UInt8>, _ at: Int) -> Place? {
    let byte = text[at]
    if byte == UInt8(ascii: "@") { return address(text, at) }
    if TextClass.isDigit(byte) {
      return detectors.contains(.card)
        ? CardNumber.range(text, at).map { Place(range: $0, detector: .card) } : nil
    }
    guard detectors.contains(.iban), let end = AccountNumber.end(text, at) else { return nil }
    return Place(range: at..<end, detector: .iban)
  }

  private mutating func address(_ text: Span<UInt8>, _ at: Int) -> Place? {
    let floor = max(done, localFloor)
    if detectors.contains(.userinfo), let range = UserInfo.range(text, beforeNetworkAt: at, floor: floor) {
      return Place(range: range, detector: .userinfo)
    }
    guard detectors.contains(.email) else { return nil }
    let range = EmailAddress.range(text, at, floor: floor)
    localFloor = at + 1
    return range.map { Place(range: $0, detector: .email) }
  }

  /// What is found at an anchor.
  private mutating func find(_ text: Span<UInt8>, _ anchor: TextCandidates.Anchor) -> Place? {
    switch anchor.kind {
    case .name:
      guard detectors.contains(.secret) else { return nil }
      return NamedSecret.range(text, at: anchor.at, floor: done).map {
        Place(range: $0, detector: .secret)
      }
    case .word: return scheme(text, anchor.at)
    case .url:
      guard detectors.contains(.userinfo) else { return nil }
      return UserInfo.range(text, inURLAt: anchor.at).map { Place(range: $0, detector: .userinfo) }
    case .block:
      guard detectors.contains(.privateKey) else { return nil }
      return PrivateKey.range(text, anchor.at).map { Place(range: $0, detector: .privateKey) }
    case .token: return anchor.start >= done ? token(text, anchor) : nil
    }
  }

  private func scheme(_ text: Span<UInt8>, _ at: Int) -> Place? {
    if detectors.contains(.bearer), let range = BearerToken.range(text, at) {
      return Place(range: range, detector: .bearer)
    }
    guard detectors.contains(.secret), let range = BasicCredential.range(text, at) else { return nil }
    return Place(range: range, detector: .secret)
  }

  private mutating func token(_ text: Span<UInt8>, _ anchor: TextCandidates.Anchor) -> Place? {
    let at = anchor.start
    if detectors.contains(.jwt), at >= tokenFloor, let end = JWTText.end(text, at, floor: &tokenFloor) {
      return Place(range: at..<end, detector: .jwt)
    }
    guard detectors.contains(.cloudKey) else { return nil }
    if let range = BotToken.range(text, anchor.at, floor: done) {
      return Place(range: range, detector: .cloudKey)
    }
    if let end = CloudKey.end(text, at) {
      if let secret = CloudKey.secret(text, behind: at..<end) { pending = secret }
      return Place(range: at..<end, detector: .cloudKey)
    }
    return ProviderToken.range(text, at).map { Place(range: $0, detector: .cloudKey) }
  }
}

/// Classes of bytes that detectors share.
enum TextClass {
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
  /// Letters, digits, `-` and `_`.
  static func isBase64URL(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
  /// Spaces, line feeds, other control characters.
  static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7F }
  static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }
  static func isBase64(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
      || byte == UInt8(ascii: "=")
  }

  /// Behind the run of bytes from `start` on that `isMember` holds for.
  static func runEnd(_ text: Span<UInt8>, _ start: Int, _ isMember: (UInt8) -> Bool) -> Int {
    var end = start
    while end < text.count, isMember(text[end]) { end += 1 }
    return end
  }

  /// Whether `word`, in lower case, stands at `start` in any case.
  static func hasWord(_ text: Span<UInt8>, _ start: Int, _ word: [UInt8]) -> Bool {
    guard start >= 0, text.count - start >= word.count else { return false }
    for (index, byte) in word.enumerated() where lowercased(text[start + index]) != byte { return false }
    return true
  }

  static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  static func hasPrefix(_ text: Span<UInt8>, _ start: Int, _ prefix: [UInt8]) -> Bool {
    end(of: prefix, text, start) != nil
  }

  /// Behind `word` at `start`; nil: it does not stand there.
  static func end(of word: [UInt8], _ text: Span<UInt8>, _ start: Int) -> Int? {
    guard text.count - start >= word.count else { return nil }
    for (index, byte) in word.enumerated() where text[start + index] != byte { return nil }
    return start + word.count
  }
}
