import Codecs
import Decoding
import EntryDecoding
import Foundation
import Masking
import Records
import TestKit
import Testing

/// Syslog messages as programs send them.
@Suite struct SyslogTests {
  /// 2026-11-28T06:19:30Z.
  static let now: Int64 = 1_795_846_770_000_000_000

  static func decode(
    _ messages: [[UInt8]], zone: Int = 0, masking: MaskingPlan = .none,
    limits: DecodingLimits = DecodingLimits(),
    isCut: Bool = false, now: Int64 = now
  ) throws(PushFault) -> ListenedRecords {
    var batch = MessageBatch()
    for message in messages { batch.append(message[...], from: "10.0.0.7", isCut: isCut) }
    return try SyslogDecoder(masking: masking, limits: limits).decode(batch, offsetSeconds: zone, now: now)
  }

  /// timestamp, level, message, service, and metadata of one message.
  static func line(_ message: String, zone: Int = 0, now: Int64 = now) throws -> String {
    let decoded = try decode([Array(message.utf8)], zone: zone, now: now)
    #expect(decoded.records.refusedCount == 0, "\(decoded.records.refusals)")
    return OTLPTests.lines(decoded.records).first ?? "nothing"
  }

  @Test(arguments: SyslogTests.corpus)
  func messagesAreRead(_ message: String, _ expected: String) throws {
    let cells = try SyslogTests.line(message).split(separator: "|", omittingEmptySubsequences: false)
    #expect(SyslogTests.short(cells.map(String.init)) == expected)
  }

  /// Messages and what becomes of them.
  static let corpus: [(String, String)] = {
    let path = #filePath.replacing("SyslogTests.swift", with: "corpus/syslog.txt")
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { String($0).replacing("{BOM}", with: "\u{FEFF}") }
    return stride(from: 0, to: lines.count - 1, by: 2).map { (lines[$0], lines[$0 + 1]) }
  }()

  @Test func theCorpusIsThere() { #expect(SyslogTests.corpus.count > 20) }

  /// Of a row: time, level, message, service, metadata.
  private static func short(_ cells: [String]) -> String {
    var cells = cells.map { $0 == "null" ? "" : $0 }
    let time = Int64(cells[0]) ?? 0
    cells[0] = time == now ? "now" : RFC3339.string(time)
    let metadata = cells[cells.count - 1].replacing(",\"peer\":\"10.0.0.7\"", with: "")
    return (cells[..<4] + [metadata]).joined(separator: "|")
  }

  @Test func aYearThatIsMissingIsTheNearest() throws {
    // 2027-01-01T00:00:10Z and 2026-12-31T23:59:50Z.
    let newYear: Int64 = 1_798_761_610_000_000_000
    #expect(try SyslogTests.time("<13>Dec 31 23:59:59 vm a: x", now: newYear) == "2026-12-31T23:59:59Z")
    #expect(
      try SyslogTests.time("<13>Jan  1 00:00:05 vm a: x", now: newYear - 20_000_000_000)
        == "2027-01-01T00:00:05Z")
  }

  private static func time(_ message: String, zone: Int = 0, now: Int64 = now) throws -> String {
    let cell = try line(message, zone: zone, now: now).prefix { $0 != "|" }
    return RFC3339.string(try #require(Int64(cell)))
  }

  @Test func timesWithoutAZoneAreOfTheListeners() throws {
    #expect(try SyslogTests.time("<13>Nov 28 06:19:25 vm a: x", zone: 3600) == "2026-11-28T05:19:25Z")
    #expect(
      try SyslogTests.time("<13>1 2026-11-28T06:19:25Z vm a - - - x", zone: 3600) == "2026-11-28T06:19:25Z")
  }

  @Test func secretsAreMasked() throws {
    let plan = keysPlan(masking: ["password"], for: .logs)
    let decoded = try SyslogTests.decode(
      [Array("<13>1 - - a - - [x@1 password=\"hunter2\" b=\"1\"] ok".utf8)], masking: plan)
    let line = OTLPTests.lines(decoded.records)[0]
    #expect(!line.contains("hunter2") && line.contains("\"b\":\"1\""), "\(line)")
  }

  /// Any bytes make a record each, with all of the text.
  @Test func nothingIsLost() throws {
    var generator = SeededGenerator(seed: 11)
    let pieces =
      [
        "<13>", "<191>", "<", ">", "1 ", "- ", "[", "]", "\"", "\\", "=", " ", "Nov 28 06:19:25 ", "vm ",
        "a: ",
        "[x y=\"", "2026-11-28T06:19:25Z ", "\u{0}", "é", "\u{FEFF}", "7: ", "*",
      ].map { Array($0.utf8) } + [[0xFF], [0x80, 0xC3]]
    for _ in 0..<400 {
      let messages = (0..<10).map { _ in
        (0..<Int.random(in: 0...9, using: &generator)).flatMap { _ in
          pieces.randomElement(using: &generator) ?? []
        }
      }
      let decoded = try SyslogTests.decode(messages)
      #expect(decoded.records.refusedCount == 0, "\(decoded.records.refusals)")
      #expect(decoded.records.batch?.rowCount == 10)
    }
  }

  @Test func whatWasCutSaysSo() throws {
    let decoded = try SyslogTests.decode([Array("<13>x".utf8)], isCut: true)
    #expect(OTLPTests.lines(decoded.records)[0].contains("\"truncated\":true"))
  }
}
