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

  init(detectors: DetectorSet, firstRule: UInt16) {
    self.detectors = detectors
    self.firstRule = firstRule
  }

  /// See ``ScanMasking/appendRedacted(_:from:detectors:to:found:)``.
  mutating func run(
    _ text: Span<UInt8>, from start: Int, to output: inout [UInt8], found: inout [UInt16]
  ) -> Bool {
    var at = start
    while at < text.count {
      replacePending(text, before: at, &output, &found)
      if at >= done, let place = find(text, at) {
        replace(place, text, &output, &found)
        at = max(done, at)
      } else {
        at += 1
      }
      at = TextCandidates.next(text, from: at)
    }
    replacePending(text, before: text.count, &output, &found)
    if hasFound { output.append(copying: text.extracting(done..<text.count)) }
    return hasFound
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
    output.append(copying: text.extracting(done..<place.range.lowerBound))
    output += DetectorSet.replacements[place.detector.index]
    found.append(firstRule + UInt16(place.detector.index))
    done = place.range.upperBound
    hasFound = true
  }

  /// What is found at the candidate `at`.
  private mutating func find(_ text: Span<UInt8>, _ at: Int) -> Place? {
    let byte = text[at]
    if byte == UInt8(ascii: "@") { return detectors.contains(.email) ? address(text, at) : nil }
    if TextClass.isDigit(byte) {
      return detectors.contains(.card)
        ? CardNumber.range(text, at).map { Place(range: $0, detector: .card) } : nil
    }
    if detectors.contains(.bearer), let range = BearerToken.range(text, at) {
      return Place(range: range, detector: .bearer)
    }
    if detectors.contains(.jwt), at >= tokenFloor, let end = JWTText.end(text, at, floor: &tokenFloor) {
      return Place(range: at..<end, detector: .jwt)
    }
    if detectors.contains(.iban), let end = AccountNumber.end(text, at) {
      return Place(range: at..<end, detector: .iban)
    }
    guard detectors.contains(.cloudKey), let end = CloudKey.end(text, at) else { return nil }
    if let secret = CloudKey.secret(text, behind: at..<end) { pending = secret }
    return Place(range: at..<end, detector: .cloudKey)
  }

  private mutating func address(_ text: Span<UInt8>, _ at: Int) -> Place? {
    let range = EmailAddress.range(text, at, floor: max(done, localFloor))
    localFloor = at + 1
    return range.map { Place(range: $0, detector: .email) }
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

  /// Behind the run of bytes from `start` on that `isMember` holds for.
  static func runEnd(_ text: Span<UInt8>, _ start: Int, _ isMember: (UInt8) -> Bool) -> Int {
    var end = start
    while end < text.count, isMember(text[end]) { end += 1 }
    return end
  }

  static func hasPrefix(_ text: Span<UInt8>, _ start: Int, _ prefix: [UInt8]) -> Bool {
    guard text.count - start >= prefix.count else { return false }
    for (index, byte) in prefix.enumerated() where text[start + index] != byte { return false }
    return true
  }
}
