import Records
import Testing

@testable import Storage

@Suite struct WritePaceTests {
  static let bound = 1 << 30
  private let a = Tenant(realm: .native, name: "a")
  private let b = Tenant(realm: .native, name: "b")

  @Test func upToHalfOfTheBoundNobodyWaits() {
    var pace = WritePace()
    for _ in 0..<1000 {
      #expect(
        pace.delay(bytes: 1 << 20, of: a, headBytes: Self.bound / 2, headBytesMax: Self.bound, now: 7) == 0)
    }
  }

  /// Writers that never stop against an archiver of fixed speed: the head settles below its bound, at that
  /// speed.
  @Test(arguments: [20e6, 100e6, 200e6, 400e6])
  func theHeadSettlesBelowItsBound(archivedPerSecond: Double) {
    var pace = WritePace()
    var now: Int64 = 0
    var head = 0.0
    var highest = 0.0
    var written = 0.0
    let batch = 300_000
    for _ in 0..<400_000 {
      let delay = pace.delay(bytes: batch, of: a, headBytes: Int(head), headBytesMax: Self.bound, now: now)
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

  /// Two tenants with many writers each: both get the same, whatever the sizes of their appends.
  @Test func waitingTenantsShareTheRate() {
    var pace = WritePace()
    let head = Self.bound * 3 / 4
    var written = [a: 0, b: 0]
    // Every writer sends its next append when it was let through.
    var writers: [(at: Int64, tenant: Tenant, bytes: Int)] =
      (0..<20).map { _ in (0, a, 4_000_000) } + (0..<5).map { _ in (0, b, 500_000) }
    while true {
      guard let next = writers.indices.min(by: { writers[$0].at < writers[$1].at }) else { return }
      let (now, tenant, bytes) = writers[next]
      if now > 60_000_000_000 { break }
      let delay = pace.delay(
        bytes: bytes, of: tenant, headBytes: head, headBytesMax: Self.bound, now: now)
      written[tenant, default: 0] += bytes
      writers[next].at = now + max(delay, 1_000)
    }
    let shares = [a, b].map { Double(written[$0] ?? 0) / 60 }
    #expect(shares.allSatisfy { abs($0 - 128e6) < 15e6 }, "\(shares)")
  }

  @Test func whoWritesLittleDoesNotWait() {
    var pace = WritePace()
    let head = Self.bound * 3 / 4
    var now: Int64 = 0
    var longest: Int64 = 0
    for step in 0..<10_000 {
      now += 1_000_000
      for _ in 0..<10 {
        _ = pace.delay(bytes: 1 << 20, of: a, headBytes: head, headBytesMax: Self.bound, now: now)
      }
      guard step % 10 == 0 else { continue }
      longest = max(
        longest, pace.delay(bytes: 1000, of: b, headBytes: head, headBytesMax: Self.bound, now: now))
    }
    #expect(longest == 0)
    #expect(
      pace.delay(bytes: 1, of: a, headBytes: head, headBytesMax: Self.bound, now: now) > 1_000_000_000)
  }

  @Test func noDelayIsLongerThanTheMost() {
    var pace = WritePace()
    for _ in 0..<100 {
      let delay = pace.delay(
        bytes: 64 << 20, of: a, headBytes: Self.bound * 2, headBytesMax: Self.bound, now: 1_000_000)
      #expect(delay >= 0 && delay <= WritePace.delayNanosecondsMax)
    }
  }
}
