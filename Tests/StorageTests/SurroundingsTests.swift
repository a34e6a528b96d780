import Blocks
import class Foundation.FileManager
import Journaling
import Platform
import Records
import TestKit
import Testing

@testable import Storage

/// What lies beside the manifest: nothing is removed that its store did not write, and an older manifest is
/// known by what else there is.
@Suite struct SurroundingsTests {
  private typealias Bench = EventTests.Bench
  private static let logs = EventTests.logs

  /// A store with blocks, and rows in no block; the manifest as it was before the last blocks.
  private static func aged() throws -> (disk: SimulatedDisk, manifest: [UInt8]) {
    let bench = try Bench()
    for _ in 0..<2 { try bench.archive() }
    bench.journal.release([logs: 40])
    let old = bench.disk.contents("data/manifest")
    for _ in 0..<3 { try bench.archive() }
    try bench.append(rowCount: 400)
    _ = try bench.engine.archive(logs)
    bench.journal.release([logs: 500])
    try bench.append(rowCount: 5)
    return (bench.disk.kill(), old)
  }

  private static func replace(_ path: String, with bytes: [UInt8], on disk: SimulatedDisk) throws {
    try disk.remove(path)
    try disk.create(path).write(bytes.span, at: 0)
  }

  private static func damage(_ disk: SimulatedDisk) -> [FileFinding] {
    StorageChecker.check(directory: "data", registry: .standard, fileSystem: disk).findings.filter(\.isDamage)
  }

  private static func refusal(_ disk: SimulatedDisk) -> StoreError? {
    do {
      _ = try Bench(disk: disk)
      return nil
    } catch { return error as? StoreError }
  }

  @Test func anUnharmedStoreIsSound() throws {
    let disk = try Self.aged().disk
    #expect(StorageChecker.check(directory: "data", registry: .standard, fileSystem: disk).findings == [])
    #expect(Self.refusal(disk) == nil)
  }

  /// Names of before that have another form are told, and stay who they are.
  @Test func namesOfAnotherFormAreTold() throws {
    let bench = try Bench()
    for name in ["BANK", "BAN\u{212A}", "cafe\u{301}", "plain"] {
      let tenant = Tenant(realm: .native, name: name)
      try bench.append(rowCount: 2, to: Partition(tenant: tenant, dataset: .logs))
    }
    let found = StorageChecker.check(directory: "data", registry: .standard, fileSystem: bench.disk.kill())
      .findings
    #expect(found.count == 2 && found.allSatisfy { !$0.isDamage })
    #expect(found.allSatisfy { $0.reason.contains("Normalization Form C") })
    #expect(found.contains { $0.reason.contains("E2 84 AA") && $0.reason.contains("1 more") })
    #expect(found.contains { $0.reason.contains("65 CC 81") && !$0.reason.contains("more") })
  }

  /// An older manifest is refused by the anchor; without the anchor, by the blocks' generation or rows.
  @Test(arguments: [false, true])
  func anOlderManifestIsRefused(withoutAnchor: Bool) throws {
    let (disk, old) = try Self.aged()
    try Self.replace("data/manifest", with: old, on: disk)
    if withoutAnchor { try disk.remove("data/anchor") }
    let before = disk.files().map { disk.contents($0) }
    guard case .corrupt(let file, _, let reason)? = Self.refusal(disk) else {
      Issue.record("opened")
      return
    }
    #expect(reason.contains("older") || reason.contains("cut"), "\(file): \(reason)")
    #expect(disk.files().map { disk.contents($0) } == before, "nothing was changed")
    #expect(!Self.damage(disk).isEmpty)
  }

  /// As if the last edit had never been written: what it said, a deletion, would be undone in silence.
  @Test func aManifestCutAtAnEditsStartIsRefused() throws {
    let bench = try Bench()
    try bench.archive()
    let end = bench.disk.contents("data/manifest").count
    #expect(try bench.engine.delete(.all, from: Self.logs) == 20)
    let disk = bench.disk.kill()
    try Self.replace("data/manifest", with: Array(disk.contents("data/manifest")[..<end]), on: disk)
    guard case .corrupt("data/manifest", _, _)? = Self.refusal(disk) else {
      Issue.record("opened")
      return
    }
    #expect(Self.damage(disk).contains { $0.file == "data/manifest" })
  }

  @Test func foreignFilesAreSetAside() throws {
    let bench = try Bench()
    try bench.archive()
    let block = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    let disk = bench.disk.kill()
    let folder = StorageOpening.parent(of: block) ?? ""
    let tenant = StorageOpening.parent(of: folder) ?? ""
    let strays = [
      folder + "/notes.txt", folder + "/77.parquet", tenant + "/README", "data/blocks/copy.parquet",
      "data/blocks/old/logs/00000001.parquet", "data/journal/00000001.seg.bak", "data/journal/x.tmp",
    ]
    for path in strays {
      try disk.createDirectory(StorageOpening.parent(of: path) ?? "")
      try disk.create(path).write([1, 2, 3].span, at: 0)
    }
    // A block at another's place, and one of the store's own that was never finished.
    let copied = folder + "/00000099.parquet"
    try disk.create(copied).write(disk.contents(block).span, at: 0)
    _ = try disk.create(folder + "/00000100.parquet.tmp")
    let notes = StorageChecker.check(directory: "data", registry: .standard, fileSystem: disk)
    #expect(!notes.isDamaged && notes.findings.count == strays.count + 2)
    let next = try Bench(disk: disk)
    for path in strays + [copied] {
      let target = "data/lost+found" + path.dropFirst("data".count)
      #expect(!disk.contents(target).isEmpty && disk.contents(path).isEmpty, "\(path)")
    }
    let told = next.events.take()
    #expect(told.contains(.orphansRemoved(count: 1)) && told.count == strays.count + 2)
    // They may come again, and what is there is not overwritten.
    try disk.create(strays[0]).write([7].span, at: 0)
    let last = try Bench(disk: next.disk.kill())
    #expect(last.disk.contents("data/lost+found" + strays[0].dropFirst(4)) == [1, 2, 3])
    #expect(last.disk.contents("data/lost+found" + strays[0].dropFirst(4) + ".1") == [7])
  }

  /// A block that was written and then not named is of no use, and goes; its rows are in the journal.
  @Test func ownBlocksThatNothingNamesGo() throws {
    let bench = try Bench()
    try bench.append()
    bench.disk.fail(.write, pathSuffix: "data/manifest")
    bench.disk.fail(.remove, pathSuffix: ".parquet")
    #expect(throws: StoreError.self) { try bench.engine.archive(Self.logs) }
    let block = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    let next = try Bench(disk: bench.disk.kill())
    #expect(!next.disk.files().contains(block))
    #expect(next.events.take() == [.orphansRemoved(count: 1)])
    #expect(next.journal.head(of: Self.logs).rowCount == 20)
  }

  @Test func filesOfAnotherStoreAreKnown() throws {
    let disks = try (1...2 as ClosedRange<UInt64>).map { seed in
      let bench = try Bench(disk: SimulatedDisk(seed: seed), entropySeed: seed)
      try bench.archive()
      return bench.disk.kill()
    }
    let block = try #require(disks[0].files().first { $0.hasSuffix(".parquet") })
    for path in [block, "data/anchor"] {
      let kept = disks[0].contents(path)
      try Self.replace(path, with: disks[1].contents(path), on: disks[0])
      #expect(Self.damage(disks[0]).contains { $0.file == path }, "\(path)")
      try Self.replace(path, with: kept, on: disks[0])
    }
    #expect(Self.damage(disks[0]).isEmpty)
  }

  /// The first to open it finds out before it writes another edit.
  @Test(arguments: [false, true])
  func aSecondProcessFencesTheFirst(withoutRoom: Bool) throws {
    let first = try Bench()
    try first.append()
    if withoutRoom { first.disk.fail(.create, pathSuffix: "manifest.new", with: .full) }
    let second = try Bench(disk: first.disk)
    #expect(performing: { try first.engine.archive(Self.logs) }, throws: ManifestTests.isPoisoned)
    #expect(try second.engine.archive(Self.logs) != nil)
  }

  /// A manifest that somebody removed under a running server is written anew from memory.
  @Test func aRemovedManifestIsWrittenAnew() throws {
    let bench = try Bench()
    try bench.archive()
    try bench.disk.remove("data/manifest")
    try bench.archive()
    let next = try Bench(disk: bench.disk.kill())
    #expect(next.engine.usage().first?.blockRows == 40)
  }

  /// Version 1 had neither identity nor anchor: the store gets both, and keeps what it has.
  @Test func aStoreOfVersion1IsCarriedOver() throws {
    let bench = try Bench()
    try bench.archive()
    let state = ManifestState()
    let blocks = try StorageReader(directory: "data", fileSystem: bench.disk, registry: .standard).scan.state
    let changes = blocks.summary().filter { change in
      switch change {
      case .store, .epoch, .generation, .positionBase: false
      default: true
      }
    }
    #expect(try state.applying(changes).blocks == blocks.blocks)
    var bytes = ManifestFrame.fileHeader(of: 1)
    bytes += ManifestFrame.encode(ManifestCoding.encode(changes), place: bytes.count, number: 1)
    let disk = bench.disk.kill()
    try Self.replace("data/manifest", with: bytes, on: disk)
    try disk.remove("data/anchor")
    let next = try Bench(disk: disk)
    #expect(next.engine.usage().first?.blockRows == 20)
    #expect(next.engine.origin() != nil)
    try next.append()
    #expect(Self.damage(next.disk.kill()).isEmpty)
  }

  @Test func laterVersionsAreNamed() throws {
    let bench = try Bench()
    try bench.archive()
    let end = bench.disk.contents("data/manifest").count
    let disk = bench.disk.kill()
    let sound = disk.contents("data/manifest")
    let unknown = ManifestFrame.encode([200, 1], place: end, number: 3)
    let later = ManifestFrame.fileHeader(of: 3) + sound[16...]
    for (bytes, version) in [(sound + unknown, 2), (later, 3)] {
      try Self.replace("data/manifest", with: bytes, on: disk)
      #expect(Self.refusal(disk) == .laterVersion(file: "data/manifest", version: version))
      #expect(disk.contents("data/manifest") == bytes)
    }
  }

  /// On the machine's disk, since only there a directory is more than its name.
  @Test func aDirectoryThatMovedAwayIsNotMadeAnew() throws {
    let files = LocalFileSystem()
    let parent = "/tmp/cordwood-moved-\(SystemEntropy().randomUInt64())"
    try files.createDirectory(parent)
    defer { try? FileManager.default.removeItem(atPath: parent) }
    let bench = try Bench(files: files, directory: parent + "/data")
    try bench.append()
    try files.rename(parent + "/data", to: parent + "/moved")
    guard case .disk(let text)? = bench.archiveError() else {
      Issue.record("archived")
      return
    }
    #expect(text.contains("moved away"))
    #expect(try files.list(parent) == ["moved"])
    // Nor is another of the same name written to.
    try files.createDirectory(parent + "/data/journal")
    #expect(bench.archiveError() != nil)
    #expect(try files.list(parent + "/data") == ["journal"])
    try files.removeDirectory(parent + "/data/journal")
    try files.removeDirectory(parent + "/data")
    try files.rename(parent + "/moved", to: parent + "/data")
    #expect(bench.archiveError() == nil)
  }
}
