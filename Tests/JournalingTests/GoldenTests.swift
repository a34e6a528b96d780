import Codecs
import Foundation
import Journaling
import Platform
import Records
import TestKit
import Testing

/// A journal of each version, written once and read for ever: `golden/v1` must never be written again.
/// A new version gets a folder of its own, by `CORDWOOD_WRITE_GOLDEN=v2 swift test --filter GoldenTests`.
@Suite struct GoldenTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "golden")

  @Test func writeOnce() throws {
    guard let version = ProcessInfo.processInfo.environment["CORDWOOD_WRITE_GOLDEN"] else { return }
    let folder = Self.folder.appending(path: version)
    guard !FileManager.default.fileExists(atPath: folder.path) else {
      Issue.record("\(version) was written before and stays as it is")
      return
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let bench = try Self.writeJournal()
    for path in bench.disk.files() where path.hasSuffix(".seg") {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      try Data(bench.disk.contents(path)).write(to: folder.appending(path: name))
    }
    try Data(try Self.describe(bench.disk).utf8).write(to: folder.appending(path: "expected.txt"))
  }

  @Test(arguments: ["v1"])
  func everyVersionIsRead(version: String) throws {
    let folder = Self.folder.appending(path: version)
    let disk = try Self.disk(of: folder)
    let expected = String(
      decoding: try Data(contentsOf: folder.appending(path: "expected.txt")), as: UTF8.self)
    #expect(try Self.describe(disk) == expected)
    // It can be gone on with, and its keys are known.
    let clock = ManualClock(1_780_000_100_000_000_000)
    let bench = try Bench(disk: disk, clock: clock, seed: 2, options: Self.options)
    #expect(try bench.append(oneRow("again"), key: key("golden 3")).isReplay)
    #expect(try bench.append(oneRow("again"), key: key("golden 0")).isReplay)
    _ = try bench.append(oneRow("one more"))
    bench.clock.advance(seconds: 15 * 60)
    #expect(try !bench.append(oneRow("again"), key: key("golden 3", body: 9)).isReplay)
    // Its keys note no running time: the wall clock says whether they are over.
    let later = ManualClock(1_780_001_000_000_000_000)
    let lateBench = try Bench(disk: try Self.disk(of: folder), clock: later, seed: 2, options: Self.options)
    #expect(try !lateBench.append(oneRow("again"), key: key("golden 3", body: 9)).isReplay)
  }

  private static func disk(of folder: URL) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("data/journal")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".seg") {
      let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
      try disk.create("data/journal/\(name)").write(bytes.span, at: 0)
    }
    return disk
  }

  private static let options = testOptions(segmentBytes: 4 << 10, frameBytesMax: 1 << 10)

  private static func writeJournal() throws -> Bench {
    let bench = try Bench(seed: 42, options: options)
    var generator = SeededGenerator(seed: 42)
    for number in 0..<30 {
      _ = try bench.append(
        oneRow("golden \(number)"), key: key("golden \(number)", answer: "answer \(number)"))
    }
    bench.journal.release([logs: 30])
    for round in 0..<2 {
      let requests = Registry.standard.datasets.map { dataset in
        AppendRequest(
          batch: RandomBatches.batch(of: dataset, rowCount: 2 + round * 7, using: &generator),
          partition: Partition(tenant: Tenant(realm: .ingest, name: "größe"), dataset: dataset))
      }
      for result in bench.journal.commit(requests + requests) { _ = try result.get() }
      bench.clock.advance(seconds: 1)
    }
    return bench
  }

  /// Everything in the journal as text.
  private static func describe(_ disk: SimulatedDisk) throws -> String {
    var lines: [String] = []
    let reader = try JournalReader(directory: "data/journal", fileSystem: disk) {
      (frame) throws(JournalError) in
      let header = frame.header
      lines.append(
        "frame \(header.place.segment):\(header.place.byte) sequence \(header.sequence) \(header.kind) "
          + "\(frame.partition?.description ?? "-") rows \(header.rowCount) mark \(header.isCommitMark)")
      if let batch = try frame.batch() { lines += RandomBatches.rowTexts(batch) }
    }
    lines += reader.findings.map { "\($0)" }
    return lines.joined(separator: "\n") + "\n"
  }
}
