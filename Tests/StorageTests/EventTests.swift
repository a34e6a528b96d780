import Blocks
import Journaling
import Platform
import Records
import TestKit
import Testing

@testable import Storage

/// What the store tells of its background: each kind of failure once, and its end once it succeeds.
@Suite struct EventTests {
  static let tenant = Tenant(realm: .native, name: "acme")
  static let logs = Partition(tenant: tenant, dataset: .logs)

  /// An engine and its journal on a simulated disk.
  struct Bench {
    let disk: SimulatedDisk
    let clock = ManualClock()
    let events = EventList()
    let engine: StorageEngine
    let journal: JournalFile

    init(
      disk: SimulatedDisk = SimulatedDisk(seed: 1), options: StorageOptions = Bench.options,
      entropySeed: UInt64 = 1
    ) throws {
      try self.init(files: disk, disk: disk, options: options, entropySeed: entropySeed)
    }

    /// - Parameter files: Where the store is, if that is not the simulated disk.
    init(
      files: any FileSystem, directory: String = "data", disk: SimulatedDisk = SimulatedDisk(seed: 1),
      options: StorageOptions = Bench.options, entropySeed: UInt64 = 1,
      format: any BlockFormat = ParquetBlocks()
    ) throws {
      self.disk = disk
      let environment = StoreEnvironment(
        fileSystem: files, clock: clock, uptime: clock, entropy: SeededEntropy(seed: entropySeed),
        observer: events)
      (engine, journal) = try StorageEngine.open(
        directory: directory, environment: environment, options: options, format: format
      ) { directory, start throws(JournalError) in
        try JournalFile.open(
          directory: directory, environment: environment, options: options.journal, start: start
        ).journal
      }
    }

    static var options: StorageOptions {
      var options = StorageOptions()
      options.journal.segmentBytes = 64 << 10
      options.journal.writeReserveBytes = 0
      options.mergeInputsMin = 2
      return options
    }

    /// Puts rows into the head.
    func append(rowCount: Int = 20, seed: UInt64 = 1, to partition: Partition = EventTests.logs) throws {
      var generator = SeededGenerator(seed: seed)
      let batch = RandomBatches.batch(of: .logs, rowCount: rowCount, using: &generator)
      _ = try journal.commit([AppendRequest(batch: batch, partition: partition)])[0].get()
    }

    /// Tries to put what is in the head into a block.
    func archiveError() -> StoreError? {
      do throws(StoreError) {
        _ = try engine.archive(EventTests.logs)
        return nil
      } catch { return error }
    }

    /// Flips a bit of each byte of the file; twice, and it is as it was.
    func rot(_ path: String) {
      for offset in 0..<disk.contents(path).count { disk.rot(path, offset: offset, bit: 3) }
    }

    /// Puts rows into a block.
    func archive() throws {
      try append()
      _ = try engine.archive(logs)
    }

    /// Runs `step` twice with the fault, which must be told once, and then without, twice, which must be told
    /// once too.
    func check(
      _ work: StoreWork, of partition: Partition?, fails operation: SimulatedDisk.Operation, _ suffix: String,
      after count: Int = 1, _ step: () throws -> Void
    ) throws -> String? {
      _ = events.take()
      for _ in 0..<2 {
        disk.fail(operation, after: count, pathSuffix: suffix)
        do { try step() } catch is StoreError {}
        disk.failNothing()
      }
      let failures = events.takeTroubles()
      guard failures.count == 1, case .failed(work, partition, let file, let error) = failures[0] else {
        Issue.record("\(failures)")
        return nil
      }
      guard case .disk = error else {
        Issue.record("\(error)")
        return nil
      }
      for _ in 0..<2 { try step() }
      #expect(events.takeTroubles() == [.healed(work, partition: partition)])
      return file
    }
  }

  @Test func archiving() throws {
    let bench = try Bench()
    try bench.append()
    _ = try bench.check(.archiving, of: Self.logs, fails: .create, ".parquet.tmp") {
      _ = try bench.engine.archive(Self.logs)
    }
    try bench.append(rowCount: 7)
    _ = try bench.engine.archive(Self.logs)
    let told = bench.events.take()
    guard told.count == 1, case .archived(Self.logs, file: let file, rowCount: 7) = told[0] else {
      Issue.record("\(told)")
      return
    }
    #expect(file?.hasSuffix(".parquet") == true && bench.disk.files().contains(file ?? ""))
  }

  @Test func compaction() throws {
    let bench = try Bench()
    for _ in 0..<2 { try bench.archive() }
    _ = try bench.check(.compaction, of: Self.logs, fails: .create, ".parquet.tmp") {
      _ = try bench.engine.compact()
    }
    for _ in 0..<2 { try bench.archive() }
    _ = bench.events.take()
    #expect(try bench.engine.compact())
    let told = bench.events.take()
    guard case .compacted(Self.logs, inputCount: let count, file: _?, rowCount: let rows)? = told.first else {
      Issue.record("\(told)")
      return
    }
    #expect(count >= 2 && rows == count * 20 || rows >= 40)
  }

  /// A merge that is not needed any more has not failed.
  @Test func compactionWithNothingLeftToDo() throws {
    var options = Bench.options
    options.retentionSeconds = [.logs: 10]
    let bench = try Bench(options: options)
    for _ in 0..<2 { try bench.archive() }
    bench.disk.fail(.create, pathSuffix: ".parquet.tmp")
    #expect(throws: StoreError.self) { try bench.engine.compact() }
    bench.clock.advance(seconds: 100)
    #expect(try bench.engine.retain() == 40)
    _ = bench.events.take()
    #expect(try !bench.engine.compact())
    #expect(bench.events.take() == [.healed(.compaction, partition: Self.logs)])
  }

  /// A damaged block is no failure that heals: it is told once and left alone.
  @Test func damage() throws {
    let bench = try Bench()
    for _ in 0..<2 { try bench.archive() }
    _ = bench.events.take()
    let path = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    bench.rot(path)
    #expect(throws: StoreError.self) { try bench.engine.compact() }
    #expect(try !bench.engine.compact())
    let told = bench.events.take()
    guard told.count == 1, case .damaged(Self.logs, error: .corrupt(let file, _, _)) = told[0] else {
      Issue.record("\(told)")
      return
    }
    #expect(file == path)
    #expect(bench.engine.damagedFiles.map(\.path) == [path])
  }

  /// Its neighbours on either side are merged, each side by itself: merged with each other they would be
  /// where the damaged one is to come back.
  @Test func neighboursOfADamagedBlockAreMerged() throws {
    let bench = try Bench()
    for _ in 0..<5 { try bench.archive() }
    let before = bench.disk.files().filter { $0.hasSuffix(".parquet") }
    bench.rot(before[2])
    #expect(throws: StoreError.self) { try bench.engine.compact() }
    while try bench.engine.compact() {}
    bench.engine.emptyTrash()
    let after = bench.disk.files().filter { $0.hasSuffix(".parquet") }
    #expect(after.count == 3 && after.contains(before[2]))
    #expect(bench.engine.usage().first?.blockRows == 100)
    // Rotten twice is sound.
    bench.rot(before[2])
    let next = try Bench(disk: bench.disk.kill())
    let units = try next.engine.snapshot(of: Self.logs).plan(ScanRequest(columns: []))
    #expect(try units.reduce(0) { $0 + (try $1.countMatches()) } == 100)
    #expect(next.engine.damagedFiles == [])
  }

  @Test func retention() throws {
    var options = Bench.options
    options.retentionSeconds = [.logs: 10]
    let bench = try Bench(options: options)
    try bench.archive()
    bench.clock.advance(seconds: 100)
    _ = try bench.check(.retention, of: nil, fails: .write, "data/manifest") {
      _ = try bench.engine.retain()
    }
    try bench.archive()
    bench.clock.advance(seconds: 100)
    _ = bench.events.take()
    #expect(try bench.engine.retain() == 20)
    #expect(bench.events.take() == [.dropped(Self.logs, blockCount: 1, rowCount: 20)])
  }

  /// A wrong reading a year ahead drops nothing, is told, and counts once it has stayed for an hour.
  @Test func retentionWaitsForTheClock() throws {
    var options = Bench.options
    options.retentionSeconds = [.logs: 10_000]
    let bench = try Bench(options: options)
    try bench.archive()
    _ = bench.events.take()
    let right = bench.clock.now()
    let year = 365 * 86_400
    bench.clock.set(right + Int64(year) * 1_000_000_000)
    #expect(throws: StoreError.clockStepped(seconds: Int64(year))) { try bench.engine.retain() }
    bench.clock.set(right)
    #expect(try bench.engine.retain() == 0)
    bench.clock.set(right + Int64(year) * 1_000_000_000)
    for _ in 0..<2 {
      #expect(throws: StoreError.clockStepped(seconds: Int64(year))) { try bench.engine.retain() }
      bench.clock.advance(seconds: 1_799)
    }
    bench.clock.advance(seconds: 2)
    #expect(try bench.engine.retain() == 20)
    #expect(
      bench.events.take() == [
        .failed(.retention, partition: nil, file: nil, error: .clockStepped(seconds: Int64(year))),
        .healed(.retention, partition: nil),
        .failed(.retention, partition: nil, file: nil, error: .clockStepped(seconds: Int64(year))),
        .dropped(Self.logs, blockCount: 1, rowCount: 20),
        .healed(.retention, partition: nil),
      ])
  }

  /// Rows written while the clock was a year behind, between others: as old as those before them.
  @Test func aClockThatWasBehindMakesNothingOld() throws {
    var options = Bench.options
    options.retentionSeconds = [.logs: 10_000]
    let bench = try Bench(options: options)
    let right = bench.clock.now()
    try bench.archive()
    bench.clock.set(right - 365 * 86_400 * 1_000_000_000)
    try bench.archive()
    bench.clock.set(right)
    #expect(try bench.engine.retain() == 0)
    bench.clock.advance(seconds: 9_999)
    #expect(try bench.engine.retain() == 0)
    bench.clock.advance(seconds: 2)
    #expect(try bench.engine.retain() == 40)
  }

  @Test func unlinking() throws {
    var options = Bench.options
    options.retentionSeconds = [.logs: 10]
    let bench = try Bench(options: options)
    try bench.archive()
    let path = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    bench.clock.advance(seconds: 100)
    _ = try bench.engine.retain()
    let file = try bench.check(.unlinking, of: nil, fails: .remove, ".parquet") { bench.engine.emptyTrash() }
    #expect(file == path)
    #expect(!bench.disk.files().contains(path))
  }

  /// Forgetting a deletion is an edit of its own behind that of the block, which the mark of that edit comes
  /// before.
  @Test func deletionUpkeep() throws {
    let bench = try Bench()
    try bench.append()
    let all = try bench.engine.delete(.all, from: Self.logs)
    #expect(all == 20)
    _ = try bench.check(.deletionUpkeep, of: Self.logs, fails: .write, "data/manifest", after: 3) {
      try bench.archive()
    }
  }

  @Test func manifestMark() throws {
    let bench = try Bench()
    let file = try bench.check(.manifestUpkeep, of: nil, fails: .write, "data/manifest", after: 2) {
      try bench.archive()
    }
    #expect(file == "data/manifest")
  }

  @Test func manifestCompaction() throws {
    var options = Bench.options
    options.manifestBytesMin = 1
    let bench = try Bench(options: options)
    bench.disk.fail(.create, pathSuffix: "manifest.new")
    var count = 0
    while bench.events.all.allSatisfy({ if case .failed = $0 { false } else { true } }), count < 100 {
      try bench.archive()
      count += 1
    }
    let failures = bench.events.takeTroubles()
    guard failures.count == 1,
      case .failed(.manifestUpkeep, partition: nil, file: "data/manifest", error: .disk) = failures[0]
    else {
      Issue.record("\(failures)")
      return
    }
    // It is tried again when the file has grown to four times its length.
    while bench.events.all.allSatisfy({ if case .healed = $0 { false } else { true } }), count < 1_000 {
      try bench.archive()
      count += 1
    }
    #expect(bench.events.takeTroubles() == [.healed(.manifestUpkeep, partition: nil)])
  }

  @Test func poison() throws {
    let bench = try Bench()
    try bench.append()
    bench.disk.fail(.sync, pathSuffix: "data/manifest")
    for _ in 0..<3 { #expect(throws: StoreError.self) { try bench.engine.archive(Self.logs) } }
    #expect(throws: StoreError.self) { try bench.engine.compact() }
    let failure = try #require(bench.engine.failure)
    #expect(bench.events.take() == [.poisoned(.manifest, error: failure)])
  }

  @Test func orphans() throws {
    let bench = try Bench()
    try bench.archive()
    let path = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    let disk = bench.disk.kill()
    _ = try disk.create(path + ".tmp")
    let next = try Bench(disk: disk)
    #expect(next.events.take() == [.orphansRemoved(count: 1)])
  }
}
