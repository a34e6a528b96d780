/// The lines of a body, each without what ends it: a line feed, with a carriage return before it or not, or
/// the body's end. Empty ones are passed over, and a byte order mark before the first.
struct BodyLines {
  private let body: [UInt8]
  private var at: Int

  init(_ body: [UInt8]) {
    self.body = body
    at = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// Where the next line lies; nil: there is none.
  mutating func next() -> Range<Int>? {
    while at < body.count {
      let start = at
      var end = body[at...].firstIndex(of: 0x0A) ?? body.count
      at = end + 1
      if end > start, body[end - 1] == 0x0D { end -= 1 }
      if end > start { return start..<end }
    }
    return nil
  }
}
