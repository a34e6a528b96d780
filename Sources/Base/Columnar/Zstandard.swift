import CArrow
import Records

/// Zstandard frames of known size.
package enum Zstandard {
  /// - Parameter level: 1 (fast) to 19.
  package static func compress(_ bytes: Span<UInt8>, level: Int) -> [UInt8] {
    let capacity = Int(cw_zstd_compress_bound(Int64(bytes.count)))
    return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      var error = cw_error()
      let written = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe cw_zstd_compress(
          source.baseAddress, Int64(source.count), Int32(level), buffer.baseAddress, Int64(capacity), &error)
      }
      invariant(written >= 0, "room for the worst case and a level that exists")
      count = Int(written)
    }
  }

  /// - Parameter byteCount: Exactly how many bytes come out; any other number is damage.
  package static func decompress(_ bytes: Span<UInt8>, byteCount: Int) throws(ColumnarError) -> [UInt8] {
    var failure: ColumnarError?
    let result = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      var error = cw_error()
      let written = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe cw_zstd_decompress(
          source.baseAddress, Int64(source.count), buffer.baseAddress, Int64(byteCount), &error)
      }
      count = max(Int(written), 0)
      if written < 0 {
        failure = ColumnarError(error)
      } else if count != byteCount {
        failure = .corrupt("a Zstandard frame of another size")
      }
    }
    if let failure { throw failure }
    return result
  }
}
