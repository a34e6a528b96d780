import CArrow

/// Runs of plain characters in strings, 16 bytes at a time.
enum StringScan {
  /// Index from `start` on of the first byte that needs an escape in a JSON string: quote, backslash or
  /// control character; `count` if there is none. Reads below `count` only.
  @unsafe
  static func nextEscape(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
    var at = start
    while at &+ 16 <= count {
      let stops = unsafe cw_json_escapes16(bytes + at)
      if stops != 0 { return at &+ stops.trailingZeroBitCount }
      at &+= 16
    }
    while at < count {
      let byte = unsafe bytes[at]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C { return at }
      at &+= 1
    }
    return count
  }

  /// The first byte from `at` on that ends the plain ASCII part of a JSON string (quote, backslash, control
  /// character, 0x80 and above), or `end`.
  @inline(__always)
  @unsafe
  static func nextStop(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
    var at = unsafe start
    while unsafe end - at >= 16 {
      let stops = unsafe cw_json_stops16(at)
      if stops != 0 { return unsafe at + stops.trailingZeroBitCount }
      unsafe at += 16
    }
    while unsafe at < end {
      let byte = unsafe at[0]
      if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { break }
      unsafe at += 1
    }
    return unsafe at
  }
}
