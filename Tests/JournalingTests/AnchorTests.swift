import Codecs
import Journaling
import Platform
import Records
import TestKit
import Testing

/// What was acknowledged last and has no frame behind it: the end mark and the anchor speak for it.
@Suite struct AnchorTests {
  private static let first = "data/journal/00000001.seg"
  private static let other = Partition(tenant: Tenant(realm: .native, name: "other"), dataset: .logs)

  /// Each byte of the last commit in turn, after a clean stop: damage, named by its place, never a torn tail.
  @Test(arguments: [Durability.fsync, .os, .none])
  func aCleanStopMakesDamageOfTheLastCommitVisible(durability: Durability) throws {
    var options = testOptions()
    options.durability = durability
    let bench = try Bench(options: options)
    _ = try bench.append(oneRow("before"))
    let start = 64 + bench.journal.headBytes
    _ = try bench.append(oneRow("last"))
    let end = 64 + bench.journal.headBytes
    try bench.journal.finish()
    let disk = bench.disk.kill()
    for offset in start..<end {
      disk.rot(Self.first, offset: offset, bit: 2)
      do {
        _ = try Bench(disk: disk, clock: bench.clock, seed: 2, options: options)
        Issue.record("byte \(offset) was not missed")
      } catch JournalError.corrupt(let file, let at, _) {
        #expect(file == Self.first && at == start, "byte \(offset)")
      }
      let reader = try JournalReader(directory: "data/journal", fileSystem: disk) { _ in }
      #expect(reader.findings.map(\.offsetBytes) == [start] && reader.findings.allSatisfy(\.isDamage))
      disk.rot(Self.first, offset: offset, bit: 2)
    }
  }

  /// The mark alone holds nothing: without it the store opens and goes on, in this life and the next.
  @Test func aBrokenEndMarkLosesNothing() throws {
    let bench = try Bench()
    _ = try bench.append(oneRow("one"))
    let mark = 64 + bench.journal.headBytes
    try bench.journal.finish()
    for offset in mark..<mark + 104 {
      let disk = SimulatedDisk(seed: 3)
      try copy(bench.disk, to: disk)
      disk.rot(Self.first, offset: offset, bit: 5)
      var again = try Bench(disk: disk, clock: bench.clock, seed: 2, options: bench.options)
      #expect(try messages(again.journal.head(of: logs).frames) == ["one"], "byte \(offset)")
      #expect(again.journal.nextPosition(of: acme) == 1)
      _ = try again.append(oneRow("two"))
      try again.crash()
      #expect(try messages(again.journal.head(of: logs).frames) == ["one", "two"])
    }
  }

  /// Stops and starts without a write in between add no marks, and skip no position.
  @Test func cleanStopsSkipNothing() throws {
    var bench = try Bench()
    _ = try bench.append(oneRow("one"))
    for _ in 0..<5 {
      try bench.journal.finish()
      bench.disk = bench.disk.crash()
      try bench.reopen()
      try bench.journal.settle()
      #expect(bench.recovery.cut == nil && bench.recovery.frameCount == 2)
    }
    #expect(try bench.append(oneRow("two")).firstPosition == 1)
  }

  /// A changed bit in the last commit before a crash makes a torn tail of it. Its positions, also those of a
  /// tenant that is known by it alone, are not given again.
  @Test func positionsOfACutTailAreNotGivenAgain() throws {
    let bench = try Bench()
    _ = try bench.append(oneRow("kept"))
    let start = 64 + bench.journal.headBytes
    let last = try bench.append(oneRow("cut"))
    _ = try bench.append(oneRow("cut too"), to: Self.other)
    let disk = bench.disk.kill()
    // Both go: the last by its own byte, the one before it since the last proved it.
    for offset in start..<64 + bench.journal.headBytes { disk.rot(Self.first, offset: offset, bit: 1) }
    let again = try Bench(disk: disk, clock: bench.clock, seed: 2, options: bench.options)
    #expect(try messages(again.journal.head(of: logs).frames) == ["kept"])
    for partition in [logs, Self.other, Partition(tenant: Self.other.tenant, dataset: .audit)] {
      #expect(again.journal.nextPosition(of: partition.tenant) > last.firstPosition)
    }
    #expect(try again.append(oneRow("next")).firstPosition > last.firstPosition)
    #expect(try again.append(oneRow("next"), to: Self.other).firstPosition > 0)
  }

  /// What was raised and is nowhere durable yet is raised again, however often the store is opened.
  @Test func raisedPositionsAreNotForgotten() throws {
    var bench = try Bench()
    for _ in 0..<10 { _ = try bench.append(oneRow("row")) }
    try bench.crash()
    let raised = try #require(bench.journal.raisedPositions)
    let floor = try #require(raised.nextPositions[acme])
    #expect(floor == 4096 && raised.base == 4086)
    // Nobody took note; another tenant's commit moves the anchor on.
    _ = try bench.append(oneRow("row"), to: Self.other)
    try bench.crash()
    #expect(bench.journal.nextPosition(of: acme) >= floor)
    // Taken note of: a start without a write in between raises nothing.
    let last = try #require(bench.journal.raisedPositions)
    try bench.journal.settle()
    try bench.crash(start: JournalStart(nextPositions: last.nextPositions, positionBase: last.base))
    #expect(bench.journal.raisedPositions == nil)
    #expect(bench.journal.nextPosition(of: acme) == last.nextPositions[acme])
    #expect(bench.journal.nextPosition(of: Tenant(realm: .audit, name: "new")) == last.base)
  }

  @Test func theFloorCostsNoSyncACommit() throws {
    let disk = SimulatedDisk(seed: 1, logs: true)
    try disk.createDirectory("data")
    let bench = try Bench(
      disk: disk, clock: ManualClock(), seed: 1, options: testOptions(segmentBytes: 8 << 20))
    let before = disk.log().count
    for number in 0..<10_000 { _ = try bench.append(oneRow("\(number)")) }
    let syncs = disk.log()[before...].filter { $0.hasPrefix("sync ") }
    #expect(syncs.filter { $0.hasSuffix("anchor") }.count <= 3)
    #expect(syncs.filter { $0.hasSuffix(".seg") }.count == 10_000)
  }

  /// A segment that was written to, and one that is still needed, are missed when they go.
  @Test func firstAndLastSegmentsAreMissed() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    for number in 0..<100 { _ = try bench.append(oneRow("row \(number)")) }
    bench.journal.release([logs: 30])
    let segments = bench.disk.files().filter { $0.hasSuffix(".seg") }
    #expect(segments.count >= 3 && segments[0] != Self.first)
    for gone in [segments[0], segments[segments.count - 1]] {
      let disk = SimulatedDisk(seed: 3)
      try copy(bench.disk, to: disk)
      try disk.remove(gone)
      #expect(throws: JournalError.self, "\(gone)") {
        try Bench(
          disk: disk, clock: bench.clock, seed: 2, options: bench.options,
          start: JournalStart(archivedThrough: [logs: 30]))
      }
      let reader = try JournalReader(directory: "data/journal", fileSystem: disk) { _ in }
      #expect(reader.findings.contains { $0.isDamage }, "\(gone)")
    }
  }

  /// One slot or both broken: nothing is lost, positions skip far, and the anchor is whole again.
  @Test(arguments: [[0], [4096], [0, 4096]])
  func aBrokenAnchorIsMadeAnew(slots: [Int]) throws {
    var bench = try Bench()
    for _ in 0..<3 {
      _ = try bench.append(oneRow("row"))
      try bench.crash()
      try bench.journal.settle()
    }
    _ = try bench.append(oneRow("last"))
    bench.disk = bench.disk.kill()
    for slot in slots { bench.disk.rot("data/anchor", offset: slot + 60, bit: 3) }
    let reading = try AnchorReading(directory: "data", fileSystem: bench.disk)
    #expect(reading.brokenOffsets == slots)
    try bench.reopen()
    #expect(try messages(bench.journal.head(of: logs).frames).last == "last")
    #expect(bench.journal.nextPosition(of: acme) >= 1 << 32)
    try bench.journal.settle()
    _ = try bench.append(oneRow("next"))
    #expect(try AnchorReading(directory: "data", fileSystem: bench.disk).isExact)
  }

  /// The sum over a header is right and the version is not ours: somebody meant it.
  @Test(arguments: [
    ("data/journal/00000001.seg", 0, 8, 60), ("data/journal/00000001.seg", 64, 4, 100),
    ("data/anchor", 0, 8, 92),
  ])
  func laterVersionsAreNamed(file: String, start: Int, version: Int, checksum: Int) throws {
    let bench = try Bench()
    _ = try bench.append(oneRow("row"))
    let disk = bench.disk.kill()
    for slot in file == "data/anchor" ? [0, 4096] : [start] {
      var bytes = disk.contents(file)
      if bytes[slot] == 0 { continue }
      bytes[slot + version] = 9
      let sum = CRC32C.checksum(bytes.span.extracting(slot..<slot + checksum))
      for index in 0..<4 { bytes[slot + checksum + index] = UInt8(truncatingIfNeeded: sum >> (index * 8)) }
      try disk.open(file, writable: true).write(bytes.span, at: 0)
    }
    let before = disk.contents(Self.first)
    #expect(throws: JournalError.laterVersion(file: file, version: 9)) {
      try Bench(disk: disk, clock: bench.clock, seed: 2, options: bench.options)
    }
    #expect(disk.contents(Self.first) == before, "nothing was cut")
  }

  private func copy(_ source: SimulatedDisk, to target: SimulatedDisk) throws {
    try target.createDirectory("data/journal")
    for path in source.files() { try target.create(path).write(source.contents(path).span, at: 0) }
  }
}
