import CArrow

/// Compresses an answer piece by piece at the fastest levels. One thread at a time.
///
/// Holds about 300 KiB for gzip, about 600 KiB for zstd, until it is gone. After an error it is of no use.
@safe package final class StreamCompressor {
  /// What answers are compressed with.
  package enum Coding: String, Sendable, Hashable {
    /// Level 1: about 100 MB/s of JSON a core, to a tenth.
    case gzip
    /// Level 1: several times as fast as gzip, and smaller.
    case zstd
  }

  private static let stepBytes = 64 * 1024

  private var stream: OpaquePointer?
  private var step = [UInt8](repeating: 0, count: StreamCompressor.stepBytes)

  /// - Throws: `unsupported` when memory ran out; so do the methods.
  package init(_ coding: Coding) throws(ColumnarError) {
    var made: OpaquePointer?
    let format = coding == .gzip ? CompressionFormat.gzip : .zstd
    try calling { error in unsafe cw_compressor_new(format.number, 1, &made, &error) }
    unsafe stream = made
  }

  deinit { unsafe cw_compressor_free(stream) }

  /// Bytes from which all of `piece` and what came before can be decompressed; the stream goes on.
  package func compress(_ piece: Span<UInt8>) throws(ColumnarError) -> [UInt8] {
    var output: [UInt8] = []
    try take(piece, into: &output)
    try run(Int32(CW_FLUSH), into: &output)
    return output
  }

  /// The last bytes; with `piece`, whose bytes come before the end.
  package func finish(_ piece: Span<UInt8>? = nil) throws(ColumnarError) -> [UInt8] {
    var output: [UInt8] = []
    if let piece { try take(piece, into: &output) }
    try run(Int32(CW_END), into: &output)
    return output
  }

  private func take(_ piece: Span<UInt8>, into output: inout [UInt8]) throws(ColumnarError) {
    var at = 0
    while at < piece.count {
      at += try call(Int32(CW_TAKE), piece.extracting(at..<piece.count), into: &output).readCount
    }
  }

  private func run(_ what: Int32, into output: inout [UInt8]) throws(ColumnarError) {
    let nothing: [UInt8] = []
    while try call(what, nothing.span, into: &output).isUnfinished {}
  }

  private func call(
    _ what: Int32, _ input: Span<UInt8>, into output: inout [UInt8]
  ) throws(ColumnarError) -> (readCount: Int, isUnfinished: Bool) {
    var read: Int64 = 0
    var written: Int64 = 0
    var again: Int32 = 0
    try calling { error in
      unsafe input.withUnsafeBufferPointer { source in
        unsafe step.withUnsafeMutableBufferPointer { target in
          // Within bounds: both go over with their counts.
          unsafe cw_compressor_step(
            stream, what, source.baseAddress, Int64(source.count), target.baseAddress, Int64(target.count),
            &read, &written, &again, &error)
        }
      }
    }
    output.append(contentsOf: step[..<Int(written)])
    // A step of this size that neither takes nor gives would be a fault of the library's; without this line
    // it would never end.
    guard read > 0 || written > 0 || again == 0 else { throw .unsupported("a compressor that stands still") }
    return (Int(read), again != 0)
  }
}
