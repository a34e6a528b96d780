import CArrow

/// CRC-32C (Castagnoli), as journal frames, manifest edits and Parquet's peers use it.
package enum CRC32C {
  /// The checksum of `bytes`; pass an earlier result as `seed` to continue it. About 7 GB/s with SSE4.2.
  package static func checksum(_ bytes: Span<UInt8>, seed: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { source in
      // Within bounds: base and count are the span's own.
      guard let base = source.baseAddress else { return seed }
      return unsafe cw_crc32c(seed, base, source.count)
    }
  }

  /// The checksum of `bytes`; pass an earlier result as `seed` to continue it.
  package static func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    checksum(bytes.span, seed: seed)
  }
}
