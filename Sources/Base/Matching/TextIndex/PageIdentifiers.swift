/// The template ids of a page: its histogram, and each row's place in it.
///
/// ```
/// histogram   count varint, then per template of the page, ids ascending:
///             id minus the one before (the first: minus 0) varint, rows varint
/// row ids     kind u8      0: the histogram has one entry, which is every row's
///                          1: bit-packed places follow
///             places       each row's place in the histogram in as few bits as its last place takes, lowest
///                          bit first
/// ```
enum PageIdentifiers {
  static let single: UInt8 = 0
  static let packed: UInt8 = 1

  /// Bits of a place among `count` (at least 2).
  static func width(_ count: Int) -> Int { Int.bitWidth - (count - 1).leadingZeroBitCount }

  static func encode(histogram: [(id: Int, rows: Int)]) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(varint: histogram.count)
    var last = 0
    for entry in histogram {
      writer.append(varint: entry.id - last)
      writer.append(varint: entry.rows)
      last = entry.id
    }
    return writer.bytes
  }

  static func encode(places: [UInt16], among count: Int) -> [UInt8] {
    guard count > 1 else { return [single] }
    let width = width(count)
    var bytes: [UInt8] = [packed]
    bytes.reserveCapacity(1 + (places.count * width + 7) / 8)
    var pending: UInt64 = 0
    var pendingBits = 0
    for place in places {
      pending |= UInt64(place) &<< UInt64(truncatingIfNeeded: pendingBits)
      pendingBits += width
      while pendingBits >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        pendingBits -= 8
      }
    }
    if pendingBits > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
    return bytes
  }

  /// Calls `body` with each entry's id and rows; false if the bytes are no histogram over ids below
  /// `idLimit`.
  static func forEachEntry(
    of histogram: Span<UInt8>, idLimit: Int, _ body: (Int, Int) -> Void
  ) -> Bool {
    var reader = ByteCursor()
    guard let count = reader.varint(in: histogram), count > 0 else { return false }
    var id = -1
    for index in 0..<count {
      guard let step = reader.varint(in: histogram), let rows = reader.varint(in: histogram), rows > 0 else {
        return false
      }
      guard step < idLimit, step > 0 || index == 0 else { return false }
      id = index == 0 ? step : id + step
      guard id < idLimit else { return false }
      body(id, rows)
    }
    return reader.position == histogram.count
  }

  /// Sets the bit of each row whose place has its bit of `wanted` set: bit 0 in the first result, bit 1 in
  /// the second. False if the bytes are not `rowCount` places among `wanted.count`.
  static func select(
    _ bytes: Span<UInt8>, rowCount: Int, wanted: [UInt8]
  ) -> (first: [UInt64], second: [UInt64])? {
    guard bytes.count > 0, wanted.count > 0 else { return nil }
    let wordCount = (rowCount + 63) >> 6
    switch bytes[0] {
    case single:
      guard wanted.count == 1, bytes.count == 1 else { return nil }
      let first = [UInt64](repeating: wanted[0] & 1 != 0 ? ~0 : 0, count: wordCount)
      let second = [UInt64](repeating: wanted[0] & 2 != 0 ? ~0 : 0, count: wordCount)
      return (first, second)
    case packed:
      guard wanted.count > 1 else { return nil }
      let width = width(wanted.count)
      guard bytes.count == 1 + (rowCount * width + 7) / 8 else { return nil }
      // Places that are not in the histogram have bit 7 set.
      let table = wanted + [UInt8](repeating: 0x80, count: 1 << width - wanted.count)
      return unpack(bytes, rowCount: rowCount, width: width, table: table)
    default: return nil
    }
  }

  private static func unpack(
    _ bytes: Span<UInt8>, rowCount: Int, width: Int, table: [UInt8]
  ) -> (first: [UInt64], second: [UInt64])? {
    let wordCount = (rowCount + 63) >> 6
    var first = [UInt64](repeating: 0, count: wordCount)
    var second = [UInt64](repeating: 0, count: wordCount)
    var pending: UInt64 = 0
    var pendingBits = 0
    var position = 1
    var seen: UInt8 = 0
    let mask = (1 << width) - 1
    for word in 0..<wordCount {
      var one: UInt64 = 0
      var two: UInt64 = 0
      for bit in 0..<min(64, rowCount - word << 6) {
        while pendingBits < width {
          pending |= UInt64(bytes[position]) &<< UInt64(truncatingIfNeeded: pendingBits)
          position += 1
          pendingBits += 8
        }
        let value = table[Int(truncatingIfNeeded: pending) & mask]
        pending &>>= UInt64(truncatingIfNeeded: width)
        pendingBits -= width
        seen |= value
        one |= UInt64(value & 1) &<< UInt64(truncatingIfNeeded: bit)
        two |= UInt64(value >> 1 & 1) &<< UInt64(truncatingIfNeeded: bit)
      }
      first[word] = one
      second[word] = two
    }
    return seen & 0x80 == 0 ? (first, second) : nil
  }
}
