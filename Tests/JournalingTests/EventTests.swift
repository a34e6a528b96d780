import Journaling
import Platform
import Records
import TestKit
import Testing

/// What the journal tells of its background: each failure once, and its end.
@Suite struct EventTests {

  @Test func refusedCommitsAreToldOnce() throws {
    let bench = try Bench()
    _ = try bench.append(oneRow("before"))
    #expect(bench.events.all.isEmpty)
    for _ in 0..<3 {
      bench.disk.fail(.write, with: .full)
      #expect(throws: StoreError.self) { try bench.append(oneRow("lost")) }
    }
    let told = bench.events.take()
    guard told.count == 1,
      case .failed(.commit, partition: nil, file: "data/journal", error: .diskFull) = told[0]
    else {
      Issue.record("\(told)")
      return
    }
    for _ in 0..<2 { _ = try bench.append(oneRow("after")) }
    #expect(bench.events.take() == [.healed(.commit, partition: nil)])
  }

  /// That the journal takes nothing more is told by itself, and then no more.
  @Test func poisonIsToldOnce() throws {
    let bench = try Bench()
    bench.disk.fail(.sync)
    for _ in 0..<3 { #expect(throws: StoreError.self) { try bench.append(oneRow("lost")) } }
    #expect(throws: StoreError.self) { try bench.journal.syncAll() }
    let failure = try #require(bench.journal.writeFailure)
    #expect(bench.events.all == [.poisoned(.journal, error: failure)])
  }

  /// A bench with several segments all of whose rows are in blocks; the first segment holds a key.
  private func filled() throws -> (bench: Bench, end: Int64) {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    _ = try bench.append(oneRow("first"), key: key("k"))
    while bench.journal.statistics().segmentsCreated < 4 { _ = try bench.append(oneRow("row")) }
    return (bench, bench.journal.nextPosition(of: acme))
  }

  @Test(arguments: [SimulatedDisk.Operation.remove, .write])
  func segmentsThatStayAreTold(operation: SimulatedDisk.Operation) throws {
    let (bench, end) = try filled()
    for round in 0..<2 {
      // Removing a file, or carrying its keys over.
      bench.disk.fail(operation, pathSuffix: ".seg")
      if round == 0 { bench.journal.release([logs: end]) } else { bench.journal.removeSegments() }
    }
    let told = bench.events.take()
    guard told.count == 1,
      case .failed(.segmentRemoval, partition: nil, file: let file, error: .disk) = told[0]
    else {
      Issue.record("\(told)")
      return
    }
    #expect(file == "data/journal/00000001.seg")
    for _ in 0..<2 { bench.journal.removeSegments() }
    #expect(bench.events.take() == [.healed(.segmentRemoval, partition: nil)])
    #expect(bench.journal.statistics().segmentsRemoved > 0)
  }

  /// A segment that could not be made ahead of need is told; the commit that needs it makes it.
  @Test func aSegmentNotMadeAheadIsTold() async throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("data")
    try disk.syncDirectory("")
    disk.fail(.create, pathSuffix: "00000002.tmp")
    let events = EventList()
    let journal = try Journal.open(
      directory: "data/journal",
      environment: StoreEnvironment(
        fileSystem: disk, clock: ManualClock(), entropy: SeededEntropy(seed: 1), observer: events),
      options: testOptions(segmentBytes: 4 << 10), start: JournalStart()
    ).journal
    while journal.statistics().segmentsCreated < 2 {
      _ = try await journal.append(oneRow("row"), to: logs, idempotency: nil)
    }
    await journal.stop()
    let told = events.all
    guard told.count == 2,
      case .failed(.segmentMaking, partition: nil, file: let file, error: .disk) = told[0]
    else {
      Issue.record("\(told)")
      return
    }
    #expect(file == "data/journal/00000002.tmp")
    #expect(told[1] == .healed(.segmentMaking, partition: nil))
  }
}
