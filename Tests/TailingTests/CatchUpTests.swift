import Platform
import Records
import Storage
import Tailing
import TestKit
import Testing

@Suite(.timeLimit(.minutes(15))) struct CatchUpTests {
  private func rows(of reader: LiveCatchUp, bytesMax: Int) async throws -> [Received] {
    var received: [Received] = []
    while let frame = try await reader.next(bytesMax: bytesMax) {
      #expect(frame.messageCount == 1 || frame.bytes.count <= bytesMax)
      received += Received.of(frame)
    }
    return received
  }

  private func room(_ bytes: Int = .max) -> MemoryReservation {
    MemoryReservation(of: MemoryBudget("answers", bytesMax: bytes))
  }

  /// From any position: what was read before, caught up, and live are all rows, each once.
  @Test(arguments: [1, 300, 1 << 20])
  func catchingUpJoinsLive(bytesMax: Int) async throws {
    let store = try await openStore { $0.archiveFramesMax = 16 }
    store.start()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let written = Written()
    var generator = SeededGenerator(seed: 8)
    for number in 0..<150 {
      let count = Int.random(in: 1...9, using: &generator)
      try await written.append((0..<count).map { _ in Row.random(using: &generator) }, to: store)
      if number % 40 == 39 { try await store.archive() }
    }
    let isOver = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { isOver.add(1) }
        var generator = SeededGenerator(seed: 11)
        for number in 0..<150 {
          try await written.append([Row.random(using: &generator)], to: store)
          if number % 50 == 49 { try await store.archive() }
        }
      }
      for index in 0..<6 {
        let start = Int64(index * 97)
        group.addTask {
          let predicate: Predicate =
            index % 2 == 0 ? .all : .compare(ColumnPath("level"), .equal, .string("error"))
          let follower = try await Follower(feed, filter: predicate) { index % 2 == 0 || $0.level == "error" }
          let end = follower.subscription.positionStart
          let reader = try #require(
            await feed.resume(
              logs, filter: predicate, shape: RowShape(), from: start, to: end, memory: room()))
          #expect(reader.deleted == nil)
          let caughtUp = try await rows(of: reader.rows, bytesMax: bytesMax)
          while isOver.count == 0 { await Task.yield() }
          let all = written.rows.filter(follower.filter).sorted { $0.position < $1.position }
          #expect(
            caughtUp
              == all.filter { $0.position >= start && $0.position < end }.map { .row($0.text) })
          await follower.follow(until: follower.expected(written.rows).count)
          #expect(follower.matches(written.rows))
        }
      }
      try await group.waitForAll()
    }
    await feed.stop()
    await store.stop()
  }

  @Test func largeAndSparseRangesTakeBoundedWindows() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let written = Written()
    let large = String(repeating: "x", count: 40_000)
    for number in 0..<40 {
      try await written.append((0..<400).map { Row(level: "info", message: "\(number)/\($0)") }, to: store)
      // One beside hundreds of small ones: windows shrink and grow again.
      if number % 10 == 3 {
        try await written.append((0..<90).map { Row(level: "warn", message: "\($0)" + large) }, to: store)
        try await store.archive()
      }
    }
    let end = store.positionEnd(of: acme)
    for (predicate, level) in [
      (Predicate.all, nil as String?), (.compare(ColumnPath("level"), .equal, .string("warn")), "warn"),
    ] {
      let reader = try #require(
        await feed.resume(
          logs, filter: predicate, shape: RowShape(), from: 0, to: end, memory: room())
      ).rows
      let expected = written.rows.filter { level == nil || $0.level == level }.map { Received.row($0.text) }
      let found = try await rows(of: reader, bytesMax: 100_000)
      #expect(found == expected)
    }
    await feed.stop()
    await store.stop()
  }

  /// What is held while a client takes its time is counted: a window from the start, more for a single row
  /// that is larger, and nothing once it is over. Whoever has a window comes to the end.
  @Test func whatIsHeldIsCounted() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let window = 2 << 20
    for (level, bytes, count) in [
      ("info", 0, 100), ("warn", 400_000, 16), ("error", 3_000_000, 1), ("info", 500, 900),
    ] {
      let text = String(repeating: "x", count: bytes)
      try await Written().append((0..<count).map { Row(level: level, message: "\($0)" + text) }, to: store)
    }
    let end = store.positionEnd(of: acme)
    func newest(_ level: String?, _ budget: MemoryBudget) throws(StoreError) -> LiveCatchUp {
      let filter = level.map { Predicate.compare(ColumnPath("level"), .equal, .string($0)) } ?? .all
      return try feed.newest(
        2_000, of: logs, filter: filter, shape: RowShape(), below: end, memory: MemoryReservation(of: budget))
    }

    for (level, count, least, below) in [
      (nil as String?, 1_017, 3_000_000, 7_000_000), ("warn", 16, window, window + 600_000),
      ("info", 1_000, window, window + 1),
    ] {
      // Also of a budget with no byte more than a window.
      let budget = MemoryBudget("beginnings", bytesMax: window)
      do {
        let reader = try newest(level, budget)
        #expect(budget.bytesUsed == window, "before anything is read")
        #expect(throws: StoreError.memoryExhausted("beginnings (\(window) bytes) is used up")) {
          try newest(level, budget)
        }
        var (found, most) = (0, 0)
        while let frame = try await reader.next(bytesMax: 64 << 10) {
          found += frame.messageCount
          most = max(most, budget.bytesUsed)
        }
        #expect(found == count && (least..<below).contains(most), "\(level ?? "all"): \(found) \(most)")
      }
      // The thread that read last may let go of it a moment later.
      while budget.bytesUsed > 0 { await Task.yield() }
    }

    // Who has missed nothing needs nothing.
    let none = MemoryBudget("beginnings", bytesMax: 0)
    let caughtUp = try #require(
      await feed.resume(
        logs, filter: .all, shape: RowShape(), from: end, to: end, memory: MemoryReservation(of: none)))
    #expect(try await caughtUp.rows.next(bytesMax: 1) == nil)
    await feed.stop()
    await store.stop()
  }

  /// What is deleted is told, and all that is still there comes.
  @Test func deletionsAreToldAndTheRestComes() async throws {
    let clock = ManualClock()
    let store = try await openStore(clock: clock) { $0.retentionSeconds = [.logs: 3600] }
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let written = Written()
    func resume(_ position: Int64) async throws -> LiveFeed.Resumption? {
      try await feed.resume(
        logs, filter: .all, shape: RowShape(), from: position, to: store.positionEnd(of: acme),
        memory: room())
    }
    func expect(_ position: Int64, deleted: Range<Int64>?, _ from: Int64, without gone: String = "-")
      async throws
    {
      let found = try #require(try await resume(position))
      #expect(found.deleted == deleted, "\(position)")
      let texts = written.rows.filter { $0.position >= from && !$0.message.contains(gone) }
      #expect(try await rows(of: found.rows, bytesMax: 1 << 20) == texts.map { Received.row($0.text) })
    }
    try await expect(0, deleted: nil, 0)
    #expect(try await resume(1) == nil, "a position from elsewhere")
    for number in 0..<20 { try await written.append([Row(message: "old \(number)")], to: store) }
    try await store.archive()
    clock.advance(seconds: 4000)
    for number in 0..<20 { try await written.append([Row(message: "young \(number)")], to: store) }
    try await expect(0, deleted: nil, 0)
    #expect(try await store.retain() == 20)
    for position: Int64 in [41, -1, .max] { #expect(try await resume(position) == nil, "\(position)") }
    for position: Int64 in [0, 19] { try await expect(position, deleted: position..<20, 20) }
    for position: Int64 in [20, 39, 40] { try await expect(position, deleted: nil, position) }
    // Deleted by a filter: the first are gone, in the head as in blocks.
    for isArchived in [false, true] {
      if isArchived { try await store.archive() }
      _ = try await store.delete(
        .contains(ColumnPath("message"), needle: isArchived ? "young 1" : "young 0", ignoreCase: false),
        from: logs)
      let first: Int64 = isArchived ? 22 : 21
      let gone = isArchived ? "young 1" : "young 0"
      try await expect(first - 1, deleted: first - 1..<first, first, without: gone)
      try await expect(first, deleted: nil, first, without: gone)
    }
    _ = try await store.delete(.all, from: logs)
    try await expect(30, deleted: 30..<40, 40)
    try await expect(40, deleted: nil, 40)
    await feed.stop()
    await store.stop()
  }

  /// By their positions, whatever their times are, and whatever lies between them.
  @Test(arguments: [false, true])
  func theNewestAreThoseWrittenLast(isArchived: Bool) async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let written = Written()
    for number in 0..<30 {
      let level = number % 10 == 2 ? "warn" : "info"
      try await written.append((0..<400).map { Row(level: level, message: "\(number)/\($0)") }, to: store)
      if isArchived, number % 8 == 7 { try await store.archive() }
    }
    let all = written.rows.sorted { $0.position < $1.position }
    let warnings = Predicate.compare(ColumnPath("level"), .equal, .string("warn"))
    let nothing = Predicate.compare(ColumnPath("level"), .equal, .string("none"))
    for end in [Int64(all.count), 5_000, 1, 0] {
      for (filter, level) in [(Predicate.all, nil as String?), (warnings, "warn"), (nothing, "none")] {
        for count in [1, 7, 399, 400, 401, 4_096, 5_000, 100_000] {
          let reader = try feed.newest(
            count, of: logs, filter: filter, shape: RowShape(), below: end, memory: room())
          let expected = all.filter { $0.position < end && (level == nil || $0.level == level) }.suffix(count)
          let found = try await rows(of: reader, bytesMax: 1 << 20)
          #expect(
            found == expected.map { Received.row($0.text) }, "\(end) \(String(describing: level)) \(count)")
        }
      }
    }
    await feed.stop()
    await store.stop()
  }
}
