import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Journaling

/// A journal read while another process writes it.
@Suite struct JournalTailTests {
  private static let partition = Partition(tenant: Tenant(realm: .native, name: "acme"), dataset: .logs)

  private struct Bench {
    let disk = SimulatedDisk(seed: 1)
    let journal: JournalFile

    init() throws {
      var options = JournalOptions()
      options.segmentBytes = 32 << 10
      options.writeReserveBytes = 0
      let clock = ManualClock()
      let environment = StoreEnvironment(
        fileSystem: disk, clock: clock, uptime: clock, entropy: SeededEntropy(seed: 1))
      journal = try JournalFile.open(
        directory: "data/journal", environment: environment, options: options, start: JournalStart()
      ).journal
    }

    func append(rowCount: Int = 10) throws {
      var generator = SeededGenerator(seed: 1)
      let batch = RandomBatches.batch(of: .logs, rowCount: rowCount, using: &generator)
      _ = try journal.commit([AppendRequest(batch: batch, partition: partition)])[0].get()
    }

    func tail() throws -> JournalTail {
      try JournalTail(directory: "data/journal", fileSystem: disk, registry: .standard)
    }

    var end: JournalOffset { JournalOffset(segment: journal.active.number, byte: journal.end) }
  }

  @Test func itFollowsIntoNewSegmentsAndKeepsOldOnes() throws {
    let bench = try Bench()
    try bench.append()
    var tail = try bench.tail()
    #expect(tail.end == bench.end && tail.firstSegment == 1)
    for _ in 0..<60 { try bench.append(rowCount: 30) }
    try tail.advance()
    #expect(tail.end == bench.end && tail.end.segment > 2 && tail.sequence == bench.journal.sequence)
    #expect(tail.nextPositions == [Self.partition.tenant: 1_810] && !tail.isBehind)
    bench.journal.release([Self.partition: 1_690])
    #expect(!bench.disk.files().contains("data/journal/00000001.seg"))
    #expect(tail.parts.map(\.name).first == "00000001.seg")
    for part in tail.parts { #expect(part.read(0..<part.usedBytes).count == part.usedBytes) }
    #expect(try bench.tail().end == bench.end)
  }

  /// A segment that came and went between two looks leaves a gap that must not be taken for the end.
  @Test func segmentsThatCameAndWentAreNoticed() throws {
    let bench = try Bench()
    try bench.append()
    var tail = try bench.tail()
    for _ in 0..<60 { try bench.append(rowCount: 30) }
    bench.journal.release([Self.partition: 1_690])
    #expect(!bench.disk.files().contains("data/journal/00000002.seg"))
    try tail.advance()
    #expect(tail.isBehind)
    let again = try bench.tail()
    #expect(!again.isBehind && again.end == bench.end)
  }

  /// The same between any two steps of opening it: the anchor then knows of segments that the names lacked.
  @Test(arguments: 1...14)
  func segmentsThatComeWhileItIsOpenedAreNoDamage(place: Int) throws {
    let bench = try Bench()
    try bench.append()
    let begun = bench.end
    let count = Mutex(0)
    let files = HookedFiles(bench.disk) {
      let isDue = count.withLock { count in
        count += 1
        return count == place
      }
      guard isDue else { return }
      do { for _ in 0..<60 { try bench.append(rowCount: 30) } } catch { Issue.record(error) }
      bench.journal.release([Self.partition: 1_690])
    }
    let tail = try JournalTail(directory: "data/journal", fileSystem: files, registry: .standard)
    #expect(tail.isBehind || tail.end >= begun)
  }

  /// Half a commit does not count, and is no damage.
  @Test func anUnfinishedCommitIsLeftOut() throws {
    let bench = try Bench()
    try bench.append()
    var tail = try bench.tail()
    let end = tail.end
    try bench.append()
    let whole = bench.end
    let path = "data/journal/00000001.seg"
    let last = bench.disk.contents(path)[whole.byte - 8]
    let file = try bench.disk.open(path, writable: true)
    try file.write([last ^ 1].span, at: whole.byte - 8)
    try tail.advance()
    #expect(tail.end == end)
    #expect(try bench.tail().end == end)
    // Once it is whole it counts.
    try file.write([last].span, at: whole.byte - 8)
    try tail.advance()
    #expect(tail.end == whole)
  }

  /// What was synced must be there: else it is damage, not the journal's end.
  @Test func damageOfWhatWasSyncedIsTold() throws {
    let bench = try Bench()
    for _ in 0..<3 { try bench.append() }
    let path = "data/journal/00000001.seg"
    bench.disk.rot(path, offset: 200, bit: 1)
    #expect(throws: JournalError.self) { try bench.tail() }
    bench.disk.rot(path, offset: 200, bit: 1)
    for _ in 0..<60 { try bench.append(rowCount: 30) }
    try bench.disk.remove("data/journal/00000002.seg")
    #expect(throws: JournalError.self) { try bench.tail() }
  }
}
