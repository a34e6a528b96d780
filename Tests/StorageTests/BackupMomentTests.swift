import Blocks
import Journaling
import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Storage

/// What happens to store and disk while a backup is made.
@Suite struct BackupMomentTests {
  /// Rows are written, archived, merged and deleted between any two operations of the backup: what is
  /// restored is what there was at one moment, not before the backup began.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func aBackupIsOfOneMoment(seed: UInt64) throws {
    let bench = try BackupBench(seed: seed)
    try bench.fill()
    let store = BusyStore(bench.store, seed: seed)
    for round in 0..<3 {
      let begun = store.begin()
      let files = HookedFiles(bench.disk) { store.step() }
      _ = try StorageBackup.run(BackupBench.request(on: files))
      let moments = store.moments(from: begun)
      #expect(moments.count > 20, "something happens meanwhile")
      let found = try BackupBench.restoredPositions(to: "restored-\(round)", on: bench.disk)
      #expect(moments.contains(found), "seed \(seed), round \(round)")
    }
    #expect(store.problem == nil)
  }

  /// The power is cut at any operation: the backup before is whole, and so is the next.
  @Test func aBackupThatIsStoppedLeavesTheOneBefore() throws {
    var steps = 0
    var isOver = false
    while !isOver {
      let bench = try BackupBench(seed: UInt64(steps + 1))
      try bench.fill()
      try bench.backUp()
      let first = try BackupBench.positions(bench.store.engine)
      try bench.store.archive()
      while try bench.store.engine.compact() {}
      bench.store.engine.emptyTrash()
      try bench.store.append()
      let second = try BackupBench.positions(bench.store.engine)
      let cut = PowerCut(bench.disk, after: steps)
      isOver = BackupBench.refusal { _ = try StorageBackup.run(BackupBench.request(on: cut.files)) } == nil
      let disk = cut.disk
      let found = try BackupBench.restoredPositions(to: "restored", on: disk)
      #expect(found == first || found == second, "cut after \(steps)")
      _ = try StorageBackup.run(BackupBench.request(on: disk))
      let next = try BackupBench.restoredPositions(to: "next", on: disk)
      #expect(next == second, "cut after \(steps)")
      steps += 11
    }
    #expect(steps > 100)
  }

  /// Any operation fails, or finds no room: the backup says so, and the one before is whole.
  @Test(arguments: [SimulatedDisk.Operation.create, .write, .sync, .syncDirectory, .rename, .remove, .read])
  func aBackupThatFailsLeavesTheOneBefore(operation: SimulatedDisk.Operation) throws {
    for fault in [SimulatedDisk.Fault.error, .full] {
      for count in [1, 2, 4, 9, 20] {
        let bench = try BackupBench(seed: UInt64(count))
        try bench.fill()
        try bench.backUp()
        let first = try BackupBench.positions(bench.store.engine)
        try bench.store.archive()
        let second = try BackupBench.positions(bench.store.engine)
        bench.disk.fail(operation, after: count, with: fault)
        let error = BackupBench.refusal { try bench.backUp() }
        bench.disk.failNothing()
        let found = try BackupBench.restoredPositions(to: "restored", on: bench.disk)
        #expect(found == first || found == second, "\(operation) \(count): \(String(describing: error))")
        try bench.backUp()
        #expect(try BackupBench.restoredPositions(to: "next", on: bench.disk) == second)
      }
    }
  }

  @Test func withoutRoomItSaysHowMuchIsMissing() throws {
    let bench = try BackupBench()
    try bench.fill()
    try bench.backUp("other")
    let used = 1 << 40 - (try bench.disk.freeBytes(at: "data"))
    bench.disk.setQuota(used + 2_000)
    guard case .diskFull(let reason)? = BackupBench.refusal({ try bench.backUp() }) else {
      Issue.record("there was room")
      return
    }
    #expect(reason.contains("backup"))
    #expect(!bench.disk.files().contains("backup/backup.json"))
    guard case .invalid? = BackupBench.refusal({ try BackupBench.restore(on: bench.disk) }) else {
      Issue.record("restored")
      return
    }
    bench.disk.setQuota(1 << 40)
    try bench.backUp()
    #expect(try BackupBench.restoredPositions(to: "restored", on: bench.disk).count == 80)
  }
}

/// A store that does something at each step, and remembers what rows there were at each moment.
private final class BusyStore: @unchecked Sendable {
  // Safe because: one thread drives all of a simulation.
  private let store: EventTests.Bench
  private var generator: SeededGenerator
  private var history: [[Int64]] = []
  private var isActing = false
  private(set) var problem: (any Error)?

  init(_ store: EventTests.Bench, seed: UInt64) {
    self.store = store
    generator = SeededGenerator(seed: seed)
  }

  func begin() -> Int {
    note()
    return history.count - 1
  }

  func moments(from begun: Int) -> [[Int64]] { Array(history[begun...]) }

  func step() {
    guard !isActing, generator.chance(oneIn: 4) else { return }
    isActing = true
    defer { isActing = false }
    // Several at once: an edit of the manifest and rows behind it.
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      do { try act() } catch { problem = error }
      note()
    }
  }

  private func note() {
    do { history.append(try BackupBench.positions(store.engine)) } catch { problem = error }
  }

  private func act() throws {
    switch Int.random(in: 0..<10, using: &generator) {
    case 0..<5: try store.append(rowCount: Int.random(in: 1...9, using: &generator))
    case 5..<7:
      if let step = try store.engine.archive(BackupBench.logs) {
        store.journal.release([BackupBench.logs: step.archivedThrough])
      }
    case 7:
      _ = try store.engine.compact()
      store.engine.emptyTrash()
    case 8:
      let below = Int64.random(in: 0...200, using: &generator)
      let filter = Predicate.compare(ColumnPath("position"), .less, .int64(below))
      _ = try store.engine.delete(filter, from: BackupBench.logs)
    default:
      // Rows enough to go on in the next segment.
      try store.append(rowCount: 300)
    }
  }
}
