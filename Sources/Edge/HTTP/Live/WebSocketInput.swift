import NIOCore
import NIOWebSocket
import Routing

/// What a client's frames come to (RFC 6455, §5): messages put together, rules kept. Pure: frames in, events
/// out.
struct WebSocketInput {
  enum Event: Equatable {
    case text(String)
    case ping([UInt8])
    case pong([UInt8])
    /// The peer closes; the code to answer with.
    case close(UInt16)
    /// The peer broke a rule.
    case failed(WebSocketClose, String)
  }

  /// The most bytes of a message, all its fragments together.
  let messageBytesMax: Int
  /// Fragments may be empty: without a bound a message had no end.
  static let fragmentsMax = 256
  private var fragments: [UInt8]?
  private var fragmentCount = 0

  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

  /// nil: nothing to do about this frame.
  mutating func take(_ frame: WebSocketFrame) -> Event? {
    guard frame.maskKey != nil else { return .failed(.protocolError, "frames of clients are masked") }
    guard frame.reservedBits.isEmpty else {
      return .failed(.protocolError, "no extension was agreed on")
    }
    let payload = Array(frame.unmaskedData.readableBytesView)
    switch frame.opcode {
    case .ping: return .ping(payload)
    case .pong: return .pong(payload)
    case .connectionClose: return close(payload)
    case .binary: return .failed(.unsupportedData, "text only")
    case .text:
      guard fragments == nil else {
        return .failed(.protocolError, "a new message inside a fragmented one")
      }
      fragmentCount = 0
      return append(payload, to: [], isLast: frame.fin)
    case .continuation:
      guard let fragments else { return .failed(.protocolError, "a fragment of no message") }
      return append(payload, to: fragments, isLast: frame.fin)
    default: return .failed(.protocolError, "an opcode without meaning")
    }
  }

  private mutating func append(_ payload: [UInt8], to before: [UInt8], isLast: Bool) -> Event? {
    guard before.count + payload.count <= messageBytesMax else {
      return .failed(.messageTooBig, "a message has at most \(messageBytesMax) bytes")
    }
    fragmentCount += 1
    guard fragmentCount <= WebSocketInput.fragmentsMax else {
      return .failed(.policyViolation, "a message has at most \(WebSocketInput.fragmentsMax) fragments")
    }
    guard isLast else {
      fragments = before + payload
      return nil
    }
    fragments = nil
    guard let text = String(validating: before + payload, as: UTF8.self) else {
      return .failed(.invalidText, "text is UTF-8")
    }
    return .text(text)
  }

  /// §5.5.1 and §7.4: no code at all, or a code that may be sent, and a reason in UTF-8.
  private func close(_ payload: [UInt8]) -> Event {
    guard !payload.isEmpty else { return .close(WebSocketClose.normal.rawValue) }
    guard payload.count >= 2 else { return .failed(.protocolError, "half a close code") }
    let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: break
    default: return .failed(.protocolError, "a close code that is never sent")
    }
    guard String(validating: payload.dropFirst(2), as: UTF8.self) != nil else {
      return .failed(.invalidText, "a close reason is UTF-8")
    }
    return .close(code)
  }
}
