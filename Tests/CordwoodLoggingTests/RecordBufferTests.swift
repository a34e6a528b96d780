import Testing

@testable import CordwoodLogging

/// The buffer alone: what it holds, and what it counts.
struct RecordBufferTests {
  static func buffer(bytesMax: Int = 64 << 10, batchBytesMax: Int = 4 << 10) -> RecordBuffer {
    var options = CordwoodLogOptions()
    options.bufferBytesMax = bytesMax
    options.batchBytesMax = batchBytesMax
    return RecordBuffer(options: options.bounded, keyPrefix: "k")
  }

  static func report(_ count: Int) -> [UInt8] { Array("lost \(count)\n".utf8) }

  @Test func beyondTheBoundRecordsAreDroppedAndCounted() throws {
    var buffer = Self.buffer()
    for _ in 0..<1_000 { _ = buffer.append(Array(repeating: 65, count: 100)) }
    let most = ((64 << 10) - RecordBuffer.reportBytesMax) / 100
    #expect(buffer.current.waitingCount == most)
    #expect(buffer.current.waitingBytes == most * 100)
    #expect(buffer.current.droppedCount == 1_000 - most)
    let firstTaken = buffer.take(report: Self.report)
    let first = try #require(firstTaken)
    #expect(first.toldCount == 1_000 - most)
    #expect(String(decoding: first.body, as: UTF8.self).hasSuffix("lost \(1_000 - most)\n"))
    _ = buffer.append(Array(repeating: 65, count: 200))
    #expect(buffer.current.droppedCount == 1_001 - most, "what is under way takes room too")
    buffer.settle(first, .stored(rejectedCount: 0))
    _ = buffer.append(Array(repeating: 65, count: 200))
    #expect(buffer.current.droppedCount == 1_001 - most)
    let second = buffer.take(report: Self.report)
    #expect(second?.toldCount == 1)
  }

  @Test func aRecordLongerThanABatchIsDropped() {
    var buffer = Self.buffer()
    let isNews = buffer.append(Array(repeating: 65, count: (4 << 10) + 1))
    #expect(!isNews)
    #expect(buffer.current.droppedCount == 1)
    #expect(buffer.isEmpty)
  }

  @Test func whatWasToldInVainIsToldAgain() throws {
    var buffer = Self.buffer()
    _ = buffer.append(Array(repeating: 65, count: 5 << 10))
    _ = buffer.append([65, 10])
    let firstTaken = buffer.take(report: Self.report)
    let first = try #require(firstTaken)
    #expect(first.toldCount == 1)
    buffer.settle(first, .refused)
    let none = buffer.take(report: Self.report)
    #expect(none == nil, "no record goes alone to tell of lost ones")
    _ = buffer.append([66, 10])
    let second = buffer.take(report: Self.report)
    #expect(second?.toldCount == 2)
  }

  /// Random histories: the bound holds, keys differ, and each record is counted once.
  @Test(arguments: 0..<50)
  func theSumsAreRight(seed: UInt64) {
    var random = Steps(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
    var buffer = Self.buffer()
    var keys: Set<String> = []
    var taken: Batch?
    for _ in 0..<2_000 {
      switch random.next(below: 8) {
      case 0:
        if let batch = taken {
          let outcomes: [BatchOutcome] = [
            .stored(rejectedCount: random.next(below: 3)), .refused, .abandoned,
          ]
          buffer.settle(batch, outcomes[random.next(below: 3)])
          taken = nil
        } else {
          taken = buffer.take(report: Self.report)
          if let taken { #expect(keys.insert(taken.key).inserted) }
        }
      default: _ = buffer.append(Array(repeating: 65, count: 1 + random.next(below: 600)))
      }
      let counts = buffer.current
      #expect(counts.waitingBytes <= (64 << 10) - RecordBuffer.reportBytesMax)
      #expect(counts.loggedCount == counts.storedCount + counts.lostCount + counts.waitingCount)
      #expect((counts.waitingCount == 0) == (counts.waitingBytes == 0))
    }
    _ = buffer.close()
    if let taken { buffer.settle(taken, .stored(rejectedCount: 0)) }
    let counts = buffer.current
    #expect(counts.waitingCount == 0 && counts.waitingBytes == 0)
    _ = buffer.append([65])
    #expect(buffer.current.droppedCount == counts.droppedCount + 1, "closed")
  }

  @Test func numbersOutOfRangeBecomeTheNearest() {
    var options = CordwoodLogOptions()
    options.bufferBytesMax = -1
    options.batchBytesMax = .max
    options.textBytesMax = 0
    options.batchInterval = .seconds(-1)
    let bounded = options.bounded
    #expect(bounded.bufferBytesMax == 64 << 10 && bounded.batchBytesMax == 32 << 10)
    #expect(bounded.textBytesMax == 64 && bounded.batchInterval == .zero)
  }

  /// SplitMix64.
  private struct Steps {
    var state: UInt64
    mutating func next(below bound: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((z ^ (z >> 31)) % UInt64(bound))
    }
  }
}
