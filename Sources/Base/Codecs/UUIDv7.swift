import Records

/// Time-ordered UUIDs (RFC 9562 §5.7), 16 bytes in network order: 48 bits of milliseconds, then version,
/// variant and 74 random bits.
///
/// The records of one request have one random UUID and its increments (§6.2 method 2). The topmost random
/// bit of the last eight bytes starts as 0, so that 2^61 increments never carry into the variant.
package enum UUIDv7 {
  /// A UUID of `milliseconds` since 1970 (0 to 2^48 - 1; clamped) with the random bits of `random`.
  package static func make(milliseconds: Int64, random: (UInt64, UInt64)) -> [UInt8] {
    let time = UInt64(min(max(milliseconds, 0), (1 << 48) - 1))
    let high = time << 16 | 0x7000 | random.0 & 0x0FFF
    let low = 0x8000_0000_0000_0000 | random.1 & 0x1FFF_FFFF_FFFF_FFFF
    return bytes(high: high, low: low)
  }

  /// `id` plus `count` as one 128-bit number: the id of the record `count` after `id`'s. Traps unless `id`
  /// has 16 bytes.
  package static func incremented(_ id: [UInt8], by count: Int) -> [UInt8] {
    let (high, low) = words(id)
    let (sum, carry) = low.addingReportingOverflow(UInt64(count))
    return bytes(high: carry ? high &+ 1 : high, low: sum)
  }

  /// A `uuid` column of `first` and its increments.
  package static func column(first: [UInt8], count: Int) -> Column {
    var (high, low) = words(first)
    var values: [UInt64] = []
    values.reserveCapacity(count * 2)
    for _ in 0..<count {
      values.append(high.bigEndian)
      values.append(low.bigEndian)
      low &+= 1
      if low == 0 { high &+= 1 }
    }
    return Column(
      type: .uuid, rowCount: count, validity: nil, storage: .fixed(Buffer(copying: values)))
  }

  /// Milliseconds since 1970 in the first six bytes of `id`. Traps unless `id` has 16 bytes.
  package static func milliseconds(of id: [UInt8]) -> Int64 { Int64(words(id).high >> 16) }

  /// The smallest UUID of `milliseconds` or later: for ranges of ids.
  package static func lowerBound(milliseconds: Int64) -> [UInt8] {
    bytes(high: UInt64(min(max(milliseconds, 0), (1 << 48) - 1)) << 16, low: 0)
  }

  /// The usual 36 characters, lower case. Traps unless `id` has 16 bytes.
  package static func text(_ id: [UInt8]) -> String {
    var characters: [UInt8] = []
    characters.reserveCapacity(36)
    appendText(id.span, to: &characters)
    return String(decoding: characters, as: UTF8.self)
  }

  /// Appends the usual 36 characters, lower case. Traps unless `id` has 16 bytes.
  package static func appendText(_ id: Span<UInt8>, to characters: inout [UInt8]) {
    invariant(id.count == 16, "a UUID has 16 bytes")
    for index in 0..<16 {
      if index == 4 || index == 6 || index == 8 || index == 10 { characters.append(0x2D) }
      characters.append(Hex.digit(id[index] >> 4))
      characters.append(Hex.digit(id[index] & 15))
    }
  }

  /// The 16 bytes of a UUID of any version in its 36 characters, either case; nil for anything else.
  package static func parse(_ text: String) -> [UInt8]? { parse(Array(text.utf8).span) }

  /// The 16 bytes of a UUID of any version in its 36 characters, either case; nil for anything else.
  package static func parse(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count == 36 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    var index = 0
    while index < 36 {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard text[index] == 0x2D else { return nil }
        index += 1
      }
      guard let high = Hex.value(text[index]), let low = Hex.value(text[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
      index += 2
    }
    return bytes
  }

  private static func words(_ id: [UInt8]) -> (high: UInt64, low: UInt64) {
    invariant(id.count == 16, "a UUID has 16 bytes")
    let high = id[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let low = id[8..<16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return (high, low)
  }

  private static func bytes(high: UInt64, low: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    for word in [high, low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes
  }
}
