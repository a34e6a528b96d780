/// The distinct grams of a page: a bit a gram, and the grams in order of appearance. Memory: 2 MiB for the
/// bits, of which a page touches a few cache lines, and 4 bytes a gram.
@safe final class GramSet {
  /// More grams than this get no filter.
  static let countMax = 1 << 16
  private static let wordCount = 1 << 18

  /// First byte in bits 16 to 23, third byte in bits 0 to 7.
  private(set) var grams: [UInt32] = []
  private(set) var isFull = false
  private let bits: UnsafeMutablePointer<UInt64>

  init() {
    unsafe bits = .allocate(capacity: Self.wordCount)
    unsafe bits.initialize(repeating: 0, count: Self.wordCount)
  }

  deinit { unsafe bits.deallocate() }

  @inline(__always)
  private static func lower(_ byte: UInt8) -> UInt32 {
    UInt32(byte) | (byte &- 0x41 < 26 ? 0x20 : 0)
  }

  /// Adds the grams of a text.
  @unsafe func insert(_ text: UnsafeRawBufferPointer) {
    guard text.count >= 3 else { return }
    var gram = unsafe Self.lower(text[0]) << 8 | Self.lower(text[1])
    for position in 2..<text.count {
      gram = unsafe (gram << 8 | Self.lower(text[position])) & 0xFF_FFFF
      // 24 bits: below 64 × wordCount.
      let place = Int(gram >> 6)
      let bit: UInt64 = 1 &<< UInt64(gram & 63)
      if unsafe bits[place] & bit == 0 { add(gram) }
    }
  }

  private func add(_ gram: UInt32) {
    guard grams.count < Self.countMax else { return isFull = true }
    unsafe bits[Int(gram >> 6)] |= 1 &<< UInt64(gram & 63)
    grams.append(gram)
  }

  /// Forgets all grams; keeps the memory.
  func removeAll() {
    for gram in grams { unsafe bits[Int(gram >> 6)] = 0 }
    grams.removeAll(keepingCapacity: true)
    isFull = false
  }
}
