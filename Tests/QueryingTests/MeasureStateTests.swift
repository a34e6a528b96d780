import Codecs
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Querying

/// Quantile sketches, sets of values, buckets and merging.
struct MeasureStateTests {
  // MARK: Means

  private static func mean(_ numbers: [Double], parts: Int = 1) throws -> Double? {
    var whole = NumberSumState()
    whole.grow(to: 1)
    for part in 0..<parts {
      var builder = FixedBuilder<Double>()
      for place in numbers.indices where place % parts == part { builder.append(numbers[place]) }
      let column = builder.finish(type: .float64)
      var state = NumberSumState()
      state.grow(to: 1)
      let rows = column.rowCount
      state.add(
        MeasureInput(column: column, rowCount: rows, passing: nil),
        groups: [Int32](repeating: 0, count: rows))
      whole.merge(state, numbers: [0])
    }
    guard case .float64(let values) = try whole.values(of: .avg(ColumnPath("n"))) else { return nil }
    return values[0]
  }

  /// Equal numbers are their own mean, and no mean is beyond its numbers.
  @Test func aMeanIsNeverBeyondItsNumbers() throws {
    let huge = Double.greatestFiniteMagnitude
    let numbers = [
      0.1, 1 / 3, 1e300, -0.7, .leastNonzeroMagnitude, huge, -huge, .leastNormalMagnitude / 7,
      9_007_199_254_740_992,
    ]
    for number in numbers {
      for count in [1, 2, 3, 7, 10, 1_000] {
        let numbers = [Double](repeating: number, count: count)
        #expect(try Self.mean(numbers) == number, "\(count) times \(number)")
        #expect(try Self.mean(numbers, parts: 3) == number, "\(count) times \(number), in parts")
      }
    }
    #expect(try Self.mean([huge, huge, -huge]) == huge / 3)
    #expect(try Self.mean([1e300, 1, -1e300]) == 1.0 / 3)
    #expect(try Self.mean([1, 0x1p-53, 0x1p-120, 0]) == 0.25.nextUp)
    #expect(try Self.mean([1, 0x1p-53, 0, 0]) == 0.25)
    let tiny = Double.leastNonzeroMagnitude
    #expect(try Self.mean([tiny, 0]) == 0)
    #expect(try Self.mean([tiny, tiny, 0]) == tiny)
    #expect(try Self.mean([3 * tiny, 0]) == 2 * tiny)
    #expect(try Self.mean([-tiny, -tiny, -tiny, 0]) == -tiny)
    for shape in 0..<5 {
      let numbers = Self.numbers(shape, 501)
      var exact = ExactSum()
      for number in numbers { exact.add(number) }
      #expect(try Self.mean(numbers) == exact.mean(count: 501).value)
      let mean = try #require(try Self.mean(numbers))
      #expect(mean >= numbers.min() ?? 0 && mean <= numbers.max() ?? 0)
    }
  }

  @Test func meansOfWholeNumbersAreExact() throws {
    let cases: [([Int64], Double)] = [
      ([.max, .max, .max], 0x1p63), ([.min, .min], -0x1p63), ([.max, .min], -0.5), ([1, 2, 2], 5.0 / 3),
      // 2^53 + 1 lies between two doubles, and a little more above it.
      ([9_007_199_254_740_993], 9_007_199_254_740_992),
      ([9_007_199_254_740_993, 9_007_199_254_740_993, 9_007_199_254_740_994], 9_007_199_254_740_994),
    ]
    for (values, expected) in cases {
      var state = IntegerSumState()
      state.grow(to: 1)
      state.add(
        MeasureInput(column: Column(int64: values), rowCount: values.count, passing: nil),
        groups: [Int32](repeating: 0, count: values.count))
      guard case .float64(let means) = try state.values(of: .avg(ColumnPath("n"))) else {
        Issue.record("a mean is float64")
        return
      }
      #expect(means == [expected])
    }
  }

  /// Decision 0032, whichever quantile is asked for.
  @Test func noQuantileOfNumbersBeyondFloat64() throws {
    for count in [1, 10, 5_000] {
      var state = QuantileState()
      state.grow(to: 1)
      var builder = FixedBuilder<Double>()
      for place in 0..<count { builder.append(Double(place)) }
      builder.append(.infinity)
      state.add(
        MeasureInput(column: builder.finish(type: .float64), rowCount: count + 1, passing: nil),
        groups: [Int32](repeating: 0, count: count + 1))
      state.finish()
      #expect(throws: StoreError.self) { try state.values(of: .quantile(ColumnPath("n"), 0.25)) }
    }
  }

  // MARK: Quantiles

  /// Numbers of different shapes: even, with a long tail, over all magnitudes, of both signs, of few values.
  static func numbers(_ shape: Int, _ count: Int) -> [Double] {
    var generator = SplitMix(state: UInt64(shape) + 17)
    return (0..<count).map { _ in
      let even = Double.random(in: 0..<1, using: &generator)
      switch shape {
      case 0: return even * 1000
      case 1: return 3 / (1.0000001 - even)
      case 2:
        return Double(
          sign: .plus, exponent: Int.random(in: -900...900, using: &generator), significand: 1 + even)
      case 3: return (even - 0.5) * 2e6
      default: return Double(Int(even * 4) - 1)
      }
    }
  }

  static let shares = [0, 0.001, 0.07, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

  static func sketch(_ numbers: some Sequence<Double>) -> QuantileSketch {
    var sketch = QuantileSketch()
    for number in numbers { _ = sketch.add(number) }
    return sketch
  }

  @Test(arguments: 0..<5, [1, 2, 3, 100, 4_095, 4_096, 4_097, 20_000])
  func quantilesAreExactForFewAndNearForMany(shape: Int, count: Int) throws {
    let numbers = MeasureStateTests.numbers(shape, count)
    let sorted = numbers.sorted()
    let found = MeasureStateTests.sketch(numbers).quantiles(MeasureStateTests.shares)
    for (share, found) in zip(MeasureStateTests.shares, found) {
      let exact = sorted[max(0, Int((share * Double(count) - 1e-9).rounded(.up)) - 1)]
      let found = try #require(found)
      if count <= QuantileSketch.exactMax {
        #expect(found == exact, "\(shape) \(count) \(share)")
      } else {
        #expect(
          abs(found - exact) <= abs(exact) * QuantileSketch.relativeError * 1.000001,
          "\(shape) \(count) \(share): \(found) \(exact)")
      }
    }
    #expect(QuantileSketch.relativeError < 0.01)
  }

  @Test(arguments: 0..<5, [3, 4_096, 4_097, 9_000])
  func quantilesDoNotDependOnHowPartsAreMerged(shape: Int, count: Int) {
    let numbers = MeasureStateTests.numbers(shape, count)
    let whole = MeasureStateTests.sketch(numbers).quantiles(MeasureStateTests.shares)
    var generator = SplitMix(state: UInt64(count))
    for _ in 0..<5 {
      var parts: [[Double]] = Array(repeating: [], count: 4)
      for number in numbers {
        // One part gets most, so that exact parts meet sketches.
        parts[max(0, Int.random(in: -4..<4, using: &generator))].append(number)
      }
      var merged = QuantileSketch()
      for part in parts.shuffled(using: &generator) {
        merged.merge(MeasureStateTests.sketch(part.reversed()))
      }
      #expect(merged.quantiles(MeasureStateTests.shares) == whole)
      #expect(merged.count == count)
    }
  }

  @Test func aSketchOfManyIsSmall() {
    #expect(MeasureStateTests.sketch(MeasureStateTests.numbers(0, 20_000)).heapBytes < 32_768)
    #expect(MeasureStateTests.sketch([Double](repeating: 7, count: 10_000)).quantiles([0.5]) == [7])
    #expect(QuantileSketch().quantiles([0.5]) == [nil])
  }

  // MARK: Distinct values

  static func set(_ values: some Sequence<Int>) -> DistinctSet {
    var set = DistinctSet()
    for value in values {
      var generator = SplitMix(state: UInt64(value))
      _ = set.insert(value == 0 ? 0 : generator.next())
    }
    return set
  }

  @Test(arguments: [0, 1, 2, 1_000, 65_535, 65_536])
  func fewValuesAreCountedExactly(count: Int) {
    let once = MeasureStateTests.set(0..<count)
    #expect(once.count == count)
    var twice = once
    twice.merge(MeasureStateTests.set((0..<count).reversed()))
    #expect(twice.count == count)
  }

  @Test(arguments: [65_537, 100_000, 400_000])
  func manyValuesAreEstimated(count: Int) {
    let set = MeasureStateTests.set(0..<count)
    #expect(set.count > DistinctSet.exactMax)
    // Four standard errors.
    #expect(abs(Double(set.count - count)) <= Double(count) * DistinctSet.relativeError * 4, "\(set.count)")
    #expect(set.heapBytes < 20_000)
  }

  @Test func setsDoNotDependOnHowPartsAreMerged() {
    let whole = MeasureStateTests.set(0..<90_000)
    for cut in [10, 20_000, 70_000, 89_000] {
      let (low, high) = (MeasureStateTests.set(0..<cut), MeasureStateTests.set(cut / 2..<90_000))
      var (first, second) = (low, high)
      first.merge(high)
      second.merge(low)
      #expect(first.count == whole.count && second.count == whole.count, "\(cut)")
    }
  }

  // MARK: Buckets

  @Test(arguments: [
    (TimeBucket.Unit.day, 0, "2026-11-19T12:34:56Z", "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"),
    (.day, 3_600, "2026-11-19T23:00:00Z", "2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z"),
    (.day, -3_600, "2026-11-19T00:59:59Z", "2026-11-18T01:00:00Z", "2026-11-19T01:00:00Z"),
    (.week, 0, "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
    (.week, 0, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
    (.week, 0, "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"),
    (.month, 0, "2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    (.month, 0, "1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    (.month, 7_200, "2026-01-31T22:00:00Z", "2026-01-31T22:00:00Z", "2026-02-28T22:00:00Z"),
    (.quarter, 0, "2026-12-31T00:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    (.quarter, 0, "1900-03-31T00:00:00Z", "1900-01-01T00:00:00Z", "1900-04-01T00:00:00Z"),
    (.year, 0, "2000-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
    (.year, -64_800, "1970-01-01T00:00:00Z", "1969-01-01T18:00:00Z", "1970-01-01T18:00:00Z"),
  ])
  func calendarBuckets(unit: TimeBucket.Unit, offset: Int, time: String, start: String, end: String) throws {
    let time = try #require(RFC3339.parse(time))
    let range = TimeBucket.calendar(unit, utcOffsetSeconds: offset).range(of: time)
    #expect(RFC3339.string(range.lowerBound) == start)
    #expect(RFC3339.string(range.upperBound + 1) == end)
  }

  @Test func bucketsHoldTheirTimesAndMeetEachOther() {
    var generator = SplitMix(state: 4)
    var buckets: [TimeBucket] = [
      .fixed(nanoseconds: 1), .fixed(nanoseconds: 1_000), .fixed(nanoseconds: .max),
    ]
    for unit in TimeBucket.Unit.ofCalendar {
      for offset in [0, 3_600, -64_800, 64_800, 1] {
        buckets.append(.calendar(unit, utcOffsetSeconds: offset))
      }
    }
    let set = UTCOffsets(
      first: 3_600, changes: [.init(second: -5, offset: -64_800), .init(second: 7, offset: 1)])
    for unit in TimeBucket.Unit.allCases {
      for offsets in [set, UTCOffsets(always: 64_800), UTCOffsets(always: -64_800)].compactMap({ $0 }) {
        buckets.append(.local(LocalBucket([unit], offsets: offsets)))
      }
    }
    for bucket in buckets {
      for edge in [Int64.min, .max, 0, -1, 1, .min + 1, .max - 1] {
        #expect(bucket.range(of: edge).contains(edge), "\(bucket) \(edge)")
      }
      for _ in 0..<200 {
        let range = bucket.range(of: Int64.random(in: .min...(.max), using: &generator))
        #expect(bucket.range(of: range.lowerBound) == range)
        #expect(bucket.range(of: range.upperBound) == range)
        if range.upperBound < .max {
          #expect(bucket.range(of: range.upperBound + 1).lowerBound == range.upperBound + 1)
        }
        // Summaries are asked for parts that lie in one bucket each.
        guard range.upperBound >= bucket.partsFrom else { continue }
        let part = TimeBucket.fixed(nanoseconds: bucket.partNanoseconds).range(of: range.upperBound)
        #expect(part.lowerBound >= range.lowerBound && part.upperBound <= range.upperBound, "\(bucket)")
      }
    }
  }

  // MARK: Merging

  @Test(arguments: 0..<20)
  func answersDoNotDependOnHowPartsAreMerged(seed: Int) throws {
    var generator = SplitMix(state: UInt64(seed) + 1000)
    let rows = AggregateTests.rows(300, middle: 0, using: &generator)
    let query = AggregateQuery(
      groupBy: [ColumnPath("service"), AggregateTests.kind],
      bucket: .calendar(.quarter, utcOffsetSeconds: 3_600),
      measures: AggregateTests.measures(using: &generator))
    let plan = try AggregatePlan(
      query, request: QueryRequest(dataset: .logs, answer: .aggregates(query), limit: 1_000))
    let budget = MemoryBudget(bytesMax: 1 << 26)
    func answer(_ units: [[MemorySource.Row]]) throws -> [[Cell]] {
      let memory = GroupMemory(MemoryShare(of: budget), limits: GroupLimits(bytesMax: .max))
      var parts: [Aggregation] = []
      for unit in try MemorySnapshot(units: units).plan(plan.scan) {
        var part = Aggregation(plan, memory: memory)
        try part.add(unit)
        parts.append(part)
      }
      var whole = Aggregation(plan, memory: memory)
      for part in parts { try whole.merge(part) }
      return Cell.rows(try #require(try whole.answer().batches.next()))
    }
    let expected = try answer([rows])
    for _ in 0..<4 {
      var units: [[MemorySource.Row]] = Array(repeating: [], count: 5)
      for row in rows { units[Int.random(in: 0..<5, using: &generator)].append(row) }
      let found = try answer(units.shuffled(using: &generator))
      #expect(found.count == expected.count)
      for (left, right) in zip(found, expected) {
        #expect(zip(left, right).allSatisfy { $0.isNear($1) }, "seed \(seed): \(left) \(right)")
      }
    }
  }

  @Test func whatRoundingTookIsMerged() throws {
    func part(_ values: [Double]) -> NumberSumState {
      var builder = FixedBuilder<Double>()
      for value in values { builder.append(value) }
      let column = builder.finish(type: .float64)
      var state = NumberSumState()
      state.grow(to: 1)
      state.add(
        MeasureInput(column: column, rowCount: values.count, passing: nil),
        groups: [Int32](repeating: 0, count: values.count))
      return state
    }
    var whole = part([0.5])
    whole.merge(part([1e16, 1, 1, 1, -1e16]), numbers: [0])
    guard case .float64(let sums) = try whole.values(of: .sum(AggregateTests.milliseconds)) else {
      Issue.record("numbers")
      return
    }
    #expect(sums == [3.5])
  }

  /// Without rounding until the end (Shewchuk's partial sums), as Python's `math.fsum`.
  private static func exactSum(_ values: [Double]) -> Double {
    var partials: [Double] = []
    for value in values {
      var rest = value
      var kept: [Double] = []
      for partial in partials {
        let (large, small) = abs(rest) < abs(partial) ? (partial, rest) : (rest, partial)
        let high = large + small
        let low = small - (high - large)
        if low != 0 { kept.append(low) }
        rest = high
      }
      partials = kept + [rest]
    }
    // From the greatest on; a tie is decided by the sign of what comes behind.
    var total = 0.0
    while let last = partials.popLast() {
      let high = total + last
      let low = last - (high - total)
      total = high
      guard low != 0 else { continue }
      if let next = partials.last, next * low > 0, total + 2 * low - total == 2 * low { total += 2 * low }
      break
    }
    return total
  }

  private static func sum(
    _ parts: [[Double]], _ function: Measure.Function = .sum(AggregateTests.milliseconds)
  ) throws -> Double? {
    var whole = NumberSumState()
    whole.grow(to: 1)
    for values in parts {
      var builder = FixedBuilder<Double>()
      for value in values { builder.append(value) }
      var state = NumberSumState()
      state.grow(to: 2)
      // With and without groups.
      if values.count.isMultiple(of: 2) { state.keep([1]) }
      state.add(
        MeasureInput(column: builder.finish(type: .float64), rowCount: values.count, passing: nil),
        groups: [Int32](repeating: 0, count: values.count))
      whole.merge(state, numbers: [0, 0])
    }
    guard case .float64(let sums) = try whole.values(of: function) else { return nil }
    return sums[0]
  }

  @Test(arguments: 1...20) func sumsAreRoundedOnceInAnyOrder(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let span = [2, 60, 600, 1_000].randomElement(using: &random) ?? 2
    var values = (0..<200).map { _ in
      Double.random(in: -1..<1, using: &random)
        * Double(
          sign: .plus, exponent: Int.random(in: -span...span, using: &random), significand: 1)
    }
    // Most of it cancels.
    values += values.prefix(150).map { -$0 }
    values += [.leastNonzeroMagnitude, 0x1p-1060, 1e16, 1]
    let expected = Self.exactSum(values)
    for _ in 0..<5 {
      values.shuffle(using: &random)
      let cut = Int.random(in: 0..<values.count, using: &random)
      #expect(try Self.sum([Array(values[..<cut]), Array(values[cut...])]) == expected, "seed \(seed)")
    }
  }

  @Test func sumsAndMeansThatFitDoNotFail() throws {
    let most = Double.greatestFiniteMagnitude
    for order in [
      [1.7e308, 1.7e308, -1.7e308], [1.7e308, -1.7e308, 1.7e308], [-1.7e308, 1.7e308, 1.7e308],
    ] {
      #expect(try Self.sum([order]) == 1.7e308)
      #expect(try Self.sum(order.map { [$0] }) == 1.7e308)
    }
    let mean = Measure.Function.avg(AggregateTests.milliseconds)
    #expect(try Self.sum([[1.7e308, 1.7e308]], mean) == 1.7e308)
    #expect(try Self.sum([[Double](repeating: -most, count: 1_000)], mean) == -most)
    #expect(try Self.sum([[most, most, -most, -most, 0x1p-1074]]) == 0x1p-1074)
    #expect(throws: StoreError.self) { try Self.sum([[1.7e308, 1.7e308]]) }
    // A number that no double is near.
    #expect(throws: StoreError.self) { try Self.sum([[1, .infinity]], mean) }
    #expect(throws: StoreError.self) { try Self.sum([[.infinity, -.infinity]]) }
  }

  @Test func countsOfSummariesJoinThoseOfRows() throws {
    let query = AggregateQuery(
      groupBy: [ColumnPath("level")], bucket: .calendar(.month, utcOffsetSeconds: 0),
      measures: [Measure(.count, as: "n")], orderBy: "n")
    let plan = try AggregatePlan(query, request: QueryRequest(dataset: .logs, answer: .aggregates(query)))
    #expect(plan.groupedCount.bucketNanoseconds == 86_400_000_000_000)
    let day: Int64 = 86_400_000_000_000
    var whole = Aggregation(
      plan,
      memory: GroupMemory(
        MemoryShare(of: MemoryBudget(bytesMax: 1 << 20)), limits: GroupLimits(bytesMax: 1 << 20)))
    try whole.add([
      GroupKey(bucket: 0, values: ["a"]): 2, GroupKey(bucket: 30 * day, values: ["a"]): 3,
      GroupKey(bucket: 31 * day, values: ["a"]): 4, GroupKey(bucket: 3 * day, values: [nil]): 1,
      GroupKey(bucket: 3 * day, values: ["b"]): 0,
    ])
    #expect(
      Cell.rows(try #require(try whole.answer().batches.next())) == [
        [.int(0), .text("a"), .int(5)], [.int(31 * day), .text("a"), .int(4)], [.int(0), .null, .int(1)],
      ])
  }

  @Test func measuresThatNeedTheSameShareIt() throws {
    let path = AggregateTests.milliseconds
    let error = Records.Predicate.compare(ColumnPath("level"), .equal, .string("ERROR"))
    let query = AggregateQuery(measures: [
      Measure(.sum(path)), Measure(.avg(path)), Measure(.quantile(path, 0.5)), Measure(.quantile(path, 0.9)),
      Measure(.sum(path), where: error, as: "a"), Measure(.avg(path), where: error, as: "b"),
    ])
    let plan = try AggregatePlan(query, request: QueryRequest(dataset: .logs, answer: .aggregates(query)))
    #expect(plan.sources == [0, 0, 1, 1, 2, 2])
    #expect(plan.filters.count == 1 && plan.columns.count == 2)
  }
}
