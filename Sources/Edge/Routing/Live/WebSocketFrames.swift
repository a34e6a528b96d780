import Records

/// Why a WebSocket is closed (RFC 6455, §7.4.1).
package enum WebSocketClose: UInt16, Sendable {
  case normal = 1000
  case goingAway = 1001
  case protocolError = 1002
  case unsupportedData = 1003
  case invalidText = 1007
  case policyViolation = 1008
  case messageTooBig = 1009
  case internalError = 1011
}

/// Frames as a server sends them: whole, without a mask (RFC 6455, §5.2). The same bytes serve every client.
package enum WebSocketFrames {
  private enum Opcode: UInt8 {
    case text = 0x1
    case close = 0x8
    case ping = 0x9
    case pong = 0xA
  }

  /// Appends a text frame whose payload is `payload`.
  package static func appendText(_ payload: some Collection<UInt8>, to bytes: inout [UInt8]) {
    appendHead(.text, count: payload.count, to: &bytes)
    bytes.append(contentsOf: payload)
  }

  package static func text(_ payload: some Collection<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(payload.count + 10)
    appendText(payload, to: &bytes)
    return bytes
  }

  /// - Parameter payload: At most 125 bytes, as all control frames.
  package static func pong(_ payload: [UInt8]) -> [UInt8] { control(.pong, payload) }
  package static func ping(_ payload: [UInt8]) -> [UInt8] { control(.ping, payload) }

  /// - Parameter reason: Cut to what a control frame holds, at a character's end.
  package static func close(_ code: UInt16, reason: String = "") -> [UInt8] {
    var text = reason
    while text.utf8.count > 123 { text.removeLast() }
    return control(.close, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(text.utf8))
  }

  private static func control(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
    invariant(payload.count <= 125, "a control frame's payload has at most 125 bytes")
    var bytes: [UInt8] = []
    appendHead(opcode, count: payload.count, to: &bytes)
    return bytes + payload
  }

  private static func appendHead(_ opcode: Opcode, count: Int, to bytes: inout [UInt8]) {
    bytes.append(0x80 | opcode.rawValue)
    switch count {
    case ..<126: bytes.append(UInt8(count))
    case ..<65_536:
      bytes.append(126)
      bytes.append(UInt8(count >> 8))
      bytes.append(UInt8(count & 0xFF))
    default:
      bytes.append(127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: count >> shift))
      }
    }
  }
}
