import Blocks
import Journaling
import Platform
import Records
import TestKit
import Testing

@testable import Storage

/// What a backup holds, what it leaves alone, and what is refused.
@Suite struct BackupTests {
  @Test func aRestoredStoreHasAllThatWasThere() throws {
    let bench = try BackupBench()
    try bench.fill()
    let before = try BackupBench.positions(bench.store.engine)
    let report = try bench.backUp()
    #expect(report.copiedFiles > 3 && report.keptFiles == 0 && before.count == 80)
    #expect(report.catalogue.nextPositions == [BackupBench.logs.tenant.description: 80])
    #expect(try BackupBench.restoredPositions(to: "restored", on: bench.disk) == before)
    #expect(bench.disk.contents("restored/control.sqlite") == Array("users".utf8))
    #expect(!bench.disk.files().contains("restored/RESTORING"))
  }

  /// Clients may have seen positions that were given after the backup.
  @Test func positionsAndIDsGoOnFarBehindThoseOfTheStore() throws {
    let bench = try BackupBench()
    try bench.fill()
    try bench.backUp()
    try BackupBench.restore(on: bench.disk)
    let copy = try EventTests.Bench(files: bench.disk, directory: "restored", disk: bench.disk)
    try copy.append()
    let last = try #require(try BackupBench.positions(copy.engine).last)
    #expect(last >= 1 << 32)
    _ = try copy.engine.archive(BackupBench.logs)
    let blocks = bench.disk.files().filter { $0.hasPrefix("restored/blocks") && $0.hasSuffix(".parquet") }
    #expect(blocks.contains { StorageLayout.blockID(of: $0.split(separator: "/").last ?? "") ?? 0 > 1 << 32 })
    // A manifest that the store wrote after the backup is older than anything of the copy.
    try bench.store.archive()
    let later = bench.disk.contents("data/manifest")
    try bench.disk.remove("restored/manifest")
    try bench.disk.create("restored/manifest").write(later.span, at: 0)
    #expect(throws: StoreError.self) {
      _ = try EventTests.Bench(files: bench.disk, directory: "restored", disk: bench.disk)
    }
  }

  @Test func aSecondRunCopiesOnlyWhatIsNew() throws {
    let bench = try BackupBench()
    try bench.fill()
    let first = try bench.backUp()
    try bench.store.archive()
    while try bench.store.engine.compact() {}
    bench.store.engine.emptyTrash()
    try bench.store.archive()
    let blocks = bench.store.engine.usage()[0].blockCount
    let second = try bench.backUp()
    #expect(first.keptFiles == 0 && second.removedFiles > 0)
    #expect(second.keptFiles < blocks && second.copiedFiles < first.copiedFiles + blocks)
    let third = try bench.backUp()
    #expect(third.keptFiles == blocks && third.removedFiles == 0)
    let named = Set(third.catalogue.files.map { "backup/\($0.name)" })
    let rest = bench.disk.files().filter { $0.hasPrefix("backup/") && !named.contains($0) }
    #expect(rest == ["backup/CORDWOOD-BACKUP", "backup/backup.json"])
    let now = try BackupBench.positions(bench.store.engine)
    #expect(try BackupBench.restoredPositions(to: "restored", on: bench.disk) == now)
  }

  /// A stopped store after a crash: its tail may hold half a commit.
  @Test func aStoreThatCrashedIsBackedUp() throws {
    let bench = try BackupBench()
    try bench.fill()
    bench.disk.fail(.sync, pathSuffix: ".seg")
    #expect(throws: StoreError.self) { try bench.store.append() }
    let disk = bench.disk.crash()
    _ = try StorageBackup.run(BackupBench.request(on: disk))
    #expect(try BackupBench.restoredPositions(to: "restored", on: disk).count >= 80)
  }

  @Test func aStoreWithoutRecordsIsBackedUp() throws {
    let bench = try BackupBench()
    let report = try StorageBackup.run(BackupBench.request(on: bench.disk, control: nil))
    #expect(!report.catalogue.files.contains { $0.name.hasSuffix("control.sqlite") })
    #expect(try BackupBench.restoredPositions(to: "restored", on: bench.disk).isEmpty)
  }

  /// Refused before anything is made: what is no folder for this backup.
  @Test func foreignFoldersAreRefused() throws {
    let bench = try BackupBench()
    try bench.fill()
    try bench.disk.createDirectory("photos")
    try bench.disk.create("photos/cat.jpg").write([1].span, at: 0)
    try bench.disk.createDirectory("above/data")
    let files = bench.disk.files()
    for target in ["photos", "data", "data/backup", "data/blocks/x/y", "."] {
      guard case .invalid(let reason)? = BackupBench.refusal({ try bench.backUp(target) }) else {
        Issue.record("\(target) was taken")
        continue
      }
      #expect(reason.contains(target == "." ? "data" : target))
    }
    #expect(bench.disk.files() == files)
    try bench.disk.createDirectory("mount/lost+found")
    try bench.backUp("mount")
  }

  @Test func anotherStoresBackupStays() throws {
    let disk = SimulatedDisk(seed: 1)
    let one = try EventTests.Bench(disk: disk, entropySeed: 1)
    try one.archive()
    _ = try StorageBackup.run(BackupBench.request(on: disk))
    let other = try EventTests.Bench(files: disk, directory: "other", disk: disk, entropySeed: 2)
    try other.archive()
    var request = BackupBench.request(on: disk)
    request.directory = "other"
    let files = disk.files()
    guard case .invalid(let reason)? = BackupBench.refusal({ _ = try StorageBackup.run(request) }) else {
      Issue.record("taken")
      return
    }
    #expect(reason.contains("another store") && disk.files() == files)
  }

  /// An older copy of the store must not replace the backup of what came after it.
  @Test func aLaterBackupStays() throws {
    let bench = try BackupBench()
    try bench.fill()
    try bench.backUp()
    try BackupBench.restore(to: "copy", on: bench.disk)
    _ = try EventTests.Bench(files: bench.disk, directory: "copy", disk: bench.disk)
    var request = BackupBench.request(on: bench.disk)
    request.directory = "copy"
    _ = try StorageBackup.run(request)
    guard case .invalid(let reason)? = BackupBench.refusal({ try bench.backUp() }) else {
      Issue.record("taken")
      return
    }
    #expect(reason.contains("later"))
  }

  @Test func aDamagedBlockOfTheStoreIsNamed() throws {
    let bench = try BackupBench()
    try bench.fill()
    let block = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    bench.disk.rot(block, offset: 300, bit: 2)
    guard case .corrupt(let file, _, _)? = BackupBench.refusal({ try bench.backUp() }) else {
      Issue.record("copied")
      return
    }
    #expect(file == block)
    #expect(!bench.disk.files().contains("backup/backup.json"))
    #expect(!bench.disk.files().contains { $0.hasPrefix("backup/state-") })
  }

  /// The backup before has what the store has lost.
  @Test func aMissingBlockIsNamedOrKept() throws {
    let bench = try BackupBench()
    try bench.fill()
    let block = try #require(bench.disk.files().first { $0.hasSuffix(".parquet") })
    let bytes = bench.disk.contents(block)
    try bench.backUp()
    try bench.disk.remove(block)
    #expect(try bench.backUp().rescued == [block])
    #expect(try BackupBench.restoredPositions(to: "restored", on: bench.disk).count == 80)
    #expect(bench.disk.contents("restored" + block.dropFirst("data".count)) == bytes)
    guard case .corrupt(block, _, _)? = BackupBench.refusal({ try bench.backUp("second") }) else {
      Issue.record("backed up")
      return
    }
  }

  @Test func damageOfTheJournalIsToldNotCutOff() throws {
    let bench = try BackupBench()
    try bench.fill()
    try bench.store.append()
    let segment = try #require(bench.disk.files().first { $0.hasSuffix(".seg") })
    bench.disk.rot(segment, offset: 300, bit: 2)
    guard case .corrupt(segment, _, _)? = BackupBench.refusal({ try bench.backUp() }) else {
      Issue.record("backed up")
      return
    }
  }

  /// `--verify-all` finds what rotted in the backup's folder.
  @Test func keptFilesAreReadBackWhenAsked() throws {
    let bench = try BackupBench()
    // More than the end that is always compared.
    try bench.store.append(rowCount: 3_000)
    _ = try bench.store.engine.archive(BackupBench.logs)
    try bench.backUp()
    let copy = try #require(bench.disk.files().first { $0.hasPrefix("backup") && $0.hasSuffix(".parquet") })
    bench.disk.rot(copy, offset: 300, bit: 2)
    try bench.backUp()
    var request = BackupBench.request(on: bench.disk)
    request.verifiesAll = true
    guard case .corrupt(copy, _, _)? = BackupBench.refusal({ _ = try StorageBackup.run(request) }) else {
      Issue.record("sound")
      return
    }
  }
}
