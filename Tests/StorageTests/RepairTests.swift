import Blocks
import Platform
import Records
import TestKit
import Testing

@testable import Storage

@Suite struct RepairTests {
  private static func losses(_ disk: SimulatedDisk) throws -> [StorageLoss] {
    try StorageRepair.losses(directory: "data", registry: .standard, fileSystem: disk)
  }

  private static func visibleRows(_ disk: SimulatedDisk) throws -> Int {
    let bench = try EventTests.Bench(disk: disk)
    var request = ScanRequest(columns: [])
    request.damage = .leaveOut
    let snapshot = bench.engine.snapshot(of: EventTests.logs)
    let rows = try snapshot.plan(request).reduce(0) { $0 + (try $1.countMatches()) }
    #expect(snapshot.damagedFiles == [] && bench.engine.damagedFiles == [])
    return rows
  }

  /// Three blocks: one sound, one rotten, one gone.
  private static func damagedStore() throws -> (disk: SimulatedDisk, blocks: [String]) {
    let bench = try EventTests.Bench()
    for _ in 0..<3 { try bench.archive() }
    let blocks = bench.disk.files().filter { $0.hasSuffix(".parquet") }
    bench.rot(blocks[1])
    let disk = bench.disk.kill()
    try disk.remove(blocks[2])
    try disk.syncDirectory(StorageOpening.parent(of: blocks[2]) ?? "/")
    return (disk, blocks)
  }

  @Test func aSoundStoreHasNothingToLose() throws {
    let bench = try EventTests.Bench()
    try bench.archive()
    let disk = bench.disk.kill()
    #expect(try Self.losses(disk) == [])
    let before = disk.operationCount()
    try StorageRepair.accept([], directory: "data", registry: .standard, fileSystem: disk)
    #expect(disk.operationCount() == before)
  }

  @Test func lossesAreNamedAndNothingChanges() throws {
    let (disk, blocks) = try Self.damagedStore()
    let before = disk.files().map { ($0, disk.contents($0)) }
    let losses = try Self.losses(disk)
    #expect(losses.map(\.path) == [blocks[1], blocks[2]])
    #expect(losses.map(\.exists) == [true, false] && losses.map(\.facts.rowCount) == [20, 20])
    #expect(disk.files().map { ($0, disk.contents($0)) }.elementsEqual(before) { $0 == $1 })
  }

  @Test func anAcceptedLossIsDurableAndTheFileIsKept() throws {
    let (disk, blocks) = try Self.damagedStore()
    let rotten = disk.contents(blocks[1])
    try StorageRepair.accept(try Self.losses(disk), directory: "data", registry: .standard, fileSystem: disk)
    let after = disk.crash()
    #expect(try Self.losses(after) == [])
    let kept = after.files().filter { $0.hasPrefix("data/lost+found/") }
    #expect(kept.count == 1 && after.contents(kept[0]) == rotten)
    #expect(try Self.visibleRows(after) == 20)
  }

  /// Wherever it stops: nothing but the listed blocks is lost, and the next run ends it.
  @Test func itMayStopAnywhere() throws {
    for operation in SimulatedDisk.Operation.allCases {
      for count in 1...4 {
        let (disk, _) = try Self.damagedStore()
        let losses = try Self.losses(disk)
        disk.fail(operation, after: count)
        do {
          try StorageRepair.accept(losses, directory: "data", registry: .standard, fileSystem: disk)
        } catch {}
        disk.failNothing()
        let after = disk.crash()
        try StorageRepair.accept(
          try Self.losses(after), directory: "data", registry: .standard, fileSystem: after)
        #expect(try Self.losses(after) == [], "\(operation) \(count)")
        #expect(try Self.visibleRows(after) == 20, "\(operation) \(count)")
      }
    }
  }
}
