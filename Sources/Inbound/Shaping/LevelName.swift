import Records

/// How serious a record is: the six words that Cordwood writes in `level` of records that come from tools of
/// others, found by the words and numbers that loggers have.
package enum LevelName: String, Sendable, Hashable, CaseIterable {
  case trace = "TRACE"
  case debug = "DEBUG"
  case info = "INFO"
  case warn = "WARN"
  case error = "ERROR"
  case fatal = "FATAL"

  /// What `word` means, in any case: the words of syslog (RFC 5424), Java, Python, Go, .NET and JavaScript,
  /// with their short forms. nil: a word of nobody's.
  package init?(_ word: String) {
    guard word.utf8.count <= 16 else { return nil }
    let lower = word.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    guard let level = LevelName.words[lower] else { return nil }
    self = level
  }

  /// Whose numbers they are.
  package enum Numbers: Sendable, Hashable {
    /// From 0, an emergency, to 7, debug (RFC 5424, §6.2.1).
    case syslog
    /// From 1 to 24, more being worse (OpenTelemetry's `SeverityNumber`).
    case openTelemetry
    /// Python's: 10, debug, to 50, critical.
    case python
    /// Told by their size: pino's and bunyan's tens (10, trace, to 60, fatal), Java's hundreds (300 to
    /// 1,000), log4j's and logback's thousands (5,000 to 50,000), Go's negative ones, else syslog's, as in
    /// GELF.
    case any
  }

  /// What a number means; nil: nothing known.
  package init?(_ number: Int64, of numbers: Numbers) {
    let level: LevelName?
    switch numbers {
    case .syslog: level = LevelName.syslog(number)
    case .openTelemetry:
      level = (1...24).contains(number) ? LevelName.allCases[Int(number - 1) / 4] : nil
    case .python:
      level = LevelName.step(number, [(10, .debug), (20, .info), (30, .warn), (40, .error), (50, .fatal)])
    case .any: level = LevelName.bySize(number)
    }
    guard let level else { return nil }
    self = level
  }

  private static func syslog(_ number: Int64) -> LevelName? {
    switch number {
    case 0...2: .fatal
    case 3: .error
    case 4: .warn
    case 5, 6: .info
    case 7: .debug
    default: nil
    }
  }

  private static func bySize(_ number: Int64) -> LevelName? {
    switch number {
    // zap and slog: 0 is information, as 6 is to syslog; nobody writes these but below it.
    case -4 ... -1: .debug
    case -8 ... -5: .trace
    case 0...7: syslog(number)
    case 10...60:
      step(number, [(10, .trace), (20, .debug), (30, .info), (40, .warn), (50, .error), (60, .fatal)])
    case 300...1_000:
      step(number, [(300, .trace), (500, .debug), (700, .info), (900, .warn), (1_000, .error)])
    case 5_000...50_000:
      step(
        number,
        [
          (5_000, .trace), (10_000, .debug), (20_000, .info), (30_000, .warn), (40_000, .error),
          (50_000, .fatal),
        ])
    default: nil
    }
  }

  /// The last step at or below `number`.
  private static func step(_ number: Int64, _ steps: [(Int64, LevelName)]) -> LevelName? {
    steps.last { $0.0 <= number }?.1
  }

  private static let words: [[UInt8]: LevelName] = {
    let lists: [(LevelName, [String])] = [
      (.trace, ["trace", "trc", "finest", "finer", "silly", "verbose", "t", "v"]),
      (.debug, ["debug", "dbug", "dbg", "fine", "config", "d"]),
      (.info, ["info", "information", "informational", "inf", "notice", "log", "success", "i", "n"]),
      (.warn, ["warn", "warning", "wrn", "w"]),
      (.error, ["error", "err", "eror", "severe", "failure", "e"]),
      (
        .fatal,
        ["fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic", "ftl", "f", "c"]
      ),
    ]
    var words: [[UInt8]: LevelName] = [:]
    for (level, list) in lists { for word in list { words[Array(word.utf8)] = level } }
    return words
  }()
}
