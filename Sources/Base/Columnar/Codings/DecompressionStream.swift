import CArrow

/// A decompressor of the C side. One thread at a time.
@safe final class DecompressionStream {
  /// What a step came to. Nothing read, nothing written, not finished: it waits for more input.
  struct Step {
    var readCount: Int
    var writtenCount: Int
    /// Whether a member or frame ended.
    var isFinished: Bool
  }

  private var stream: OpaquePointer?

  init(_ format: CompressionFormat) throws(CodingError) {
    var made: OpaquePointer?
    try DecompressionStream.calling { error in unsafe cw_decompressor_new(format.number, &made, &error) }
    unsafe stream = made
  }

  deinit { unsafe cw_decompressor_free(stream) }

  /// Decompresses some of `input` into the beginning of `piece`.
  func step(_ input: Span<UInt8>, into piece: inout [UInt8]) throws(CodingError) -> Step {
    var read: Int64 = 0
    var written: Int64 = 0
    var finished: Int32 = 0
    try DecompressionStream.calling { error in
      unsafe input.withUnsafeBufferPointer { source in
        unsafe piece.withUnsafeMutableBufferPointer { target in
          // Within bounds: both go over with their counts.
          unsafe cw_decompressor_step(
            stream, source.baseAddress, Int64(source.count), target.baseAddress, Int64(target.count), &read,
            &written, &finished, &error)
        }
      }
    }
    return Step(readCount: Int(read), writtenCount: Int(written), isFinished: finished != 0)
  }

  /// Makes ready for the next member.
  func reset() throws(CodingError) {
    try DecompressionStream.calling { error in unsafe cw_decompressor_reset(stream, &error) }
  }

  private static func calling(_ body: (inout cw_error) -> Int32) throws(CodingError) {
    var error = cw_error()
    if body(&error) != 0 { throw CodingError(ColumnarError(error)) }
  }
}
