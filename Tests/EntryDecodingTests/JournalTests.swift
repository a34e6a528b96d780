import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Entries of systemd's journal in its export format.
@Suite struct JournalTests {
  static func decode(
    _ body: [UInt8], isLast: Bool = true, limits: DecodingLimits = DecodingLimits(),
    within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> JournalExport.Decoded {
    try JournalExport(limits: limits).decode(body, isLast: isLast, now: 7, within: memory)
  }

  static func decode(_ body: String, isLast: Bool = true) throws(PushFault) -> JournalExport.Decoded {
    try decode(Array(body.utf8), isLast: isLast)
  }

  static func lines(_ decoded: JournalExport.Decoded) -> [String] { LokiTests.lines(decoded.records) }

  /// A field whose length stands before it.
  static func binary(_ name: String, _ value: [UInt8]) -> [UInt8] {
    Array(name.utf8) + [0x0A] + (0..<8).map { UInt8(truncatingIfNeeded: value.count >> (8 * $0)) } + value
      + [0x0A]
  }

  /// As the uploader sends it.
  static let recorded =
    Array(
      ("__CURSOR=s=8b74;i=1;b=0123;m=3e8;t=65f2;x=84a3\n__REALTIME_TIMESTAMP=1793491200123456\n"
        + "__MONOTONIC_TIMESTAMP=1000\n_BOOT_ID=0123\nMESSAGE=hello journal\nPRIORITY=6\n"
        + "SYSLOG_IDENTIFIER=shop\n_PID=42\n_HOSTNAME=vm\n_SYSTEMD_UNIT=shop.service\n\n"
        + "__CURSOR=s=8b74;i=2\n__REALTIME_TIMESTAMP=1793491200123457\n").utf8)
    + binary("MESSAGE", Array("two\nlines!!".utf8)) + Array("PRIORITY=3\n_COMM=sh\n\n".utf8)

  @Test func entriesBecomeRecords() throws {
    let decoded = try JournalTests.decode(JournalTests.recorded)
    #expect(decoded.byteCount == JournalTests.recorded.count && decoded.isTold)
    #expect(decoded.timesUnreadCount == 0 && decoded.records.refusedCount == 0)
    #expect(
      JournalTests.lines(decoded) == [
        "1793491200123456000|INFO|hello journal|shop|null|null|null|"
          + #"{"_HOSTNAME":"vm","_SYSTEMD_UNIT":"shop.service"}|"#
          + #"{"_BOOT_ID":"0123","PRIORITY":"6","SYSLOG_IDENTIFIER":"shop","_PID":"42"}"#,
        "1793491200123457000|ERROR|two\nlines!!|sh|null|null|null|null|"
          + #"{"PRIORITY":"3","_COMM":"sh"}"#,
      ])
  }

  @Test func oddEntriesAreKept() throws {
    let decoded = try JournalTests.decode(
      Array("\n\nA=1\nA=\nA=3\n\n__REALTIME_TIMESTAMP=x\nPRIORITY=9\n\nMESSAGE=a=b\nMESSAGE=c\n\n".utf8)
        + JournalTests.binary("MESSAGE", [0x61, 0xFF, 0x00]))
    #expect(decoded.timesUnreadCount == 4 && !decoded.isTold)
    #expect(
      JournalTests.lines(decoded) == [
        #"7|null||null|null|null|null|null|{"A":["1","","3"]}"#,
        #"7|null||null|null|null|null|null|{"__REALTIME_TIMESTAMP":"x","PRIORITY":"9"}"#,
        #"7|null|a=b|null|null|null|null|null|{"MESSAGE":["a=b","c"]}"#,
        "7|null|a\u{FFFD}\u{FFFD}|null|null|null|null|null|{}",
      ])
  }

  /// What has no end yet is left for the next piece, wherever it is cut.
  @Test func piecesEndWithEntries() throws {
    let whole = JournalTests.recorded
    let first =
      try #require(
        (0..<whole.count - 1).first { whole[$0] == 0x0A && whole[$0 + 1] == 0x0A }) + 2
    for count in 0..<whole.count {
      let decoded = try JournalTests.decode(Array(whole.prefix(count)), isLast: false)
      #expect(decoded.byteCount == (count < first ? 0 : first), "\(count)")
      #expect(decoded.records.batch?.rowCount ?? 0 == (count < first ? 0 : 1))
    }
    // Of the last, what ends with a field is whole.
    let rest = try JournalTests.decode("MESSAGE=a\nPRIORITY=3\n")
    #expect(JournalTests.lines(rest).count == 1 && rest.byteCount == 21)
  }

  @Test(arguments: ["MESSAGE=a", "MESSAGE", "MESSAGE\n", "MESSAGE\n\u{03}\0\0\0\0\0\0\0ab", "=a\n", "\n=\n"])
  func whatIsCutOffIsNone(_ body: String) {
    #expect(throws: PushFault.self) { try JournalTests.decode(body) }
  }

  @Test func whatIsNoStreamIsRefused() {
    for body in [
      Array(String(repeating: "N", count: 300).utf8), Array("A\n".utf8) + [UInt8](repeating: 0xFF, count: 8),
      JournalTests.binary("A", [1, 2]).dropLast() + [0x41, 0x0A], Array("=\n".utf8),
    ] {
      for isLast in [false, true] {
        #expect(throws: PushFault.self) { try JournalTests.decode(Array(body), isLast: isLast) }
      }
    }
  }

  @Test func boundsHold() throws {
    var limits = DecodingLimits()
    limits.entriesMax = 2
    let body = Array("MESSAGE=a\n\nMESSAGE=b\n\nMESSAGE=c\n\n".utf8)
    let decoded = try JournalTests.decode(body, limits: limits)
    #expect(decoded.records.batch?.rowCount == 2 && decoded.byteCount == 22)
    // A dump of memory is cut, and holds nobody up.
    let dump = JournalTests.binary("COREDUMP", [UInt8](repeating: 0x61, count: 3 << 20))
    let cut = try JournalTests.decode(dump + Array("MESSAGE=core\n\n".utf8))
    let line = try #require(JournalTests.lines(cut).first)
    #expect(line.contains("|core|") && line.hasSuffix(#","truncated":true}"#) && line.utf8.count < 70_000)
    limits.entryBytesMax = 300
    let long = Array("MESSAGE=\(String(repeating: "x", count: 400))\n\nMESSAGE=b\n\n".utf8)
    let refused = try JournalTests.decode(long, limits: limits)
    #expect(refused.records.batch?.rowCount == 1 && refused.records.refusedCount == 1)
    #expect(refused.byteCount == long.count)
    let budget = AmplificationTests.Budget(bytesMax: 1 << 20)
    #expect(try JournalTests.decode(body, within: budget.memory).records.batch?.rowCount == 3)
    #expect(budget.used == 0)
    let none = DecodingMemory(bytesMax: .max, take: { _ in false }, give: { _ in })
    #expect(throws: PushFault.busy) { try JournalTests.decode(body, within: none) }
  }

  @Test func secretsAreHidden() throws {
    let export = JournalExport(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
    let body = Array("MESSAGE=card 4111 1111 1111 1111\nPASSWORD=hunter2\n\n".utf8)
    let line = try JournalTests.lines(export.decode(body, isLast: true, now: 0)).joined()
    #expect(!line.contains("4111") && !line.contains("hunter"), "\(line)")
  }

  /// No bytes trap, whatever they are.
  @Test func hostileBytesAreErrors() {
    var random = SeededGenerator(seed: 10)
    for _ in 0..<3_000 {
      let bytes = JournalTests.recorded.damaged(&random)
      for isLast in [false, true] {
        do throws(PushFault) {
          let decoded = try JournalTests.decode(bytes, isLast: isLast)
          #expect(decoded.byteCount <= bytes.count && (!isLast || decoded.byteCount == bytes.count))
        } catch {}
      }
    }
  }
}
