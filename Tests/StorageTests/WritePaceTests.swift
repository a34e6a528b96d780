import Testing

@testable import Storage

@Suite struct WritePaceTests {
  static let bound = 1 << 30

  @Test func upToHalfOfTheBoundNobodyWaits() {
    var pace = WritePace()
    for _ in 0..<1000 {
      #expect(
        pace.delay(bytes: 1 << 20, headBytes: Self.bound / 2, headBytesMax: Self.bound, now: 7) == 0)
    }
  }

  /// Writers that never stop against an archiver of fixed speed: the head settles below its bound, at that speed.
  @Test(arguments: [20e6, 100e6, 200e6, 400e6])
  func theHeadSettlesBelowItsBound(archivedPerSecond: Double) {
    var pace = WritePace()
    var now: Int64 = 0
    var head = 0.0
    var highest = 0.0
    var written = 0.0
    let batch = 300_000
    for _ in 0..<400_000 {
      let delay = pace.delay(bytes: batch, headBytes: Int(head), headBytesMax: Self.bound, now: now)
      // Without a delay the writers would go at 1 GB/s.
      let step = max(delay, Int64(Double(batch) / 1e9 * 1e9))
      now += step
      head = max(0, head + Double(batch) - archivedPerSecond * Double(step) / 1e9)
      written += Double(batch)
      highest = max(highest, head)
    }
    #expect(highest < Double(Self.bound) * 0.99, "never refused")
    #expect(head > Double(Self.bound) / 2, "archiving sets the pace")
    let rate = (written - head) / (Double(now) / 1e9)
    #expect(abs(rate - archivedPerSecond) < archivedPerSecond * 0.02, "\(rate)")
  }

  @Test func noDelayIsLongerThanTheMost() {
    var pace = WritePace()
    for _ in 0..<100 {
      let delay = pace.delay(
        bytes: 64 << 20, headBytes: Self.bound * 2, headBytesMax: Self.bound, now: 1_000_000)
      #expect(delay >= 0 && delay <= WritePace.delayNanosecondsMax)
    }
  }
}
