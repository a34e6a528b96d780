import Records
import Storage
import Tailing
import TestKit
import Testing

@Suite(.timeLimit(.minutes(15))) struct OverflowTests {
  /// Received and dropped are what matched, with each gap told where it is.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func everyMissingRowIsCountedInItsPlace(seed: UInt64) async throws {
    let store = try await openStore()
    let feed = LiveFeed(
      feed: store, source: store,
      limits: testLimits {
        $0.queueMessagesMax = 10
        $0.queueBytesMax = 150
        $0.frameBytesMax = seed % 2 == 0 ? 40 : 64 << 10
      })
    let written = Written()
    var generator = SeededGenerator(seed: seed)
    let slow = [
      try await Follower(feed),
      try await Follower(feed, filter: .compare(ColumnPath("level"), .equal, .string("warn"))) {
        $0.level == "warn"
      },
    ]
    for _ in 0..<60 {
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let count = Int.random(in: 1...4, using: &generator)
        try await written.append((0..<count).map { _ in Row.random(using: &generator) }, to: store)
      }
      await settle(feed, records: written.rows.count)
      for follower in slow where generator.chance(oneIn: 2) {
        follower.take(bytesMax: Int.random(in: 1...200, using: &generator))
      }
    }
    for follower in slow {
      while !follower.take().isEmpty {}
      #expect(follower.matches(written.rows))
      #expect(
        follower.all.contains { if case .dropped = $0 { true } else { false } }, "something was dropped")
    }
    let statistics = feed.statistics()
    let expected = slow.reduce(0) { $0 + $1.expected(written.rows).count }
    #expect(statistics.messagesQueued + statistics.messagesDropped == expected)
    await feed.stop()
    #expect(feed.statistics().bytesWaiting == 0)
    await store.stop()
  }

  /// Those who never read take a bounded part of the memory, and those who do lose nothing.
  @Test func stalledSubscribersChangeNothingForOthers() async throws {
    let store = try await openStore()
    let bytesMax = 64 << 10
    let feed = LiveFeed(
      feed: store, source: store,
      limits: testLimits {
        $0.bytesMax = bytesMax
        $0.frameBytesMax = 1 << 10
      })
    // Each of a shape of its own, so that no frame is shared.
    var stalled: [Follower] = []
    for number in 0..<30 {
      stalled.append(try await Follower(feed, shape: RowShape(name: "stalled \(number)")))
    }
    var fast: [Follower] = []
    for number in 0..<5 { fast.append(try await Follower(feed, shape: RowShape(name: "fast \(number)"))) }
    let written = Written()
    var generator = SeededGenerator(seed: 5)
    var mostBytes = 0
    for _ in 0..<400 {
      try await written.append((0..<5).map { _ in Row.random(using: &generator) }, to: store)
      for follower in fast { await follower.follow(until: written.rows.count) }
      mostBytes = max(mostBytes, feed.statistics().bytesWaiting)
    }
    for follower in fast {
      #expect(follower.matches(written.rows))
      #expect(follower.all.count == written.rows.count, "nothing was dropped")
    }
    #expect(mostBytes <= bytesMax + (2 << 10))
    #expect(mostBytes > bytesMax / 2, "there is memory for those who wait")
    await settle(feed, records: written.rows.count)
    for follower in stalled {
      while !follower.take().isEmpty {}
      #expect(follower.matches(written.rows))
      #expect(follower.all.count > 10, "a share of the memory is each one's")
    }
    await feed.stop()
    #expect(feed.statistics().bytesWaiting == 0)
    await store.stop()
  }

  /// Woken once, and again only after all was taken.
  @Test func onlyAnEmptyQueueWakes() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let follower = try await Follower(feed)
    let written = Written()
    func write() async throws {
      try await written.append([Row(message: "m")], to: store)
      await settle(feed, records: written.rows.count)
    }
    for _ in 0..<3 { try await write() }
    #expect(follower.wakes.count == 1)
    follower.take(bytesMax: 1)
    try await write()
    #expect(follower.wakes.count == 1, "two are left")
    follower.take(bytesMax: 1)
    follower.take(bytesMax: 1)
    try await write()
    #expect(follower.wakes.count == 1, "one is left")
    #expect(follower.take().count == 2)
    #expect(follower.take().isEmpty)
    try await write()
    #expect(follower.wakes.count == 2)
    await feed.stop()
    await store.stop()
  }
}
