import Decoding
import Records
import Routing
import TestKit
import Testing

@testable import HTTP

/// Where messages of a stream end, however the bytes come; syslog's have tests of their own.
@Suite struct MessageFramingTests {
  /// The messages of a stream that comes in these pieces, batch by batch, and why it is not read on.
  private func batches(
    _ form: MessageForm, _ pieces: [[UInt8]], bytesMax: Int = 100
  ) -> (batches: [[String]], fault: String?) {
    var framing = form.framing(messageBytesMax: bytesMax)
    var found: [[String]] = []
    func take(_ body: (inout MessageBatch) -> Bool) {
      while true {
        var batch = MessageBatch()
        let mayBeMore = body(&batch)
        if !batch.isEmpty {
          found.append(
            batch.messages.map {
              String(decoding: batch.bytes[$0.range], as: UTF8.self) + ($0.isCut ? " (cut)" : "")
            })
        }
        if !mayBeMore { return }
      }
    }
    for piece in pieces {
      framing.append(piece)
      take { framing.take(into: &$0, from: "a", bytesMax: 1 << 20, countMax: 100) }
    }
    take {
      if framing.fault == nil { framing.flush(into: &$0, from: "a", hasEnded: true) }
      return false
    }
    return (found, framing.fault)
  }

  private func expect(_ form: MessageForm, _ bytes: [UInt8], _ expected: [String], bytesMax: Int = 100) {
    for cut in 0...bytes.count {
      let found = batches(form, [Array(bytes[..<cut]), Array(bytes[cut...])], bytesMax: bytesMax)
      #expect(found.batches.flatMap { $0 } == expected && found.fault == nil, "cut at \(cut): \(found)")
    }
    let found = batches(form, bytes.map { [$0] }, bytesMax: bytesMax)
    #expect(found.batches.flatMap { $0 } == expected, "byte by byte: \(found)")
  }

  @Test func gelfEndsWithNUL() {
    expect(.gelf, Array("{\"a\":1}\0{\"b\":\n2}\n\0\0{}".utf8), ["{\"a\":1}", "{\"b\":\n2}", "{}"])
    let long = String(repeating: "x", count: 30)
    expect(.gelf, Array("a\0\(long)\0b\0".utf8), ["a", "xxxxxxxxxx (cut)", "b"], bytesMax: 10)
    expect(.gelf, Array("\(long)".utf8), ["xxxxxxxxxx (cut)"], bytesMax: 10)
  }

  @Test func forwardEndsWithItsValue() {
    let one: [UInt8] = [0x93, 0xA1, 0x61, 0x05, 0x80]
    let two: [UInt8] = [0x92, 0xA1, 0x62, 0x90]
    expect(.forward, one + two + one, [one, two, one].map { String(decoding: $0, as: UTF8.self) })
  }

  /// What asks for an answer is a batch of its own.
  @Test func forwardMessagesWithAChunkComeAlone() {
    let plain: [UInt8] = [0x93, 0xA1, 0x61, 0x05, 0x80]
    let option: [UInt8] = [0x81, 0xA5] + Array("chunk".utf8) + [0xA1, 0x63]
    let asking: [UInt8] = [0x94, 0xA1, 0x61, 0x05, 0x80] + option
    let packed: [UInt8] = [0x93, 0xA1, 0x61, 0xC4, 0x00] + option
    let found = batches(.forward, [plain + plain + asking + packed + plain])
    #expect(found.batches.map(\.count) == [2, 1, 1, 1])
    let behind = batches(.forward, [plain + [0x94, 0xA1, 0x61, 0x90] + option + [0xC0] + plain])
    #expect(behind.batches.map(\.count) == [1, 1, 1])
  }

  @Test func whatIsNoMessagePackEndsTheStream() {
    let one: [UInt8] = [0x93, 0xA1, 0x61, 0x05, 0x80]
    let broken = batches(.forward, [one + [0xC1] + one])
    #expect(broken.batches.map(\.count) == [1] && broken.fault == "it sends what is no MessagePack")
    let half = batches(.forward, [one + one.dropLast()])
    #expect(half.batches.map(\.count) == [1] && half.fault == "it ended within a value")
    // A claim is enough: nothing is waited for.
    let long = batches(.forward, [one + [0x92, 0xA1, 0x61, 0xC6, 0, 0, 1, 0]])
    #expect(long.batches.map(\.count) == [1])
    #expect(long.fault?.hasPrefix("it sends more than 100 bytes at once") ?? false)
  }

  // MARK: Chunks of GELF

  private static func chunk(_ id: UInt8, _ number: UInt8, _ count: UInt8, _ text: String) -> [UInt8] {
    [0x1E, 0x0F] + [UInt8](repeating: id, count: 8) + [number, count] + Array(text.utf8)
  }

  @Test func chunksAreJoinedInAnyOrder() {
    var chunks = GELFChunks(messageBytesMax: 1_000)
    #expect(chunks.add(Self.chunk(1, 1, 3, "b"), from: "a", now: 0) == .init())
    #expect(chunks.add(Self.chunk(2, 0, 2, "x"), from: "a", now: 0) == .init())
    // Of somebody else, and one that came before.
    #expect(chunks.add(Self.chunk(1, 0, 3, "?"), from: "b", now: 0) == .init())
    #expect(chunks.add(Self.chunk(1, 1, 3, "!"), from: "a", now: 0) == .init())
    #expect(chunks.add(Self.chunk(1, 2, 3, "c"), from: "a", now: 0) == .init())
    #expect(chunks.add(Self.chunk(1, 0, 3, "a"), from: "a", now: 1) == .init(message: Array("abc".utf8)))
    #expect(chunks.add(Self.chunk(2, 1, 2, "y"), from: "a", now: 1) == .init(message: Array("xy".utf8)))
    #expect(chunks.heldBytes == 13)
    #expect(chunks.expire(now: 6_000_000_000) == 1 && chunks.heldBytes == 0)
    #expect(chunks.add(Self.chunk(3, 0, 1, "one"), from: "a", now: 0) == .init(message: Array("one".utf8)))
  }

  @Test func brokenAndLateChunksAreLost() {
    var chunks = GELFChunks(messageBytesMax: 1_000)
    #expect(chunks.add(Self.chunk(1, 3, 3, "a"), from: "a", now: 0) == .init(lostCount: 1))
    #expect(chunks.add(Self.chunk(1, 0, 129, "a"), from: "a", now: 0) == .init(lostCount: 1))
    #expect(chunks.add(Self.chunk(1, 0, 0, "a"), from: "a", now: 0) == .init(lostCount: 1))
    #expect(chunks.add(Self.chunk(1, 0, 2, ""), from: "a", now: 0) == .init(lostCount: 1))
    #expect(chunks.add(Self.chunk(1, 0, 2, "a"), from: "a", now: 0) == .init())
    #expect(chunks.add(Self.chunk(1, 1, 2, "b"), from: "a", now: 5_000_000_001) == .init(lostCount: 1))
    #expect(chunks.add(Self.chunk(1, 0, 3, "c"), from: "a", now: 5_000_000_001) == .init(lostCount: 1))
  }

  @Test func chunksHaveABound() {
    var chunks = GELFChunks(messageBytesMax: 1 << 20)
    var lost = 0
    for id in 0..<3_000 {
      var chunk = Self.chunk(0, 0, 2, String(repeating: "x", count: 8_000))
      chunk[2] = UInt8(id & 255)
      chunk[3] = UInt8(id >> 8)
      lost += chunks.add(chunk, from: "a", now: UInt64(id)).lostCount
      #expect(chunks.heldBytes <= 8 << 20)
    }
    #expect(lost == 3_000 - chunks.heldBytes / 8_012)
    // One message that grows beyond what it may.
    var one = GELFChunks(messageBytesMax: 1_000)
    lost = 0
    for number in 0..<100 {
      lost +=
        one.add(Self.chunk(7, UInt8(number), 128, String(repeating: "y", count: 8_000)), from: "a", now: 0)
        .lostCount
    }
    #expect(lost > 0 && one.heldBytes <= 2_000 + 65_536 + 8_012)
  }
}
