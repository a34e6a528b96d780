import NIOCore
import NIOHTTP1
import NIOWebSocket
import Testing

@testable import APIs
@testable import HTTP
@testable import Routing

/// RFC 6455, without a socket.
@Suite struct WebSocketTests {
  private static func frame(
    _ opcode: WebSocketOpcode, _ payload: [UInt8], isLast: Bool = true, isMasked: Bool = true,
    reserved: WebSocketFrame.ReservedBits = []
  ) -> WebSocketFrame {
    var frame = WebSocketFrame(fin: isLast, opcode: opcode, data: ByteBuffer(bytes: payload))
    if isMasked {
      let key: WebSocketMaskingKey = [1, 2, 3, 4]
      var data = ByteBuffer(bytes: payload)
      data.webSocketMask(key)
      frame = WebSocketFrame(fin: isLast, opcode: opcode, maskKey: key, data: data)
    }
    frame.reservedBits = reserved
    return frame
  }

  private static func take(_ frames: [WebSocketFrame], bytesMax: Int = 100) -> [WebSocketInput.Event] {
    var input = WebSocketInput(messageBytesMax: bytesMax)
    return frames.compactMap { input.take($0) }
  }

  private static func code(_ events: [WebSocketInput.Event]) -> UInt16? {
    if case .failed(let close, _)? = events.last { return close.rawValue }
    return nil
  }

  @Test func theSampleHandshakeIsAnswered() throws {
    let head = RequestHead(
      .get, "/chat",
      headers: [
        "Upgrade": "WebSocket", "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "token, chat",
      ])
    #expect(WebSocketHandshake.isOffered(head))
    let handshake = try WebSocketHandshake(head)
    // The RFC's own example, §1.3.
    #expect(handshake.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(handshake.protocols == ["token", "chat"])
  }

  @Test(arguments: [
    ("Sec-WebSocket-Version", "8", 426), ("Sec-WebSocket-Key", "short", 400),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ!!", 400), ("Connection", "close", 400),
    ("Content-Length", "5", 400),
  ]) func brokenHandshakes(name: String, value: String, status: Int) {
    let right = [
      "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
    ]
    let fields = right.merging([name: value]) { $1 }.map { (name: $0.key, value: $0.value) }
    let head = RequestHead(.get, "/", headers: HeaderFields(fields))
    #expect {
      try WebSocketHandshake(head)
    } throws: {
      ($0 as? Problem)?.status == status
    }
  }

  @Test func fragmentsMakeOneMessageWithControlFramesBetween() {
    let parts = Array("häuser".utf8)
    let events = WebSocketTests.take([
      WebSocketTests.frame(.text, Array(parts[..<2]), isLast: false),
      WebSocketTests.frame(.ping, [9]),
      WebSocketTests.frame(.continuation, Array(parts[2..<3]), isLast: false),
      WebSocketTests.frame(.continuation, Array(parts[3...])),
      WebSocketTests.frame(.pong, []),
    ])
    #expect(events == [.ping([9]), .text("häuser"), .pong([])])
  }

  @Test func brokenFramesHaveTheirCodes() {
    func frame(
      _ opcode: WebSocketOpcode, _ payload: [UInt8], _ isLast: Bool, _ isMasked: Bool,
      _ reserved: WebSocketFrame.ReservedBits
    ) -> WebSocketFrame {
      WebSocketTests.frame(opcode, payload, isLast: isLast, isMasked: isMasked, reserved: reserved)
    }
    func code(_ frames: WebSocketFrame...) -> UInt16? { WebSocketTests.code(WebSocketTests.take(frames)) }
    #expect(code(frame(.text, [65], true, false, [])) == 1002, "no mask")
    #expect(code(frame(.text, [65], true, true, .rsv1)) == 1002, "a reserved bit")
    #expect(code(frame(.continuation, [65], true, true, [])) == 1002, "a fragment of nothing")
    #expect(
      code(frame(.text, [65], false, true, []), frame(.text, [65], true, true, [])) == 1002,
      "a message inside a message")
    #expect(code(frame(.binary, [65], true, true, [])) == 1003)
    #expect(code(frame(.text, [0xC3, 0x28], true, true, [])) == 1007)
    #expect(code(frame(.text, [UInt8](repeating: 65, count: 101), true, true, [])) == 1009)
    #expect(
      code(
        frame(.text, [UInt8](repeating: 65, count: 60), false, true, []),
        frame(.continuation, [UInt8](repeating: 65, count: 60), false, true, [])) == 1009,
      "fragments together")
    for payload in [[3], [3, 0xED], [0x03, 0xEE], [0x13, 0x88], [0, 0]] as [[UInt8]] {
      #expect(code(frame(.connectionClose, payload, true, true, [])) == 1002, "close \(payload)")
    }
    #expect(code(frame(.connectionClose, [3, 0xE8, 0xFF], true, true, [])) == 1007)
  }

  @Test func closesAreAnsweredWithTheirCode() {
    #expect(WebSocketTests.take([WebSocketTests.frame(.connectionClose, [])]) == [.close(1000)])
    let own = WebSocketTests.take([WebSocketTests.frame(.connectionClose, [0x0F, 0xA0, 65])])
    #expect(own == [.close(4000)])
  }

  /// What we write, NIO's decoder reads: at every length where the head changes.
  @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) func frames(count: Int) throws {
    let payload = [UInt8](repeating: 65, count: count)
    let bytes = WebSocketFrames.text(payload)
    #expect(bytes[0] == 0x81)
    let headCount = count < 126 ? 2 : count < 65_536 ? 4 : 10
    #expect(bytes.count == headCount + count && Array(bytes[headCount...]) == payload)
    let length =
      headCount == 2
      ? Int(bytes[1]) : bytes[2..<headCount].reduce(0) { $0 << 8 | Int($1) }
    #expect(length == count)
  }

  @Test func aLongReasonIsCutAtACharacter() {
    let bytes = WebSocketFrames.close(1008, reason: String(repeating: "ü", count: 100))
    #expect(bytes.count <= 127 && String(validating: bytes[4...], as: UTF8.self) != nil)
  }
}
