import Platform
import Records
import TestKit
import Testing

@testable import Blocks
@testable import Storage

/// A store on a simulated disk, its backups and what is restored of them.
struct BackupBench {
  typealias Bench = EventTests.Bench
  static let logs = EventTests.logs

  var store: Bench
  var disk: SimulatedDisk { store.disk }

  init(seed: UInt64 = 1, quotaBytes: Int = 1 << 40) throws {
    store = try Bench(disk: SimulatedDisk(seed: seed, quotaBytes: quotaBytes), entropySeed: seed)
  }

  /// Three blocks and rows in no block.
  func fill() throws {
    for _ in 0..<3 { try store.archive() }
    try store.append()
  }

  static func request(
    on files: any FileSystem, _ target: String = "backup", control: String? = "users"
  ) -> BackupRequest {
    var request = BackupRequest(directory: "data", target: target, registry: .standard)
    request.fileSystem = files
    request.locks = false
    request.clock = ManualClock()
    request.pause = { _ in }
    request.copyControl = { (path) throws(StoreError) in
      guard let control else { return false }
      do throws(DiskError) { try files.create(path).write(Array(control.utf8).span, at: 0) } catch {
        throw .disk("\(error)")
      }
      return true
    }
    return request
  }

  @discardableResult
  func backUp(_ target: String = "backup") throws -> BackupReport {
    try StorageBackup.run(BackupBench.request(on: disk, target))
  }

  static func restore(
    _ source: String = "backup", to directory: String = "restored", on files: any FileSystem
  ) throws(StoreError) {
    var request = RestoreRequest(source: source, directory: directory) { (path) throws(DiskError) in
      _ = try files.create(path)
    }
    request.fileSystem = files
    request.locks = false
    _ = try StorageRestore.run(request)
  }

  /// What `check` finds in a directory.
  static func findings(_ directory: String, on disk: SimulatedDisk) -> [FileFinding] {
    StorageChecker.check(directory: directory, registry: .standard, fileSystem: disk).findings
  }

  /// Positions of all rows that are to be seen, rising.
  static func positions(_ engine: StorageEngine) throws -> [Int64] {
    let request = ScanRequest(columns: [OutputColumn(ColumnPath("position"), type: .int64)])
    var found: [Int64] = []
    for unit in try engine.snapshot(of: logs).plan(request) {
      let cursor = try unit.open()
      while let batch = try cursor.next() { found += batch.existing("position").int64Values }
    }
    return found.sorted()
  }

  /// The same of a backup that is restored, which must be sound.
  static func restoredPositions(
    of source: String = "backup", to directory: String, on disk: SimulatedDisk
  ) throws -> [Int64] {
    try restore(source, to: directory, on: disk)
    #expect(findings(directory, on: disk) == [])
    let bench = try Bench(files: disk, directory: directory, disk: disk)
    return try positions(bench.engine)
  }

  static func refusal(_ body: () throws -> Void) -> StoreError? {
    do {
      try body()
      return nil
    } catch { return error as? StoreError }
  }
}
