import Routing

/// What a connection reads in a head.
extension RequestHead {
  /// nil also if it is no number; `Int.max` for what is more.
  var contentLength: Int? {
    guard let text = headers.first(name: "Content-Length") else { return nil }
    if let number = Int(text) { return number }
    let isNumber =
      !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return isNumber ? .max : nil
  }

  /// Whether nobody reads the body: what these methods mean is in their heads (RFC 9110, §9.3.1, §9.3.7).
  var dropsBody: Bool { method == .get || method == .head || method == .options }

  var expectsContinue: Bool {
    guard let value = headers.first(name: "Expect") else { return false }
    return value.utf8.elementsEqual("100-continue".utf8) { $0 | 0x20 == $1 | 0x20 }
  }

  /// `X-Request-Id`, if it is harmless in logs and answers.
  var givenID: String? {
    guard let given = headers.first(name: "X-Request-Id"), (1...64).contains(given.utf8.count),
      given.utf8.allSatisfy({ byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      })
    else { return nil }
    return given
  }
}
