/// UTF-8 as Unicode defines it (table 3-7): no surrogates, no overlong forms, nothing above U+10FFFF.
enum UTF8Validation {
  /// How many bytes the well-formed character at `at` has (1 to 4), or 0 if there is none. Reads below
  /// `end` only.
  @inline(__always)
  @unsafe
  static func characterBytes(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
    let first = unsafe at[0]
    if first < 0x80 { return 1 }
    let left = unsafe end - at
    if first < 0xE0 {
      guard first >= 0xC2, left >= 2, unsafe isContinuation(at[1]) else { return 0 }
      return 2
    }
    if first < 0xF0 {
      guard left >= 3, unsafe isContinuation(at[1]), unsafe isContinuation(at[2]) else { return 0 }
      let second = unsafe at[1]
      if first == 0xE0, second < 0xA0 { return 0 }
      if first == 0xED, second > 0x9F { return 0 }
      return 3
    }
    guard first <= 0xF4, left >= 4, unsafe isContinuation(at[1]), unsafe isContinuation(at[2]),
      unsafe isContinuation(at[3])
    else { return 0 }
    let second = unsafe at[1]
    if first == 0xF0, second < 0x90 { return 0 }
    if first == 0xF4, second > 0x8F { return 0 }
    return 4
  }

  @inline(__always)
  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

  /// How many bytes at `at` (one at least) one U+FFFD replaces: the longest start of a well-formed
  /// character there.
  @unsafe
  static func maximalSubpartBytes(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
    let first = unsafe at[0]
    let left = unsafe end - at
    guard first >= 0xC2, first <= 0xF4, left >= 2 else { return 1 }
    let need = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    let second = unsafe at[1]
    let range: ClosedRange<UInt8> =
      switch first {
      case 0xE0: 0xA0...0xBF
      case 0xED: 0x80...0x9F
      case 0xF0: 0x90...0xBF
      case 0xF4: 0x80...0x8F
      default: 0x80...0xBF
      }
    guard range.contains(second) else { return 1 }
    var length = 2
    while length < need, length < left, unsafe isContinuation(at[length]) { length += 1 }
    return length
  }
}

/// Text of unknown origin made valid.
package enum UTF8Repair {
  /// Whether `bytes` are well-formed UTF-8. ASCII runs go 8 bytes at a time.
  package static func isValid(_ bytes: Span<UInt8>) -> Bool { firstInvalid(bytes, from: 0) == nil }

  /// Offset of the first byte from `start` on that begins no well-formed character.
  package static func firstInvalid(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress, start < source.count else { return nil }
      // Within bounds: every step below checks against `end`.
      let end = unsafe base + source.count
      var at = unsafe base + start
      while unsafe at < end {
        if unsafe end - at >= 8,
          unsafe UnsafeRawPointer(at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
          unsafe at += 8
          continue
        }
        let length = unsafe UTF8Validation.characterBytes(at, end)
        if length == 0 { return unsafe at - base }
        unsafe at += length
      }
      return nil
    }
  }

  /// Appends `bytes` to `output`, each ill-formed piece (maximal subpart, as WHATWG and Python's `replace`
  /// cut them) as U+FFFD.
  ///
  /// - Returns: Whether anything was replaced.
  @discardableResult
  package static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) -> Bool {
    var start = 0
    var replaced = false
    while let bad = firstInvalid(bytes, from: start) {
      replaced = true
      append(bytes, start..<bad, to: &output)
      output.append(contentsOf: [0xEF, 0xBF, 0xBD])
      start = unsafe bytes.withUnsafeBufferPointer { source in
        guard let base = source.baseAddress else { return source.count }
        // Within bounds: `bad` is an offset into `source`.
        return unsafe bad + UTF8Validation.maximalSubpartBytes(base + bad, base + source.count)
      }
    }
    append(bytes, start..<bytes.count, to: &output)
    return replaced
  }

  private static func append(_ bytes: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8]) {
    guard !range.isEmpty else { return }
    unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
  }
}
