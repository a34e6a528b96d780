import CArrow

/// Decompresses a gzip stream piece by piece; several members may follow one another (RFC 1952). One thread
/// at a time.
@safe package final class GzipDecoder {
  private var stream: OpaquePointer?
  /// Whether a member has begun and not ended.
  private var isInMember = false
  private var memberCount = 0

  /// A decoder at the start of a stream. Throws if there is no memory for it.
  package init() throws(ColumnarError) {
    guard let made = unsafe cw_gzip_new() else { throw .unsupported("no memory for a decompressor") }
    unsafe stream = made
  }

  deinit { unsafe cw_gzip_free(stream) }

  /// Appends what `input` gives to `output`.
  /// - Parameter limit: The most bytes `output` may hold in all. Beyond it: `limitExceeded`, with at most 64
  ///   KiB of work done in vain.
  package func decode(
    _ input: Span<UInt8>, into output: inout [UInt8], limit: Int
  ) throws(ColumnarError) {
    var consumed = 0
    // Decompressed bytes may wait inside the stream after all input is taken.
    var mayHaveMore = false
    while consumed < input.count || mayHaveMore {
      if !isInMember {
        if memberCount > 0 { try calling { error in unsafe cw_gzip_reset(stream, &error) } }
        isInMember = true
        memberCount += 1
      }
      let step = try step(input.extracting(consumed..<input.count), into: &output)
      consumed += step.read
      if output.count > limit { throw .limitExceeded(bytesMax: limit) }
      if step.isFinished {
        isInMember = false
        mayHaveMore = false
      } else {
        mayHaveMore = step.written == GzipDecoder.stepBytes
        if step.read == 0 && step.written == 0 { break }
      }
    }
    if consumed < input.count { throw .corrupt("gzip data that leads nowhere") }
  }

  /// Throws `corrupt` unless the last member ended: the input was cut short, or there was none.
  package func finish() throws(ColumnarError) {
    if isInMember || memberCount == 0 { throw .corrupt("gzip data that ends early") }
  }

  private static let stepBytes = 64 * 1024

  private func step(
    _ input: Span<UInt8>, into output: inout [UInt8]
  ) throws(ColumnarError) -> (read: Int, written: Int, isFinished: Bool) {
    var read: Int64 = 0
    var written: Int64 = 0
    var finished: Int32 = 0
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: GzipDecoder.stepBytes))
    defer { output.removeLast(GzipDecoder.stepBytes - Int(written)) }
    try calling { error in
      unsafe input.withUnsafeBufferPointer { source in
        unsafe output.withUnsafeMutableBufferPointer { target in
          // Within bounds: `stepBytes` were appended after `start`.
          unsafe cw_gzip_step(
            stream, source.baseAddress, Int64(source.count), target.baseAddress.map { unsafe $0 + start },
            Int64(GzipDecoder.stepBytes), &read, &written, &finished, &error)
        }
      }
    }
    return (Int(read), Int(written), finished != 0)
  }
}
