import Codecs
import Records

/// Time, level, and what else programs put before a message: log4j, logback, Spring Boot, Hadoop, Spark,
/// HDFS, ZooKeeper, OpenStack, Python's logging, zap's console, Serilog, Monolog, MySQL, Windows' CBS, and
/// whatever begins with a time.
///
/// The level may stand before the time; between time and message thread, process and logger. What is no
/// level, thread or logger beyond doubt is left in the message: only words in capitals, in brackets or apart
/// are levels, only names with dots are loggers unless separators stand around them.
extension ParsedLine {
  mutating func readTimed(_ text: Span<UInt8>, _ times: LineTimes) -> Bool {
    var scan = LineScan(text)
    if scan.peek(text).isLetter, !readBeforeTime(text, &scan) { return false }
    let isBracketed = scan.take("[", text)
    if isBracketed, scan.peek(text).isUpper {
      // `[INFO] 2025-…`
      guard let word = scan.upTo("]", text), take(level: word, text) else { return false }
      scan.skipBlanks(text)
      guard times.read(text, &scan, into: &self) else { return false }
    } else {
      guard times.read(text, &scan, into: &self) else { return false }
      if isBracketed, !scan.take("]", text) { return false }
    }
    guard TimedForm.ends(scan.peek(text)) else { return false }
    _ = scan.take(",", text)
    var form = TimedForm()
    form.readHeader(text, &scan, into: &self)
    message = scan.rest
    return true
  }

  /// A level, or the name of a file as OpenStack's collected logs have it, and the blanks behind it; nothing
  /// where the time has a word first.
  private mutating func readBeforeTime(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    var ahead = scan
    var word = ahead.word(text)
    guard word.count <= 128, !ahead.isAtEnd else { return true }
    if text[word.upperBound - 1] == UInt8(ascii: ":") { word = word.lowerBound..<word.upperBound - 1 }
    if LevelWord.level(text, word) != nil {
      _ = take(level: word, text)
    } else if ahead.peek(text, 1).isDigit, TimedForm.isFileName(text, word) {
      note("file", word, text)
    } else {
      return true
    }
    ahead.skipBlanks(text)
    scan = ahead
    return true
  }
}

/// Reads what stands between time and message.
private struct TimedForm {
  private var hasThread = false
  private var hasProcess = false
  private var hasLogger = false
  /// Whether a separator was passed since the last part: two are not passed in a row.
  private var isSeparated = false
  /// Spring Boot's `---` was there: what follows up to ` : ` is the logger, whatever it looks like.
  private var hasDashes = false
  private static let partsMax = 8

  mutating func readHeader(_ text: Span<UInt8>, _ scan: inout LineScan, into line: inout ParsedLine) {
    for _ in 0..<TimedForm.partsMax {
      let gap = scan.at
      scan.skipSpace(text)
      let isWide = scan.at - gap >= 2 || scan.at > gap && text[scan.at - 1] == 0x09
      if skipSeparator(text, &scan) { continue }
      if scan.peek(text) == UInt8(ascii: "[") {
        guard readBracketed(text, &scan, &line) else { return }
        continue
      }
      guard readWord(text, &scan, &line, isWide: isWide) else { return }
      isSeparated = false
    }
  }

  /// `-`, `|`, `:`, `--` or `---`, with a blank behind it.
  private mutating func skipSeparator(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    guard !isSeparated else { return false }
    if scan.has("--- ", text) || scan.has("-- ", text) {
      hasDashes = scan.has("---", text)
      scan.at += hasDashes ? 3 : 2
    } else {
      let byte = scan.peek(text)
      guard byte == UInt8(ascii: "-") || byte == UInt8(ascii: "|") || byte == UInt8(ascii: ":"),
        scan.peek(text, 1) == 0x20
      else { return false }
      scan.at += 1
    }
    isSeparated = true
    return true
  }

  private mutating func readBracketed(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ line: inout ParsedLine
  ) -> Bool {
    let start = scan.at
    guard let inside = scan.bracketed(text) else { return false }
    if line.level == nil, line.take(level: TimedForm.trimmed(inside, text), text) {
      isSeparated = false
      return true
    }
    // Behind the logger it is OpenStack's request, once; then it belongs to the message.
    let name: StaticString = hasLogger || hasThread ? "context" : "thread"
    guard !hasThread || line.level == nil && !hasLogger, !line.has(name) else {
      scan.at = start
      return false
    }
    hasThread = true
    line.note(name, inside, text)
    isSeparated = false
    return true
  }

  /// - Returns: false: the message begins here.
  private mutating func readWord(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ line: inout ParsedLine, isWide: Bool
  ) -> Bool {
    let start = scan.at
    while scan.at < scan.end, text[scan.at] != 0x20, text[scan.at] != 0x09 { scan.at += 1 }
    let word = start..<scan.at
    guard !word.isEmpty, word.count <= 256 else {
      scan.at = start
      return false
    }
    let isKnown =
      line.level == nil
      ? readBeforeLevel(word, text, scan, &line) : readBehindLevel(word, text, &scan, &line, isWide: isWide)
    if !isKnown { scan.at = start }
    return isKnown
  }

  private mutating func readBeforeLevel(
    _ word: Range<Int>, _ text: Span<UInt8>, _ scan: LineScan, _ line: inout ParsedLine
  ) -> Bool {
    let hasColon = text[word.upperBound - 1] == UInt8(ascii: ":")
    let bare = hasColon ? word.lowerBound..<word.upperBound - 1 : word
    if LevelWord.level(text, bare) != nil {
      guard hasColon || TimedForm.isUpper(text, bare) || isApart(text, scan) else { return false }
      return line.take(level: bare, text)
    }
    if text.isNumber(word), !hasProcess {
      hasProcess = true
      line.note(number: "pid", word, text)
      return true
    }
    if hasColon, !hasLogger, let dot = TimedForm.lastDot(text, bare),
      TimedForm.isUpper(text, dot + 1..<bare.upperBound), line.take(level: dot + 1..<bare.upperBound, text)
    {
      // Monolog: `production.ERROR:`
      hasLogger = true
      line.note("logger", bare.lowerBound..<dot, text)
      return true
    }
    guard !hasLogger, isApart(text, scan), hasLevelAhead(text, scan) else { return false }
    hasLogger = true
    line.note("logger", word, text)
    return true
  }

  private mutating func readBehindLevel(
    _ word: Range<Int>, _ text: Span<UInt8>, _ scan: inout LineScan, _ line: inout ParsedLine, isWide: Bool
  ) -> Bool {
    guard !hasLogger else { return false }
    if text.isNumber(word), !hasProcess, isDashed(text, scan) {
      hasProcess = true
      line.note(number: "pid", word, text)
      return true
    }
    if text[word.upperBound - 1] == UInt8(ascii: ":") {
      let name = word.lowerBound..<word.upperBound - 1
      guard TimedForm.isName(text, name), !isSeparated || hasDashes, !line.has("logger") else { return false }
      hasLogger = true
      hasThread = true
      isSeparated = true
      line.note("logger", name, text)
      return true
    }
    if scan.peek(text) == 0x09, TimedForm.isPlace(text, word), !line.has("caller") {
      // zap's caller, the last part before its message.
      hasThread = true
      line.note("caller", word, text)
      return true
    }
    let isColumn = isWide && isWideAhead(text, scan)
    guard isColumn || isNameAhead(word, text, scan), !line.has("logger") else { return false }
    // A caller may follow it.
    hasLogger = scan.peek(text) != 0x09
    line.note("logger", word, text)
    return true
  }

  // MARK: What follows a word

  /// A separator, a tab or two blanks.
  private func isApart(_ text: Span<UInt8>, _ scan: LineScan) -> Bool {
    if scan.peek(text) == 0x09 || isWideAhead(text, scan) { return true }
    guard scan.peek(text) == 0x20, scan.peek(text, 2) == 0x20 else { return false }
    let byte = scan.peek(text, 1)
    return byte == UInt8(ascii: "-") || byte == UInt8(ascii: "|") || byte == UInt8(ascii: ":")
  }

  private func isWideAhead(_ text: Span<UInt8>, _ scan: LineScan) -> Bool {
    scan.peek(text) == 0x20 && scan.peek(text, 1) == 0x20
  }

  private func isDashed(_ text: Span<UInt8>, _ scan: LineScan) -> Bool { scan.has(" --- ", text) }

  /// Whether the word is a logger: a name with dots before a separator or a bracket, any behind `---`, or one
  /// before zap's caller.
  private func isNameAhead(_ word: Range<Int>, _ text: Span<UInt8>, _ scan: LineScan) -> Bool {
    var ahead = scan
    if scan.peek(text) == 0x09 {
      guard !hasLogger, TimedForm.isIdentifier(text, word) else { return false }
      ahead.at += 1
      let start = ahead.at
      while ahead.at < ahead.end, text[ahead.at] != 0x09, ahead.at - start < 256 { ahead.at += 1 }
      return TimedForm.isPlace(text, start..<ahead.at)
    }
    ahead.skipBlanks(text)
    let next = ahead.peek(text)
    if next == UInt8(ascii: "["), !hasThread { return TimedForm.isName(text, word) }
    guard next == UInt8(ascii: ":") || next == UInt8(ascii: "-") || next == UInt8(ascii: "|"),
      ahead.peek(text, 1) == 0x20
    else { return false }
    return hasDashes || TimedForm.isName(text, word)
  }

  /// Whether one of the next two words is a level.
  private func hasLevelAhead(_ text: Span<UInt8>, _ scan: LineScan) -> Bool {
    var ahead = scan
    for _ in 0..<3 {
      ahead.skipSpace(text)
      let start = ahead.at
      while ahead.at < ahead.end, text[ahead.at].isLetter, ahead.at - start <= 16 { ahead.at += 1 }
      if LevelWord.level(text, start..<ahead.at) != nil { return true }
      while ahead.at < ahead.end, text[ahead.at] != 0x20, text[ahead.at] != 0x09, ahead.at - start <= 256 {
        ahead.at += 1
      }
    }
    return false
  }

  // MARK: Words

  /// What may stand behind a time.
  static func ends(_ byte: UInt8) -> Bool {
    switch byte {
    case 0, 0x20, 0x09, UInt8(ascii: ","), UInt8(ascii: "|"), UInt8(ascii: ":"), UInt8(ascii: "["),
      UInt8(ascii: "]"):
      true
    default: false
    }
  }

  static func isFileName(_ text: Span<UInt8>, _ word: Range<Int>) -> Bool {
    for index in word where text[index] == UInt8(ascii: ".") && text.has(".log", at: index) { return true }
    return false
  }

  private static func trimmed(_ range: Range<Int>, _ text: Span<UInt8>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, text[low] == 0x20 { low += 1 }
    while high > low, text[high - 1] == 0x20 { high -= 1 }
    return low..<high
  }

  private static func isUpper(_ text: Span<UInt8>, _ word: Range<Int>) -> Bool {
    for index in word where !text[index].isUpper { return false }
    return !word.isEmpty
  }

  private static func lastDot(_ text: Span<UInt8>, _ word: Range<Int>) -> Int? {
    var found: Int?
    for index in word where text[index] == UInt8(ascii: ".") { found = index }
    return found.flatMap { $0 > word.lowerBound ? $0 : nil }
  }

  /// `server.go:12`
  private static func isPlace(_ text: Span<UInt8>, _ word: Range<Int>) -> Bool {
    for index in word where text[index] == UInt8(ascii: ".") && text.has(".go:", at: index) { return true }
    return false
  }

  private static func isIdentifier(_ text: Span<UInt8>, _ word: Range<Int>) -> Bool {
    guard !word.isEmpty, text[word.lowerBound].isLetter || text[word.lowerBound] == UInt8(ascii: "_") else {
      return false
    }
    for index in word {
      switch text[index] {
      case let byte where byte.isLetter || byte.isDigit: break
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "-"), UInt8(ascii: "/"),
        UInt8(ascii: ":"), UInt8(ascii: "@"):
        break
      default: return false
      }
    }
    return true
  }

  /// An identifier of several parts: `dfs.DataNode$PacketResponder`, `a::b`.
  private static func isName(_ text: Span<UInt8>, _ word: Range<Int>) -> Bool {
    guard isIdentifier(text, word), text[word.upperBound - 1].isLetter || text[word.upperBound - 1].isDigit
    else { return false }
    for index in word {
      if text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: "$") || text.has("::", at: index) {
        return true
      }
    }
    return false
  }
}
