import Platform
import Records
import TestKit
import Testing

@Suite struct SimulatedDiskTests {
  @Test func syncedBytesSurvive() throws {
    for seed in 0..<50 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      try disk.createDirectory("d")
      try disk.syncDirectory("")
      let file = try disk.create("d/a")
      try file.write([UInt8](repeating: 7, count: 3000).span, at: 0)
      try file.sync()
      try disk.syncDirectory("d")
      let after = disk.crash()
      #expect(after.contents("d/a") == [UInt8](repeating: 7, count: 3000), "seed \(seed)")
      #expect(throws: DiskError.self) { try file.sync() }
    }
  }

  /// What failed is told by type: of all that a disk is asked, only a sync that fails says that the disk is
  /// going.
  @Test func aFailedSyncIsToldByType() throws {
    func isFailedSync(_ kind: SimulatedDisk.Operation, _ fault: SimulatedDisk.Fault = .error) throws -> Bool {
      let disk = SimulatedDisk(seed: 1)
      let file = try disk.create("a")
      disk.fail(kind, with: fault)
      do throws(DiskError) {
        try file.write([1].span, at: 0)
        try file.sync()
        try disk.syncDirectory("")
        try disk.rename("a", to: "b")
        try disk.remove("b")
      } catch { return error.isFailedSync }
      Issue.record("\(kind) did not fail")
      return false
    }
    #expect(try isFailedSync(.sync))
    #expect(try isFailedSync(.syncDirectory))
    #expect(try !isFailedSync(.sync, .full))
    #expect(try !isFailedSync(.write))
    #expect(try !isFailedSync(.rename))
    #expect(try !isFailedSync(.remove))
    #expect(DiskOperation.allCases.filter(\.isSync) == [.syncDirectory, .sync])
  }

  /// Over the seeds every subset of unsynced sectors turns up, also the later without the earlier.
  @Test func unsyncedSectorsSurviveInAnySubset() throws {
    var seen: Set<[Bool]> = []
    for seed in 0..<200 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let file = try disk.create("a")
      try file.write([UInt8](repeating: 0, count: 1536).span, at: 0)
      try file.sync()
      try disk.syncDirectory("")
      try file.write([UInt8](repeating: 1, count: 1536).span, at: 0)
      let bytes = disk.crash().contents("a")
      for sector in 0..<3 {
        // A sector is written whole or not at all.
        #expect(Set(bytes[sector * 512..<(sector + 1) * 512]).count == 1)
      }
      seen.insert((0..<3).map { bytes[$0 * 512] == 1 })
    }
    #expect(seen.count == 8)
  }

  @Test func unsyncedNamesMayBeLostOrKept() throws {
    var outcomes: Set<[String]> = []
    for seed in 0..<200 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      _ = try disk.create("old")
      try disk.syncDirectory("")
      try disk.rename("old", to: "new")
      _ = try disk.create("other")
      outcomes.insert(disk.crash().files())
    }
    #expect(outcomes == [["old"], ["new"], ["old", "other"], ["new", "other"]])
  }

  @Test func aFailedSyncForgets() throws {
    var lost = 0
    for seed in 0..<50 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let file = try disk.create("a")
      try disk.syncDirectory("")
      try file.write([UInt8](repeating: 1, count: 512).span, at: 0)
      disk.fail(.sync)
      #expect(throws: DiskError.self) { try file.sync() }
      #expect(disk.contents("a").first == 1)
      // This one succeeds and keeps nothing of what the first forgot.
      try file.sync()
      if disk.crash().contents("a").first != 1 { lost += 1 }
    }
    #expect(lost > 5)
  }

  @Test func aFullDiskTakesAPart() throws {
    var lengths: Set<Int> = []
    for seed in 0..<100 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed, quotaBytes: 10)
      let file = try disk.create("a")
      #expect(throws: DiskError.full(operation: .write, path: "a")) {
        try file.write([UInt8](repeating: 1, count: 20).span, at: 0)
      }
      lengths.insert(try file.size())
      disk.setQuota(100)
      try file.write([UInt8](repeating: 1, count: 20).span, at: 0)
      #expect(try disk.freeBytes(at: "") == 80)
    }
    #expect(lengths.contains(0) && lengths.contains(10) && lengths.max() == 10)
  }

  @Test func faultsFireOnce() throws {
    let disk = SimulatedDisk(seed: 1, logs: true)
    disk.fail(.create, after: 2, pathSuffix: ".txt", with: .full)
    _ = try disk.create("a.txt")
    _ = try disk.create("a.bin")
    #expect(throws: DiskError.full(operation: .create, path: "b.txt")) { try disk.create("b.txt") }
    _ = try disk.create("b.txt")
    #expect(disk.log() == ["create a.txt", "create a.bin", "create b.txt !full", "create b.txt"])
  }

  @Test func killLosesNothing() throws {
    let disk = SimulatedDisk(seed: 3)
    let file = try disk.create("a")
    try file.write([1, 2, 3].span, at: 0)
    let next = disk.kill()
    #expect(next.contents("a") == [1, 2, 3])
    #expect(throws: DiskError.self) { try file.size() }
    disk.rot("a", offset: 1, bit: 0)
    #expect(next.contents("a") == [1, 3, 3])
  }
}
