/// Resolves the escapes of JSON strings.
enum Unescape {
  /// Writes what `count` bytes of the inside of a string stand for to `out`, which has room for `count`
  /// bytes; returns how many bytes were written. What is no escape or half a surrogate pair (the scanner
  /// refuses both) is written as it stands or as U+FFFD.
  @unsafe
  static func write(
    _ text: UnsafePointer<UInt8>, _ count: Int, to out: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let end = unsafe text + count
    var at = unsafe text
    var to = unsafe out
    while unsafe at < end {
      // Within bounds: a byte is written for each one read, at most three for six, four for twelve.
      let byte = unsafe at[0]
      if unsafe byte != 0x5C || end - at < 2 {
        unsafe to[0] = byte
        unsafe to += 1
        unsafe at += 1
        continue
      }
      let letter = unsafe at[1]
      guard letter == 0x75, let first = unsafe hex4(at + 2, end) else {
        unsafe to[0] = plain(letter) ?? letter
        unsafe to += 1
        unsafe at += 2
        continue
      }
      var scalar = first
      unsafe at += 6
      if first >= 0xD800, first <= 0xDFFF {
        scalar = 0xFFFD
        if first < 0xDC00, unsafe end - at >= 6, unsafe at[0] == 0x5C, unsafe at[1] == 0x75,
          let second = unsafe hex4(at + 2, end), second >= 0xDC00, second <= 0xDFFF
        {
          scalar = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
          unsafe at += 6
        }
      }
      unsafe to += encode(scalar, to)
    }
    return unsafe to - out
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

  /// The number in the four hexadecimal digits at `at`, or nil.
  @unsafe
  static func hex4(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt32? {
    guard unsafe end - at >= 4 else { return nil }
    var value: UInt32 = 0
    for index in 0..<4 {
      guard let digit = unsafe Hex.value(at[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Writes `scalar` as UTF-8.
  @unsafe
  private static func encode(_ scalar: UInt32, _ out: UnsafeMutablePointer<UInt8>) -> Int {
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
