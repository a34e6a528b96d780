import Glibc
@_spi(_Unicode) import Swift

/// A text that stands for somebody or something: a tenant, a user, a key, a token. Bytes decide.
///
/// `String` compares and hashes by canonical equivalence (UAX #15): `K` and the Kelvin sign are one text to
/// it, and what it takes to find that out grows with the square of the combining marks in a row. A name is
/// compared and hashed as the UTF-8 that it is, in time linear in its bytes.
package struct Name: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
  /// As it was given.
  package let text: String

  /// Any text: what a kind of name may be is its maker's to check.
  package init(_ text: String) { self.text = text }

  /// A name of ours.
  package init(stringLiteral text: String) { self.text = text }

  /// The text.
  package var description: String { text }

  /// Byte by byte.
  package static func == (left: Name, right: Name) -> Bool { left.text.hasBytes(of: right.text) }

  /// In the order of their UTF-8, which is that of their scalars.
  package static func < (left: Name, right: Name) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  /// Of the bytes.
  package func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }
}

/// Of `String` and `Substring`, compiled for each of them: other modules call these for each request, and a
/// generic function of another module asks a table for each byte.
extension StringProtocol {
  /// Whether both are the same UTF-8. `==` takes texts that look the same for the same, at a cost that who
  /// sends them decides.
  @specialized(where Self == String, Other == String)
  @specialized(where Self == String, Other == Substring)
  @specialized(where Self == Substring, Other == String)
  @specialized(where Self == Substring, Other == Substring)
  package func hasBytes<Other: StringProtocol>(of other: Other) -> Bool {
    let count = utf8.count
    guard count == other.utf8.count else { return false }
    let isEqual = utf8.withContiguousStorageIfAvailable { left in
      other.utf8.withContiguousStorageIfAvailable { right in unsafe left.hasBytes(of: right) }
    }
    return isEqual.flatMap(\.self) ?? utf8.elementsEqual(other.utf8)
  }

  /// Whether it begins with the bytes of `prefix`.
  @specialized(where Self == String, Prefix == String)
  @specialized(where Self == Substring, Prefix == String)
  package func hasBytes<Prefix: StringProtocol>(from prefix: Prefix) -> Bool {
    utf8.count >= prefix.utf8.count && utf8.starts(with: prefix.utf8)
  }

  /// Whether it ends with the bytes of `suffix`.
  package func hasBytes<Suffix: StringProtocol>(to suffix: Suffix) -> Bool {
    utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// As errors tell a name from outside: at most 64 bytes of it.
  package var told: String { String(decoding: utf8.prefix(64), as: UTF8.self) }

  /// With the letters A to Z in lower case, and nothing else changed.
  package var asciiLowercased: String {
    @specialized(where Self == String)
    @specialized(where Self == Substring)
    get {
      guard utf8.contains(where: { $0 &- 0x41 < 26 }) else { return String(self) }
      return String(decoding: utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
  }

  /// Between separators, which are ASCII; empty parts are kept.
  @specialized(where Self == String)
  @specialized(where Self == Substring)
  package func parts(at separator: Unicode.Scalar, most: Int = .max) -> [SubSequence] {
    let byte = UInt8(truncatingIfNeeded: separator.value)
    var parts: [SubSequence] = []
    var start = startIndex
    while parts.count + 1 < most, let end = utf8[start...].firstIndex(of: byte) {
      parts.append(self[start..<end])
      start = utf8.index(after: end)
    }
    parts.append(self[start...])
    return parts
  }

  /// What is before the first separator, which is ASCII; all without one.
  @specialized(where Self == String)
  @specialized(where Self == Substring)
  package func part(before separator: Unicode.Scalar) -> SubSequence {
    self[..<(utf8.firstIndex(of: UInt8(truncatingIfNeeded: separator.value)) ?? endIndex)]
  }

  /// Without spaces and tabs at its ends.
  package var trimmed: SubSequence {
    @specialized(where Self == String)
    @specialized(where Self == Substring)
    get {
      let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
      guard let start = utf8.firstIndex(where: { !isBlank($0) }) else { return self[endIndex...] }
      var end = start
      var next = start
      while next < endIndex {
        let isText = !isBlank(utf8[next])
        next = utf8.index(after: next)
        if isText { end = next }
      }
      return self[start..<end]
    }
  }
}

extension UnsafeBufferPointer where Element == UInt8 {
  /// Of two of one length.
  @unsafe
  fileprivate func hasBytes(of other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let left = baseAddress, let right = other.baseAddress else { return true }
    // Within bounds: both have `count` bytes.
    return unsafe memcmp(left, right, count) == 0
  }
}

extension String {
  /// With a backslash before each scalar that is special. By scalars: with a combining mark behind it a
  /// quotation mark is another `Character`, but ends a text all the same.
  package func escaped(_ isSpecial: (Unicode.Scalar) -> Bool) -> String {
    var text = UnicodeScalarView()
    for scalar in unicodeScalars {
      if isSpecial(scalar) { text.append("\\") }
      text.append(scalar)
    }
    return String(text)
  }

  func hashBytes(into hasher: inout Hasher) {
    var text = self
    text.withUTF8 { bytes in unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
    // So that two names behind each other cannot be taken for two others.
    hasher.combine(0xFF as UInt8)
  }

  /// Whether it is in Normalization Form C (UAX #15), as names are. Time grows with the square of the
  /// combining marks in a row: check the length before.
  package var isNormalized: Bool {
    if utf8.allSatisfy({ $0 < 0x80 }) { return true }
    return unicodeScalars.elementsEqual(_nfc)
  }
}

/// `switch` and `case` compare texts byte by byte wherever this module is imported: the standard library's
/// operator for all that is `Equatable` compares by canonical equivalence.
package func ~= (pattern: String, text: String) -> Bool { pattern.hasBytes(of: text) }

extension RawRepresentable where Self: CaseIterable, RawValue == String {
  /// The case whose raw value has the bytes of `word`. For words from outside: `init(rawValue:)` takes words
  /// that look the same for the same.
  package init?(word: some StringProtocol) {
    guard let found = Self.allCases.first(where: { $0.rawValue.hasBytes(of: word) }) else { return nil }
    self = found
  }
}

extension Array where Element == String {
  /// Byte by byte, as ``~=(_:_:)``: by canonical equivalence nothing is looked for wherever this module is
  /// imported.
  package func contains(_ text: String) -> Bool { contains { $0.hasBytes(of: text) } }

  /// As ``contains(_:)``.
  package func firstIndex(of text: String) -> Int? { firstIndex { $0.hasBytes(of: text) } }
}
