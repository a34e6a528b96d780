import Records
import TestKit
import Testing

@testable import Columnar

@Suite struct CodingTests {
  /// What a decoder is told and what it asks for.
  struct Budget {
    var left = Int.max
    var taken = 0

    mutating func take(_ count: Int) -> Bool {
      guard count <= left else { return false }
      left -= count
      taken += count
      return true
    }
  }

  static func decode(
    _ coding: ContentCoding, _ body: [UInt8], bytesMax: Int = 1 << 20
  ) throws(CodingError) -> [UInt8] {
    var budget = Budget()
    let bytes = try coding.decode(body.span, bytesMax: bytesMax) { budget.take($0) }
    #expect(budget.taken == bytes.count)
    return bytes
  }

  @Test func names() {
    #expect(ContentCoding("gzip") == .gzip)
    #expect(ContentCoding("X-GZIP") == .gzip)
    #expect(ContentCoding("Deflate") == .deflate)
    #expect(ContentCoding("zstd") == .zstd)
    #expect(ContentCoding("snappy") == .snappy)
    #expect(ContentCoding("x-snappy-framed") == .snappyFramed)
    for name in ["", "br", "identity", "gzip, gzip", "snappyFramed"] { #expect(ContentCoding(name) == nil) }
  }

  @Test func bodiesOfOtherEncodersAreRead() throws {
    #expect(try Self.decode(.snappyFramed, CodingSamples.handmadeFrames) == CodingSamples.text)
    #expect(try Self.decode(.snappy, Array(CodingSamples.handmadeFrames[18...])) == CodingSamples.text)
    let samples = [
      (ContentCoding.gzip, CodingSamples.pythonGzip), (.deflate, CodingSamples.pythonZlib),
      (.deflate, CodingSamples.pythonRawDeflate),
    ]
    for (coding, body) in samples {
      #expect(try Self.decode(coding, body) == CodingSamples.text, "\(coding)")
      for end in body.indices {
        #expect(throws: CodingError.truncated, "\(coding) cut at \(end)") {
          _ = try Self.decode(coding, Array(body[..<end]))
        }
      }
    }
  }

  @Test(arguments: [0, 1, 2, 100, 5000, 60_000])
  func whatOurCompressorsMakeIsRead(lineCount: Int) throws {
    var random = SeededGenerator(seed: 7)
    let bytes = CodingSamples.lines(lineCount, using: &random)
    for (coding, body) in try CodingSamples.bodies(bytes) {
      #expect(try Self.decode(coding, body, bytesMax: bytes.count) == bytes, "\(coding)")
      guard bytes.count > 0 else { continue }
      #expect(throws: CodingError.tooLarge(bytesMax: bytes.count - 1), "\(coding)") {
        _ = try Self.decode(coding, body, bytesMax: bytes.count - 1)
      }
      var budget = Budget(left: bytes.count - 1)
      #expect(throws: CodingError.budgetUsedUp, "\(coding)") {
        _ = try coding.decode(body.span, bytesMax: .max) { budget.take($0) }
      }
    }
  }

  @Test func whatFollowsTheEndIsAnError() throws {
    for (coding, body) in try CodingSamples.bodies(CodingSamples.text) {
      let error = #expect(throws: CodingError.self, "\(coding)") {
        _ = try Self.decode(coding, body + [0x41, 0x42, 0x43, 0x44, 0x45])
      }
      switch coding {
      case .gzip, .deflate, .zstd: #expect(error == .trailingBytes, "\(coding)")
      // A block's length is in its head, and a framed stream has no end.
      case .snappy, .snappyFramed: break
      }
    }
  }

  @Test func emptyBodiesAreNoStreams() {
    for coding in ContentCoding.allCases {
      #expect(throws: CodingError.truncated, "\(coding)") { _ = try Self.decode(coding, []) }
    }
  }

  @Test func claimsAreNotBelieved() {
    // 100 MB by ten bytes: a snappy block's length.
    let claim: [UInt8] = [0x80, 0xC2, 0xD7, 0x2F, 0, 1, 2, 3, 4, 5]
    for bound in [1 << 20, 1 << 30] {
      var budget = Budget()
      let error = #expect(throws: CodingError.self) {
        _ = try ContentCoding.snappy.decode(claim.span, bytesMax: bound) { budget.take($0) }
      }
      #expect(bound > 1 << 20 || error == .tooLarge(bytesMax: bound))
      #expect(budget.taken == 0)
    }
    for length: [UInt8] in [[0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]] {
      #expect(throws: CodingError.broken("a length over 32 bits")) {
        _ = try Self.decode(.snappy, length, bytesMax: .max)
      }
    }
  }

  @Test func windowsHaveABound() throws {
    // One stored byte in a frame whose window is 2^(10 + exponent).
    func frame(_ exponent: UInt8) -> [UInt8] {
      [0x28, 0xB5, 0x2F, 0xFD, 0, exponent << 3, 9, 0, 0, 0x41]
    }
    #expect(try Self.decode(.zstd, frame(13)) == [0x41])
    for exponent: UInt8 in [14, 17, 21, 31] {
      let error = #expect(throws: CodingError.self) { _ = try Self.decode(.zstd, frame(exponent)) }
      guard case .broken = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }

  @Test func bombsAreRefusedAtTheBound() throws {
    let zeros = [UInt8](repeating: 0, count: 8 << 20)
    let gzip = try BlockCompression.gzip(level: 9).compress(zeros.span)
    #expect(zeros.count > gzip.count * 1000)
    // Blocks of one byte, repeated 128 KiB times each.
    let block: [UInt8] = [0x02, 0, 0x10, 0]
    let zstd: [UInt8] =
      [0x28, 0xB5, 0x2F, 0xFD, 0, 0x38] + [[UInt8]](repeating: block, count: 10_000).flatMap(\.self)
    for (coding, body) in [(ContentCoding.gzip, gzip), (.zstd, zstd)] {
      var budget = Budget()
      #expect(throws: CodingError.tooLarge(bytesMax: 1 << 20), "\(coding)") {
        _ = try coding.decode(body.span, bytesMax: 1 << 20) { budget.take($0) }
      }
      #expect(budget.taken <= 1 << 20, "\(coding)")
      budget = Budget(left: 1 << 20)
      #expect(throws: CodingError.budgetUsedUp, "\(coding)") {
        _ = try coding.decode(body.span, bytesMax: .max) { budget.take($0) }
      }
    }
  }

  @Test func framedChunksAreChecked() throws {
    let name: [UInt8] = [0xFF, 6, 0, 0] + Array("sNaPpY".utf8)
    let data = Array("abc".utf8)
    let good = CodingSamples.chunk(1, data: data, payload: data)
    #expect(try Self.decode(.snappyFramed, name + good) == data)
    #expect(try Self.decode(.snappyFramed, name + name + [0x80, 0, 0, 0] + good + good) == data + data)
    #expect(try Self.decode(.snappyFramed, name) == [])
    let large = [UInt8](repeating: 7, count: 65_537)
    let compressed = try BlockCompression.snappy.compress(large.span)
    let broken: [[UInt8]] = [
      good, [0xFF, 6, 0, 0] + Array("sNaPpX".utf8), name + [0x02, 0, 0, 0], name + [0x7F, 0, 0, 0],
      name + [0x00, 3, 0, 0, 1, 2, 3], name + CodingSamples.chunk(1, data: [1, 2, 3], payload: data),
      name + CodingSamples.chunk(1, data: large, payload: large),
      name + CodingSamples.chunk(0, data: large, payload: compressed),
      name + CodingSamples.chunk(0, data: [], payload: []),
    ]
    for body in broken {
      let error = #expect(throws: CodingError.self) { _ = try Self.decode(.snappyFramed, body) }
      guard case .broken = error else {
        Issue.record("\(String(describing: error)) for \(body.prefix(40))")
        continue
      }
    }
    for end in name.count + 1..<name.count + good.count {
      #expect(throws: CodingError.truncated) {
        _ = try Self.decode(.snappyFramed, Array((name + good)[..<end]))
      }
    }
  }

  /// Cut, flipped, spliced: an error or bytes within the bound, never a trap; checksums catch what they
  /// cover.
  @Test func mutatedBodiesNeverTrap() throws {
    var random = SeededGenerator(seed: 11)
    for lineCount in [3, 40, 4000] {
      let bytes = CodingSamples.lines(lineCount, using: &random)
      let bodies = try CodingSamples.bodies(bytes)
      for _ in 0..<(lineCount < 1000 ? 600 : 40) {
        for (coding, body) in bodies {
          var mutant = body
          let place = Int.random(in: 0..<body.count, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: mutant = Array(body[..<place])
          case 1: mutant[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          case 2: mutant[place] = UInt8.random(in: 0...255, using: &random)
          case 3: mutant.replaceSubrange(place..<min(place + 8, body.count), with: body[..<min(8, place)])
          default: mutant = Array(body[place...])
          }
          let bound = bytes.count + 100
          var budget = Budget()
          guard let result = try? coding.decode(mutant.span, bytesMax: bound, take: { budget.take($0) })
          else { continue }
          #expect(result.count <= bound && result.count == budget.taken)
          guard coding == .gzip, mutant.count == body.count else { continue }
          #expect(result == bytes, "gzip's checksum")
        }
      }
    }
  }
}
