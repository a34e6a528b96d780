extension JSONColumnScanner {
  /// The closing quote of the string whose inside starts at `start`. Sets ``hasEscapes``.
  @inline(__always)
  @unsafe
  mutating func scanString(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    hasEscapes = false
    let at = unsafe StringScan.nextStop(start, end)
    if unsafe at < end, unsafe at[0] == 0x22 { return unsafe at }
    return unsafe scanHardString(at)
  }

  /// Goes on at the first byte that is not plain.
  @inline(never)
  @unsafe
  private mutating func scanHardString(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    var at = unsafe start
    while unsafe at < end {
      let byte = unsafe at[0]
      if byte == 0x22 { return unsafe at }
      if byte == 0x5C {
        hasEscapes = true
        guard let next = unsafe scanEscape(at) else { return nil }
        unsafe at = next
      } else if byte >= 0x80 {
        let length = unsafe UTF8Validation.characterBytes(at, end)
        if length == 0 { unsafe note(.invalidUTF8, at) }
        unsafe at += max(length, 1)
        // Text in other scripts has few ASCII bytes between: stay here while characters are long.
        continue
      } else if byte < 0x20 {
        if byte == 0x0A, plan.needsLineEnd { return unsafe fail(.lineEndInString, at) }
        unsafe note(byte == 0 ? .nul : .controlCharacter, at)
        unsafe at += 1
      }
      unsafe at = StringScan.nextStop(at, end)
    }
    return unsafe fail(.truncated, at)
  }

  /// The byte behind the escape whose backslash is at `at`.
  @unsafe
  private mutating func scanEscape(_ at: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    guard unsafe end - at >= 2 else { return unsafe fail(.truncated, end) }
    let letter = unsafe at[1]
    if letter != 0x75 {
      if letter == 0x0A, plan.needsLineEnd { return unsafe fail(.lineEndInString, at + 1) }
      if Unescape.plain(letter) == nil { unsafe note(.badEscape, at) }
      return unsafe at + 2
    }
    guard let first = unsafe Unescape.hex4(at + 2, end) else {
      unsafe note(.badEscape, at)
      return unsafe at + 2
    }
    if first == 0 { unsafe note(.nul, at) }
    if first < 0xD800 || first > 0xDFFF { return unsafe at + 6 }
    guard first < 0xDC00, unsafe end - at >= 12, unsafe at[6] == 0x5C, unsafe at[7] == 0x75,
      let second = unsafe Unescape.hex4(at + 8, end), second >= 0xDC00, second <= 0xDFFF
    else {
      unsafe note(.loneSurrogate, at)
      return unsafe at + 6
    }
    return unsafe at + 12
  }
}

/// Strings in the one form stored objects have: escapes only where they must be.
enum Canonical {
  /// Appends what `count` bytes of the inside of a string stand for.
  @unsafe
  static func appendPlain(_ text: UnsafePointer<UInt8>, _ count: Int, to writer: inout JSONWriter) {
    writer.reserve(count)
    // Within bounds: what a string stands for is never longer than its text.
    writer.used += unsafe Unescape.write(text, count, to: writer.bytes + writer.used)
  }

  /// Appends the string with the inside `text`, quotes included.
  @unsafe
  static func append(
    _ text: UnsafePointer<UInt8>, _ count: Int, hasEscapes: Bool, to writer: inout JSONWriter
  ) {
    guard hasEscapes else {
      writer.append(0x22)
      unsafe writer.append(raw: UnsafeBufferPointer(start: text, count: count))
      writer.append(0x22)
      return
    }
    // What the string stands for is written behind where its canonical text (six bytes a byte at most) will
    // end, and escaped from there.
    let start = writer.used
    writer.reserve(count * 7 + 16)
    let plain = unsafe writer.bytes + start + count * 6 + 8
    let plainCount = unsafe Unescape.write(text, count, to: plain)
    unsafe writer.appendString(UnsafeBufferPointer(start: plain, count: plainCount))
  }
}
