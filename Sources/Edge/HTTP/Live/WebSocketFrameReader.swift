import NIOCore
import NIOWebSocket

/// Frames out of a client's bytes (RFC 6455, §5.2).
///
/// Not NIO's decoder: that takes a length which is written in more bytes than it needs. What else looks at
/// the bytes on their way may then see other frames than we do.
struct WebSocketFrameReader: ByteToMessageDecoder {
  typealias InboundOut = WebSocketFrame

  /// Why bytes are no frame that is taken.
  enum Fault: Error, Sendable, Hashable {
    case tooLong
    /// A length in more bytes than it needs, or of 2^63 and more.
    case brokenLength
    /// A control frame in fragments, or of more than 125 bytes.
    case brokenControl
  }

  /// The most bytes of a frame's payload.
  let payloadBytesMax: Int

  mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
    guard let frame = try next(in: &buffer) else { return .needMoreData }
    context.fireChannelRead(WebSocketFrameReader.wrapInboundOut(frame))
    return .continue
  }

  /// The frame at the beginning of `buffer`, which is taken out; nil: there is more of it to come.
  func next(in buffer: inout ByteBuffer) throws(Fault) -> WebSocketFrame? {
    let start = buffer.readerIndex
    guard let first = buffer.getInteger(at: start, as: UInt8.self),
      let second = buffer.getInteger(at: start + 1, as: UInt8.self)
    else { return nil }
    let isControl = first & 0x08 != 0
    guard !isControl || first & 0x80 != 0 && second & 0x7F <= 125 else { throw .brokenControl }
    guard let (length, lengthEnd) = try length(second & 0x7F, in: buffer, at: start + 2) else { return nil }
    guard length <= payloadBytesMax else { throw .tooLong }
    var at = lengthEnd
    var mask: WebSocketMaskingKey?
    if second & 0x80 != 0 {
      guard let key = buffer.getBytes(at: at, length: 4) else { return nil }
      mask = WebSocketMaskingKey(key)
      at += 4
    }
    guard let payload = buffer.getSlice(at: at, length: length) else { return nil }
    buffer.moveReaderIndex(to: at + length)
    var frame = WebSocketFrame(maskKey: mask, data: payload)
    frame.firstByte(first)
    return frame
  }

  /// A payload's length and where it ends; nil: there is more of it to come.
  private func length(
    _ short: UInt8, in buffer: ByteBuffer, at start: Int
  ) throws(Fault) -> (length: Int, end: Int)? {
    switch short {
    case 126:
      guard let length = buffer.getInteger(at: start, as: UInt16.self) else { return nil }
      guard length > 125 else { throw .brokenLength }
      return (Int(length), start + 2)
    case 127:
      guard let length = buffer.getInteger(at: start, as: UInt64.self) else { return nil }
      guard length > UInt64(UInt16.max), length <= UInt64(Int.max) else { throw .brokenLength }
      return (Int(length), start + 8)
    default: return (Int(short), start)
    }
  }
}

extension WebSocketFrame {
  /// Takes what the first byte of a frame says: whether it is the last fragment, reserved bits, the opcode.
  fileprivate mutating func firstByte(_ byte: UInt8) {
    fin = byte & 0x80 != 0
    rsv1 = byte & 0x40 != 0
    rsv2 = byte & 0x20 != 0
    rsv3 = byte & 0x10 != 0
    if let code = WebSocketOpcode(encodedWebSocketOpcode: byte & 0x0F) { opcode = code }
  }
}
