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

  private func decode(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
    try ContentCoding.gzip.decode(bytes.span, bytesMax: limit) { _ in true }
  }

  @Test func gzipInPiecesAndMembers() throws {
    for pieceBytes in [1, 2, 7, 1000] {
      let stream = try DecompressionStream(.gzip)
      var text: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1024)
      var at = 0
      while at < Self.member.count {
        let end = min(at + pieceBytes, Self.member.count)
        let step = try stream.step(Self.member.span.extracting(at..<end), into: &piece)
        at += step.readCount
        text += piece[..<step.writtenCount]
      }
      #expect(text == Self.text)
    }
    #expect(try decode(Self.member) == Self.text)
    #expect(
      try decode(Self.member + Self.member + Self.member) == Self.text + Self.text + Self.text)
  }

  @Test func brokenGzipIsAnError() throws {
    for end in 0..<Self.member.count {
      #expect(throws: CodingError.truncated, "cut at \(end)") {
        _ = try decode(Array(Self.member[..<end]))
      }
    }
    // Flips in the member's header (time, system) may be harmless; those of data, check sum and length are
    // not.
    for place in 10..<Self.member.count {
      for bit in 0..<8 {
        var bytes = Self.member
        bytes[place] ^= 1 << UInt8(bit)
        if let output = try? decode(bytes) { #expect(output == Self.text) }
      }
    }
    #expect(throws: CodingError.trailingBytes) { _ = try decode(Self.member + [0x41, 0x42]) }
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
    var taken = 0
    #expect(throws: CodingError.tooLarge(bytesMax: 200_000)) {
      _ = try ContentCoding.gzip.decode(Self.zeros.span, bytesMax: 200_000) { count in
        taken += count
        return true
      }
    }
    #expect(taken <= 200_000)
    #expect(try decode(Self.member, limit: Self.text.count) == Self.text)
    #expect(throws: CodingError.tooLarge(bytesMax: 18)) {
      _ = try decode(Self.member, limit: Self.text.count - 1)
    }
  }
}
