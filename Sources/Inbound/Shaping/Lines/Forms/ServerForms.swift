import Codecs
import Records

/// What web servers and databases write.
extension ParsedLine {
  /// Common and combined: `client ident user [time] "request" status bytes "referrer" "agent"`, whatever
  /// behind it, a virtual host before it.
  mutating func readAccess(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    var words: [Range<Int>] = []
    while words.count < 4, scan.peek(text) != UInt8(ascii: "[") {
      let word = scan.word(text)
      guard !word.isEmpty, word.count <= 256, scan.take(" ", text) else { return false }
      words.append(word)
    }
    guard words.count >= 3, scan.take("[", text), times.read(text, &scan, into: &self),
      scan.take("] ", text), let request = scan.quoted(text), scan.take(" ", text)
    else { return false }
    let status = scan.word(text)
    guard text.is("-", in: status) || status.count == 3 && text.isNumber(status) else { return false }
    if words.count == 4 { note("virtual_host", words[0], text) }
    note("client", words[words.count - 3], text)
    note("ident", words[words.count - 2], text)
    note("user", words[words.count - 1], text)
    note(number: "status", status, text)
    if scan.take(" ", text) { note(number: "bytes", scan.word(text), text) }
    message = request
    readRequest(request, text)
    readAgent(text, &scan)
    return true
  }

  private mutating func readRequest(_ request: Range<Int>, _ text: Span<UInt8>) {
    let part = text.extracting(0..<request.upperBound)
    var scan = LineScan(part, at: request.lowerBound)
    let method = scan.word(part)
    guard (1...16).contains(method.count), scan.take(" ", part) else { return }
    for index in method where !text[index].isUpper { return }
    let path = scan.word(part)
    note("method", method, text)
    note("path", path, text)
    if scan.take(" ", part) { note("protocol", scan.rest, text) }
  }

  private mutating func readAgent(_ text: Span<UInt8>, _ scan: inout LineScan) {
    scan.skipBlanks(text)
    let start = scan.at
    guard let referrer = scan.quoted(text), scan.take(" ", text), let agent = scan.quoted(text) else {
      if start < scan.end { note("extra", start..<scan.end, text) }
      return
    }
    note("referrer", referrer, text)
    note("user_agent", agent, text)
    scan.skipBlanks(text)
    if !scan.isAtEnd { note("extra", scan.rest, text) }
  }

  /// nginx' errors: `2025/11/30 12:00:00 [error] 12#34: *56 message`
  mutating func readNginx(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard text.count > 26, text[4] == UInt8(ascii: "/"), times.read(text, &scan, into: &self),
      scan.take(" [", text), let word = scan.upTo("]", text), take(level: word, text), scan.take(" ", text),
      let process = scan.digits(text), scan.take("#", text), let thread = scan.digits(text),
      scan.take(": ", text)
    else { return false }
    note(number: "pid", process, text)
    note(number: "tid", thread, text)
    if scan.peek(text) == UInt8(ascii: "*") {
      scan.at += 1
      if let connection = scan.digits(text) { note(number: "connection", connection, text) }
      scan.skipBlanks(text)
    }
    message = scan.rest
    return true
  }

  /// Apache's errors: `[time] [notice] message`, and of 2.4 `[time] [core:error] [pid 1:tid 2] [client …]`.
  mutating func readApache(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard scan.take("[", text), scan.peek(text).isLetter, times.read(text, &scan, into: &self),
      scan.take("] ", text), let inside = scan.bracketed(text)
    else { return false }
    var word = inside
    if let colon = inside.last(where: { text[$0] == UInt8(ascii: ":") }) {
      note("module", inside.lowerBound..<colon, text)
      word = colon + 1..<inside.upperBound
    }
    // Apache's trace1 to trace8.
    if text.has("trace", at: word.lowerBound), word.count == 6 {
      level = .trace
      sentLevel = word
    } else {
      guard take(level: word, text) else { return false }
    }
    while true {
      scan.skipBlanks(text)
      if scan.has("[pid ", text), !has("process"), let inside = scan.bracketed(text) {
        note("process", inside.lowerBound + 4..<inside.upperBound, text)
      } else if scan.has("[client ", text), !has("client"), let inside = scan.bracketed(text) {
        note("client", inside.lowerBound + 7..<inside.upperBound, text)
      } else {
        break
      }
    }
    message = scan.rest
    return true
  }

  /// PostgreSQL's with any prefix that begins with the time: `2025-11-30 12:00:00.123 UTC [7] a@b ERROR:  x`
  mutating func readPostgres(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard scan.peek(text).isDigit, times.read(text, &scan, into: &self) else { return false }
    scan.skipBlanks(text)
    let prefix = scan.at
    for _ in 0..<6 {
      let start = scan.at
      let word = scan.word(text)
      guard scan.has("  ", text), word.count > 3, text[word.upperBound - 1] == UInt8(ascii: ":") else {
        guard scan.take(" ", text) else { return false }
        continue
      }
      let name = word.lowerBound..<word.upperBound - 1
      guard takePostgres(name, text) else { return false }
      readPrefix(prefix..<start, text)
      scan.at += 2
      message = scan.rest
      return true
    }
    return false
  }

  private mutating func takePostgres(_ word: Range<Int>, _ text: Span<UInt8>) -> Bool {
    for index in word where !text[index].isUpper && !text[index].isDigit { return false }
    if text.is("LOG", in: word) {
      (level, sentLevel) = (.info, word)
      return true
    }
    // They belong to the line before them, which has the level.
    let parts: [StaticString] = ["STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION"]
    if parts.contains(where: { text.is($0, in: word) }) {
      sentLevel = word
      return true
    }
    let isNumbered = text.has("DEBUG", at: word.lowerBound) && word.count == 6
    if isNumbered {
      (level, sentLevel) = (.debug, word)
      return true
    }
    return take(level: word, text)
  }

  /// `[7] app@shop ` and such.
  private mutating func readPrefix(_ range: Range<Int>, _ text: Span<UInt8>) {
    let part = text.extracting(0..<range.upperBound)
    var scan = LineScan(part, at: range.lowerBound)
    if let process = scan.bracketed(part) { note("pid", process, text) }
    scan.skipBlanks(part)
    var rest = scan.rest
    while let last = rest.last, text[last] == 0x20 { rest = rest.dropLast() }
    note("session", rest, text)
  }

  /// Redis': `7:M 30 Nov 2025 12:00:00.123 * message`, and before version 3 `[7] 30 Nov 12:00:00.123 * …`.
  mutating func readRedis(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard let process = scan.digits(text, max: 10), scan.take(":", text), scan.peek(text).isUpper else {
      return false
    }
    let role = scan.at..<scan.at + 1
    scan.at += 1
    guard scan.take(" ", text), times.read(text, &scan, into: &self), scan.take(" ", text) else {
      return false
    }
    switch scan.peek(text) {
    case UInt8(ascii: "."): level = .debug
    case UInt8(ascii: "-"): level = .debug
    case UInt8(ascii: "*"): level = .info
    case UInt8(ascii: "#"): level = .warn
    default: return false
    }
    guard scan.peek(text, 1) == 0x20 || scan.at + 1 == scan.end else { return false }
    sentLevel = scan.at..<scan.at + 1
    scan.at = min(scan.at + 2, scan.end)
    note(number: "pid", process, text)
    note("role", role, text)
    message = scan.rest
    return true
  }
}
