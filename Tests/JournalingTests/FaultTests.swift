import Journaling
import Platform
import Records
import TestKit
import Testing

@Suite struct FaultTests {
  @Test func aFullDiskChangesNothing() throws {
    var bench = try Bench()
    _ = try bench.append(oneRow("before"))
    bench.disk.fail(.write, with: .full)
    do {
      _ = try bench.append(oneRow("lost"))
      Issue.record("a full disk was not told")
    } catch {
      guard case .diskFull = error else { Issue.record("\(error)"); return }
    }
    #expect(bench.journal.writeFailure == nil)
    #expect(try bench.append(oneRow("after")).firstPosition == 1)
    try bench.crash()
    #expect(try messages(bench.journal.head(of: logs).frames) == ["before", "after"])
  }

  /// What a refused write left in the file must not come back, even if nothing follows it.
  @Test func refusedWritesNeverComeBack() throws {
    for seed in 0..<200 as Range<UInt64> {
      var bench = try Bench(seed: seed)
      _ = try bench.append(oneRow("before"))
      bench.disk.fail(.write, with: seed % 2 == 0 ? .full : .short)
      #expect(throws: StoreError.self) { try bench.append(oneRow("lost")) }
      bench.disk = seed % 3 == 0 ? bench.disk.crash() : bench.disk.kill()
      try bench.reopen()
      #expect(try messages(bench.journal.head(of: logs).frames) == ["before"], "seed \(seed)")
    }
  }

  @Test func aFailedUndoPoisons() throws {
    let bench = try Bench()
    bench.disk.fail(.write, after: 1, pathSuffix: ".seg", with: .full)
    bench.disk.fail(.write, after: 2, pathSuffix: ".seg", with: .error)
    #expect(throws: StoreError.self) { try bench.append(oneRow("lost")) }
    guard case .poisoned? = bench.journal.writeFailure else { Issue.record("not poisoned"); return }
  }

  @Test func noRoomForASegmentIsAFullDisk() throws {
    var bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    bench.disk.setQuota(5 << 10)
    var written = 0
    var refusal: StoreError?
    while refusal == nil {
      do { _ = try bench.append(oneRow("row \(written)")); written += 1 } catch { refusal = error }
    }
    guard case .diskFull? = refusal else { Issue.record("\(String(describing: refusal))"); return }
    #expect(written > 10)
    bench.disk.setQuota(1 << 20)
    _ = try bench.append(oneRow("row \(written)"))
    try bench.crash()
    #expect(try messages(bench.journal.head(of: logs).frames) == (0...written).map { "row \($0)" })
  }

  /// The disk is going when a sync of a segment that is being made fails, of the file or of its name; nothing
  /// else says so.
  @Test(arguments: [
    (SimulatedDisk.Operation.sync, "00000002.tmp", true), (.syncDirectory, "journal", true),
    (.write, "00000002.tmp", false), (.create, "00000002.tmp", false), (.rename, "00000002.tmp", false),
  ])
  func onlyAFailedSyncOfANewSegmentPoisons(
    operation: SimulatedDisk.Operation, suffix: String, poisons: Bool
  ) throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    bench.disk.fail(operation, pathSuffix: suffix)
    var refusal: StoreError?
    for number in 0..<100 where refusal == nil {
      do { _ = try bench.append(oneRow("row \(number)")) } catch { refusal = error }
    }
    switch refusal {
    case .poisoned?: #expect(poisons)
    case .disk?: #expect(!poisons)
    default: Issue.record("\(String(describing: refusal))")
    }
    #expect((bench.journal.writeFailure != nil) == poisons)
  }

  /// Without a descriptor nothing was tried, so nothing is lost, and the next try is as good as the first.
  @Test(arguments: [
    (SimulatedDisk.Operation.create, "00000002.tmp"), (.open, "00000002.seg"), (.syncDirectory, "journal"),
  ])
  func noDescriptorForASegmentIsARefusal(operation: SimulatedDisk.Operation, suffix: String) throws {
    var bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    bench.disk.fail(operation, pathSuffix: suffix, with: .exhausted)
    var refusal: StoreError?
    var written = 0
    while refusal == nil, written < 100 {
      do { _ = try bench.append(oneRow("row \(written)")); written += 1 } catch { refusal = error }
    }
    guard case .exhausted? = refusal else { Issue.record("\(String(describing: refusal))"); return }
    #expect(bench.journal.writeFailure == nil)
    _ = try bench.append(oneRow("row \(written)"))
    try bench.crash()
    #expect(try messages(bench.journal.head(of: logs).frames) == (0...written).map { "row \($0)" })
  }

  /// Segments are removed when a descriptor is there again, and one after the other as ever.
  @Test func noDescriptorForARemovalPoisonsNothing() throws {
    for seed in 0..<20 as Range<UInt64> {
      var bench = try Bench(seed: seed, options: testOptions(segmentBytes: 4 << 10))
      for number in 0..<100 { _ = try bench.append(oneRow("row \(number)")) }
      let made = bench.journal.statistics().segmentsCreated
      try #require(made > 3)
      bench.disk.fail(.syncDirectory, pathSuffix: "journal", with: .exhausted)
      bench.journal.release([logs: 100])
      #expect(bench.journal.writeFailure == nil)
      #expect(bench.journal.statistics().segmentsRemoved == 1)
      _ = try bench.append(oneRow("after"))
      if seed % 2 == 0 {
        bench.journal.removeSegments()
        #expect(bench.journal.statistics().segmentsRemoved >= made - 1)
      }
      try bench.crash()
      #expect(try messages(bench.journal.head(of: logs).frames).last == "after", "seed \(seed)")
    }
  }

  /// A server that is not ready gets no appends, so whether it is again is found out without one.
  @Test func refusalsAreKnownWithoutAnAppend() throws {
    var bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    #expect(bench.journal.refusal() == nil)
    bench.disk.setQuota(5 << 10)
    var written = 0
    while case .success = Result(catching: { try bench.append(oneRow("row \(written)")) }) { written += 1 }
    for _ in 0..<2 {
      guard case .diskFull? = bench.journal.refusal() else { Issue.record("not refused"); return }
    }
    bench.disk.setQuota(1 << 20)
    #expect(bench.journal.refusal() == nil)
    #expect(
      bench.events.all.map(\.isHealed) == [false, true], "failure and end are told: \(bench.events.all)")
    _ = try bench.append(oneRow("row \(written)"))
    bench.disk.fail(.write, with: .error)
    #expect(throws: StoreError.self) { try bench.append(oneRow("lost")) }
    bench.disk.failRandomly(.write, oneIn: 1)
    guard case .disk? = bench.journal.refusal() else { Issue.record("not refused"); return }
    bench.disk.failNothing()
    #expect(bench.journal.refusal() == nil)
    try bench.crash()
    #expect(try messages(bench.journal.head(of: logs).frames) == (0...written).map { "row \($0)" })
  }

  @Test func theReserveAndTheHeadAreLookedAt() throws {
    var options = testOptions()
    options.writeReserveBytes = 100_000
    options.headFramesMax = 3
    let bench = try Bench(options: options)
    bench.disk.setQuota(100_000)
    guard case .diskFull? = bench.journal.refusal() else { Issue.record("not refused"); return }
    bench.disk.setQuota(1_000_000)
    #expect(bench.journal.refusal() == nil)
    for _ in 0..<3 { _ = try bench.append(oneRow("m")) }
    guard case .headFull? = bench.journal.refusal() else { Issue.record("not refused"); return }
    bench.journal.release([logs: 1])
    #expect(bench.journal.refusal() == nil)
  }

  @Test func theReserveIsKeptFree() throws {
    var options = testOptions()
    options.writeReserveBytes = 100_000
    let bench = try Bench(options: options)
    bench.disk.setQuota(100_000)
    do {
      _ = try bench.append(oneRow("m"))
      Issue.record("the reserve was touched")
    } catch {
      guard case .diskFull = error else { Issue.record("\(error)"); return }
    }
    bench.disk.setQuota(1_000_000)
    _ = try bench.append(oneRow("m"))
  }

  /// A sync that failed may have dropped what it should have kept, so nothing more is acknowledged.
  @Test func aFailedSyncPoisons() throws {
    for seed in 0..<100 as Range<UInt64> {
      var bench = try Bench(seed: seed)
      _ = try bench.append(oneRow("before"))
      bench.disk.fail(.sync)
      for attempt in 0..<2 {
        do {
          _ = try bench.append(oneRow("lost \(attempt)"))
          Issue.record("acknowledged without a sync")
        } catch {
          guard case .poisoned = error else { Issue.record("\(error)"); return }
        }
      }
      #expect(try messages(bench.journal.head(of: logs).frames) == ["before"])
      try bench.crash()
      let found = try messages(bench.journal.head(of: logs).frames)
      #expect(found == ["before"] || found == ["before", "lost 0"], "seed \(seed)")
      _ = try bench.append(oneRow("next"))
    }
  }

  /// A commit cut at every byte: the rows before it stay, its own do not, and what is written next is not
  /// disturbed.
  @Test func tornAtEveryByte() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    _ = try bench.append(oneRow("before"))
    let before = bench.disk.contents("data/journal/00000001.seg")
    _ = try bench.append(oneRow("torn"), key: key("k"))
    let after = bench.disk.contents("data/journal/00000001.seg")
    let changed = after.indices.filter { after[$0] != before[$0] }
    let first = try #require(changed.first)
    let last = try #require(changed.last)
    #expect(last - first > 150)
    for cut in first...last {
      for damage in 0..<2 {
        // Either the rest was never written, or one byte is wrong.
        var bytes = after
        if damage == 0 {
          bytes.replaceSubrange(cut..., with: before[cut...])
        } else {
          bytes[cut] ^= 0x10
          if after[cut] == 0 && (cut - first) >= 200 { continue }
        }
        var copy = try Bench(disk: disk(with: bytes), clock: bench.clock, seed: 1, options: bench.options)
        #expect(try messages(copy.journal.head(of: logs).frames) == ["before"], "cut at \(cut), \(damage)")
        #expect(copy.recovery.cut?.offsetBytes == first || damage == 0, "cut at \(cut)")
        #expect(try !copy.append(oneRow("next"), key: key("k")).isReplay)
        try copy.crash()
        #expect(try messages(copy.journal.head(of: logs).frames) == ["before", "next"])
      }
    }
  }

  /// Any changed byte of what was synced before the last commit is found and reported at its frame, never
  /// skipped.
  @Test func damageIsReported() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    var ends: [Int] = [64]
    for number in 0..<4 {
      _ = try bench.append(oneRow("row \(number)"))
      ends.append(64 + bench.journal.headBytes)
    }
    let bytes = bench.disk.contents("data/journal/00000001.seg")
    for offset in 0..<ends[3] {
      var rotten = bytes
      rotten[offset] ^= 0x04
      do {
        _ = try Bench(disk: disk(with: rotten), clock: bench.clock, seed: 1, options: bench.options)
        Issue.record("damage at \(offset) was not seen")
      } catch JournalError.corrupt(let file, let at, _) {
        #expect(file == "data/journal/00000001.seg")
        let start = offset < 64 ? offset : ends.last { $0 <= offset } ?? -1
        #expect(at == start, "byte \(offset)")
      }
    }
    // The same through the reader, which goes on to say what it could read.
    var rotten = bytes
    rotten[ends[1] + 120] ^= 1
    var rows = 0
    let reader = try JournalReader(directory: "data/journal", fileSystem: disk(with: rotten)) { frame in
      rows += frame.header.rowCount
    }
    #expect(rows == 1)
    #expect(reader.findings.map(\.offsetBytes) == [ends[1]] && reader.findings[0].isDamage)
  }

  @Test func zeroedSectorsAreDamage() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 8 << 10))
    for number in 0..<20 { _ = try bench.append(oneRow("row \(number)")) }
    var bytes = bench.disk.contents("data/journal/00000001.seg")
    bytes.replaceSubrange(512..<1024, with: [UInt8](repeating: 0, count: 512))
    #expect(throws: JournalError.self) {
      _ = try Bench(disk: disk(with: bytes), clock: bench.clock, seed: 1, options: bench.options)
    }
  }

  @Test func aMissingSegmentIsDamage() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    for number in 0..<60 { _ = try bench.append(oneRow("row \(number)")) }
    #expect(bench.disk.files().count >= 3)
    try bench.disk.remove("data/journal/00000002.seg")
    #expect(
      throws: JournalError.corrupt(
        file: "data/journal/00000002.seg", offsetBytes: 0, reason: "the segment is missing")
    ) {
      _ = try Bench(disk: bench.disk, clock: bench.clock, seed: 1, options: bench.options)
    }
  }

  @Test func aPositionInsideAFrameIsRefused() throws {
    var bench = try Bench()
    var generator = SeededGenerator(seed: 1)
    _ = try bench.append(RandomBatches.batch(of: .logs, rowCount: 10, using: &generator))
    #expect(throws: JournalError.self) {
      try bench.reopen(start: JournalStart(archivedThrough: [logs: 5]))
    }
  }

  /// A life that was killed between making a segment and syncing its name: the next must sync it before it
  /// uses it.
  @Test func namesOfALifeBeforeAreSynced() throws {
    for seed in 0..<40 as Range<UInt64> {
      var bench = try Bench(seed: seed, options: testOptions(segmentBytes: 4 << 10))
      bench.disk.fail(.syncDirectory)
      var count = 0
      while bench.journal.writeFailure == nil && count < 200 {
        do { _ = try bench.append(oneRow("row \(count)")); count += 1 } catch {}
      }
      bench.disk = bench.disk.kill()
      try bench.reopen()
      for _ in 0..<4 {
        _ = try bench.append(oneRow("row \(count)"))
        count += 1
      }
      try bench.crash()
      let found = try messages(bench.journal.head(of: logs).frames)
      #expect(found == (0..<count).map { "row \($0)" }, "seed \(seed)")
    }
  }

  /// After a failed sync the disk may hold frames that the cache did not show: they fit behind those of the
  /// next life by place and sequence, and must not be taken for its own.
  @Test func leftoversOfAnotherLifeAreCutOff() throws {
    let path = "data/journal/00000001.seg"
    let base = try Bench(options: testOptions(segmentBytes: 4 << 10))
    _ = try base.append(oneRow("before"))
    let start = base.disk.contents(path)
    let first = try Bench(disk: disk(with: start), clock: base.clock, seed: 2, options: base.options)
    _ = try first.append(oneRow("lost 1"))
    let middle = 64 + first.journal.headBytes
    _ = try first.append(oneRow("lost 2"))
    let second = try Bench(disk: disk(with: start), clock: base.clock, seed: 3, options: base.options)
    _ = try second.append(oneRow("kept 1"))
    #expect(middle == 64 + second.journal.headBytes)
    let mixed = second.disk.contents(path)[..<middle] + first.disk.contents(path)[middle...]
    var third = try Bench(disk: disk(with: Array(mixed)), clock: base.clock, seed: 4, options: base.options)
    #expect(try messages(third.journal.head(of: logs).frames) == ["before", "kept 1"])
    #expect(third.recovery.cut?.offsetBytes == middle)
    _ = try third.append(oneRow("next"))
    try third.crash()
    #expect(try messages(third.journal.head(of: logs).frames) == ["before", "kept 1", "next"])
  }

  private func disk(with segment: [UInt8]) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 9)
    try disk.createDirectory("data/journal")
    let file = try disk.create("data/journal/00000001.seg")
    try file.write(segment.span, at: 0)
    try file.sync()
    for directory in ["", "data", "data/journal"] { try disk.syncDirectory(directory) }
    return disk
  }
}

extension StoreEvent {
  fileprivate var isHealed: Bool {
    if case .healed = self { true } else { false }
  }
}
