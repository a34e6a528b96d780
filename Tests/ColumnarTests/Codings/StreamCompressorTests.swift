import Records
import TestKit
import Testing

@testable import Columnar

@Suite struct StreamCompressorTests {
  static let codings: [(StreamCompressor.Coding, ContentCoding)] = [(.gzip, .gzip), (.zstd, .zstd)]

  @Test func piecesCanBeReadAsTheyCome() throws {
    var random = SeededGenerator(seed: 3)
    for (coding, reading) in Self.codings {
      let compressor = try StreamCompressor(coding)
      let format = reading == .gzip ? CompressionFormat.gzip : .zstd
      let reader = try DecompressionStream(format)
      var sent: [UInt8] = []
      var whole: [UInt8] = []
      var got: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 4096)
      for lineCount in [1, 0, 5, 3000, 1, 20_000, 2] {
        let bytes = CodingSamples.lines(lineCount, using: &random)
        sent += bytes
        let packed = try compressor.compress(bytes.span)
        whole += packed
        var at = 0
        while true {
          let step = try reader.step(packed.span.extracting(at..<packed.count), into: &piece)
          at += step.readCount
          got += piece[..<step.writtenCount]
          if step.readCount == 0, step.writtenCount == 0 { break }
        }
        #expect(got == sent, "\(coding): what was flushed can be read")
      }
      whole += try compressor.finish()
      #expect(try CodingTests.decode(reading, whole, bytesMax: sent.count) == sent)
      #expect(whole.count * 3 < sent.count, "\(coding): lines shrink to less than a third")
    }
  }

  @Test(arguments: [0, 1, 1000, 65_535, 65_536, 65_537, 700_000])
  func wholeBodies(count: Int) throws {
    var random = SeededGenerator(seed: 5)
    // Noise: nothing shrinks, and output comes in many steps.
    let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    for (coding, reading) in Self.codings {
      let packed = try StreamCompressor(coding).finish(bytes.span)
      #expect(try CodingTests.decode(reading, packed) == bytes)
      #expect(packed.count < count + count / 100 + 64)
    }
  }

  @Test func aFrameAsksForASmallWindow() throws {
    let bytes = [UInt8](repeating: 65, count: 1 << 20)
    let packed = try StreamCompressor(.zstd).finish(bytes.span)
    #expect(packed[4] & 0x20 == 0, "a window descriptor follows")
    #expect(packed[5] >> 3 == 7, "128 KiB")
  }
}
