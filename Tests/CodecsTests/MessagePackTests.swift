import Codecs
import TestKit
import Testing

@Suite struct MessagePackTests {
  private typealias Value = MessagePackReader.Value

  private func values(_ bytes: [UInt8]) throws(MessagePackReader.Fault) -> [Value] {
    var reader = MessagePackReader(bytes, 0..<bytes.count)
    var values: [Value] = []
    while !reader.isAtEnd { values.append(try reader.next()) }
    return values
  }

  /// Of each of the specification's formats, its ends.
  @Test func eachFormatIsRead() throws {
    let cases: [([UInt8], Value)] = [
      ([0x00], .int(0)), ([0x7F], .int(127)), ([0xE0], .int(-32)), ([0xFF], .int(-1)),
      ([0xC0], .null), ([0xC2], .bool(false)), ([0xC3], .bool(true)),
      ([0xCC, 0xFF], .int(255)), ([0xCD, 0x01, 0x02], .int(258)),
      ([0xCE, 0xFF, 0xFF, 0xFF, 0xFF], .int(4_294_967_295)),
      ([0xCF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .int(.max)),
      ([0xCF, 0x80, 0, 0, 0, 0, 0, 0, 0], .uint(1 << 63)),
      ([0xD0, 0x80], .int(-128)), ([0xD1, 0xFF, 0xFE], .int(-2)),
      ([0xD2, 0x80, 0, 0, 0], .int(-2_147_483_648)), ([0xD3, 0x80, 0, 0, 0, 0, 0, 0, 0], .int(.min)),
      ([0xCA, 0x3F, 0x80, 0, 0], .float(1)), ([0xCB, 0xBF, 0xE0, 0, 0, 0, 0, 0, 0], .float(-0.5)),
      ([0xA0], .text(1..<1)), ([0xA2, 0x61, 0x62], .text(1..<3)), ([0xD9, 1, 0x61], .text(2..<3)),
      ([0xDA, 0, 1, 0x61], .text(3..<4)), ([0xDB, 0, 0, 0, 1, 0x61], .text(5..<6)),
      ([0xC4, 1, 0xFE], .binary(2..<3)), ([0xC5, 0, 1, 0xFE], .binary(3..<4)),
      ([0xC6, 0, 0, 0, 1, 0xFE], .binary(5..<6)),
      ([0xD4, 5, 9], .other(5, 2..<3)), ([0xD5, 0xFF, 1, 2], .other(-1, 2..<4)),
      ([0xD7, 0, 1, 2, 3, 4, 5, 6, 7, 8], .other(0, 2..<10)), ([0xC7, 2, 0, 1, 2], .other(0, 3..<5)),
      ([0xC8, 0, 1, 3, 9], .other(3, 4..<5)), ([0xC9, 0, 0, 0, 1, 3, 9], .other(3, 6..<7)),
    ]
    for (bytes, value) in cases {
      #expect(try values(bytes) == [value], "\(bytes)")
      for count in 0..<bytes.count {
        #expect(throws: MessagePackReader.Fault.incomplete, "\(bytes) cut to \(count)") {
          var reader = MessagePackReader(bytes, 0..<count)
          _ = try reader.next()
        }
      }
    }
    #expect(try values([0x92, 1, 2]) == [.array(2), .int(1), .int(2)])
    #expect(try values([0x81, 0xA1, 0x61, 0xC0]) == [.map(1), .text(2..<3), .null])
    #expect(try values([0xDC, 0, 1, 5]) == [.array(1), .int(5)])
    #expect(try values([0xDD, 0, 0, 0, 0]) == [.array(0)])
    #expect(try values([0xDE, 0, 0]) == [.map(0)])
    #expect(try values([0xDF, 0, 0, 0, 0]) == [.map(0)])
    #expect(throws: MessagePackReader.Fault.malformed) { try values([0xC1]) }
  }

  /// A stream of values ends at the same places however it comes, and claims of what is not there wait.
  @Test func theScanFindsEndsInPieces() throws {
    let bytes: [UInt8] = [0x92, 0xA3, 0x61, 0x62, 0x63, 0x82, 0x01, 0x90, 0x02, 0xC4, 0x02, 0xC1, 0xC1, 0x05]
    for step in 1...bytes.count {
      var scan = MessagePackScan()
      var found: [Int] = []
      var start = 0
      for count in Array(stride(from: 0, to: bytes.count, by: step)) + [bytes.count] {
        while start < count, let end = try scan.end(of: Array(bytes[..<count]), from: start) {
          found.append(end)
          start = end
          scan = MessagePackScan()
        }
      }
      #expect(found == [13, 14], "in steps of \(step)")
    }
    var scan = MessagePackScan()
    #expect(try scan.end(of: [0xDB, 0xFF, 0xFF, 0xFF, 0xFF, 1], from: 0) == nil)
    #expect(scan.byteCount == 4_294_967_300)
    scan = MessagePackScan()
    #expect(try scan.end(of: [0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2], from: 0) == nil)
    #expect(throws: MessagePackReader.Fault.malformed) {
      try scan.end(of: [0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 0xC1], from: 0)
    }
  }

  @Test(arguments: 0..<200)
  func anyBytesEnd(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    var reader = MessagePackReader(bytes, 0..<bytes.count)
    var last = 0
    do {
      while !reader.isAtEnd {
        try reader.skip()
        #expect(reader.at > last && reader.at <= bytes.count)
        last = reader.at
      }
    } catch {}
  }
}
