import Codecs
import Records

/// A syslog message in its parts, each a range of its bytes: as RFC 5424 writes them, as RFC 3164 describes
/// what programs really send, or as nothing but text. Nothing is refused: what cannot be read is the message.
///
/// Of RFC 3164 also: times of RFC 3339, with a year, a fraction or a zone; Cisco's number and mark before the
/// time; no time, no host, no tag, no priority.
package struct SyslogMessage: Sendable {
  /// Facility times eight and severity, 0 to 191; nil: there is none.
  package private(set) var priority: Int?
  /// Nanoseconds since 1970; nil: there is none, or none that can be read.
  package private(set) var time: Int64?
  /// A time that cannot be read; nil: it was, or there is none.
  package private(set) var unreadTime: Range<Int>?
  /// Who says it has sent the message.
  package private(set) var host: Range<Int>?
  /// The program: APP-NAME, or what stands before `[` and `:`.
  package private(set) var app: Range<Int>?
  /// Its process: PROCID, or what stands in `[` and `]`.
  package private(set) var process: Range<Int>?
  /// MSGID.
  package private(set) var messageID: Range<Int>?
  /// The elements of STRUCTURED-DATA, with their brackets; empty: none.
  package private(set) var structuredData: Range<Int> = 0..<0
  /// What is said, without the mark of UTF-8 before it.
  package private(set) var message: Range<Int>
  /// Why the message is all there is; nil: it was read.
  package private(set) var fault: StaticString?

  /// - Parameters:
  ///   - text: Without what ends it.
  ///   - times: Of times without a zone or a year.
  package init(_ text: Span<UInt8>, times: LogTime) {
    message = 0..<text.count
    var scan = SyslogScan(at: 0)
    priority = scan.priority(text)
    if priority == nil, text.count > 0, text[0] == UInt8(ascii: "<") {
      fault = "no priority between < and >"
      return
    }
    if priority != nil, scan.take("1 ", text) {
      readModern(text, &scan, times)
    } else {
      readLegacy(text, &scan, times)
    }
    dropMark(text)
  }

  private mutating func readModern(_ text: Span<UInt8>, _ scan: inout SyslogScan, _ times: LogTime) {
    let whole = message
    guard let time = scan.word(text), let host = scan.word(text), let app = scan.word(text),
      let process = scan.word(text), let messageID = scan.word(text)
    else {
      fault = "a header of RFC 5424 that is cut off"
      return
    }
    let data = scan.structuredData(text)
    guard let data, scan.at == text.count || text[scan.at] == 0x20 else {
      fault = "structured data that is none"
      return
    }
    func present(_ range: Range<Int>) -> Range<Int>? {
      range.count == 1 && text[range.lowerBound] == UInt8(ascii: "-") || range.isEmpty ? nil : range
    }
    if let time = present(time) {
      self.time = times.nanoseconds(text.extracting(time))
      if self.time == nil { unreadTime = time }
    }
    (self.host, self.app, self.process) = (present(host), present(app), present(process))
    self.messageID = present(messageID)
    structuredData = data
    message = min(scan.at + 1, whole.upperBound)..<whole.upperBound
  }

  private mutating func readLegacy(_ text: Span<UInt8>, _ scan: inout SyslogScan, _ times: LogTime) {
    let end = text.count
    let start = scan.at
    scan.skipNumber(text)
    if let time = scan.legacyTime(text) {
      self.time = times.nanoseconds(text.extracting(time.text))
      if self.time == nil { unreadTime = time.text }
      // Cisco's stand before a colon, and no host behind them.
      if !time.hasColon { host = scan.host(text) }
    } else {
      scan.at = start
    }
    if let tag = scan.tag(text) { (app, process) = (tag.name, tag.process) }
    message = min(scan.at, end)..<end
  }

  private mutating func dropMark(_ text: Span<UInt8>) {
    let start = message.lowerBound
    guard message.count >= 3, text[start] == 0xEF, text[start + 1] == 0xBB, text[start + 2] == 0xBF else {
      return
    }
    message = start + 3..<message.upperBound
  }

  /// A parameter of structured data.
  package struct Parameter: Sendable, Hashable {
    /// Of its element: `SD-ID`.
    package let element: Range<Int>
    /// `PARAM-NAME`.
    package let name: Range<Int>
    /// As it is written, between its quotes.
    package let value: Range<Int>
  }

  /// The parameters of structured data, in their order; elements without any are left out.
  package func parameters(_ text: Span<UInt8>) -> [Parameter] {
    var parameters: [Parameter] = []
    var scan = SyslogScan(at: structuredData.lowerBound)
    _ = scan.structuredData(text) { parameters.append($0) }
    return parameters
  }

  /// A parameter's value: of `\"`, `\\` and `\]` the backslash is gone (RFC 5424, §6.3.3).
  package static func value(_ range: Range<Int>, of text: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var at = range.lowerBound
    while at < range.upperBound {
      if text[at] == UInt8(ascii: "\\"), at + 1 < range.upperBound,
        text[at + 1] == UInt8(ascii: "\"") || text[at + 1] == UInt8(ascii: "\\")
          || text[at + 1] == UInt8(ascii: "]")
      {
        at += 1
      }
      bytes.append(text[at])
      at += 1
    }
    return bytes
  }

  /// The names of the facilities, by number (RFC 5424, §6.2.1).
  package static let facilities: [StaticString] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
  ]
}

/// Reads parts of a message from its beginning on.
private struct SyslogScan {
  var at: Int
  private static let tagBytesMax = 128
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  .map { Array($0.utf8) }

  init(at: Int) { self.at = at }

  mutating func take(_ words: String, _ text: Span<UInt8>) -> Bool {
    var end = at
    for byte in words.utf8 {
      guard end < text.count, text[end] == byte else { return false }
      end += 1
    }
    at = end
    return true
  }

  /// `<0>` to `<191>`, without leading zeros.
  mutating func priority(_ text: Span<UInt8>) -> Int? {
    guard at < text.count, text[at] == UInt8(ascii: "<") else { return nil }
    var (value, end) = (0, at + 1)
    while end < text.count, end < at + 4, (0x30...0x39).contains(text[end]) {
      value = value * 10 + Int(text[end] & 0x0F)
      end += 1
    }
    guard end > at + 1, end < text.count, text[end] == UInt8(ascii: ">"), value <= 191,
      end == at + 2 || text[at + 1] != UInt8(ascii: "0")
    else { return nil }
    at = end + 1
    return value
  }

  /// Up to a blank, which is passed.
  mutating func word(_ text: Span<UInt8>) -> Range<Int>? {
    let start = at
    while at < text.count, text[at] != 0x20 { at += 1 }
    guard at < text.count else { return nil }
    at += 1
    return start..<at - 1
  }

  // MARK: RFC 5424

  /// `-`, or elements; nil: neither, and the place is anywhere.
  mutating func structuredData(
    _ text: Span<UInt8>, _ each: (SyslogMessage.Parameter) -> Void = { _ in }
  ) -> Range<Int>? {
    if take("-", text) { return 0..<0 }
    let start = at
    while at < text.count, text[at] == UInt8(ascii: "[") {
      at += 1
      guard let element = dataName(text) else { return nil }
      while take(" ", text) {
        // A blank before the bracket is not written by the book, and done.
        if at < text.count, text[at] == UInt8(ascii: "]") { break }
        guard let name = dataName(text), take("=\"", text) else { return nil }
        let value = at
        while at < text.count, text[at] != UInt8(ascii: "\"") {
          at += text[at] == UInt8(ascii: "\\") && at + 1 < text.count ? 2 : 1
        }
        guard at < text.count else { return nil }
        each(SyslogMessage.Parameter(element: element, name: name, value: value..<at))
        at += 1
      }
      guard take("]", text) else { return nil }
    }
    return at > start ? start..<at : nil
  }

  /// Anything visible but `=`, blank, `]` and `"`.
  private mutating func dataName(_ text: Span<UInt8>) -> Range<Int>? {
    let start = at
    while at < text.count, text[at] > 0x20, text[at] != UInt8(ascii: "="), text[at] != UInt8(ascii: "]"),
      text[at] != UInt8(ascii: "\"")
    {
      at += 1
    }
    return at > start ? start..<at : nil
  }

  // MARK: RFC 3164

  /// Cisco's number before a time: `123: `, and the mark of a clock that is not set.
  mutating func skipNumber(_ text: Span<UInt8>) {
    let start = at
    while at < text.count, (0x30...0x39).contains(text[at]) { at += 1 }
    if at == start || !take(": ", text) { at = start }
    if at < text.count, text[at] == UInt8(ascii: "*") || text[at] == UInt8(ascii: ".") { at += 1 }
  }

  /// A time and the blank behind it, and whether a colon stands between.
  mutating func legacyTime(_ text: Span<UInt8>) -> (text: Range<Int>, hasColon: Bool)? {
    let start = at
    if at < text.count, (0x30...0x39).contains(text[at]) {
      // 2026-11-28T06:19:25.721207+00:00
      guard let time = word(text), time.count >= 19, text[time.lowerBound + 4] == UInt8(ascii: "-"),
        text[time.lowerBound + 10] | 0x20 == UInt8(ascii: "t")
      else { return nil }
      return (time, false)
    }
    guard isMonth(text), let month = word(text), month.count == 3 else { return nil }
    while at < text.count, text[at] == 0x20 { at += 1 }
    guard let day = word(text), (1...2).contains(day.count), isDigit(text, day.lowerBound) else { return nil }
    guard var clock = word(text) ?? rest(text), isDigit(text, clock.lowerBound) else { return nil }
    // A year before the clock.
    if clock.count == 4, let next = word(text) ?? rest(text) { clock = next }
    guard clock.count >= 5, text[clock.lowerBound + 2] == UInt8(ascii: ":") else { return nil }
    var end = clock.upperBound
    // UTC, and such, before Cisco's colon.
    if text[end - 1] != UInt8(ascii: ":") {
      let behind = at
      if let zone = word(text), (4...6).contains(zone.count), text[zone.upperBound - 1] == UInt8(ascii: ":"),
        (0x41...0x5A).contains(text[zone.lowerBound])
      {
        return (start..<zone.upperBound - 1, true)
      }
      at = behind
      return (start..<end, false)
    }
    end -= 1
    return (start..<end, true)
  }

  private mutating func rest(_ text: Span<UInt8>) -> Range<Int>? {
    guard at < text.count else { return nil }
    defer { at = text.count }
    return at..<text.count
  }

  private func isDigit(_ text: Span<UInt8>, _ index: Int) -> Bool {
    index < text.count && (0x30...0x39).contains(text[index])
  }

  private func isMonth(_ text: Span<UInt8>) -> Bool {
    guard at + 3 < text.count else { return false }
    let word = [text[at] | 0x20, text[at + 1] | 0x20, text[at + 2] | 0x20]
    return SyslogScan.months.contains(word)
  }

  /// The word behind the time, unless it is a tag: then nobody says who sent it.
  mutating func host(_ text: Span<UInt8>) -> Range<Int>? {
    let start = at
    guard let word = word(text), !word.isEmpty else {
      at = start
      return nil
    }
    let isTag =
      text[word.upperBound - 1] == UInt8(ascii: ":")
      || word.contains { text[$0] == UInt8(ascii: "[") } && text[word.lowerBound] != UInt8(ascii: "[")
    if isTag {
      at = start
      return nil
    }
    return word
  }

  /// `name:`, `name[process]:` or `name[process]`, and a blank behind it.
  mutating func tag(_ text: Span<UInt8>) -> (name: Range<Int>, process: Range<Int>?)? {
    let start = at
    var end = at
    while end < text.count, end - start <= SyslogScan.tagBytesMax, SyslogScan.isTag(text[end]) { end += 1 }
    guard end > start, end < text.count, end - start <= SyslogScan.tagBytesMax else { return nil }
    let name = start..<end
    if text[end] == UInt8(ascii: ":") {
      // `https://…` is no tag.
      guard end + 1 == text.count || text[end + 1] == 0x20 else { return nil }
      at = min(end + 2, text.count)
      return (name, nil)
    }
    guard text[end] == UInt8(ascii: "[") else { return nil }
    let inside = end + 1
    end = inside
    while end < text.count, end - inside <= SyslogScan.tagBytesMax, text[end] > 0x20,
      text[end] != UInt8(ascii: "]")
    {
      end += 1
    }
    guard end < text.count, text[end] == UInt8(ascii: "]"), end > inside else { return nil }
    at = end + 1
    if at < text.count, text[at] == UInt8(ascii: ":") { at += 1 }
    if at < text.count, text[at] == 0x20 { at += 1 }
    return (name, inside..<end)
  }

  private static func isTag(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "@"),
      UInt8(ascii: "%"), UInt8(ascii: "("), UInt8(ascii: ")"), 0x80...:
      true
    default: false
    }
  }
}
