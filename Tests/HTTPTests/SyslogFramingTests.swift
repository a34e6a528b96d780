import Decoding
import Records
import Routing
import TestKit
import Testing

@testable import HTTP

/// Where messages of a syslog stream end, however the bytes come.
@Suite struct SyslogFramingTests {
  /// The messages of a stream that comes in these pieces, and ends.
  private func messages(
    _ pieces: [[UInt8]], bytesMax: Int = 100, ends: Bool = true
  ) -> [String] {
    var framing = SyslogFraming(messageBytesMax: bytesMax)
    var batch = MessageBatch()
    for piece in pieces {
      framing.append(piece)
      while framing.take(into: &batch, from: "a", bytesMax: 1 << 20, countMax: .max) {}
    }
    if ends { framing.flush(into: &batch, from: "a", hasEnded: true) }
    return batch.messages.map {
      String(decoding: batch.bytes[$0.range], as: UTF8.self) + ($0.isCut ? " (cut)" : "")
    }
  }

  /// All ways to cut the stream in two, and byte by byte.
  private func expect(_ stream: String, _ expected: [String], bytesMax: Int = 100) {
    let bytes = Array(stream.utf8)
    for cut in 0...bytes.count {
      #expect(
        messages([Array(bytes[..<cut]), Array(bytes[cut...])], bytesMax: bytesMax) == expected,
        "cut at \(cut)")
    }
    #expect(messages(bytes.map { [$0] }, bytesMax: bytesMax) == expected, "byte by byte")
  }

  @Test func bothWaysOfFramingOnOneConnection() {
    expect(
      "<13>one\n<14>two\r\n7 <15>abc8 <16>a\nb\n<17>three\0<18>last\n\n",
      ["<13>one", "<14>two", "<15>abc", "<16>a\nb", "<17>three", "<18>last"])
  }

  @Test func theLineFeedIsCountedByMany() {
    expect("9 <13>ab cd\n11 <13>a\nb é\n", ["<13>ab cd", "<13>a\nb é"])
  }

  @Test func textWithoutPriorityIsALine() {
    expect(
      "plain text\n2026-11-28 a date\n12345678901 too many digits\n0 zero\nend",
      ["plain text", "2026-11-28 a date", "12345678901 too many digits", "0 zero", "end"])
    expect("404 not found\n<13>a\n7 ", ["404 not found", "<13>a", "7 "])
  }

  @Test func whatIsTooLongIsCutAndPassed() {
    let long = String(repeating: "x", count: 30)
    expect("<13>\(long)\n<14>b\n", ["<13>xxxxxx (cut)", "<14>b"], bytesMax: 10)
    expect("34 <13>\(long)<14>b\n", ["<13>xxxxxx (cut)", "<14>b"], bytesMax: 10)
    expect("999999999 <13>\(long)", ["<13>xxxxxx (cut)"], bytesMax: 10)
    expect("<13>xxxxxx\n<14>b", ["<13>xxxxxx", "<14>b"], bytesMax: 10)
  }

  @Test func theEndOfTheStreamEndsAMessage() {
    expect("<13>one\n<14>half", ["<13>one", "<14>half"])
    expect("20 <13>half", ["<13>half (cut)"])
    expect("12", ["12"])
    #expect(messages([Array("<13>one\n<14>half".utf8)], ends: false) == ["<13>one"])
  }

  /// Nobody waits any more, and the stream goes on: its place is kept.
  @Test func aPauseCutsAMessageAndNoMore() {
    var framing = SyslogFraming(messageBytesMax: 100)
    var batch = MessageBatch()
    for (piece, next) in [("1", "2 <13>twelve..<13>li"), ("ne\n12 <1", "3>twelve..<14>b\n")] {
      framing.append(Array(piece.utf8))
      _ = framing.take(into: &batch, from: "a", bytesMax: 1 << 20, countMax: .max)
      framing.flush(into: &batch, from: "a", hasEnded: false)
      framing.append(Array(next.utf8))
      _ = framing.take(into: &batch, from: "a", bytesMax: 1 << 20, countMax: .max)
    }
    let texts = batch.messages.map { (String(decoding: batch.bytes[$0.range], as: UTF8.self), $0.isCut) }
    #expect(texts.map(\.0) == ["<13>twelve..", "<13>line", "<1", "<14>b"])
    #expect(texts.map(\.1) == [false, false, true, false])
  }

  @Test func aZlibStreamIsKnown() {
    var framing = SyslogFraming(messageBytesMax: 100)
    framing.append([0x78])
    #expect(framing.fault == nil)
    framing.append([0xDA, 0x01])
    #expect(framing.fault?.hasPrefix("a zlib stream") ?? false)
  }

  /// Memory stays within a message, and what was taken, whatever comes.
  @Test func anyBytesAreFramedWithinBounds() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<300 {
      var framing = SyslogFraming(messageBytesMax: 50)
      var taken = 0
      for _ in 0..<200 {
        let pieces: [[UInt8]] = [
          Array("<13>a".utf8), [0x0A], [0], Array("9 ".utf8), Array("99999 ".utf8), Array("123".utf8), [0x20],
          [0xFF],
        ]
        framing.append((pieces.randomElement(using: &generator) ?? []))
        var batch = MessageBatch()
        while framing.take(into: &batch, from: "a", bytesMax: 64, countMax: .max) {
          taken += batch.messages.count
          batch = MessageBatch()
        }
        #expect(batch.messages.allSatisfy { $0.range.count <= 50 })
        #expect(framing.heldBytes <= 50 + 12)
      }
      #expect(taken >= 0)
    }
  }
}
