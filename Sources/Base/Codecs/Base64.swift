/// Base64 with `+`, `/` and padding (RFC 4648 §4).
package enum Base64 {
  /// The text of `bytes`.
  package static func text(_ bytes: Span<UInt8>) -> String {
    var copy: [UInt8] = []
    copy.append(copying: bytes)
    var text = Base64URL.text(copy).utf8.map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "-"): UInt8(ascii: "+")
      case UInt8(ascii: "_"): UInt8(ascii: "/")
      default: byte
      }
    }
    while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes `text` stands for, padded or not; nil: it is no such text.
  package static func bytes(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var coded = text.map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      // Of the other alphabet: none here.
      case UInt8(ascii: "-"), UInt8(ascii: "_"): 0
      default: byte
      }
    }
    while coded.last == UInt8(ascii: "=") { coded.removeLast() }
    return Base64URL.bytes(String(decoding: coded, as: UTF8.self))
  }
}
