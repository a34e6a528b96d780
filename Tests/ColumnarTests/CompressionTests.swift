import Records
import TestKit
import Testing

@testable import Columnar

@Suite struct CompressionTests {
  @Test func zstandardGivesBackWhatItTook() throws {
    var random = SeededGenerator(seed: 1)
    for count in [0, 1, 100, 70_000, 1_000_000] {
      let bytes = (0..<count).map {
        UInt8(truncatingIfNeeded: $0 / 17) ^ UInt8.random(in: 0..<3, using: &random)
      }
      let packed = Zstandard.compress(bytes.span, level: 1)
      #expect(try Zstandard.decompress(packed.span, byteCount: count) == bytes)
      #expect(throws: ColumnarError.self) { _ = try Zstandard.decompress(packed.span, byteCount: count + 1) }
      if count > 0 {
        #expect(throws: ColumnarError.self) {
          _ = try Zstandard.decompress(packed.span, byteCount: count - 1)
        }
        let short = Array(packed.dropLast())
        #expect(throws: ColumnarError.self) { _ = try Zstandard.decompress(short.span, byteCount: count) }
      }
    }
  }

  /// printf 'hello, hello, hello' | gzip -n
  static let member: [UInt8] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7,
    0x51, 0xc8, 0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0x00, 0x00, 0x00,
  ]
  static let text = Array("hello, hello, hello".utf8)

  private func decode(_ bytes: [UInt8], pieceBytes: Int, limit: Int = 1 << 20) throws -> [UInt8] {
    let decoder = try GzipDecoder()
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
      let piece = Array(bytes[start..<min(start + pieceBytes, bytes.count)])
      try decoder.decode(piece.span, into: &output, limit: limit)
    }
    try decoder.finish()
    return output
  }

  @Test func gzipInPiecesAndMembers() throws {
    for pieceBytes in [1, 2, 7, 1000] {
      #expect(try decode(Self.member, pieceBytes: pieceBytes) == Self.text)
      #expect(
        try decode(Self.member + Self.member + Self.member, pieceBytes: pieceBytes)
          == Self.text + Self.text + Self.text)
    }
  }

  @Test func brokenGzipIsAnError() throws {
    for end in 0..<Self.member.count {
      #expect(throws: ColumnarError.self, "cut at \(end)") {
        _ = try decode(Array(Self.member[..<end]), pieceBytes: 5)
      }
    }
    // Flips in the member's header (time, system) may be harmless; those of data, check sum and length are
    // not.
    for place in 10..<Self.member.count {
      for bit in 0..<8 {
        var bytes = Self.member
        bytes[place] ^= 1 << UInt8(bit)
        if let output = try? decode(bytes, pieceBytes: 1000) { #expect(output == Self.text) }
      }
    }
    #expect(throws: ColumnarError.self) { _ = try decode(Self.member + [0x41, 0x42], pieceBytes: 1000) }
  }

  /// 20 stored blocks of 65,535 zeros each.
  static let zeros: [UInt8] = {
    var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    for block in 0..<20 {
      bytes += [block == 19 ? 1 : 0, 0xFF, 0xFF, 0, 0] + [UInt8](repeating: 0, count: 65_535)
    }
    return bytes
  }()

  @Test func theLimitHolds() throws {
    let decoder = try GzipDecoder()
    var output: [UInt8] = []
    #expect(throws: ColumnarError.limitExceeded(bytesMax: 200_000)) {
      try decoder.decode(Self.zeros.span, into: &output, limit: 200_000)
    }
    #expect(output.count <= 200_000 + 65_536)
    #expect(try decode(Self.member, pieceBytes: 3, limit: Self.text.count) == Self.text)
    #expect(throws: ColumnarError.limitExceeded(bytesMax: 18)) {
      _ = try decode(Self.member, pieceBytes: 3, limit: Self.text.count - 1)
    }
  }
}
