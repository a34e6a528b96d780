import Records

/// Syslog as it lies in files: time, host, program. Also the one of `journalctl -o short-iso`, rsyslog's with
/// times of RFC 3339, and whole messages with a priority (RFC 3164, RFC 5424).
extension ParsedLine {
  mutating func readSyslog(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    if text.count > 0, text[0] == UInt8(ascii: "<") { return readMessage(text, times) }
    var scan = LineScan(text)
    let isDated = scan.peek(text).isDigit
    guard isDated || scan.peek(text).isLetter else { return false }
    // A weekday first is a time of another kind.
    if !isDated, scan.peek(text, 3) != 0x20 { return false }
    guard times.read(text, &scan, into: &self), scan.take(" ", text) else { return false }
    if isDated, !text.holds("T", in: 0..<min(11, text.count)) { return false }
    let host = scan.word(text)
    // What is in brackets is a thread, or a level.
    guard !host.isEmpty, text[host.lowerBound] != UInt8(ascii: "["), scan.take(" ", text) else {
      return false
    }
    note("hostname", host, text)
    let hasTag = readTag(text, &scan)
    message = scan.rest
    // What begins with a time of ISO 8601 may be anything.
    return hasTag || !isDated
  }

  /// `sshd[123]: `, `sshd(pam_unix)[123]: ` or `kernel: `.
  mutating func readTag(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    let start = scan.at
    var index = start
    while index < scan.end, index - start <= 128, text[index] > 0x20, text[index] != UInt8(ascii: "["),
      text[index] != UInt8(ascii: ":")
    {
      index += 1
    }
    guard index > start, index < scan.end, index - start <= 128 else { return false }
    let name = start..<index
    if text[index] == UInt8(ascii: ":") {
      guard index + 1 == scan.end || text[index + 1] == 0x20 else { return false }
      service = name
      scan.at = min(index + 2, scan.end)
      return true
    }
    guard text[index] == UInt8(ascii: "[") else { return false }
    let inside = index + 1
    index = inside
    while index < scan.end, index - inside <= 128, text[index] != UInt8(ascii: "]") { index += 1 }
    guard index < scan.end, index > inside, text[index] == UInt8(ascii: "]") else { return false }
    service = name
    note("proc_id", inside..<index, text)
    scan.at = index + 1
    if scan.peek(text) == UInt8(ascii: ":") { scan.at += 1 }
    if scan.peek(text) == 0x20 { scan.at += 1 }
    return true
  }

  /// With a priority; levels are of syslog.
  private mutating func readMessage(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    let read = SyslogMessage(text, times: times.texts)
    guard read.fault == nil, let priority = read.priority else { return false }
    time = read.time
    unreadTime = read.unreadTime
    level = LevelName(Int64(priority & 7), of: .syslog)
    service = read.app
    message = read.message
    if let host = read.host { note("hostname", host, text) }
    if let process = read.process { note("proc_id", process, text) }
    if let id = read.messageID { note("msg_id", id, text) }
    if !read.structuredData.isEmpty { note("structured_data", read.structuredData, text) }
    // `<13>`: the digits.
    var scan = LineScan(text, at: 1)
    if let digits = scan.digits(text, max: 3) { note(number: "priority", digits, text) }
    return read.time != nil || read.app != nil
  }
}
