extension ContentCoding {
  /// Decompresses a whole body. Total: any bytes give a result or an error, and nothing is ever allocated
  /// because the body claims a size.
  ///
  /// - Parameters:
  ///   - bytesMax: The most bytes that may come out. A body that stands for more is refused after at most 64
  ///     KiB of work in vain; a snappy block before any.
  ///   - take: Asked for bytes before they are kept; false: there is no room. What it granted is the caller's
  ///     to give back, after an error too. Besides it a decoder holds up to 64 KiB, with zstd up to the
  ///     frame's window of at most 8 MiB.
  /// - Returns: Exactly as many bytes as `take` granted.
  package func decode(
    _ body: Span<UInt8>, bytesMax: Int, take: (Int) -> Bool
  ) throws(CodingError) -> [UInt8] {
    // A guess that is right for logs: five to ten of one, four of which are kept without a copy.
    let guess = min(body.count * 4, bytesMax)
    switch self {
    case .gzip: return try MemberDecoder(.gzip, guess).decode(body, bytesMax: bytesMax, take: take)
    case .zstd: return try MemberDecoder(.zstd, guess).decode(body, bytesMax: bytesMax, take: take)
    case .deflate:
      let format = ContentCoding.hasZlibHeader(body) ? CompressionFormat.zlib : .rawDeflate
      return try MemberDecoder(format, guess).decode(body, bytesMax: bytesMax, take: take)
    case .snappy: return try SnappyBlock.decode(body, bytesMax: bytesMax, take: take)
    case .snappyFramed: return try SnappyFrames.decode(body, bytesMax: bytesMax, take: take)
    }
  }

  /// Method 8, a window of at most 32 KiB, and a checksum of both bytes (RFC 1950, §2.2). Bare deflate that
  /// begins so would be a stored block with bits set that encoders leave 0.
  private static func hasZlibHeader(_ body: Span<UInt8>) -> Bool {
    guard body.count >= 2 else { return false }
    return body[0] & 0x0F == 8 && body[0] >> 4 <= 7 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
  }
}
