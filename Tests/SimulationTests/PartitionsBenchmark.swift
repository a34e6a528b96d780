import Blocks
import Foundation
import Journaling
import Platform
import Records
import Storage
import TestKit
import Testing

/// What many partitions with a few rows each cost the store's background. Runs only if asked for:
/// `CORDWOOD_BENCHMARK_PARTITIONS=20000 swift test … --filter PartitionsBenchmark`.
@Suite(.serialized) struct PartitionsBenchmark {
  static let partitionCount =
    Int(ProcessInfo.processInfo.environment["CORDWOOD_BENCHMARK_PARTITIONS"] ?? "") ?? 0
  static let rounds = 20

  @Test(.enabled(if: partitionCount > 0)) func figures() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let clock = ManualClock()
    let environment = StoreEnvironment(clock: clock)
    var options = StorageOptions()
    options.journal.writeReserveBytes = 0
    let (engine, journal) = try StorageEngine.open(
      directory: directory, environment: environment, options: options, format: ParquetBlocks()
    ) { directory, start throws(JournalError) in
      try JournalFile.open(
        directory: directory, environment: environment, options: options.journal, start: start
      ).journal
    }
    let partitions = (0..<Self.partitionCount).map {
      Partition(tenant: Tenant(realm: .native, name: "tenant-\($0)"), dataset: .logs)
    }
    try fill(journal, partitions)
    _ = engine.partitionsDue()
    report("a look at what is due, nothing is") { for _ in 0..<Self.rounds { _ = engine.partitionsDue() } }
    clock.advance(seconds: 61)
    // What 20,000 archived partitions cost shows in the last of them.
    for (index, part) in partitions.chunked(by: max(1, Self.partitionCount / 4)).enumerated() {
      let (start, cpu) = (ContinuousClock.now, Self.cpuSeconds())
      for partition in part {
        guard let step = try engine.archive(partition) else { continue }
        journal.release([partition: step.archivedThrough])
      }
      let each = (ContinuousClock.now - start) / part.count
      let cpuEach = (Self.cpuSeconds() - cpu) / Double(part.count) * 1e3
      print("archiving one partition, quarter \(index + 1): \(each), \(cpuEach) ms of CPU")
    }
    _ = try engine.compact()
    _ = engine.partitionsDue()
    try report("a look for blocks to merge, there are none") {
      for _ in 0..<Self.rounds { _ = try engine.compact() }
    }
    report("a look at what is due, all is in blocks") {
      for _ in 0..<Self.rounds { _ = engine.partitionsDue() }
    }
  }

  /// What the process has used.
  static func cpuSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func fill(_ journal: JournalFile, _ partitions: [Partition]) throws {
    var random = SeededGenerator(seed: 3)
    for part in partitions.chunked(by: 500) {
      let requests = part.map {
        AppendRequest(batch: RandomBatches.batch(of: .logs, rowCount: 3, using: &random), partition: $0)
      }
      for result in journal.commit(requests) { _ = try result.get() }
    }
  }

  private func report(_ what: String, _ body: () throws -> Void) rethrows {
    let start = ContinuousClock.now
    try body()
    print("\(what): \((ContinuousClock.now - start) / Self.rounds)")
  }
}

extension Array {
  fileprivate func chunked(by count: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
  }
}
