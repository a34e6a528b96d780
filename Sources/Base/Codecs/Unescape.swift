/// Resolves the escapes of JSON strings.
enum Unescape {
  /// Why escapes could not be resolved.
  enum Fault {
    case badEscape, loneSurrogate, nul
  }

  /// Writes what `count` bytes of the inside of a string stand for to `out`, which has room for `count` bytes.
  ///
  /// - Returns: How many bytes were written; the first fault and its offset, if there is one. Behind a fault the
  ///   rest is still written as well as it can be: U+FFFD for what is no character.
  @unsafe
  static func write(
    _ text: UnsafePointer<UInt8>, _ count: Int, to out: UnsafeMutablePointer<UInt8>
  ) -> (count: Int, fault: Fault?, faultAt: Int) {
    var at = 0
    var used = 0
    var fault: Fault?
    var faultAt = 0
    while at < count {
      // Within bounds: at most one byte is written for each one read, three or four for six or twelve.
      let byte = unsafe text[at]
      guard byte == 0x5C, at + 1 < count else {
        unsafe out[used] = byte
        used += 1
        at += 1
        continue
      }
      let start = at
      let letter = unsafe text[at + 1]
      at += 2
      if letter == 0x75 {
        let (scalar, length) = unsafe codePoint(text, at, count)
        at += length
        if scalar == 0 || scalar == nil, fault == nil {
          fault = scalar == 0 ? .nul : length == 0 ? .badEscape : .loneSurrogate
          faultAt = start
        }
        used += unsafe encode(scalar ?? 0xFFFD, out + used, room: at - start)
      } else {
        let plain = Unescape.plain(letter)
        if plain == nil, fault == nil {
          fault = .badEscape
          faultAt = start
        }
        unsafe out[used] = plain ?? letter
        used += 1
      }
    }
    return (used, fault, faultAt)
  }

  /// What a backslash and `letter` stand for, `u` left out.
  @inline(__always)
  static func plain(_ letter: UInt8) -> UInt8? {
    switch letter {
    case 0x22, 0x5C, 0x2F: letter
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: nil
    }
  }

  /// The code point of the `\u` whose digits start at `at`, a surrogate pair's second half included, and how many
  /// bytes it takes. nil: half a pair (4 bytes) or too few digits (0 bytes).
  @unsafe
  private static func codePoint(
    _ text: UnsafePointer<UInt8>, _ at: Int, _ count: Int
  ) -> (UInt32?, Int) {
    guard let first = unsafe hex4(text, at, count) else { return (nil, 0) }
    if first < 0xD800 || first > 0xDFFF { return (first, 4) }
    guard first < 0xDC00, at + 10 <= count, unsafe text[at + 4] == 0x5C, unsafe text[at + 5] == 0x75,
      let second = unsafe hex4(text, at + 6, count), second >= 0xDC00, second <= 0xDFFF
    else { return (nil, 4) }
    return (0x10000 + (first - 0xD800) << 10 + (second - 0xDC00), 10)
  }

  @unsafe
  private static func hex4(_ text: UnsafePointer<UInt8>, _ at: Int, _ count: Int) -> UInt32? {
    guard at + 4 <= count else { return nil }
    var value: UInt32 = 0
    for index in 0..<4 {
      guard let digit = unsafe Hex.value(text[at + index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Writes `scalar` as UTF-8, or `?` if its bytes do not fit in `room`.
  @unsafe
  private static func encode(_ scalar: UInt32, _ out: UnsafeMutablePointer<UInt8>, room: Int) -> Int {
    if scalar < 0x80 {
      unsafe out[0] = UInt8(truncatingIfNeeded: scalar)
      return 1
    }
    if scalar < 0x800 {
      unsafe out[0] = 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6)
      unsafe out[1] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
      return 2
    }
    if scalar < 0x10000 {
      guard room >= 3 else {
        unsafe out[0] = 0x3F
        return 1
      }
      unsafe out[0] = 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12)
      unsafe out[1] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F)
      unsafe out[2] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
      return 3
    }
    unsafe out[0] = 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
    unsafe out[1] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F)
    unsafe out[2] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F)
    unsafe out[3] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
    return 4
  }
}
