import Foundation
import Journaling
import Platform
import Records
import Synchronization
import TestKit
import Testing

/// The asynchronous shell, on the simulated disk and on the machine's.
@Suite struct ShellTests {
  private func open(
    _ fileSystem: any FileSystem, directory: String = "data/journal",
    options: JournalOptions = testOptions(segmentBytes: 32 << 10)
  ) throws -> Journal {
    try Journal.open(
      directory: directory,
      environment: StoreEnvironment(
        fileSystem: fileSystem, clock: ManualClock(), entropy: SeededEntropy(seed: 1)),
      options: options, start: JournalStart()
    ).journal
  }

  private func makeDisk() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("data")
    try disk.syncDirectory("")
    return disk
  }

  @Test func manyWritersShareCommits() async throws {
    let disk = try makeDisk()
    let journal = try open(disk)
    let receipts = Collected<AppendReceipt>()
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<16 {
        group.addTask {
          for number in 0..<25 {
            do throws(StoreError) {
              let receipt = try await journal.append(
                oneRow("\(writer)/\(number)"), to: logs, idempotency: nil)
              receipts.append(receipt)
            } catch { Issue.record("\(error)") }
          }
        }
      }
    }
    let positions = receipts.all.map(\.firstPosition)
    #expect(positions.sorted() == Array(0..<400))
    #expect(journal.statistics().requests == 400)
    await journal.stop()
    await #expect(throws: StoreError.stopping) {
      try await journal.append(oneRow("late"), to: logs, idempotency: nil)
    }
    // Each writer's rows are in its order, on the disk as a power cut leaves it.
    let again = try Bench(disk: disk.crash(), clock: ManualClock(), seed: 2, options: testOptions())
    let found = try messages(again.journal.head(of: logs).frames)
    #expect(found.count == 400)
    for writer in 0..<16 {
      let own = found.filter { $0.hasPrefix("\(writer)/") }
      #expect(own == (0..<25).map { "\(writer)/\($0)" })
    }
  }

  @Test func duplicatesInFlightGetOneAnswer() async throws {
    let journal = try open(try makeDisk())
    let ids = Collected<[UInt8]>()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask {
          do throws(StoreError) {
            let receipt = try await journal.append(oneRow("once"), to: logs, idempotency: key("k"))
            ids.append(receipt.firstID)
          } catch { Issue.record("\(error)") }
        }
      }
    }
    #expect(Set(ids.all).count == 1)
    #expect(journal.head(of: logs).rowCount == 1)
    await journal.stop()
  }

  @Test func releasedRowsLeaveTheHead() async throws {
    let disk = try makeDisk()
    let journal = try open(disk, options: testOptions(segmentBytes: 4 << 10))
    for number in 0..<60 { _ = try await journal.append(oneRow("\(number)"), to: logs, idempotency: nil) }
    await journal.release([logs: 60])
    #expect(journal.heads().isEmpty && journal.headBytes == 0)
    #expect(journal.statistics().segmentsRemoved > 0)
    #expect(journal.nextPosition(of: acme) == 60)
    await journal.stop()
  }

  @Test func onTheMachinesDisk() async throws {
    let path = NSTemporaryDirectory() + "cordwood-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    for durability in Durability.allCases {
      var options = testOptions(segmentBytes: 16 << 10)
      options.durability = durability
      let directory = path + "/\(durability.rawValue)/journal"
      let journal = try open(LocalFileSystem(), directory: directory, options: options)
      var generator = SeededGenerator(seed: 3)
      var expected: [String] = []
      for _ in 0..<40 {
        let batch = RandomBatches.batch(of: .logs, rowCount: 20, using: &generator)
        _ = try await journal.append(batch, to: logs, idempotency: nil)
        expected += RandomBatches.rowTexts(batch)
      }
      let snapshot = journal.head(of: logs)
      await journal.stop()
      let again = try open(LocalFileSystem(), directory: directory, options: options)
      let declared = Dataset.logs.schema.declaredFields.map(\.name)
      for head in [snapshot, again.head(of: logs)] {
        #expect(
          try head.frames.flatMap { RandomBatches.rowTexts(try $0.batch(columns: declared)) } == expected)
      }
      await again.stop()
    }
  }
}

/// Values that tasks add.
private final class Collected<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])
  func append(_ value: Value) { values.withLock { $0.append(value) } }
  var all: [Value] { values.withLock { $0 } }
}
