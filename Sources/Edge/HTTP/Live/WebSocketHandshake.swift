import Codecs
import Crypto
import Routing

/// The opening handshake of a WebSocket as the server sees it (RFC 6455, §4.2).
struct WebSocketHandshake: Sendable, Hashable {
  /// `Sec-WebSocket-Key` as sent.
  let key: String
  /// Sub-protocols the client offers, in its order.
  let protocols: [String]

  /// Whether the request asks for a WebSocket, rightly or wrongly.
  static func isOffered(_ head: RequestHead) -> Bool {
    head.headers[list: "Upgrade"].contains { $0.utf8.elementsEqualIgnoringCase("websocket") }
  }

  /// - Throws: 400 for a broken handshake, 426 for another version than 13.
  init(_ head: RequestHead) throws(Problem) {
    guard head.method == .get, head.version == .http11,
      head.headers[list: "Connection"].contains(where: {
        $0.utf8.elementsEqualIgnoringCase("upgrade")
      })
    else { throw Problem(400, "A WebSocket begins with GET, HTTP/1.1 and Connection: Upgrade.") }
    guard head.headers[list: "Sec-WebSocket-Version"].map(String.init) == ["13"] else {
      throw Problem(426, "WebSockets of version 13 only.")
    }
    let keys = head.headers["Sec-WebSocket-Key"]
    guard keys.count == 1, WebSocketHandshake.isKey(keys[0]) else {
      throw Problem(400, "Sec-WebSocket-Key must be 16 bytes in base64.")
    }
    let hasBody = (head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0) > 0
    guard !hasBody, !head.headers.contains(name: "Transfer-Encoding") else {
      throw Problem(400, "A WebSocket's first request has no body.")
    }
    key = keys[0]
    protocols = head.headers[list: "Sec-WebSocket-Protocol"].map(String.init)
  }

  /// 24 characters of base64 that stand for 16 bytes.
  private static func isKey(_ key: String) -> Bool {
    let bytes = Array(key.utf8)
    return bytes.count == 24 && bytes[22...] == [UInt8(ascii: "="), UInt8(ascii: "=")]
      && bytes[..<22].allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "+"), UInt8(ascii: "/"):
          true
        default: false
        }
      }
  }

  /// `Sec-WebSocket-Accept`: SHA-1 of the key and the protocol's GUID, in base64 (§4.2.2).
  var accept: String {
    let digest = Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
    // The usual alphabet, and one sign that fills 20 bytes up.
    return Base64URL.text(Array(digest)).replacing("-", with: "+").replacing("_", with: "/") + "="
  }
}

extension Sequence where Element == UInt8 {
  /// ASCII letters count the same in either case.
  func elementsEqualIgnoringCase(_ text: StaticString) -> Bool {
    elementsEqual("\(text)".utf8) { left, right in
      left == right || (left | 0x20 == right | 0x20 && (0x61...0x7A).contains(left | 0x20))
    }
  }
}
