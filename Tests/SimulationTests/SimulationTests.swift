import Blocks
import Foundation
import Storage
import Testing

/// Seeded random histories of several lives, with a model beside the store (see `Simulation`).
///
/// SIMULATION_SEEDS=n runs n histories, SIMULATION_FIRST=s starts with seed s, SIMULATION_SEED=s runs that
/// one alone.
struct SimulationTests {
  /// Histories on every `swift test`.
  static let seedCount: UInt64 = 30

  static func seeds(_ usual: UInt64) -> [UInt64] {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["SIMULATION_SEED"].flatMap(UInt64.init) { return [seed] }
    let count = environment["SIMULATION_SEEDS"].flatMap(UInt64.init) ?? usual
    let first = environment["SIMULATION_FIRST"].flatMap(UInt64.init) ?? 1
    return Array(first..<first + count)
  }

  @Test func storeAgreesWithItsModel() {
    check(SimulationTests.seeds(SimulationTests.seedCount), format: PlainBlocks())
  }

  /// With the server's own block files: slower, so fewer.
  @Test func storeOfParquetBlocksAgreesWithItsModel() {
    var layout = BlockLayout()
    layout.rowsPerPage = 16
    layout.rowsPerGroup = 64
    check(SimulationTests.seeds(SimulationTests.seedCount / 3), format: ParquetBlocks(layout: layout))
  }

  private func check(_ seeds: [UInt64], format: any BlockFormat) {
    for seed in seeds {
      do { try Simulation(seed: seed, format: format).run() } catch {
        Issue.record("\(error)")
        return
      }
    }
  }
}
