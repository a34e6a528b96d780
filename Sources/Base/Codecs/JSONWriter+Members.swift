import Records

/// Objects and arrays, member by member: commas come by themselves. What is appended as it is has none.
extension JSONWriter {
  /// One object with the members that `write` writes.
  package static func object(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    write(&writer)
    writer.endObject()
    return writer.takeBytes()
  }

  /// Begins an object, as a value.
  package mutating func beginObject() { open(0x7B) }
  /// Ends the object begun last.
  package mutating func endObject() { close(0x7D) }
  /// Begins an array, as a value.
  package mutating func beginArray() { open(0x5B) }
  /// Ends the array begun last.
  package mutating func endArray() { close(0x5D) }

  /// The name of the next member. ASCII without quotes: our own names.
  package mutating func name(_ name: StaticString) {
    separate()
    append(0x22)
    name.withUTF8Buffer { unsafe append(raw: $0) }
    append(0x22)
    append(0x3A)
  }

  /// The name of the next member, whatever it is.
  package mutating func name(text: String) {
    separate()
    appendString(text)
    append(0x3A)
  }

  /// A number.
  package mutating func value(_ number: Int) { value(Int64(number)) }

  /// A number.
  package mutating func value(_ number: Int64) {
    separate()
    appendInt64(number)
    needsComma = true
  }

  /// `true` or `false`.
  package mutating func value(_ flag: Bool) {
    separate()
    appendBool(flag)
    needsComma = true
  }

  /// A text.
  package mutating func value(_ text: String) {
    separate()
    appendString(text)
    needsComma = true
  }

  /// A number with at most two digits behind the point; what is beyond all digits is null.
  package mutating func value(rounded number: Double) {
    guard abs(number) < 1e15 else { return raw(Array(JSONNumber.format(number).utf8)) }
    let hundredths = Int((number * 100).rounded())
    let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
    let sign = hundredths < 0 ? "-" : ""
    let digits = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
    raw(Array("\(sign)\(whole).\(digits)".utf8))
  }

  /// `null`.
  package mutating func null() {
    separate()
    appendNull()
    needsComma = true
  }

  /// A value written before.
  package mutating func raw(_ json: [UInt8]) {
    separate()
    append(raw: json)
    needsComma = true
  }

  /// What comes next begins a text of its own: no comma before it.
  package mutating func beginLine() { needsComma = false }

  /// Forgets what was written behind the first `count` bytes, and begins a text of its own there.
  package mutating func cut(to count: Int) {
    invariant(count >= 0 && count <= used, "bytes that were written")
    used = count
    needsComma = false
  }

  /// A value written before.
  package mutating func value(written json: Span<UInt8>) {
    separate()
    append(raw: json)
    needsComma = true
  }

  /// A text in bytes of anybody's: U+FFFD stands for NUL, which records do not have, and for what is not
  /// UTF-8.
  package mutating func value(repaired text: Span<UInt8>) {
    separate()
    if text.isPlainASCII {
      appendString(text)
    } else {
      appendString(String(repairing: text))
    }
    needsComma = true
  }

  /// A text; U+FFFD stands for NUL, which records do not have.
  package mutating func value(repaired text: String) {
    separate()
    appendRepaired(text)
    needsComma = true
  }

  /// The name of the next member, as ``value(repaired:)-(String)``.
  package mutating func name(repaired text: String) {
    separate()
    appendRepaired(text)
    append(0x3A)
  }

  private mutating func appendRepaired(_ text: String) {
    let isClean = text.utf8.span.isWithoutNUL
    appendString(isClean ? text : text.withoutNUL)
  }

  /// A number, with a point or an exponent.
  package mutating func value(float64 number: Double) {
    separate()
    appendFloat64(number)
    needsComma = true
  }

  /// A time, to the nanosecond.
  package mutating func value(time nanoseconds: Int64) {
    separate()
    appendTimestamp(nanoseconds)
    needsComma = true
  }

  /// Members, or elements, written before, separated by commas; nothing if empty.
  package mutating func members(_ written: [UInt8]) { if !written.isEmpty { raw(written) } }

  /// Values written before, separated by commas, as an array.
  package mutating func array(of written: [UInt8]) {
    beginArray()
    members(written)
    endArray()
  }

  /// A list of objects, one for each element, with the members that `write` writes.
  package mutating func list<Element>(
    _ elements: some Sequence<Element>, _ write: (inout JSONWriter, Element) -> Void
  ) {
    beginArray()
    for element in elements {
      beginObject()
      write(&self, element)
      endObject()
    }
    endArray()
  }

  /// A member that is a text, or null.
  package mutating func member(_ key: StaticString, _ text: String?) {
    name(key)
    if let text { value(text) } else { null() }
  }

  /// A member that is a number.
  package mutating func member(_ key: StaticString, _ number: Int) {
    name(key)
    value(number)
  }

  /// A member that is `true` or `false`.
  package mutating func member(_ key: StaticString, _ flag: Bool) {
    name(key)
    value(flag)
  }

  /// A member that is a time to the microsecond.
  ///
  /// - Parameter zone: `Z`, or empty for clients that expect none.
  package mutating func time(_ key: StaticString, _ nanoseconds: Int64, zone: StaticString) {
    name(key)
    appendMicrosecondTimestamp(nanoseconds, zone: zone)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { append(0x2C) }
    needsComma = false
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    append(bracket)
  }

  private mutating func close(_ bracket: UInt8) {
    append(bracket)
    needsComma = true
  }
}

extension String {
  /// The same, U+FFFD in the place of each NUL: records have none.
  package var withoutNUL: String {
    guard utf8.contains(0) else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }))
  }
}

extension Span<UInt8> {
  /// Whether no byte is NUL.
  var isWithoutNUL: Bool {
    var least = UInt8.max
    for index in indices { least = Swift.min(least, self[index]) }
    return least > 0
  }

  /// Whether all bytes are ASCII other than NUL.
  fileprivate var isPlainASCII: Bool {
    var (all, least) = (UInt8(0), UInt8(0x7F))
    for index in indices {
      all |= self[index]
      least = Swift.min(least, self[index])
    }
    return all < 0x80 && least > 0
  }
}
