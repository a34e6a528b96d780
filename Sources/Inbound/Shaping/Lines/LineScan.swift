import Codecs

/// Goes over a line from left to right. It is handed the bytes at each call: a span cannot be kept.
///
/// Each method that finds nothing leaves ``at`` where it was, unless it says otherwise.
struct LineScan {
  /// Offset of the next byte.
  var at: Int
  let end: Int

  init(_ text: Span<UInt8>, at: Int = 0) {
    self.at = at
    end = text.count
  }

  var isAtEnd: Bool { at >= end }

  /// What is left.
  var rest: Range<Int> { min(at, end)..<end }

  /// The byte `distance` ahead; 0 behind the end.
  func peek(_ text: Span<UInt8>, _ distance: Int = 0) -> UInt8 {
    at + distance < end ? text[at + distance] : 0
  }

  mutating func take(_ character: Unicode.Scalar, _ text: Span<UInt8>) -> Bool {
    guard at < end, UInt32(text[at]) == character.value else { return false }
    at += 1
    return true
  }

  mutating func take(_ word: StaticString, _ text: Span<UInt8>) -> Bool {
    guard has(word, text) else { return false }
    at += word.utf8CodeUnitCount
    return true
  }

  /// Whether `word` stands here.
  func has(_ word: StaticString, _ text: Span<UInt8>) -> Bool {
    text.has(word, at: at)
  }

  mutating func skipBlanks(_ text: Span<UInt8>) {
    while at < end, text[at] == 0x20 { at += 1 }
  }

  /// Blanks and tabs.
  mutating func skipSpace(_ text: Span<UInt8>) {
    while at < end, text[at] == 0x20 || text[at] == 0x09 { at += 1 }
  }

  /// Up to a blank or the end; empty: there is a blank here.
  mutating func word(_ text: Span<UInt8>) -> Range<Int> {
    let start = at
    while at < end, text[at] != 0x20 { at += 1 }
    return start..<at
  }

  /// Up to `character`, which is passed; nil: there is none.
  mutating func upTo(_ character: Unicode.Scalar, _ text: Span<UInt8>) -> Range<Int>? {
    var index = at
    while index < end, UInt32(text[index]) != character.value { index += 1 }
    guard index < end else { return nil }
    defer { at = index + 1 }
    return at..<index
  }

  /// Digits, at most `max`.
  mutating func digits(_ text: Span<UInt8>, max: Int = 20) -> Range<Int>? {
    var index = at
    while index < end, index - at < max, text[index].isDigit { index += 1 }
    guard index > at else { return nil }
    defer { at = index }
    return at..<index
  }

  /// Between `[` and the `]` that belongs to it, which are passed.
  mutating func bracketed(_ text: Span<UInt8>) -> Range<Int>? {
    guard peek(text) == UInt8(ascii: "[") else { return nil }
    var (depth, index) = (0, at)
    while index < end, index - at <= LineScan.bracketBytesMax {
      if text[index] == UInt8(ascii: "[") { depth += 1 }
      if text[index] == UInt8(ascii: "]") {
        depth -= 1
        if depth == 0 {
          defer { at = index + 1 }
          return at + 1..<index
        }
      }
      index += 1
    }
    return nil
  }

  /// Between quotes, which are passed; a backslash takes the next byte along. Still escaped.
  mutating func quoted(_ text: Span<UInt8>) -> Range<Int>? {
    guard peek(text) == UInt8(ascii: "\"") else { return nil }
    var index = at + 1
    while index < end, text[index] != UInt8(ascii: "\"") {
      index += text[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard index < end else { return nil }
    defer { at = index + 1 }
    return at + 1..<index
  }

  private static let bracketBytesMax = 1_024
}

extension UInt8 {
  var isDigit: Bool { self &- 0x30 < 10 }
  var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
  var isUpper: Bool { self &- 0x41 < 26 }
}

extension Span<UInt8> {
  /// Whether `range` holds `word` and nothing else.
  func `is`(_ word: StaticString, in range: Range<Int>) -> Bool {
    range.count == word.utf8CodeUnitCount && has(word, at: range.lowerBound)
  }

  func holds(_ character: Unicode.Scalar, in range: Range<Int>) -> Bool {
    for index in range where UInt32(self[index]) == character.value { return true }
    return false
  }

  func isNumber(_ range: Range<Int>) -> Bool {
    for index in range where !self[index].isDigit { return false }
    return !range.isEmpty
  }
}
