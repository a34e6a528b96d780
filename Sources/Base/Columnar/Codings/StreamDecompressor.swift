/// Decompresses a file piece by piece: gzip or zstd, members and frames one behind the other. One thread at a
/// time. After an error it is of no use.
///
/// Holds what was given and is not read yet, 64 KiB of output, and with zstd the frame's window of at most
/// 8 MiB.
package final class StreamDecompressor {
  /// What files are compressed with.
  package enum Coding: Sendable, Hashable {
    case gzip, zstd

    /// Told from a file's first bytes; nil: it is neither.
    package init?(_ head: [UInt8]) {
      guard head.count >= 4 else { return nil }
      if CompressionFormat.gzip.isStart(head.span) {
        self = .gzip
      } else if CompressionFormat.zstd.isStart(head.span) {
        self = .zstd
      } else {
        return nil
      }
    }
  }

  private static let stepBytes = 64 * 1024

  private let format: CompressionFormat
  private let stream: DecompressionStream
  private var input: [UInt8] = []
  private var at = 0
  private var piece = [UInt8](repeating: 0, count: StreamDecompressor.stepBytes)
  /// Whether a member was begun and has not ended.
  private var isWithinMember = false
  private var memberCount = 0

  /// - Throws: There is no memory for it.
  package init(_ coding: Coding) throws(CodingError) {
    format = coding == .gzip ? .gzip : .zstd
    stream = try DecompressionStream(format)
  }

  /// Adds input.
  package func give(_ bytes: [UInt8]) {
    input = Array(input[at...]) + bytes
    at = 0
  }

  /// Up to 64 KiB of what comes out; empty: more input is needed.
  ///
  /// - Throws: The input is broken. Zeros behind the last member, as tapes and some tools leave, are none.
  package func step() throws(CodingError) -> [UInt8] {
    while at < input.count {
      if !isWithinMember {
        if memberCount > 0, input[at] == 0 {
          at += 1
          continue
        }
        let bytes = input
        guard format.isStart(bytes.span.extracting(at..<bytes.count)) else {
          throw memberCount > 0 ? .trailingBytes : .broken("it does not begin as the coding does")
        }
        if memberCount > 0 { try stream.reset() }
        memberCount += 1
        isWithinMember = true
      }
      let bytes = input
      let step = try stream.step(bytes.span.extracting(at..<bytes.count), into: &piece)
      at += step.readCount
      if step.isFinished { isWithinMember = false }
      if step.writtenCount > 0 { return Array(piece[..<step.writtenCount]) }
      if step.readCount == 0, !step.isFinished { break }
    }
    return try isWithinMember ? drain() : []
  }

  /// What the decoder still holds though all input was read.
  private func drain() throws(CodingError) -> [UInt8] {
    guard at == input.count else { return [] }
    let none: [UInt8] = []
    let step = try stream.step(none.span, into: &piece)
    if step.isFinished { isWithinMember = false }
    return Array(piece[..<step.writtenCount])
  }

  /// - Throws: The input ended within a member.
  package func end() throws(CodingError) {
    if isWithinMember || memberCount == 0 { throw .truncated }
  }
}
