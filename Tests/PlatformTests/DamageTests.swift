import Foundation
import Platform
import Records
import Testing

/// What becomes of a process whose files or clock go wrong, or that trips over a mistake of its own.
@Suite struct DamageTests {
  private static func file(_ directory: TemporaryDirectory, _ name: String, pages: Int) throws -> any File {
    let file = try LocalFileSystem().create("\(directory.path)/\(name)")
    let page = max(sysconf(Int32(_SC_PAGESIZE)), 4096)
    try file.write([UInt8](repeating: 7, count: pages * page).span, at: 0)
    return file
  }

  private static func sum(_ buffer: Buffer) -> Int {
    buffer.withSpan(of: UInt8.self) { span in span.indices.reduce(0) { $0 + Int(span[$1]) } }
  }

  /// Reading on where a mapped file was cut was SIGBUS: the end of the process.
  @Test func aMappedFileThatIsCutReadsAsZerosAndSaysSo() throws {
    let directory = try TemporaryDirectory()
    let cut = try Self.file(directory, "cut", pages: 4)
    let other = try Self.file(directory, "other", pages: 1)
    let page = try cut.size() / 4
    let whole = try cut.map(0..<4 * page)
    let part = try cut.map(2 * page + 100..<4 * page)
    let sound = try other.map(0..<page)
    let mapping = try #require(whole.fileMapping)
    #expect(Self.sum(whole) == 4 * page * 7 && mapping.failedByte == nil)
    #expect(truncate("\(directory.path)/cut", off_t(page)) == 0)
    #expect(Self.sum(whole) == page * 7)
    #expect(mapping.failedByte == page)
    // Each mapping for itself: what nobody looked at has not failed.
    #expect(part.fileMapping?.failedByte == nil)
    #expect(Self.sum(part.slice(page..<2 * page - 100)) == 0)
    #expect(part.fileMapping?.failedByte == 3 * page)
    #expect(Self.sum(sound) == page * 7 && sound.fileMapping?.failedByte == nil)
  }

  @Test func aSlotIsCleanForTheNextMapping() throws {
    let directory = try TemporaryDirectory()
    for round in 0..<3 {
      let file = try Self.file(directory, "\(round)", pages: 2)
      let size = try file.size()
      let buffer = try file.map(0..<size)
      #expect(buffer.fileMapping?.failedByte == nil)
      #expect(truncate(file.path, 0) == 0)
      #expect(Self.sum(buffer) == 0 && buffer.fileMapping?.failedByte == 0)
    }
  }

  @Test func manyThreadsMeetTheSameCut() async throws {
    let directory = try TemporaryDirectory()
    let file = try Self.file(directory, "cut", pages: 64)
    let size = try file.size()
    let buffer = try file.map(0..<size)
    #expect(truncate(file.path, 0) == 0)
    let sums = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 { group.addTask { Self.sum(buffer) } }
      return await group.reduce(0, +)
    }
    #expect(sums == 0 && buffer.fileMapping?.failedByte != nil)
  }

  @Test func anotherBusErrorStillEndsTheProcess() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      CrashSignals.endAtOnce()
      let directory = try TemporaryDirectory()
      _ = try DamageTests.file(directory, "any", pages: 1).map(0..<4096)
      raise(SIGBUS)
    }
  }

  @Test func aMistakeOfOursSaysItsSentenceLast() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      CrashSignals.endAtOnce()
      bug("two and two are four")
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    let last = text.split(separator: "\n").last ?? ""
    #expect(last.hasPrefix("cordwood: bug: two and two are four (PlatformTests/DamageTests.swift:"))
  }

  @Test func invariantsHoldInSilence() async throws {
    invariant(1 + 1 == 2, "one and one are two")
    await #expect(processExitsWith: .failure) { invariant(1 + 1 == 3, "one and one are three") }
  }

  @Test(arguments: [
    (Int64(0), Int64(5), Int64(5)),
    (1_780_000_000, 999_999_999, 1_780_000_000_999_999_999),
    // The year 2300, and what a broken clock may say.
    (10_413_792_000, 0, SystemClock.years.upperBound),
    (.max, 999_999_999, SystemClock.years.upperBound),
    (.min, 0, SystemClock.years.lowerBound),
  ])
  func theClockHasATimeForEveryReading(seconds: Int64, nanoseconds: Int64, expected: Int64) {
    #expect(SystemClock.time(seconds: seconds, nanoseconds: nanoseconds) == expected)
  }

  @Test func offsetsAreCopiedOnlyIfTheyRiseWithinTheText() {
    func copy(_ offsets: [Int32], _ byteCount: Int) -> [Int32]? {
      Buffer(copying: offsets).checkedOffsets(count: offsets.count, byteCount: byteCount).map { copy in
        copy.withSpan(of: Int32.self) { span in span.indices.map { span[$0] } }
      }
    }
    #expect(copy([0, 3, 3, 9], 9) == [0, 3, 3, 9])
    #expect(copy([0], 0) == [0])
    for broken in [[1, 3], [0, -1], [0, 5, 4], [0, 10], [-1, 0]] as [[Int32]] {
      #expect(copy(broken, 9) == nil, "\(broken)")
    }
  }
}
