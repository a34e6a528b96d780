import Records

/// Builds JSON text (or any other bytes) in memory that grows by doubling. No allocation per value.
@safe public struct JSONWriter: ~Copyable {
  @usableFromInline var memory: HeapMemory
  @usableFromInline var bytes: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity: Int
  @usableFromInline var used = 0
  /// Whether the next member or element stands behind another.
  var needsComma = false

  /// Takes memory for `capacity` bytes; it grows as text is added.
  public init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    memory = HeapMemory(byteCount: self.capacity)
    unsafe bytes = memory.base.bindMemory(to: UInt8.self, capacity: self.capacity)
  }

  /// Bytes written since the start or the last ``removeAll()``.
  @inlinable public var byteCount: Int { used }

  /// Makes room for `additional` more bytes.
  @inlinable
  public mutating func reserve(_ additional: Int) {
    if used &+ additional > capacity { grow(additional) }
  }

  @usableFromInline
  mutating func grow(_ additional: Int) {
    let larger = max(capacity * 2, used + additional)
    let next = HeapMemory(byteCount: larger)
    unsafe next.base.copyMemory(from: bytes, byteCount: used)
    memory = next
    capacity = larger
    unsafe bytes = next.base.bindMemory(to: UInt8.self, capacity: larger)
  }

  /// Appends one byte as it is.
  @inlinable
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    // Within bounds: reserved above; the same holds for every store below.
    unsafe bytes[used] = byte
    used &+= 1
  }

  /// Appends bytes as they are.
  @inlinable
  public mutating func append(raw text: [UInt8]) {
    unsafe text.withUnsafeBufferPointer { unsafe append(raw: $0) }
  }

  /// Appends bytes as they are.
  @inlinable
  public mutating func append(raw text: Span<UInt8>) {
    unsafe text.withUnsafeBufferPointer { unsafe append(raw: $0) }
  }

  @inlinable
  @unsafe
  mutating func append(raw text: UnsafeBufferPointer<UInt8>) {
    guard let from = text.baseAddress, text.count > 0 else { return }
    reserve(text.count)
    unsafe (bytes + used).update(from: from, count: text.count)
    used &+= text.count
  }

  /// Appends the UTF-8 of `text` as it is.
  public mutating func append(raw text: String) {
    var text = text
    text.withUTF8 { unsafe append(raw: $0) }
  }

  /// Appends `text` (valid UTF-8) as a JSON string with its quotes. Escapes quote, backslash and control
  /// characters, nothing else: the canonical form that stored objects have.
  public mutating func appendString(_ text: Span<UInt8>) {
    unsafe text.withUnsafeBufferPointer { unsafe appendString($0) }
  }

  /// Appends `text` as a JSON string with its quotes.
  public mutating func appendString(_ text: String) {
    var text = text
    text.withUTF8 { unsafe appendString($0) }
  }

  @unsafe
  mutating func appendString(_ text: UnsafeBufferPointer<UInt8>) {
    reserve(text.count + 2)
    unsafe bytes[used] = 0x22
    used += 1
    if let from = text.baseAddress { unsafe appendEscaped(from, text.count) }
    append(0x22)
  }

  /// Appends the inside of a JSON string.
  @unsafe
  mutating func appendEscaped(_ from: UnsafePointer<UInt8>, _ count: Int) {
    var start = 0
    while start < count {
      let stop = unsafe StringScan.nextEscape(from, start, count)
      if stop > start { unsafe append(raw: UnsafeBufferPointer(start: from + start, count: stop - start)) }
      if stop == count { return }
      unsafe appendEscape(of: from[stop])
      start = stop + 1
    }
  }

  mutating func appendEscape(of byte: UInt8) {
    append(0x5C)
    switch byte {
    case 0x22, 0x5C: append(byte)
    case 0x08: append(0x62)
    case 0x09: append(0x74)
    case 0x0A: append(0x6E)
    case 0x0C: append(0x66)
    case 0x0D: append(0x72)
    default:
      append(0x75)
      append(0x30)
      append(0x30)
      append(Hex.digit(byte >> 4))
      append(Hex.digit(byte & 15))
    }
  }

  /// Appends `value` in decimal digits.
  public mutating func appendInt64(_ value: Int64) {
    reserve(20)
    if value < 0 {
      unsafe bytes[used] = 0x2D
      used += 1
    }
    var rest = value.magnitude
    var digits = 1
    var bound: UInt64 = 10
    while digits < 19, rest >= bound {
      digits += 1
      bound &*= 10
    }
    if digits == 19, rest >= 10_000_000_000_000_000_000 { digits = 20 }
    var at = used + digits
    used = at
    repeat {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      at -= 1
      unsafe bytes[at] = UInt8(truncatingIfNeeded: 0x30 + digit)
      rest = quotient
    } while rest > 0
  }

  /// Appends `value` as the shortest text that reads back the same, always with a point or exponent, so
  /// that 1.0 stays apart from 1. Infinities and NaN, which JSON cannot hold, become `null`.
  public mutating func appendFloat64(_ value: Double) {
    guard value.isFinite else { return appendNull() }
    reserve(32)
    if let count = unsafe JSONNumber.writeShort(value, to: bytes + used) {
      used += count
    } else {
      append(raw: value.description)
    }
  }

  /// Appends `nanoseconds` since 1970 as a quoted RFC 3339 time in UTC.
  public mutating func appendTimestamp(_ nanoseconds: Int64) {
    reserve(RFC3339.textBytesMax + 2)
    unsafe bytes[used] = 0x22
    used += 1
    used += unsafe RFC3339.write(nanoseconds, to: bytes + used)
    unsafe bytes[used] = 0x22
    used += 1
  }

  /// Appends `nanoseconds` since 1970 as a quoted ISO 8601 time in UTC: no fraction, or 6 digits of it, the
  /// rest cut off.
  public mutating func appendMicrosecondTimestamp(_ nanoseconds: Int64, zone: StaticString) {
    reserve(RFC3339.textBytesMax + 10)
    unsafe bytes[used] = 0x22
    var end = used + 1
    // Within bounds: at most 35 bytes and two quotes are written.
    end += unsafe RFC3339.write(nanoseconds, to: bytes + end) - 1
    let fraction = end - used - 21
    if fraction == 3 {
      for _ in 0..<3 {
        unsafe bytes[end] = 0x30
        end += 1
      }
    } else if fraction == 9 {
      end -= 3
      if unsafe bytes[end - 6] == 0x30, unsafe bytes[end - 5] == 0x30, unsafe bytes[end - 4] == 0x30,
        unsafe bytes[end - 3] == 0x30, unsafe bytes[end - 2] == 0x30, unsafe bytes[end - 1] == 0x30
      {
        end -= 7
      }
    }
    used = end
    append(raw: zone.description)
    append(0x22)
  }

  /// Appends the 16 bytes of a UUID as its quoted text. Traps on another length.
  public mutating func appendUUID(_ id: Span<UInt8>) {
    invariant(id.count == 16, "a UUID has 16 bytes")
    reserve(38)
    append(0x22)
    for index in 0..<16 {
      if index == 4 || index == 6 || index == 8 || index == 10 { append(0x2D) }
      append(Hex.digit(id[index] >> 4))
      append(Hex.digit(id[index] & 15))
    }
    append(0x22)
  }

  /// Adds `true` or `false`.
  public mutating func appendBool(_ value: Bool) { append(raw: value ? "true" : "false") }

  /// Adds `null`.
  public mutating func appendNull() { append(raw: "null") }

  /// Hands over what was written so far.
  public func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try unsafe body(Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: used)))
  }

  /// What was written so far, copied; the writer keeps its memory and starts again.
  public mutating func takeBytes() -> [UInt8] {
    let copy = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: used))
    removeAll()
    return copy
  }

  /// Forgets what was written; keeps the memory.
  public mutating func removeAll() {
    used = 0
    needsComma = false
  }
}
