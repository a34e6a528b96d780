import Codecs
import Records
import TestKit
import Testing

@testable import Columnar

/// Bodies in every coding: some made by Python's zlib, the others by our own compressors.
enum CodingSamples {
  static let text = Array(
    String(repeating: "{\"level\":\"INFO\",\"message\":\"hello, hello, hello\"}\n", count: 3).utf8)

  /// gzip.compress(text, mtime=0)
  static let pythonGzip: [UInt8] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0x49, 0x2d, 0x4b,
    0xcd, 0x51, 0xb2, 0x52, 0xf2, 0xf4, 0x73, 0xf3, 0x57, 0xd2, 0x51, 0xca, 0x4d, 0x2d, 0x2e, 0x4e,
    0x4c, 0x4f, 0x05, 0x0a, 0x64, 0xa4, 0xe6, 0xe4, 0xe4, 0xeb, 0x28, 0x20, 0x53, 0x4a, 0xb5, 0x5c,
    0xd5, 0x34, 0xd7, 0x00, 0x00, 0x3b, 0x1a, 0xf8, 0x8e, 0x93, 0x00, 0x00, 0x00,
  ]
  /// zlib.compress(text)
  static let pythonZlib: [UInt8] = [0x78, 0x9c] + pythonRawDeflate + [0x91, 0xd3, 0x2f, 0x0e]
  /// zlib.compressobj(6, zlib.DEFLATED, -15)
  static let pythonRawDeflate: [UInt8] = [
    0xab, 0x56, 0xca, 0x49, 0x2d, 0x4b, 0xcd, 0x51, 0xb2, 0x52, 0xf2, 0xf4, 0x73, 0xf3, 0x57, 0xd2,
    0x51, 0xca, 0x4d, 0x2d, 0x2e, 0x4e, 0x4c, 0x4f, 0x05, 0x0a, 0x64, 0xa4, 0xe6, 0xe4, 0xe4, 0xeb,
    0x28, 0x20, 0x53, 0x4a, 0xb5, 0x5c, 0xd5, 0x34, 0xd7, 0x00, 0x00,
  ]
  /// The same text, framed and compressed by hand, with a checksum of another implementation.
  static let handmadeFrames: [UInt8] = [
    0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59, 0x00, 0x3e, 0x00, 0x00, 0xc7, 0x6c,
    0x63, 0xec, 0x93, 0x01, 0xc0, 0x7b, 0x22, 0x6c, 0x65, 0x76, 0x65, 0x6c, 0x22, 0x3a, 0x22, 0x49,
    0x4e, 0x46, 0x4f, 0x22, 0x2c, 0x22, 0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0x22, 0x3a, 0x22,
    0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2c, 0x20, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2c, 0x20, 0x68, 0x65,
    0x6c, 0x6c, 0x6f, 0x22, 0x7d, 0x0a, 0xfe, 0x31, 0x00, 0x86, 0x31, 0x00,
  ]
  /// A skippable frame of three bytes (RFC 8878, §3.1.2).
  static let skippable: [UInt8] = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]

  /// One body a coding, all of which stand for `bytes`.
  static func bodies(_ bytes: [UInt8]) throws -> [(ContentCoding, [UInt8])] {
    let half = bytes.count / 2
    let (head, tail) = (Array(bytes[..<half]), Array(bytes[half...]))
    let members = try [head, tail].flatMap { try BlockCompression.gzip(level: 6).compress($0.span) }
    let frames =
      skippable + Zstandard.compress(head.span, level: 1) + skippable
      + Zstandard.compress(tail.span, level: 3)
    let zlib = try StreamCompressor(.gzip).finish(bytes.span)
    // Deflate of the gzip member, without its head of 10 bytes and its tail of 8.
    let raw = Array(zlib[10..<zlib.count - 8])
    return [
      (.gzip, members), (.deflate, raw), (.deflate, [0x78, 0x01] + raw + adler(bytes)), (.zstd, frames),
      (.snappy, try BlockCompression.snappy.compress(bytes.span)), (.snappyFramed, try framed(bytes)),
    ]
  }

  static func framed(_ bytes: [UInt8]) throws -> [UInt8] {
    var out: [UInt8] = [0xFF, 6, 0, 0] + Array("sNaPpY".utf8)
    for (index, start) in stride(from: 0, to: bytes.count, by: 65_536).enumerated() {
      let data = Array(bytes[start..<min(start + 65_536, bytes.count)])
      let isCompressed = index % 3 != 1
      let payload = isCompressed ? try BlockCompression.snappy.compress(data.span) : data
      out += chunk(isCompressed ? 0 : 1, data: data, payload: payload) + [0xFE, 2, 0, 0, 9, 9]
    }
    return out
  }

  static func chunk(_ kind: UInt8, data: [UInt8], payload: [UInt8]) -> [UInt8] {
    let length = payload.count + 4
    let sum = SnappyFrames.masked(CRC32C.checksum(data))
    return [kind] + (0..<3).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) } + payload
  }

  private static func adler(_ bytes: [UInt8]) -> [UInt8] {
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return [UInt8(high >> 8), UInt8(high & 255), UInt8(low >> 8), UInt8(low & 255)]
  }

  static func lines(_ count: Int, using random: inout SeededGenerator) -> [UInt8] {
    (0..<count).flatMap { line in
      Array("{\"line\":\(line),\"value\":\(UInt16.random(in: 0...999, using: &random))}\n".utf8)
    }
  }
}
