import Blocks
import Foundation
import Platform
import Storage
import TestKit

/// The store that a benchmark measures.
enum BenchmarkStore {
  /// Opens it in a directory of its own, or in the one that `CORDWOOD_BENCHMARK_STORE` names, which is kept:
  /// only a new one is filled.
  static func with(
    clock: ManualClock = ManualClock(), layout: BlockLayout = BlockLayout(),
    fill: (Storage) async throws -> Void, measure: (Storage) async throws -> Void
  ) async throws {
    let kept = ProcessInfo.processInfo.environment["CORDWOOD_BENCHMARK_STORE"]
    let directory =
      kept ?? FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    // What it leaves in the temporary directory harms nobody.
    defer { if kept == nil { try? FileManager.default.removeItem(atPath: directory) } }
    let isNew = !FileManager.default.fileExists(atPath: directory)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let store = try await Storage.open(
      directory: directory, environment: StoreEnvironment(clock: clock), options: StorageOptions(),
      format: ParquetBlocks(layout: layout))
    store.start()
    if isNew { try await fill(store) }
    try await measure(store)
    await store.stop()
  }
}
