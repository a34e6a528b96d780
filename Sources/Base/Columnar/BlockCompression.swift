import CArrow

/// Compresses whole texts in memory.
package enum BlockCompression: Sendable {
  /// A snappy block without framing, as Loki's and Prometheus' protobuf bodies are.
  case snappy
  /// One gzip member (RFC 1952).
  /// - Parameter level: 1 (fast) to 9.
  case gzip(level: Int)

  private var kind: Int32 {
    switch self {
    case .snappy: 0
    case .gzip: 1
    }
  }

  private var level: Int32 {
    switch self {
    case .snappy: 0
    case .gzip(let level): Int32(level)
    }
  }

  /// - Throws: `unsupported` when memory ran out.
  package func compress(_ bytes: Span<UInt8>) throws(ColumnarError) -> [UInt8] {
    var error = cw_error()
    let capacity = unsafe cw_compress_bound(kind, level, Int64(bytes.count), &error)
    if capacity < 0 { throw ColumnarError(error) }
    var written: Int64 = -1
    let result = unsafe [UInt8](unsafeUninitializedCapacity: Int(capacity)) { buffer, count in
      written = unsafe bytes.withUnsafeBufferPointer { source in
        // Within bounds: the callee is told the capacity.
        unsafe cw_compress(
          kind, level, source.baseAddress, Int64(source.count), buffer.baseAddress, capacity, &error)
      }
      count = max(Int(written), 0)
    }
    if written < 0 { throw ColumnarError(error) }
    return result
  }

  /// The bytes of a snappy block; `corrupt` unless they are exactly `byteCount`.
  package static func decompressSnappy(
    _ bytes: Span<UInt8>, byteCount: Int
  ) throws(ColumnarError) -> [UInt8] {
    var error = cw_error()
    var written: Int64 = -1
    let result = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      written = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe cw_snappy_decompress(
          source.baseAddress, Int64(source.count), buffer.baseAddress, Int64(byteCount), &error)
      }
      count = max(Int(written), 0)
    }
    if written < 0 { throw ColumnarError(error) }
    if written != Int64(byteCount) { throw .corrupt("a snappy block of another size") }
    return result
  }
}
