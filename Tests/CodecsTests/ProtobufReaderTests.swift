import Codecs
import Testing

/// Protocol Buffers' wire format.
@Suite struct ProtobufReaderTests {
  private static func fields(_ bytes: [UInt8]) throws(ProtobufReader.WireError) -> [String] {
    var reader = ProtobufReader(0..<bytes.count)
    var fields: [String] = []
    while let (field, value) = try reader.next(bytes.span) {
      switch value {
      case .varint(let number): fields.append("\(field)=\(number)")
      case .fixed64(let number): fields.append("\(field)=64:\(number)")
      case .fixed32(let number): fields.append("\(field)=32:\(number)")
      case .bytes(let range): fields.append("\(field)=\(range)")
      }
    }
    return fields
  }

  @Test func fieldsAreWalked() throws {
    #expect(try ProtobufReaderTests.fields([]) == [])
    #expect(
      try ProtobufReaderTests.fields([
        0x08, 0x96, 0x01, 0x12, 0x03, 0x61, 0x62, 0x63, 0x19, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x25, 4, 3, 2, 1,
      ]) == ["1=150", "2=5..<8", "3=64:9223372036854775809", "4=32:16909060"])
    #expect(try ProtobufReaderTests.fields([0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0]) == ["536870911=0"])
    let most: [UInt8] = [0x08] + [UInt8](repeating: 0xFF, count: 9) + [1]
    #expect(try ProtobufReaderTests.fields(most) == ["1=18446744073709551615"])
  }

  @Test(
    arguments: [
      [0x08], [0x08, 0x80], [0x12, 0x01], [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
      [0x19, 1, 2, 3], [0x25, 1, 2, 3], [0x0B], [0x0C], [0x0E], [0x0F], [0x00, 0x00], [0x02, 0x00],
      // Eleven bytes, and a tag over 32 bits.
      [0x08] + [UInt8](repeating: 0x80, count: 10) + [0], [0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0],
    ] as [[UInt8]])
  func whatIsNoMessageIsAnError(_ bytes: [UInt8]) {
    #expect(throws: ProtobufReader.WireError.self) { try ProtobufReaderTests.fields(bytes) }
  }

  /// A message within another ends where the other says, whatever follows.
  @Test func aMessageEndsAtItsEnd() {
    let bytes: [UInt8] = [0x08, 0x80, 0x01, 0x10, 0x05]
    for end in 0..<bytes.count {
      var reader = ProtobufReader(0..<end)
      var count = 0
      do throws(ProtobufReader.WireError) {
        while try reader.next(bytes.span) != nil { count += 1 }
        #expect(end == 0 || end == 3 || end == 5)
        #expect(count == (end == 0 ? 0 : end == 3 ? 1 : 2))
      } catch {
        #expect(end != 0 && end != 3)
      }
    }
  }
}
