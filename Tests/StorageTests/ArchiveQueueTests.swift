import Journaling
import Records
import TestKit
import Testing

@testable import Storage

/// Which heads are due: what frees most first, always something near the bound, small ones in turns.
struct ArchiveQueueTests {
  static let second: Int64 = 1_000_000_000

  static func partition(_ number: Int) -> Partition {
    Partition(tenant: Tenant(realm: .native, name: "t\(number)"), dataset: .logs)
  }

  static func head(
    _ number: Int, bytes: Int, at time: Int64 = 0, rows: Int = 1_000, frames: Int = 1, segment: UInt32 = 1
  ) -> HeadStatistics {
    HeadStatistics(
      partition: partition(number), rowCount: rows, byteCount: bytes, frameCount: frames,
      oldestIngestedAt: time, oldestSegment: segment)
  }

  static func extent(bytes: Int, frames: Int = 0, segments: ClosedRange<UInt32> = 1...1) -> JournalExtent {
    var extent = JournalExtent()
    extent.headBytes = bytes
    extent.headFrames = frames
    (extent.oldestSegment, extent.newestSegment) = (segments.lowerBound, segments.upperBound)
    return extent
  }

  static var options: StorageOptions {
    var options = StorageOptions()
    options.journal.headBytesMax = 800 << 20
    options.journal.segmentBytes = 64 << 20
    return options
  }

  /// A hundred tenants that fill the head together, none of them large: seen before as 503 for everyone.
  @Test func nearTheBoundSomethingIsAlwaysDue() {
    var queue = ArchiveQueue(Self.options)
    queue.update((0..<100).map { Self.head($0, bytes: 7 << 20) })
    #expect(queue.due(now: 1, journal: Self.extent(bytes: 300 << 20)).isEmpty)
    let due = queue.due(now: 1, journal: Self.extent(bytes: 700 << 20))
    #expect(due.count == ArchiveQueue.largestCountMax)
  }

  /// Rows that came in while the clock was a year ahead are as old as the time since it was set back, also
  /// after a restart.
  @Test(arguments: [false, true])
  func aClockSetBackStopsNothing(restarts: Bool) {
    let year: Int64 = 365 * 86_400 * Self.second
    var queue = ArchiveQueue(Self.options)
    let heads = [
      Self.head(1, bytes: 50 << 20, at: year + 5 * Self.second), Self.head(2, bytes: 7, at: year),
    ]
    if !restarts {
      queue.update(heads)
      #expect(queue.due(now: year + 10 * Self.second, journal: Self.extent(bytes: 50 << 20)).isEmpty)
    } else {
      queue.update(heads)
    }
    let now = 100 * Self.second
    #expect(queue.due(now: now, journal: Self.extent(bytes: 50 << 20)).isEmpty)
    queue.update([Self.head(3, bytes: 50 << 20, at: year)])
    let later = now + 61 * Self.second
    let due = queue.due(now: later, journal: Self.extent(bytes: 50 << 20))
    #expect(Set(due) == Set([1, 2, 3].map { Self.partition($0) }))
  }

  @Test func theLargestGoFirstAndNoMoreThanNeeded() {
    var queue = ArchiveQueue(Self.options)
    queue.update([
      Self.head(1, bytes: 50 << 20), Self.head(2, bytes: 300 << 20), Self.head(3, bytes: 2 << 20),
      Self.head(4, bytes: 60 << 20),
    ])
    #expect(queue.due(now: 1, journal: Self.extent(bytes: 412 << 20)) == [Self.partition(2)])
    queue.update([
      HeadStatistics(
        partition: Self.partition(2), rowCount: 0, byteCount: 0, frameCount: 0, oldestIngestedAt: 0)
    ])
    #expect(
      queue.due(now: 1, journal: Self.extent(bytes: 500 << 20)) == [4, 1, 3].map { Self.partition($0) })
  }

  @Test func framesFillTheHeadToo() {
    var options = Self.options
    options.journal.headFramesMax = 1_000
    var queue = ArchiveQueue(options)
    queue.update((0..<6).map { Self.head($0, bytes: 1 << 10, rows: 1 << 20, frames: 100 + $0) })
    #expect(queue.due(now: 1, journal: Self.extent(bytes: 6 << 10, frames: 400)).isEmpty)
    #expect(queue.due(now: 1, journal: Self.extent(bytes: 6 << 10, frames: 600)).first == Self.partition(5))
  }

  @Test func sizeAgeAndSmallFramesMakeDue() {
    var queue = ArchiveQueue(Self.options)
    let calm = Self.extent(bytes: 0)
    queue.update([
      Self.head(1, bytes: 384 << 20, at: 50 * Self.second), Self.head(2, bytes: 3 << 20, at: 0),
      Self.head(3, bytes: 1 << 20, at: 50 * Self.second, rows: 5_000, frames: 5_000),
      Self.head(4, bytes: 2 << 20, at: 50 * Self.second),
    ])
    #expect(queue.due(now: 59 * Self.second, journal: calm) == [1, 3].map { Self.partition($0) })
    #expect(queue.due(now: 60 * Self.second, journal: calm) == [1, 2, 3].map { Self.partition($0) })
  }

  /// What could not be archived is due again, and what was is not.
  @Test func aHeadStaysDueUntilItIsGone() {
    var queue = ArchiveQueue(Self.options)
    let calm = Self.extent(bytes: 0)
    queue.update([Self.head(1, bytes: 3 << 20), Self.head(2, bytes: 10)])
    for time in [60, 62, 64, 90] {
      #expect(queue.due(now: Int64(time) * Self.second, journal: calm).count == 2, "\(time)")
    }
    queue.update([Self.head(1, bytes: 2 << 20, at: 91 * Self.second)])
    #expect(queue.due(now: 100 * Self.second, journal: calm) == [Self.partition(2)])
    #expect(queue.due(now: 151 * Self.second, journal: calm).contains(Self.partition(1)))
  }

  @Test func smallHeadsTakeTurns() {
    var queue = ArchiveQueue(Self.options)
    let calm = Self.extent(bytes: 0)
    let count = 20_000
    queue.update((0..<count).map { Self.head($0, bytes: 500, at: Int64($0)) })
    var seen: [Partition] = []
    var time = 61 * Self.second
    for _ in 0..<600 {
      let due = queue.due(now: time, journal: calm)
      #expect(due.count <= ArchiveQueue.smallCountMax)
      seen += due
      queue.update(
        due.map { partition in
          HeadStatistics(partition: partition, rowCount: 0, byteCount: 0, frameCount: 0, oldestIngestedAt: 0)
        })
      time += Self.second / 5
    }
    // 120 seconds, and the turns of the minute before.
    #expect((170...190).contains(seen.count))
    #expect(
      seen.sorted { $0.precedes($1) }
        == (0..<seen.count).map { Self.partition($0) }.sorted { $0.precedes($1) })
    // A large one does not wait for them.
    queue.update([Self.head(count, bytes: 2 << 20, at: 0)])
    #expect(queue.due(now: time, journal: calm).first == Self.partition(count))
  }

  /// Small heads whose rows keep the journal's first files go without waiting for their turn.
  @Test func whatHoldsUpTheJournalGoes() {
    var options = Self.options
    options.archiveSmallPerMinute = 0
    var queue = ArchiveQueue(options)
    queue.update((0..<20).map { Self.head($0, bytes: 500, at: Int64($0), segment: UInt32(1 + $0)) })
    let time = 61 * Self.second
    #expect(queue.due(now: time, journal: Self.extent(bytes: 0, segments: 1...12)).isEmpty)
    let due = queue.due(now: time, journal: Self.extent(bytes: 0, segments: 1...20))
    #expect(Set(due) == Set((0...5).map { Self.partition($0) }))
  }

  /// A look at what is due costs what changed.
  @Test func theHeadTellsOnlyWhatChanged() throws {
    let bench = try EventTests.Bench()
    try bench.append()
    try bench.append()
    let first = bench.journal.takeChangedHeads()
    #expect(first.map(\.partition) == [EventTests.logs] && first[0].frameCount == 2)
    #expect(bench.journal.takeChangedHeads().isEmpty)
    let step = try #require(try bench.engine.archive(EventTests.logs))
    bench.journal.release([EventTests.logs: step.archivedThrough])
    #expect(bench.journal.takeChangedHeads().map(\.rowCount) == [0])
  }
}
