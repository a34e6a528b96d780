/// JSON as loggers write it that escape whatever they are given.
package enum JSONRepair {
  /// The same text with U+FFFD in the place of escapes that records do not have: NUL, and halves of surrogate
  /// pairs. Of the same length, so that offsets stay; copied only if there is one.
  ///
  /// Without it a single record of a container that wrote a zero byte would be refused whenever its shipper
  /// sends it again.
  package static func repaired(_ body: [UInt8]) -> [UInt8] {
    var repaired = body
    var at = 0
    while let slash = body[at...].firstIndex(of: UInt8(ascii: "\\")), slash + 1 < body.count {
      at = slash + 2
      guard body[slash + 1] == UInt8(ascii: "u"), let code = code(body, at) else { continue }
      at += 4
      switch code {
      case 0, 0xDC00..<0xE000: replace(&repaired, at - 4)
      case 0xD800..<0xDC00:
        if isLowHalf(body, at) { at += 6 } else { replace(&repaired, at - 4) }
      default: break
      }
    }
    return repaired
  }

  private static func replace(_ text: inout [UInt8], _ start: Int) {
    for (offset, digit) in "fffd".utf8.enumerated() { text[start + offset] = digit }
  }

  private static func isLowHalf(_ body: [UInt8], _ at: Int) -> Bool {
    guard at + 1 < body.count, body[at] == UInt8(ascii: "\\"), body[at + 1] == UInt8(ascii: "u"),
      let code = code(body, at + 2)
    else { return false }
    return (0xDC00..<0xE000).contains(code)
  }

  /// The number of the four hexadecimal digits at `at`; nil: there are none.
  private static func code(_ body: [UInt8], _ at: Int) -> UInt32? {
    guard at + 4 <= body.count else { return nil }
    var code: UInt32 = 0
    for byte in body[at..<at + 4] {
      switch byte {
      case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: code = code << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: code = code << 4 | UInt32(byte - 0x57)
      default: return nil
      }
    }
    return code
  }

  /// Where the object or array that begins at `start` ends, told by brackets and quotes alone: so that what
  /// comes behind a value that cannot be read is found. nil: it has no end.
  package static func end(of body: [UInt8], from start: Int) -> Int? {
    var depth = 0
    var at = start
    while at < body.count {
      let byte = body[at]
      at += 1
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth <= 0 { return at }
      case UInt8(ascii: "\""):
        while at < body.count, body[at] != UInt8(ascii: "\"") {
          at += body[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        at += 1
      default: break
      }
    }
    return nil
  }
}
