import Shaping
import Testing

/// Words and numbers for levels.
@Suite struct LevelNameTests {
  @Test(
    arguments: [
      ("warning", .warn), ("WARN", .warn), ("Information", .info), ("NOTICE", .info), ("Err", .error),
      ("SEVERE", .error), ("emerg", .fatal), ("Critical", .fatal), ("FINE", .debug), ("finest", .trace),
      ("dpanic", .fatal), ("d", .debug),
    ] as [(String, LevelName)])
  func wordsOfLoggersAreKnown(_ word: String, _ level: LevelName) { #expect(LevelName(word) == level) }

  @Test(arguments: ["", "INFO ", "unknown", "infoinformational", "ınfo", "info\u{301}", "K"])
  func otherWordsAreNobodys(_ word: String) { #expect(LevelName(word) == nil) }

  @Test func eachLevelIsItsOwnWord() {
    for level in LevelName.allCases { #expect(LevelName(level.rawValue) == level) }
  }

  @Test(
    arguments: [
      (0, .syslog, .fatal), (3, .syslog, .error), (5, .syslog, .info), (7, .syslog, .debug),
      (8, .syslog, nil),
      (1, .openTelemetry, .trace), (4, .openTelemetry, .trace), (5, .openTelemetry, .debug),
      (12, .openTelemetry, .info), (13, .openTelemetry, .warn), (20, .openTelemetry, .error),
      (24, .openTelemetry, .fatal), (0, .openTelemetry, nil), (25, .openTelemetry, nil),
      (10, .python, .debug), (25, .python, .info), (30, .python, .warn), (50, .python, .fatal),
      (5, .python, nil),
      // pino and bunyan.
      (10, .any, .trace), (30, .any, .info), (35, .any, .info), (60, .any, .fatal),
      // Java, log4j.
      (300, .any, .trace), (800, .any, .info), (1_000, .any, .error), (20_000, .any, .info),
      (50_000, .any, .fatal),
      // Go.
      (-4, .any, .debug), (-1, .any, .debug), (-8, .any, .trace),
      // GELF's are syslog's.
      (3, .any, .error), (6, .any, .info),
      (9, .any, nil), (61, .any, nil), (1_001, .any, nil), (.min, .any, nil), (.max, .any, nil),
    ] as [(Int64, LevelName.Numbers, LevelName?)])
  func numbersMeanTheirOwners(_ number: Int64, _ numbers: LevelName.Numbers, _ level: LevelName?) {
    #expect(LevelName(number, of: numbers) == level)
  }
}
