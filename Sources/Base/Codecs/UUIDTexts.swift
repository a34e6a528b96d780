import Records

/// Columns of ids as columns of their texts (RFC 9562 §4): 36 characters, lower case. Some 5 ns a row either
/// way.
package enum UUIDTexts {
  private static let length = 36
  /// Where a text's digits lie, in runs of four: two bytes each.
  private static let runs = [0, 4, 9, 14, 19, 24, 28, 32]
  private static let dashes = [8, 13, 18, 23]

  /// The texts of a `uuid` column; traps on other types. Of a null row, the text of the bytes it has.
  package static func texts(of ids: Column) -> Column {
    let memory = HeapMemory(byteCount: ids.rowCount * length)
    ids.withUUIDs { bytes in
      unsafe bytes.withUnsafeBytes { source in
        for row in 0..<ids.rowCount {
          let text = unsafe memory.base + row * length
          // Within bounds: 16 bytes a row there, 36 here.
          for pair in 0..<4 {
            let word = unsafe source.loadUnaligned(fromByteOffset: row * 16 + pair * 4, as: UInt32.self)
            let digits = digits(of: word)
            unsafe text.storeBytes(
              of: UInt32(truncatingIfNeeded: digits), toByteOffset: runs[pair * 2], as: UInt32.self)
            unsafe text.storeBytes(
              of: UInt32(truncatingIfNeeded: digits >> 32), toByteOffset: runs[pair * 2 + 1], as: UInt32.self)
          }
          for dash in dashes { unsafe text.storeBytes(of: 0x2D, toByteOffset: dash, as: UInt8.self) }
        }
      }
    }
    let offsets = (0...ids.rowCount).map { Int32($0 * length) }
    return Column(
      type: .utf8, rowCount: ids.rowCount, validity: ids.validity,
      storage: .text(
        offsets: Buffer(copying: offsets), bytes: Buffer(memory, byteCount: ids.rowCount * length)))
  }

  /// The ids of a text column, plain or dictionary; nil if a row is null or anything but 36 characters, the
  /// letters in lower case.
  package static func ids(of texts: Column) -> Column? {
    let texts = texts.plainText()
    guard texts.validity == nil else { return nil }
    let memory = HeapMemory(byteCount: texts.rowCount * 16)
    let isWhole = texts.withText { offsets, bytes in
      guard bytes.count == texts.rowCount * length else { return false }
      return unsafe bytes.withUnsafeBytes { source in
        for row in 0..<texts.rowCount {
          let start = row * length
          guard offsets[row] == start else { return false }
          for pair in 0..<4 {
            // Within bounds: the text has 36 bytes.
            let low = unsafe source.loadUnaligned(fromByteOffset: start + runs[pair * 2], as: UInt32.self)
            let high = unsafe source.loadUnaligned(
              fromByteOffset: start + runs[pair * 2 + 1], as: UInt32.self)
            guard let word = word(of: UInt64(low) | UInt64(high) << 32) else { return false }
            unsafe memory.base.storeBytes(of: word, toByteOffset: row * 16 + pair * 4, as: UInt32.self)
          }
          for dash in dashes where unsafe source[start + dash] != 0x2D { return false }
        }
        return true
      }
    }
    guard isWhole else { return nil }
    return Column(
      type: .uuid, rowCount: texts.rowCount, validity: nil,
      storage: .fixed(Buffer(memory, byteCount: texts.rowCount * 16)))
  }

  /// The eight digits of four bytes, both as they lie in memory.
  private static func digits(of word: UInt32) -> UInt64 {
    // Each byte moves to the lower half of 16 bits, then its upper half-byte comes first.
    var spread = UInt64(UInt32(littleEndian: word))
    spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
    spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
    spread = (spread >> 4 | spread << 8) & 0x0F0F_0F0F_0F0F_0F0F
    let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).littleEndian
  }

  /// The other way round; nil if these are not eight digits.
  private static func word(of digits: UInt64) -> UInt32? {
    let value = UInt64(littleEndian: digits)
    var halves = value & 0x0F0F_0F0F_0F0F_0F0F
    halves = halves &+ (value >> 6 & 0x0101_0101_0101_0101) &* 9
    halves &= 0x0F0F_0F0F_0F0F_0F0F
    var bytes = (halves << 4 | halves >> 8) & 0x00FF_00FF_00FF_00FF
    bytes = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF
    let word = UInt32(truncatingIfNeeded: bytes | bytes >> 16).littleEndian
    return UUIDTexts.digits(of: word) == digits ? word : nil
  }
}
