import Blocks
import Matching
import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Storage

/// Blocks of an older format are written anew when nothing else is to be done, and what cannot be done rests.
@Suite struct FormatUpgradeTests {
  /// The server's format, some blocks of which say that they are of an older one.
  struct AgedBlocks: BlockFormat {
    let base = ParquetBlocks()
    let older: @Sendable (UInt64) -> Bool

    func write(
      _ rows: BlockInput, to place: BlockPlace, on fileSystem: any FileSystem, shouldStop: () -> Bool
    ) throws(StoreError) -> BlockFacts? {
      guard case .merged(let inputs) = rows else {
        return try base.write(rows, to: place, on: fileSystem, shouldStop: shouldStop)
      }
      let plain = inputs.map { input in
        (block: (input.block as? Reader)?.base ?? input.block, input.deletions)
      }
      return try base.write(
        .merged(plain.map { (block: $0.block, deletions: $0.1) }), to: place, on: fileSystem,
        shouldStop: shouldStop)
    }

    func claim(
      _ path: String, on fileSystem: any FileSystem, registry: Registry
    ) throws(StoreError) -> BlockClaim? { try base.claim(path, on: fileSystem, registry: registry) }

    func open(
      _ path: String, facts: BlockFacts, on fileSystem: any FileSystem
    ) throws(StoreError) -> any BlockReading {
      Reader(base: try base.open(path, facts: facts, on: fileSystem), isOlder: older(facts.id))
    }
  }

  final class Reader: BlockReading {
    let base: any BlockReading
    private let isOlder: Bool
    init(base: any BlockReading, isOlder: Bool) {
      self.base = base
      self.isOlder = isOlder
    }
    var memoryBytes: Int { base.memoryBytes }
    func isOfOlderFormat() throws(StoreError) -> Bool {
      _ = try base.isOfOlderFormat()
      return isOlder
    }
    func units(
      _ request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
    ) throws(StoreError) -> [any ScanUnit] {
      try base.units(request, predicate: predicate, deletions: deletions)
    }
    func groupedCounts(
      _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
    ) throws(StoreError) -> GroupedCountAnswer {
      try base.groupedCounts(request, predicate: predicate, deletions: deletions)
    }
  }

  private static let other = Partition(tenant: Tenant(realm: .native, name: "zeta"), dataset: .logs)

  /// A store with `count` blocks of one partition and one of another, opened anew.
  private func bench(
    blocks count: Int, disk: SimulatedDisk, older: @escaping @Sendable (UInt64) -> Bool
  ) throws -> EventTests.Bench {
    var options = EventTests.Bench.options
    // Nothing is merged.
    options.mergeInputsMin = 1_000
    let first = try EventTests.Bench(disk: disk, options: options)
    for _ in 0..<count { try first.archive() }
    try first.append(to: Self.other)
    _ = try first.engine.archive(Self.other)
    return try EventTests.Bench(
      files: disk, disk: disk, options: options, format: AgedBlocks(older: older))
  }

  private func upgraded(_ events: [StoreEvent]) -> Int {
    events.count { if case .compacted(_, inputCount: 1, _, _) = $0 { true } else { false } }
  }

  @Test func everyOlderBlockIsWrittenAnewOnce() throws {
    let disk = SimulatedDisk(seed: 1)
    // More than are looked into at once, older ones between new ones.
    let bench = try bench(blocks: 50, disk: disk) { $0 % 20 == 0 }
    var rounds = 0
    while try bench.engine.compact() { rounds += 1 }
    #expect(upgraded(bench.events.take()) == 2)
    #expect(rounds >= 4)
    let blocks = bench.engine.live.withLock { live in live.partitions[EventTests.logs]?.blocks ?? [] }
    #expect(blocks.count == 50 && blocks.allSatisfy { $0.facts.id % 20 != 0 || $0.facts.id > 51 })
    #expect(blocks.reduce(0) { $0 + $1.facts.rowCount } == 50 * 20)
    #expect(try !bench.engine.compact())
  }

  /// Of no partition is anything put off for it.
  @Test func deletionsGoFirst() throws {
    let bench = try bench(blocks: 3, disk: SimulatedDisk(seed: 1)) { _ in true }
    #expect(try bench.engine.delete(.all, from: Self.other) == 20)
    _ = bench.events.take()
    #expect(try bench.engine.compact())
    guard case .compacted(Self.other, inputCount: 1, file: nil, rowCount: 0)? = bench.events.take().first
    else {
      Issue.record("an older block before the deletion")
      return
    }
  }

  /// A block that the disk has no room for keeps nothing else waiting, and is tried again later.
  @Test func whatTheDiskRefusesRests() throws {
    let disk = SimulatedDisk(seed: 1)
    let bench = try bench(blocks: 1, disk: disk) { $0 == 1 }
    disk.fail(.create, pathSuffix: ".parquet.tmp")
    #expect(try !bench.engine.compact())
    let troubles = bench.events.takeTroubles()
    guard troubles.count == 1, case .failed(.compaction, EventTests.logs, _, _) = troubles[0] else {
      Issue.record("\(troubles)")
      return
    }
    disk.failNothing()
    #expect(try !bench.engine.compact(), "it rests")
    #expect(bench.events.take().isEmpty)
    #expect(try bench.engine.delete(.all, from: Self.other) == 20)
    #expect(try bench.engine.compact())
    bench.clock.advance(seconds: 601)
    _ = bench.events.take()
    while try bench.engine.compact() {}
    let events = bench.events.take()
    #expect(upgraded(events) == 1, "\(events)")
    #expect(events.contains(.healed(.compaction, partition: EventTests.logs)), "\(events)")
  }

  /// A damaged block is told, and left to be repaired.
  @Test func damageIsNoReasonToTryAgain() throws {
    let disk = SimulatedDisk(seed: 1)
    let bench = try bench(blocks: 2, disk: disk) { _ in true }
    let path = try #require(
      bench.engine.live.withLock { $0.partitions[EventTests.logs]?.blocks.first?.file.path })
    bench.rot(path)
    while try bench.engine.compact() {}
    let events = bench.events.take()
    #expect(upgraded(events) == 2, "\(events)")
    #expect(disk.files().contains(path))
    #expect(try !bench.engine.compact())
  }
}
