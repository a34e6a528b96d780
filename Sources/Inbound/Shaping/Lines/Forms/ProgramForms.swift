import Records

/// What languages and systems write that begin with something else than a time, or have parts of their own.
extension ParsedLine {
  /// klog's and glog's: `I1130 12:00:00.123456    7 server.go:12] message`, also with a year.
  mutating func readKlog(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    switch scan.peek(text) {
    case UInt8(ascii: "I"): level = .info
    case UInt8(ascii: "W"): level = .warn
    case UInt8(ascii: "E"): level = .error
    case UInt8(ascii: "F"): level = .fatal
    case UInt8(ascii: "D"): level = .debug
    default: return false
    }
    sentLevel = 0..<1
    scan.at = 1
    let start = scan.at
    guard let date = scan.digits(text, max: 9), date.count == 4 || date.count == 8, scan.take(" ", text)
    else { return false }
    // Month and day as logcat has them, or a whole date: the reader knows both.
    var clock = LineClock()
    if date.count == 4 {
      guard clock.readKlog(text, date, &scan) else { return false }
    } else {
      scan.at = start
      guard clock.read(text, &scan) else { return false }
    }
    time = times.nanoseconds(clock)
    if time == nil { unreadTime = start..<scan.at }
    scan.skipBlanks(text)
    guard let thread = scan.digits(text), scan.take(" ", text), let place = scan.upTo("]", text),
      text.holds(":", in: place), place.count <= 256
    else { return false }
    note(number: "tid", thread, text)
    note("caller", place, text)
    if scan.peek(text) == 0x20 { scan.at += 1 }
    message = scan.rest
    return true
  }

  /// Android's, `threadtime`: `03-17 16:13:38.811  1702  2395 D WindowManager: message`
  mutating func readLogcat(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard scan.peek(text).isDigit, scan.peek(text, 2) == UInt8(ascii: "-") || scan.peek(text, 4) == 0x2D,
      times.read(text, &scan, into: &self)
    else { return false }
    scan.skipBlanks(text)
    guard let process = scan.digits(text), scan.peek(text) == 0x20 else { return false }
    scan.skipBlanks(text)
    guard let thread = scan.digits(text), scan.take(" ", text), scan.peek(text, 1) == 0x20 else {
      return false
    }
    switch scan.peek(text) {
    case UInt8(ascii: "V"): level = .trace
    case UInt8(ascii: "D"): level = .debug
    case UInt8(ascii: "I"): level = .info
    case UInt8(ascii: "W"): level = .warn
    case UInt8(ascii: "E"): level = .error
    case UInt8(ascii: "F"), UInt8(ascii: "A"): level = .fatal
    default: return false
    }
    sentLevel = scan.at..<scan.at + 1
    scan.at += 2
    note(number: "pid", process, text)
    note(number: "tid", thread, text)
    let start = scan.at
    while let tag = scan.upTo(":", text), tag.upperBound - start <= 256 {
      // A colon of the tag itself has no blank behind it.
      guard scan.isAtEnd || scan.peek(text) == 0x20 else { continue }
      note("tag", start..<tag.upperBound, text)
      scan.at = min(scan.at + 1, scan.end)
      message = scan.rest
      return true
    }
    message = start..<scan.end
    return true
  }

  /// Python's without a format: `WARNING:shop.cart:message`. It has no time.
  mutating func readPython(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard let word = scan.upTo(":", text), word.count <= 8 else { return false }
    for index in word where !text[index].isUpper { return false }
    guard take(level: word, text), let logger = scan.upTo(":", text), (1...128).contains(logger.count),
      !text.holds(" ", in: logger)
    else { return false }
    note("logger", logger, text)
    message = scan.rest
    return true
  }

  /// Ruby's: `I, [2025-11-30T12:00:00.123456 #7]  INFO -- shop: message`
  mutating func readRuby(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard scan.peek(text).isUpper, scan.peek(text, 1) == UInt8(ascii: ",") else { return false }
    scan.at = 2
    guard scan.take(" [", text), times.read(text, &scan, into: &self), scan.take(" #", text),
      let process = scan.digits(text), scan.take("]", text)
    else { return false }
    scan.skipBlanks(text)
    let word = scan.word(text)
    if text.is("ANY", in: word) { sentLevel = word } else if !take(level: word, text) { return false }
    guard scan.take(" --", text) else { return false }
    note(number: "pid", process, text)
    if scan.take(" ", text), let name = scan.upTo(":", text) { note("program", name, text) }
    if scan.peek(text) == 0x20 { scan.at += 1 }
    message = scan.rest
    return true
  }

  /// Proxifier's: `[10.30 16:49:06] chrome.exe - message`
  mutating func readProxifier(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard scan.take("[", text), scan.peek(text, 2) == UInt8(ascii: "."), times.read(text, &scan, into: &self),
      scan.take("] ", text)
    else { return false }
    let start = scan.at
    while scan.at < scan.end, scan.at - start <= 256, !scan.has(" - ", text) { scan.at += 1 }
    guard scan.has(" - ", text) else { return false }
    service = start..<scan.at
    scan.at += 3
    message = scan.rest
    return true
  }

  /// Columns with bars between: `20171223-22:15:29:606|Step_LSC|30002312|message`
  mutating func readBars(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard scan.peek(text).isDigit, times.read(text, &scan, into: &self), scan.take("|", text),
      let component = scan.upTo("|", text), (1...128).contains(component.count),
      let process = scan.upTo("|", text), text.isNumber(process)
    else { return false }
    note("component", component, text)
    note(number: "pid", process, text)
    message = scan.rest
    return true
  }
}

/// Clusters of supercomputers, as collected in one file.
extension ParsedLine {
  /// `- 1117838570 2005.06.03 node …`: an alert's category, the second, the day, the node. Behind it Blue
  /// Gene/L's `2005-06-03-15.42.50.675872 node RAS KERNEL INFO message`, or a line of syslog.
  mutating func readCluster(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    let alert = scan.word(text)
    guard (1...32).contains(alert.count), scan.take(" ", text), let second = scan.digits(text, max: 11),
      second.count == 10, scan.take(" ", text)
    else { return false }
    let day = scan.word(text)
    guard day.count == 10, text[day.lowerBound + 4] == UInt8(ascii: "."), scan.take(" ", text) else {
      return false
    }
    let node = scan.word(text)
    guard !node.isEmpty, scan.take(" ", text) else { return false }
    note("alert", alert, text)
    note("node", node, text)
    var clock = LineClock()
    guard clock.read(text, &scan), scan.take(" ", text) else { return false }
    var seconds: Int64 = 0
    for index in second { seconds = seconds * 10 + Int64(text[index] & 15) }
    // Of one moment: the clock that follows is the place's, and has the fraction.
    time = seconds * 1_000_000_000 + Int64(clock.nanosecond)
    let host = scan.word(text)
    guard scan.take(" ", text) else { return false }
    if readEvent(text, scan) { return true }
    note("hostname", host, text)
    _ = readTag(text, &scan)
    message = scan.rest
    return true
  }

  /// `RAS KERNEL INFO message`: who reports, what it is about, how bad it is. False changes nothing.
  private mutating func readEvent(_ text: Span<UInt8>, _ start: LineScan) -> Bool {
    var scan = start
    guard scan.has("RAS ", text) || scan.has("NULL ", text) else { return false }
    _ = scan.word(text)
    scan.at += 1
    let component = scan.word(text)
    guard scan.take(" ", text), take(level: scan.word(text), text) else { return false }
    note("component", component, text)
    if scan.peek(text) == 0x20 { scan.at += 1 }
    message = scan.rest
    return true
  }

  /// `134681 node-246 unix.hw state_change.unavailable 1077804742 1 message`
  mutating func readStates(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    guard let number = scan.digits(text), scan.take(" ", text) else { return false }
    let words = [scan.part(text), scan.part(text), scan.part(text)]
    guard words.allSatisfy({ !$0.isEmpty }), let second = scan.digits(text, max: 11), second.count == 10,
      scan.take(" ", text)
    else { return false }
    let flagStart = scan.at
    _ = scan.take("-", text)
    guard scan.digits(text, max: 3) != nil, scan.take(" ", text) else { return false }
    let flag = flagStart..<scan.at - 1
    var seconds: Int64 = 0
    for index in second { seconds = seconds * 10 + Int64(text[index] & 15) }
    time = seconds * 1_000_000_000
    note(number: "number", number, text)
    note("node", words[0], text)
    note("component", words[1], text)
    note("state", words[2], text)
    note(number: "flag", flag, text)
    message = scan.rest
    return true
  }
}

extension LineScan {
  /// A word and the blank behind it.
  fileprivate mutating func part(_ text: Span<UInt8>) -> Range<Int> {
    let word = word(text)
    _ = take(" ", text)
    return word
  }
}
