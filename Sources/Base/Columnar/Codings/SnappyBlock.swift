/// A snappy block: its length as a varint of up to 32 bits, then literals and copies.
enum SnappyBlock {
  /// The densest element is a copy of 64 bytes in three.
  private static let expansionMax = 22

  /// - Throws: `tooLarge`, and `broken` for a length that the block cannot make, before anything is
  ///   allocated.
  static func decode(
    _ block: Span<UInt8>, bytesMax: Int, take: (Int) -> Bool
  ) throws(CodingError) -> [UInt8] {
    let (count, headBytes) = try claimedCount(block)
    guard count <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
    guard count <= (block.count - headBytes) * expansionMax else {
      throw .broken("a length that the block cannot make")
    }
    guard take(count) else { throw .budgetUsedUp }
    do throws(ColumnarError) {
      return try BlockCompression.decompressSnappy(block, byteCount: count)
    } catch {
      throw CodingError(error)
    }
  }

  private static func claimedCount(
    _ block: Span<UInt8>
  ) throws(CodingError) -> (count: Int, headBytes: Int) {
    var count = 0
    for index in 0..<min(block.count, 5) {
      count |= Int(block[index] & 0x7F) << (7 * index)
      guard block[index] & 0x80 == 0 else { continue }
      guard count <= Int(UInt32.max) else { break }
      return (count, index + 1)
    }
    throw block.count < 5 ? .truncated : .broken("a length over 32 bits")
  }
}
