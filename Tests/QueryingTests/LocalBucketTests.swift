import Codecs
import Foundation
import Platform
import Records
import Testing
import TestKit

@testable import Querying

/// Clocks that are set, against Foundation's, asked time by time.
@Suite struct LocalBucketTests {
  static let zones = [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Africa/Casablanca",
    "Pacific/Apia", "America/St_Johns", "Africa/Monrovia", "America/Toronto",
  ]

  /// A zone of Foundation's, and the same as a table.
  struct Clock {
    let zone: TimeZone
    let offsets: UTCOffsets
    /// Seconds since 1970 at which it is set.
    let all: [Int]
    /// Between the years 1850 and 2255.
    let changes: [Int]

    init(_ name: String) throws {
      zone = try #require(TimeZone(identifier: name))
      var time = Date(timeIntervalSince1970: -9_223_372_037)
      let first = zone.secondsFromGMT(for: time)
      var changes: [UTCOffsets.Change] = []
      while let next = zone.nextDaylightSavingTimeTransition(after: time), next > time,
        next.timeIntervalSince1970 < 9_223_372_037
      {
        changes.append(
          .init(second: Int(next.timeIntervalSince1970), offset: zone.secondsFromGMT(for: next)))
        time = next
      }
      offsets = try #require(UTCOffsets(first: first, changes: changes))
      all = changes.map(\.second)
      self.changes = all.filter { $0 > -3_786_912_000 && $0 < 9_000_000_000 }
    }

    func local(_ second: Int) -> Int {
      second + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
    }

    /// A second near one at which the clock is set, or any.
    func second(_ generator: inout SplitMix) -> Int {
      let spread = [10, 4_000, 200_000, 4_000_000].randomElement(using: &generator) ?? 10
      let middle =
        Int.random(in: 0..<4, using: &generator) > 0 ? changes.randomElement(using: &generator) : nil
      return (middle ?? Int.random(in: -7_000_000_000...8_500_000_000, using: &generator))
        + Int.random(in: -spread...spread, using: &generator)
    }
  }

  /// The key of a bucket from the text of the local time.
  static func key(_ units: [TimeBucket.Unit], _ local: Int) -> Int {
    units.map { unit -> Int in
      switch unit {
      case .second: return local
      case .minute: return local - ((local % 60) + 60) % 60
      case .hour: return local - ((local % 3_600) + 3_600) % 3_600
      case .day, .week, .month, .quarter, .year:
        let start = AggregateModel.bucketStart(
          .calendar(unit, utcOffsetSeconds: 0), Int64(local) * 1_000_000_000)
        return Int(start / 1_000_000_000)
      }
    }.max() ?? 0
  }

  static func units(_ generator: inout SplitMix) -> [TimeBucket.Unit] {
    let all = TimeBucket.Unit.allCases.shuffled(using: &generator)
    return Array(all.prefix(Int.random(in: 1...3, using: &generator)))
  }

  @Test(arguments: zones)
  func clocksShowWhatFoundationSays(name: String) throws {
    let clock = try Clock(name)
    var generator = SplitMix(state: 5)
    for _ in 0..<3_000 {
      let second = clock.second(&generator)
      #expect(clock.offsets.local(second) == clock.local(second), "\(name) \(second)")
    }
  }

  @Test(arguments: zones)
  func bucketsAreThoseOfTheClock(name: String) throws {
    let clock = try Clock(name)
    var generator = SplitMix(state: 7)
    for _ in 0..<1_500 {
      let second = clock.second(&generator)
      let units = LocalBucketTests.units(&generator)
      let time = Int64(second) * 1_000_000_000 + Int64.random(in: 0..<1_000_000_000, using: &generator)
      let bucket = LocalBucket(units, offsets: clock.offsets)
      let (key, range) = bucket.place(of: time)
      #expect(Int(key) == LocalBucketTests.key(units, clock.local(second)), "\(name) \(second) \(units)")
      #expect(range.contains(time))
      for edge in [range.lowerBound, range.upperBound] {
        #expect(bucket.place(of: edge) == (key, range), "\(name) \(second) \(units)")
        #expect(
          LocalBucketTests.key(units, clock.local(TimeBucket.second(of: edge))) == Int(key),
          "\(name) \(second) \(units)")
      }
      // What summaries count together lies in one bucket.
      let (width, from) = bucket.parts
      let part = TimeBucket.start(of: time, width: width)
      if time >= from { #expect(bucket.place(of: part).key == key, "\(name) \(second) \(units)") }
      #expect(from % width == 0 || from == .min)
    }
  }

  @Test(arguments: zones)
  func timesShownAreFound(name: String) throws {
    let clock = try Clock(name)
    var generator = SplitMix(state: 9)
    for _ in 0..<60 {
      // Set by whole minutes since 1972.
      let near = clock.changes.filter { $0 > 70_000_000 }.randomElement(using: &generator) ?? 1_000_000_020
      let local = near / 60 * 60 + 60 * Int.random(in: -1_000...1_000, using: &generator)
      var second = local - 64_800
      while clock.local(second) < local { second += 60 }
      #expect(clock.offsets.firstSecond(showing: local) == second, "\(name) \(local)")
    }
  }

  @Test(arguments: zones)
  func aPartOfTheTableIsAsGood(name: String) throws {
    let clock = try Clock(name)
    var generator = SplitMix(state: 11)
    for _ in 0..<300 {
      let second = clock.second(&generator)
      let end = min(9_223_372_035, second + Int.random(in: 1...100_000_000, using: &generator))
      let part = clock.offsets.during(
        start: Int64(second) * 1_000_000_000, end: Int64(end) * 1_000_000_000 + 1)
      for _ in 0..<10 {
        let asked = Int.random(in: second...end, using: &generator)
        #expect(part.local(asked) == clock.offsets.local(asked))
      }
      #expect(part.stepCount <= clock.all.filter { second < $0 && $0 <= end }.count + 1)
    }
    #expect(clock.offsets.during(start: nil, end: nil) == clock.offsets)
    #expect(clock.offsets.during(start: .max, end: .min).only != nil, "nothing is asked for")
  }

  @Test func tablesAreChecked() {
    func table(_ changes: [(Int, Int)]) -> UTCOffsets? {
      UTCOffsets(first: 0, changes: changes.map { .init(second: $0.0, offset: $0.1) })
    }
    #expect(table([(1, 3_600), (2, 0)]) != nil)
    #expect(table([(2, 3_600), (2, 0)]) == nil)
    #expect(table([(2, 64_801)]) == nil)
    #expect(table((0...UTCOffsets.changesMax).map { ($0, 0) }) == nil)
    #expect(UTCOffsets(first: -64_801, changes: []) == nil)
  }

  @Test func summariesAreAskedForWideParts() throws {
    func parts(_ zone: String, _ unit: TimeBucket.Unit, since: Int64? = nil) throws -> (Int64, Bool) {
      let offsets = try Clock(zone).offsets.during(start: since, end: nil)
      let (width, from) = LocalBucket([unit], offsets: offsets).parts
      return (width / 1_000_000_000, from == .min)
    }
    let recent: Int64 = 1_600_000_000_000_000_000
    #expect(try parts("UTC", .month) == (86_400, true))
    #expect(try parts("UTC", .minute) == (60, true))
    #expect(try parts("UTC", .second) == (1, true))
    #expect(try parts("Europe/Berlin", .day) == (3_600, false))
    #expect(try parts("Europe/Berlin", .day, since: recent) == (3_600, true))
    #expect(try parts("Australia/Lord_Howe", .day, since: recent) == (1_800, true))
    #expect(try parts("Asia/Kathmandu", .hour, since: recent) == (900, true))
    #expect(try parts("Africa/Monrovia", .day) == (86_400, false))
  }

  // MARK: Answers

  /// Counts in parts what summaries would, and leaves nothing to read.
  private final class SummingSource: BatchSource, PartitionSnapshot {
    let memory: MemorySnapshot
    init(_ units: [[MemorySource.Row]]) { memory = MemorySnapshot(units: units) }

    func snapshot(of partition: Partition) -> any PartitionSnapshot { self }
    var positionEnd: Int64 { memory.positionEnd }
    func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] { try memory.plan(request) }

    func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
      var counts: [GroupKey: Int] = [:]
      for row in memory.units.joined() {
        guard row.timestamp >= request.start ?? .min, row.timestamp < request.end ?? .max else { continue }
        let bucket = request.bucketNanoseconds.map { TimeBucket.start(of: row.timestamp, width: $0) }
        counts[GroupKey(bucket: bucket ?? 0, values: []), default: 0] += 1
      }
      return GroupedCountAnswer(counts: counts, remaining: [])
    }
  }

  @Test(arguments: 0..<20)
  func answersAreThoseOfTheClock(seed: Int) async throws {
    var generator = SplitMix(state: UInt64(seed) &* 104_729)
    let name = LocalBucketTests.zones[seed % LocalBucketTests.zones.count]
    let clock = try Clock(name)
    let rows = (0..<300).map { index in
      MemorySource.Row(
        position: Int64(index),
        timestamp: Int64(clock.second(&generator)) * 1_000_000_000
          + Int64.random(in: 0..<1_000_000_000, using: &generator), level: nil, message: "m")
    }
    let units = LocalBucketTests.units(&generator)
    let isRanged = Bool.random(using: &generator)
    let ends = [clock.second(&generator), clock.second(&generator)].sorted().map { Int64($0) * 1_000_000_000 }
    let request = QueryRequest(
      dataset: .logs,
      answer: .aggregates(
        AggregateQuery(
          bucket: .local(
            LocalBucket(
              units, offsets: isRanged ? clock.offsets.during(start: ends[0], end: ends[1]) : clock.offsets)),
          measures: [Measure(.count)])),
      start: isRanged ? ends[0] : nil, end: isRanged ? ends[1] : nil, limit: 1_000, isDescending: false)
    var expected: [Int: Int] = [:]
    for row in rows where !isRanged || (row.timestamp >= ends[0] && row.timestamp < ends[1]) {
      let local = clock.local(TimeBucket.second(of: row.timestamp))
      expected[LocalBucketTests.key(units, local), default: 0] += 1
    }
    var parts: [[MemorySource.Row]] = Array(repeating: [], count: 4)
    for row in rows { parts[Int.random(in: 0..<4, using: &generator)].append(row) }
    let sources: [any BatchSource] = [MemorySource(units: parts), SummingSource(parts)]
    for source in sources {
      let engine = QueryEngine(
        source: source, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 64 << 20))
      let found = try await AggregateTests.answer(engine, request)
      #expect(
        found
          == expected.sorted { $0.key < $1.key }.map { [.int(Int64($0.key)), .int(Int64($0.value))] },
        "seed \(seed) \(name) \(units) \(type(of: source))")
    }
  }
}
