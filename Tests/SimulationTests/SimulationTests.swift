import Foundation
import Testing

/// Seeded random histories of several lives, with a model beside the store (Docs of `Simulation`).
struct SimulationTests {
  /// Seeds run on every `swift test`; about ten seconds.
  static let seedCount: UInt64 = 60

  static var seeds: [UInt64] {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["SIMULATION_SEED"].flatMap(UInt64.init) { return [seed] }
    let count = environment["SIMULATION_SEEDS"].flatMap(UInt64.init) ?? seedCount
    let first = environment["SIMULATION_FIRST"].flatMap(UInt64.init) ?? 1
    return Array(first..<first + count)
  }

  @Test func storeAgreesWithItsModel() throws {
    for seed in SimulationTests.seeds {
      do { try Simulation(seed: seed, format: PlainBlocks()).run() } catch {
        Issue.record("seed \(seed): \(error)")
        return
      }
    }
  }
}
