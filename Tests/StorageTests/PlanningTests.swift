import Matching
import Records
import TestKit
import Testing

@testable import Storage

/// A snapshot's scan planned in parts and in shares is the same scan.
@Suite struct PlanningTests {
  private typealias Bench = EventTests.Bench

  /// Twenty blocks of twenty rows, and a head.
  private static func store() throws -> Bench {
    let bench = try Bench()
    for _ in 0..<20 { try bench.archive() }
    try bench.append(rowCount: 7)
    return bench
  }

  private static var request: ScanRequest {
    ScanRequest(columns: [OutputColumn(ColumnPath("position"), type: .int64)], order: .descending)
  }

  private func positions(_ units: [any ScanUnit]) throws -> [Int64] {
    var positions: [Int64] = []
    for unit in units {
      let cursor = try unit.open()
      while let batch = try cursor.next() {
        positions += batch.columns[0].withInt64 { span in span.indices.map { span[$0] } }
      }
    }
    return positions.sorted()
  }

  @Test func sharesTogetherHaveAllRowsOnce() throws {
    let bench = try Self.store()
    let snapshot = bench.engine.snapshot(of: EventTests.logs)
    let all = Array(Int64(0)..<407)
    #expect(try positions(snapshot.plan(Self.request)) == all)
    let counts = GroupedCountRequest(
      groupBy: [], bucketNanoseconds: nil, predicate: .all, start: nil, end: nil)
    for count in [1, 2, 3, 64] {
      let shares = snapshot.shares(of: Self.request, atMost: count)
      // Some blocks are needed for each.
      #expect(shares.count == min(count, 2))
      #expect(try positions(shares.flatMap { try $0.plan(Self.request) }) == all)
      let answers = try shares.map { try $0.groupedCounts(counts) }
      let known = answers.flatMap { $0.counts.values }.reduce(0, +)
      let read = try answers.flatMap(\.remaining).reduce(0) { $0 + (try $1.countMatches()) }
      #expect(known == 400 && read == 7)
    }
    var few = Self.request
    few.positions = 100..<140
    #expect(snapshot.shares(of: few, atMost: 2).count == 1)
  }

  @Test func partsHaveAllRowsOnce() throws {
    let snapshot = try Self.store().engine.snapshot(of: EventTests.logs)
    let parts = try snapshot.parts(Self.request)
    #expect(parts.count == 21 && Set(parts.flatMap(\.objects)).count == 21)
    #expect(try positions(parts.flatMap { try $0.units(.refuse) }) == Array(0..<407))
    for part in parts {
      for unit in try part.units(.refuse) {
        #expect(part.bounds.timestampMin <= unit.bounds.timestampMin)
        #expect(part.bounds.timestampMax >= unit.bounds.timestampMax)
        #expect(part.bounds.positionMin <= unit.bounds.positionMin)
        #expect(part.bounds.positionMax >= unit.bounds.positionMax)
      }
    }
  }

  /// A damaged block is left out where that can still be told, and known from then on; its share's finding is
  /// that of all.
  @Test func damagedPartsAreLeftOutOrRefused() throws {
    let bench = try Self.store()
    let path = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    bench.rot(path)
    var request = Self.request
    request.damage = .leaveOut
    let snapshot = bench.engine.snapshot(of: EventTests.logs)
    let parts = try snapshot.parts(request)
    #expect(parts.count == 21)
    #expect(snapshot.damagedFiles.isEmpty)
    func units(_ policy: DamagePolicy) -> [Result<[any ScanUnit], StoreError>] {
      parts.map { part in
        do throws(StoreError) { return .success(try part.units(policy)) } catch { return .failure(error) }
      }
    }
    let refused = units(.refuse).filter { if case .failure(.corrupt) = $0 { true } else { false } }
    #expect(refused.count == 1)
    #expect(snapshot.damagedFiles.isEmpty, "it was not left out")
    let left = units(.leaveOut).compactMap { try? $0.get() }
    #expect(left.count == 21 && left.filter(\.isEmpty).count == 1)
    #expect(snapshot.damagedFiles.map(\.name).count == 1)

    let next = bench.engine.snapshot(of: EventTests.logs)
    #expect(try next.parts(request).count == 20, "it is known")
    #expect(next.damagedFiles.count == 1)
    let other = bench.engine.snapshot(of: EventTests.logs)
    let shares = other.shares(of: request, atMost: 2)
    #expect(try positions(shares.flatMap { try $0.plan(request) }).count == 387)
    #expect(other.damagedFiles.count == 1 && shares.allSatisfy { $0.damagedFiles == other.damagedFiles })
  }
}
