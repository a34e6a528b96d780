import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Storage

/// A backup that is not whole is refused by name; a restore that was stopped is no store.
@Suite struct RestoreTests {
  @Test func everyDamagedFileIsNamed() throws {
    let bench = try BackupBench()
    try bench.fill()
    let catalogue = try bench.backUp().catalogue
    for name in catalogue.files.map(\.name) + ["backup.json"] {
      let path = "backup/\(name)"
      let count = bench.disk.contents(path).count
      for offset in [0, count / 2, count - 1] {
        bench.disk.rot(path, offset: offset, bit: 5)
        let error = BackupBench.refusal { try BackupBench.restore(on: bench.disk) }
        guard case .corrupt(path, _, _)? = error else {
          Issue.record("\(path) \(offset): \(String(describing: error))")
          return
        }
        bench.disk.rot(path, offset: offset, bit: 5)
      }
    }
    let named = try #require(catalogue.files.first { $0.name.hasSuffix(".parquet") })
    try bench.disk.remove("backup/\(named.name)")
    guard case .corrupt? = BackupBench.refusal({ try BackupBench.restore(on: bench.disk) }) else {
      Issue.record("restored")
      return
    }
    #expect(!bench.disk.files().contains { $0.hasPrefix("restored") })
  }

  @Test func nothingIsOverwritten() throws {
    let bench = try BackupBench()
    try bench.fill()
    try bench.backUp()
    try bench.disk.createDirectory("full")
    try bench.disk.create("full/precious").write([7].span, at: 0)
    for target in ["full", "data", "backup", "backup/in"] {
      guard case .invalid? = BackupBench.refusal({ try BackupBench.restore(to: target, on: bench.disk) })
      else {
        Issue.record("\(target) was taken")
        continue
      }
    }
    guard case .invalid? = BackupBench.refusal({ try BackupBench.restore("full", to: "new", on: bench.disk) })
    else {
      Issue.record("full is no backup")
      return
    }
  }

  /// Names that lead out of the folder are no names.
  @Test(arguments: ["../data/manifest", "/etc/passwd", "a//b", "a/./b", ""])
  func aCatalogueNamesNothingOutside(name: String) throws {
    var catalogue = BackupCatalogue()
    catalogue.state = "state-1"
    #expect(try BackupCatalogue(catalogue.text, path: "backup.json") == catalogue)
    catalogue.files = [.init(name: name, byteCount: 1, checksum: 2)]
    #expect(throws: StoreError.self) { try BackupCatalogue(catalogue.text, path: "backup.json") }
  }

  /// Stopped by a power cut at any place: nobody starts on it, and the next restore completes it.
  @Test func aStoppedRestoreIsNoStore() throws {
    var steps = 0
    var isOver = false
    while !isOver {
      let bench = try BackupBench(seed: UInt64(steps + 1))
      try bench.fill()
      try bench.backUp()
      let cut = PowerCut(bench.disk, after: steps)
      isOver = BackupBench.refusal { try BackupBench.restore(on: cut.files) } == nil
      let disk = cut.disk
      if disk.files().contains("restored/manifest") {
        #expect(BackupBench.findings("restored", on: disk) == [])
      } else {
        if disk.files().contains(where: { $0.hasPrefix("restored/") }) {
          #expect(throws: StoreError.self, "cut after \(steps)") {
            _ = try EventTests.Bench(files: disk, directory: "restored", disk: disk)
          }
        }
        let count = try BackupBench.restoredPositions(to: "restored", on: disk).count
        #expect(count == 80, "cut after \(steps)")
      }
      steps += 13
    }
    #expect(steps > 100)
  }
}

/// Cuts the power before the operation with a number.
final class PowerCut: Sendable {
  private struct State: Sendable {
    var left: Int
    var disk: SimulatedDisk
  }

  private let state: Mutex<State>
  private let before: SimulatedDisk

  init(_ disk: SimulatedDisk, after count: Int) {
    before = disk
    state = Mutex(State(left: count, disk: disk))
  }

  /// What whoever shall be cut off uses.
  var files: HookedFiles { HookedFiles(before) { self.step() } }

  /// The disk as it is now, or as the power cut left it.
  var disk: SimulatedDisk { state.withLock { $0.disk } }

  private func step() {
    state.withLock { state in
      state.left -= 1
      if state.left == -1 { state.disk = before.crash() }
    }
  }
}
