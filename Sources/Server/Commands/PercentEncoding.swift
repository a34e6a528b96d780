import Codecs

extension String {
  /// Percent-encoded but for the characters that never need it (RFC 3986 §2.3).
  var percentEncoded: String {
    var result: [UInt8] = []
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        result.append(byte)
      default:
        result += Array(("%" + Hex.text([byte]).uppercased()).utf8)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
