import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Events of Fluentd's forward protocol as its clients send them.
@Suite struct ForwardTests {
  static let now = SyslogTests.now

  // MARK: MessagePack

  static func text(_ text: String) -> [UInt8] { [0xD9, UInt8(text.utf8.count)] + Array(text.utf8) }
  static func list(_ values: [UInt8]...) -> [UInt8] { [0x90 | UInt8(values.count)] + values.flatMap { $0 } }
  static func map(_ members: [(String, [UInt8])]) -> [UInt8] {
    [0x80 | UInt8(members.count)] + members.flatMap { text($0.0) + $0.1 }
  }
  static func binary(_ bytes: [UInt8]) -> [UInt8] {
    [0xC5, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
  }
  /// 2026-11-28T06:19:25Z.
  static let second: [UInt8] = [0xCE, 0x6B, 0x0A, 0x72, 0x6D]
  /// The same and 5 ns.
  static let eventTime: [UInt8] = [0xD7, 0x00, 0x6B, 0x0A, 0x72, 0x6D, 0, 0, 0, 5]

  static func decode(
    _ messages: [[UInt8]], masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits(),
    unpacked: [UInt8]? = nil
  ) throws(PushFault) -> ListenedRecords {
    var parts: [ForwardDecoder.Part] = []
    for bytes in messages {
      parts.append(
        ForwardDecoder.Part(try ForwardMessage(bytes, 0..<bytes.count), in: bytes, unpacked: unpacked))
    }
    return try ForwardDecoder(masking: masking, limits: limits).decode(parts, now: now).listened
  }

  /// Times, messages, labels and metadata.
  private func rows(_ decoded: ListenedRecords) throws -> [String] {
    guard let batch = decoded.records.batch else { return [] }
    return (0..<batch.rowCount).map { row in
      ["timestamp", "level", "message", "labels", "metadata"].map { name in
        batch.column(name)?.cell(row) ?? "?"
      }.joined(separator: "|")
    }
  }

  private static let record = map([
    ("log", text("hello")), ("level", text("warning")), ("n", [0x07]), ("b", [0xC3]),
    ("l", list([0x01], [0xC0])),
  ])
  private static let row =
    #"|WARN|hello|{"tag":"app.x"}|{"level":"warning","n":7,"b":true,"l":[1,null]}"#

  @Test func everyModeIsRead() throws {
    let tag = Self.text("app.x")
    let whole = "1795846765000000000" + Self.row
    let fine = "1795846765000000005" + Self.row
    let event = Self.list(Self.eventTime, Self.record)
    let old = Self.list(Self.second, Self.record)
    #expect(try rows(Self.decode([Self.list(tag, Self.second, Self.record)])) == [whole])
    #expect(try rows(Self.decode([Self.list(tag, Self.eventTime, Self.record, Self.map([]))])) == [fine])
    #expect(try rows(Self.decode([Self.list(tag, Self.list(event, old))])) == [fine, whole])
    #expect(try rows(Self.decode([Self.list(tag, Self.binary(event + old))])) == [fine, whole])
    let options = Self.map([("size", [0x02]), ("compressed", Self.text("gzip"))])
    let packed = Self.list(tag, Self.binary([1, 2, 3]), options)
    #expect(try rows(Self.decode([packed], unpacked: event + old + old)) == [fine, whole, whole])
    guard case .packed(_, coding: "gzip") = try ForwardMessage(packed, 0..<packed.count).events else {
      Issue.record("compressed")
      return
    }
    // Of Fluent Bit since 2.1: with metadata.
    let withMetadata = Self.list(Self.list(Self.eventTime, Self.map([("k", [0x01])])), Self.record)
    let found = try rows(Self.decode([Self.list(tag, Self.list(withMetadata))]))
    #expect(found[0].hasPrefix("1795846765000000005|") && found[0].contains(#""event_metadata":{"k":1}"#))
  }

  @Test func theAnswerNamesTheChunk() throws {
    let options = Self.map([("chunk", Self.text("abc==")), ("size", [0x01])])
    let bytes = Self.list(Self.text("a"), Self.list(), options)
    let message = try ForwardMessage(bytes, 0..<bytes.count)
    #expect(message.answer(in: bytes) == [0x81, 0xA3] + Array("ack".utf8) + Self.text("abc=="))
    let silent = Self.list(Self.text("a"), Self.list(), Self.map([("size", [0x01])]))
    #expect(try ForwardMessage(silent, 0..<silent.count).answer(in: silent) == [])
    #expect(try Self.decode([bytes]).records.batch == nil)
  }

  @Test func eventsThatAreNoneAreLeftOut() throws {
    let tag = Self.text("t")
    let good = Self.list(Self.second, Self.record)
    let deep = Self.list(Self.second, Self.map([("a", [UInt8](repeating: 0x91, count: 40) + [0xC0])]))
    let cases: [([UInt8], kept: Int, refused: Int)] = [
      (Self.list(tag, Self.list(good, Self.list(Self.second), good)), 2, 1),
      (Self.list(tag, Self.list(good, [0x05], good)), 2, 1),
      (Self.list(tag, Self.list(good, Self.list(Self.second, [0x05]))), 1, 1),
      (Self.list(tag, Self.list(good, deep)), 1, 1),
      (Self.list(tag, Self.list(good, Self.list(Self.second, [0x81, 0x90, 0x01]))), 1, 1),
      (Self.list(tag, Self.list(Self.list(Self.second, Self.map([("a", [1]), ("a", [2])])))), 0, 1),
      // What follows cannot be found.
      (Self.list(tag, Self.binary(good + [0xC1] + good)), 1, 1),
      (Self.list(tag, Self.binary(good + good.dropLast())), 1, 1),
    ]
    for (bytes, kept, refused) in cases {
      let decoded = try Self.decode([bytes])
      #expect(
        decoded.records.batch?.rowCount ?? 0 == kept && decoded.records.refusedCount == refused, "\(bytes)")
    }
  }

  @Test func messagesThatAreNoneAreRefused() {
    let cases: [[UInt8]] = [
      [0xC0], [0x05], [0x90], Self.list(Self.text("t")), Self.list([0x90], Self.list()),
      Self.list(Self.text("t"), Self.second), Self.list(Self.text("t"), Self.map([])),
    ]
    for bytes in cases {
      #expect(throws: PushFault.self, "\(bytes)") { try ForwardMessage(bytes, 0..<bytes.count) }
    }
  }

  @Test func valuesThatJSONDoesNotHaveAreTexts() throws {
    let record = Self.map([
      ("nan", [0xCA, 0x7F, 0xC0, 0, 0]), ("big", [0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
      ("bytes", [0xC4, 2, 0x61, 0xFF]), ("ext", [0xD5, 9, 0xAB, 0xCD]), ("at", Self.eventTime),
    ])
    let found = try rows(Self.decode([Self.list(Self.text("t"), [0xC0], record)]))
    #expect(
      found.first?.hasSuffix(
        #"{"nan":"nan","big":18446744073709551615,"bytes":"a\#u{FFFD}","ext":"abcd","#
          + #""at":"2026-11-28T06:19:25.000000005Z"}"#) ?? false, "\(found)")
  }

  @Test func timesOfRecordsAreLookedForWhereTheEventHasNone() throws {
    let record = Self.map([("message", Self.text("m")), ("time", Self.text("2026-11-28T06:19:25Z"))])
    #expect(
      try rows(Self.decode([Self.list(Self.text("t"), [0xC0], record)]))[0].hasPrefix("1795846765000000000|"))
    let own = try rows(Self.decode([Self.list(Self.text("t"), Self.eventTime, record)]))[0]
    #expect(own.hasPrefix("1795846765000000005|") && own.contains(#""time":"2026-11-28T06:19:25Z""#))
    let unread = try Self.decode([Self.list(Self.text("t"), [0xD4, 5, 9], Self.map([("m", [1])]))])
    #expect(unread.timesUnreadCount == 1)
  }

  @Test func secretsAreMasked() throws {
    let plan = keysPlan(masking: ["password"], for: .logs)
    let record = Self.map([("log", Self.text("m")), ("password", Self.text("hunter2"))])
    let decoded = try Self.decode([Self.list(Self.text("t"), Self.second, record)], masking: plan)
    #expect(!OTLPTests.lines(decoded.records)[0].contains("hunter2"))
  }

  /// Few bytes that claim many events, and events that are too many.
  @Test func claimsTakeNothing() throws {
    var limits = DecodingLimits()
    limits.entriesMax = 100
    let one = Self.list(Self.second, [0x80])
    let many = Self.list(
      Self.text("t"), Self.binary([UInt8](repeating: 0, count: 0) + Array((0..<101).flatMap { _ in one })))
    let parts = [ForwardDecoder.Part(try ForwardMessage(many, 0..<many.count), in: many)]
    let decoder = ForwardDecoder(limits: limits)
    let first = try decoder.decode(parts, now: Self.now)
    #expect(first.listened.records.batch?.rowCount == 100 && first.endCount == 100 && first.isCut)
    let last = try decoder.decode(parts, from: 100, now: Self.now)
    #expect(last.listened.records.batch?.rowCount == 1 && last.endCount == 101 && !last.isCut)
    let claim = Self.text("t") + [0xDD, 0xFF, 0xFF, 0xFF, 0xFF]
    #expect(throws: PushFault.self) { try Self.decode([[0x92] + claim]) }
  }

  @Test(arguments: 0..<300)
  func anyBytesAreRecordsOrRefused(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var bytes = Self.list(
      Self.text("t"), Self.list(Self.list(Self.eventTime, Self.record), Self.list(Self.second, Self.record)))
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    do throws(PushFault) {
      let decoded = try Self.decode([bytes])
      #expect((decoded.records.batch?.rowCount ?? 0) + decoded.records.refusedCount >= 0)
    } catch {}
  }
}
