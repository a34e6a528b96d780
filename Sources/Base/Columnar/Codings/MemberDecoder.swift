/// Decodes members or frames that follow one another: gzip, zstd, and deflate, which has one.
struct MemberDecoder {
  private static let stepBytes = 64 * 1024

  private let format: CompressionFormat
  private let stream: DecompressionStream
  private var output: [UInt8] = []

  /// - Parameter guess: Bytes to make room for at once.
  init(_ format: CompressionFormat, _ guess: Int) throws(CodingError) {
    self.format = format
    stream = try DecompressionStream(format)
    output.reserveCapacity(guess)
  }

  consuming func decode(
    _ body: Span<UInt8>, bytesMax: Int, take: (Int) -> Bool
  ) throws(CodingError) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: MemberDecoder.stepBytes)
    var at = 0
    var memberCount = 0
    repeat {
      try checkStart(of: body, at: at, memberCount: memberCount)
      if memberCount > 0 { try stream.reset() }
      memberCount += 1
      var isFinished = false
      while !isFinished {
        let step = try stream.step(body.extracting(at..<body.count), into: &piece)
        at += step.readCount
        isFinished = step.isFinished
        if step.writtenCount > 0 {
          guard output.count + step.writtenCount <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
          guard take(step.writtenCount) else { throw .budgetUsedUp }
          output.append(contentsOf: piece[..<step.writtenCount])
        } else if step.readCount == 0, !isFinished {
          throw at == body.count ? .truncated : .broken("data that leads nowhere")
        }
      }
    } while at < body.count
    return output
  }

  /// What follows a member must begin like one: else the decoder would call its first bytes a broken member.
  private func checkStart(
    of body: Span<UInt8>, at start: Int, memberCount: Int
  ) throws(CodingError) {
    guard start < body.count else { throw .truncated }
    if memberCount > 0, !format.hasMembers { throw .trailingBytes }
    if !format.isStart(body.extracting(start..<body.count)) {
      throw memberCount > 0 ? .trailingBytes : .broken("it does not begin as the coding does")
    }
  }
}
