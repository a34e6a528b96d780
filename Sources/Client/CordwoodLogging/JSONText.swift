import Logging

/// JSON that is written byte by byte, without anything being built first.
struct JSONText {
  private(set) var bytes: [UInt8] = []
  /// A text is cut behind so many bytes.
  let textBytesMax: Int

  /// Containers in metadata; what is nested deeper is a text. The server takes 64.
  static let depthMax = 16

  init(textBytesMax: Int, capacity: Int = 0) {
    self.textBytesMax = textBytesMax
    bytes.reserveCapacity(capacity)
  }

  /// Adds JSON as it is.
  mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

  /// Adds JSON as it is.
  mutating func raw(_ json: String) { bytes.append(contentsOf: json.utf8) }

  mutating func integer(_ value: Int64) {
    guard value < 0 || value > 9 else {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
      return
    }
    // Digits from the last one on, turned around; 20 bytes hold every sign and digit.
    let start = bytes.count
    var rest = value.magnitude
    while rest > 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
      rest = quotient
    }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    var (low, high) = (start, bytes.count - 1)
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
  }

  /// Adds `"text"`, escaped. U+0000, which the server does not store, becomes U+FFFD; of a text that is too
  /// long the end becomes `…`.
  mutating func text(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    if text.utf8.count <= textBytesMax {
      escaped(text)
    } else {
      // A character that is cut in two becomes U+FFFD.
      escaped(String(decoding: text.utf8.prefix(textBytesMax), as: UTF8.self))
      bytes.append(contentsOf: "…".utf8)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escaped(_ text: String) {
    // Nearly no text has anything to escape, and copying whole ones is several times as fast.
    let isPlain = text.utf8.allSatisfy { byte in
      byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
    if isPlain {
      bytes.append(contentsOf: text.utf8)
      return
    }
    for byte in text.utf8 { escaped(byte) }
  }

  private mutating func escaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case UInt8(ascii: "\n"): raw("\\n")
    case UInt8(ascii: "\r"): raw("\\r")
    case UInt8(ascii: "\t"): raw("\\t")
    case 0: raw("\u{FFFD}")
    case 1..<0x20:
      raw(byte < 0x10 ? "\\u000" : "\\u001")
      let digit = byte & 0x0F
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    default: bytes.append(byte)
    }
  }
}

extension JSONText {
  /// Adds `,"name":value`, without the comma at the beginning and behind a `{`.
  mutating func member(_ name: String, _ value: Logger.MetadataValue, depth: Int = 1) {
    memberName(name)
    self.value(value, depth: depth)
  }

  mutating func member(_ name: String, text value: String) {
    memberName(name)
    text(value)
  }

  /// What separates a member from the one before it, if there is one.
  mutating func comma() {
    if let last = bytes.last, last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
  }

  mutating func memberName(_ name: String) {
    comma()
    text(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func value(_ value: Logger.MetadataValue, depth: Int) {
    switch value {
    case .string(let string): text(string)
    case .stringConvertible(let convertible): described(convertible)
    case .dictionary(let members):
      guard depth < JSONText.depthMax else { return raw("\"…\"") }
      bytes.append(UInt8(ascii: "{"))
      for (name, member) in members { self.member(name, member, depth: depth + 1) }
      bytes.append(UInt8(ascii: "}"))
    case .array(let elements):
      guard depth < JSONText.depthMax else { return raw("\"…\"") }
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        self.value(element, depth: depth + 1)
      }
      bytes.append(UInt8(ascii: "]"))
    }
  }

  /// Numbers and truth values of the standard library stay what they are, so that the server can compare
  /// them; everything else is its description.
  private mutating func described(_ value: any CustomStringConvertible & Sendable) {
    let type = ObjectIdentifier(type(of: value))
    if type == ObjectIdentifier(Int.self), let number = value as? Int {
      integer(Int64(number))
    } else if JSONText.plainTypes.contains(type) {
      raw(value.description)
    } else if let number = value as? Double, number.isFinite {
      raw(number.description)
    } else {
      text(value.description)
    }
  }

  /// Types whose description is JSON already.
  private static let plainTypes: Set<ObjectIdentifier> = [
    ObjectIdentifier(Bool.self), ObjectIdentifier(Int64.self), ObjectIdentifier(Int32.self),
    ObjectIdentifier(Int16.self), ObjectIdentifier(Int8.self), ObjectIdentifier(UInt.self),
    ObjectIdentifier(UInt64.self), ObjectIdentifier(UInt32.self), ObjectIdentifier(UInt16.self),
    ObjectIdentifier(UInt8.self),
  ]
}
