import Codecs

/// Snappy's framing format: chunks, each a byte of kind, three of length, then data.
///
/// ```
/// FF 06 00 00 "sNaPpY"                      begins the stream, may come again
/// 00 length   masked CRC-32C, snappy block  at most 64 KiB of data
/// 01 length   masked CRC-32C, data          at most 64 KiB
/// 02 … 7F     reserved: an error
/// 80 … FE     skipped
/// ```
enum SnappyFrames {
  private static let chunkBytesMax = 65_536
  private static let identifier: [UInt8] = Array("sNaPpY".utf8)

  static func decode(
    _ body: Span<UInt8>, bytesMax: Int, take: (Int) -> Bool
  ) throws(CodingError) -> [UInt8] {
    var output: [UInt8] = []
    var at = 0
    repeat {
      guard at + 4 <= body.count else { throw .truncated }
      let kind = body[at]
      let length = Int(body[at + 1]) | Int(body[at + 2]) << 8 | Int(body[at + 3]) << 16
      if at == 0, kind != 0xFF { throw .broken("it does not begin with the stream's name") }
      guard at + 4 + length <= body.count else { throw .truncated }
      let chunk = body.extracting(at + 4..<at + 4 + length)
      switch kind {
      case 0xFF: try checkIdentifier(chunk)
      case 0x00, 0x01:
        let room = bytesMax - output.count
        do throws(CodingError) {
          output += try data(of: chunk, isCompressed: kind == 0, room: room, take: take)
        } catch .tooLarge {
          throw .tooLarge(bytesMax: bytesMax)
        }
      case 0x02...0x7F: throw .broken("a chunk of a kind that is not known")
      default: break
      }
      at += 4 + length
    } while at < body.count
    return output
  }

  private static func checkIdentifier(_ chunk: Span<UInt8>) throws(CodingError) {
    var isOurs = chunk.count == identifier.count
    for index in 0..<min(chunk.count, identifier.count) where chunk[index] != identifier[index] {
      isOurs = false
    }
    guard isOurs else { throw .broken("a stream of another name") }
  }

  private static func data(
    of chunk: Span<UInt8>, isCompressed: Bool, room: Int, take: (Int) -> Bool
  ) throws(CodingError) -> [UInt8] {
    guard chunk.count >= 4 else { throw .broken("a chunk without its checksum") }
    let wanted = (0..<4).reduce(UInt32(0)) { $0 | UInt32(chunk[$1]) << UInt32(8 * $1) }
    let payload = chunk.extracting(4..<chunk.count)
    let data: [UInt8]
    if isCompressed {
      data = try block(payload, room: room, take: take)
    } else {
      guard payload.count <= chunkBytesMax else { throw .broken("a chunk over 64 KiB") }
      guard payload.count <= room else { throw .tooLarge(bytesMax: room) }
      guard take(payload.count) else { throw .budgetUsedUp }
      data = unsafe payload.withUnsafeBufferPointer { unsafe Array($0) }
    }
    guard masked(CRC32C.checksum(data)) == wanted else { throw .broken("a chunk whose checksum is wrong") }
    return data
  }

  private static func block(
    _ payload: Span<UInt8>, room: Int, take: (Int) -> Bool
  ) throws(CodingError) -> [UInt8] {
    do throws(CodingError) {
      return try SnappyBlock.decode(payload, bytesMax: min(room, chunkBytesMax), take: take)
    } catch {
      // The chunk is whole: what is wrong in it is no matter of more bytes to come.
      if error == .truncated { throw .broken("a chunk cut short") }
      if error == .tooLarge(bytesMax: chunkBytesMax) { throw .broken("a chunk over 64 KiB") }
      throw error
    }
  }

  /// A checksum of bytes that hold checksums is weak: hence the rotation and the number added.
  static func masked(_ checksum: UInt32) -> UInt32 {
    (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
