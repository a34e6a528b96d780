import Journaling
import Platform
import Records
import Storage
import Synchronization
import Tailing
import TestKit
import Testing

@Suite(.timeLimit(.minutes(15))) struct DeliveryTests {
  /// Writers, archiving, compaction, rows that left the head before they were offered, and subscribers that
  /// join in the middle: everyone gets exactly its rows, in order.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func noGapAndNoDouble(seed: UInt64) async throws {
    let store = try await openStore { $0.archiveFramesMax = 8 }
    store.start()
    let feed = LiveFeed(
      feed: FlakyFeed(store: store, missesOneIn: seed == 1 ? 0 : 5), source: FarSource(store: store),
      limits: testLimits { $0.roundRowsMax = 7 })
    let written = Written()
    let followers = Shared<[Follower]>([])
    let finished = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          defer { finished.add(1) }
          var generator = SeededGenerator(seed: seed * 100 + UInt64(writer))
          for number in 0..<120 {
            let count = Int.random(in: 1...5, using: &generator)
            try await written.append((0..<count).map { _ in Row.random(using: &generator) }, to: store)
            if number % 20 == writer {
              let level = ["info", "warn", "error"][number % 3]
              let follower =
                number % 2 == 0
                ? try await Follower(feed)
                : try await Follower(feed, filter: .compare(ColumnPath("level"), .equal, .string(level))) {
                  $0.level == level
                }
              followers.value.withLock { $0.append(follower) }
            }
          }
        }
      }
      group.addTask {
        while finished.count < 4 || store.statistics().storage.compactions == 0 {
          try await written.append([Row(level: "info", message: "beside")], to: store)
          try await store.archive()
        }
      }
      try await group.waitForAll()
    }
    let rows = written.rows
    let all = followers.value.withLock { $0 }
    #expect(all.count == 24)
    for follower in all {
      await follower.follow(until: follower.expected(rows).count)
      #expect(follower.matches(rows), "seed \(seed)")
    }
    // Nothing comes twice a little later.
    await feed.stop()
    for follower in all { #expect(follower.take().isEmpty) }
    #expect(seed == 1 || feed.statistics().scans > 0)
    #expect(store.statistics().storage.archiveRuns > 0)
    await store.stop()
  }

  @Test func filtersAgreeWithANaiveModel() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    var generator = SeededGenerator(seed: 4)
    var followers: [Follower] = []
    for index in 0..<60 {
      let (predicate, model) = Model.random(depth: 3, using: &generator)
      let shape = RowShape(name: ["rows", "other"][index % 2])
      followers.append(try await Follower(feed, filter: predicate, shape: shape, where: model))
    }
    let written = Written()
    for _ in 0..<40 {
      let count = Int.random(in: 1...70, using: &generator)
      try await written.append((0..<count).map { _ in Row.random(using: &generator) }, to: store)
    }
    let rows = written.rows
    for follower in followers {
      await follower.follow(until: follower.expected(rows).count)
      #expect(follower.matches(rows))
    }
    // Each row was encoded once a shape at most, however many filters it passed.
    await settle(feed, records: rows.count)
    #expect(feed.statistics().messagesEncoded <= rows.count * 2)
    await feed.stop()
    await store.stop()
  }

  @Test func onlyItsOwnPartitionIsSeen() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let partitions = [
      logs, Partition(tenant: Tenant(realm: .ingest, name: "acme"), dataset: .logs),
      Partition(tenant: Tenant(realm: .native, name: "acme2"), dataset: .logs),
    ]
    var followers: [Follower] = []
    for partition in partitions { followers.append(try await Follower(feed, partition)) }
    let written = partitions.map { _ in Written() }
    for number in 0..<30 {
      for (index, partition) in partitions.enumerated() where number % (index + 1) == 0 {
        try await written[index].append([Row(message: "of \(index)")], to: store, partition)
      }
    }
    for (follower, written) in zip(followers, written) {
      await follower.follow(until: written.rows.count)
      #expect(follower.matches(written.rows))
    }
    await feed.stop()
    for follower in followers { #expect(follower.take().isEmpty) }
    await store.stop()
  }

  @Test func unsubscribingDuringDelivery() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits { $0.roundRowsMax = 3 })
    let written = Written()
    let steady = try await Follower(feed)
    let isOver = Counter()
    let gone = Shared<[Follower]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { isOver.add(1) }
        for number in 0..<300 { try await written.append([Row(message: "m\(number)")], to: store) }
      }
      for _ in 0..<3 {
        group.addTask {
          while isOver.count == 0 {
            let follower = try await Follower(feed)
            await follower.follow(until: isOver.count == 0 ? Int.random(in: 0...3) : 0)
            follower.subscription.cancel()
            #expect(follower.take().isEmpty)
            gone.value.withLock { $0.append(follower) }
          }
        }
      }
      // The others may wait for a row that does not come.
      group.addTask {
        while isOver.count == 0 { await Task.yield() }
        try await written.append((0..<10).map { Row(message: "last \($0)") }, to: store)
      }
      try await group.waitForAll()
    }
    let rows = written.rows
    await steady.follow(until: rows.count)
    #expect(steady.matches(rows))
    for follower in gone.value.withLock({ $0 }) {
      let texts = follower.expected(rows).map { Received.row($0.text) }
      #expect(Array(texts.prefix(follower.all.count)) == follower.all)
    }
    #expect(feed.statistics().subscribers == 1)
    #expect(feed.statistics().groups == 1)
    await feed.stop()
    #expect(feed.statistics().bytesWaiting == 0)
    await store.stop()
  }

  @Test func rowsOfAFailedCommitNeverCome() async throws {
    let disk = SimulatedDisk(seed: 3)
    let store = try await openStore(disk: disk)
    let feed = LiveFeed(feed: store, source: store, limits: testLimits())
    let follower = try await Follower(feed)
    let written = Written()
    for number in 0..<5 { try await written.append([Row(message: "kept \(number)")], to: store) }
    disk.fail(.sync, pathSuffix: ".seg")
    await #expect(throws: StoreError.self) { try await written.append([Row(message: "lost")], to: store) }
    await #expect(throws: StoreError.self) { try await written.append([Row(message: "late")], to: store) }
    await follower.follow(until: 5)
    #expect(try await Follower(feed).subscription.positionStart == 5)
    await feed.stop()
    follower.take()
    #expect(follower.matches(written.rows) && follower.all.count == 5)
    await store.stop()
  }

  @Test func whatCannotBeReadEndsTheStream() async throws {
    let store = try await openStore()
    let feed = LiveFeed(
      feed: FlakyFeed(store: store, missesOneIn: 1), source: BrokenSource(), limits: testLimits())
    let follower = try await Follower(feed)
    try await Written().append([Row(message: "m")], to: store)
    await follower.follow(until: 1)
    #expect(follower.all == [.failed(.disk("gone"))])
    #expect(feed.statistics().subscribers == 0)
    follower.subscription.cancel()
    #expect(feed.statistics().subscribers == 0)
    // Others may follow.
    let other = try await Follower(feed)
    #expect(feed.statistics().subscribers == 1)
    withExtendedLifetime(other) {}
    await feed.stop()
    await store.stop()
  }

  /// A filter whose patterns cost too much for the rows at hand ends its stream, and no other.
  @Test func dearFiltersEndTheirStream() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits { $0.patternStepsMax = 10_000 })
    let pattern = Predicate.regex(ColumnPath("message"), pattern: "(a|b)*a(a|b){60}c", ignoreCase: false)
    let (dear, other) = (try await Follower(feed, filter: pattern), try await Follower(feed))
    try await Written().append([Row(message: String(repeating: "abaabbbabab", count: 400))], to: store)
    await other.follow(until: 1)
    await dear.follow(until: 1)
    guard case .failed(.invalid(let text))? = dear.all.first else {
      throw StoreError.disk("not refused: \(dear.all.count)")
    }
    #expect(text.contains("text patterns"))
    guard case .row? = other.all.first else { throw StoreError.disk("not given") }
    await feed.stop()
    await store.stop()
  }

  @Test func subscribersAreBounded() async throws {
    let store = try await openStore()
    let feed = LiveFeed(feed: store, source: store, limits: testLimits { $0.subscribersMax = 2 })
    var followers = [try await Follower(feed), try await Follower(feed, filter: .none)]
    await #expect(throws: StoreError.memoryExhausted("there are 2 live subscribers")) {
      _ = try await Follower(feed)
    }
    await #expect(throws: StoreError.self) {
      _ = try await Follower(feed, filter: .compare(ColumnPath("nosuch"), .equal, .string("x")))
    }
    // Released is cancelled.
    followers.removeLast()
    #expect(feed.statistics().subscribers == 1)
    followers.append(try await Follower(feed))
    await feed.stop()
    await #expect(throws: StoreError.stopping) { _ = try await Follower(feed) }
    await store.stop()
  }

  @Test func whoeverCannotBeToldTheEndDoesNotFollow() async throws {
    let store = try await openStore()
    let feed = LiveFeed(
      feed: FlakyFeed(store: store, failure: .disk("gone")), source: store, limits: testLimits())
    await #expect(throws: StoreError.disk("gone")) { _ = try await Follower(feed) }
    #expect(feed.statistics().subscribers == 0)
    await feed.stop()
    await store.stop()
  }

  @Test func pacedRoundsLoseNothing() async throws {
    let store = try await openStore()
    // A clock that stands: after the first round each waits its interval, in which many commits come.
    let feed = LiveFeed(
      feed: store, source: store, limits: testLimits { $0.roundMilliseconds = 5 }, clock: ManualClock())
    let follower = try await Follower(feed)
    let written = Written()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for number in 0..<200 { try await written.append([Row(message: "m\(number)")], to: store) }
        }
      }
      try await group.waitForAll()
    }
    await follower.follow(until: 1600)
    #expect(follower.matches(written.rows))
    await feed.stop()
    await store.stop()
  }
}

private struct BrokenSource: BatchSource {
  final class Snapshot: PartitionSnapshot {
    var positionEnd: Int64 { .max }
    func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] { throw .disk("gone") }
    func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
      throw .disk("gone")
    }
  }
  func snapshot(of partition: Partition) -> any PartitionSnapshot { Snapshot() }
}

/// Random filters, each with what it means.
private enum Model {
  typealias Meaning = @Sendable (Row) -> Bool

  static func random(depth: Int, using generator: inout SeededGenerator) -> (Predicate, Meaning) {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &generator) {
    case 0:
      let level = ["info", "warn", "error", "none"][Int.random(in: 0..<4, using: &generator)]
      return (.compare(ColumnPath("level"), .equal, .string(level)), { $0.level == level })
    case 1:
      return (
        .compare(ColumnPath("level"), .notEqual, .string("info")), { $0.level != nil && $0.level != "info" }
      )
    case 2: return (.exists(ColumnPath("service")), { $0.service != nil })
    case 3:
      return (
        .contains(ColumnPath("message"), needle: "rr", ignoreCase: false), { $0.message.contains("rr") }
      )
    case 4:
      return (
        .isIn(ColumnPath("service"), [.string("api"), .string("x")]), { $0.service == "api" }
      )
    case 5:
      return (.prefix(ColumnPath("message"), "disk"), { $0.message.hasPrefix("disk") })
    case 6:
      let (a, b) = (random(depth: depth - 1, using: &generator), random(depth: depth - 1, using: &generator))
      return (.and([a.0, b.0]), { a.1($0) && b.1($0) })
    case 7:
      let (a, b) = (random(depth: depth - 1, using: &generator), random(depth: depth - 1, using: &generator))
      return (.or([a.0, b.0]), { a.1($0) || b.1($0) })
    default:
      let a = random(depth: depth - 1, using: &generator)
      return (.not(a.0), { !a.1($0) })
    }
  }
}
