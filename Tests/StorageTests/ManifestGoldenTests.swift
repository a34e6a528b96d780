import Foundation
import Records
import Testing

@testable import Storage

/// A manifest of each version, written once and read for ever. A new version gets a file of its own, by
/// `CORDWOOD_WRITE_GOLDEN=v2 swift test --filter ManifestGoldenTests`.
@Suite struct ManifestGoldenTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "golden")

  private static let edits: [[ManifestChange]] = [
    [.nextIDs(block: 8, deletion: 1), .blockAdded(ManifestTests.facts(7, positions: 0...9))],
    [
      .archivedThrough(ManifestTests.partition, position: 10),
      .nextPosition(ManifestTests.partition.tenant, position: 12),
      .blockAdded(ManifestTests.facts(8, positions: 10...11)),
    ],
    ManifestTests.predicates.enumerated().map { index, predicate in
      .deletionAdded(
        Deletion(
          id: UInt64(index) + 1, partition: ManifestTests.partition, predicate: predicate, positionEnd: 5))
    },
    [.blockRemoved(id: 7), .deletionFinished(id: 2), .deletionsApplied(block: 8, through: 1)],
    // Since version 2.
    [.store(StoreID(high: 1, low: .max)), .epoch(3), .generation(70), .positionBase(4096)],
  ]

  /// As the format's page says: each edit, and the mark behind it.
  private static func manifest() -> [UInt8] {
    var bytes = ManifestFrame.fileHeader
    for (index, edit) in edits.enumerated() {
      for payload in [ManifestCoding.encode(edit), []] {
        bytes += ManifestFrame.encode(payload, place: bytes.count, number: UInt64(index) + 1)
      }
    }
    return bytes
  }

  @Test func writeOnce() throws {
    guard let version = ProcessInfo.processInfo.environment["CORDWOOD_WRITE_GOLDEN"] else { return }
    let file = Self.folder.appending(path: version + ".manifest")
    guard !FileManager.default.fileExists(atPath: file.path) else {
      Issue.record("\(version) was written before and stays as it is")
      return
    }
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    try Data(Self.manifest()).write(to: file)
  }

  @Test(arguments: [("v1", 4), ("v2", 5)])
  func everyVersionIsRead(version: String, editCount: Int) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.folder.appending(path: version + ".manifest")))
    let scan = try ManifestScan(bytes, path: version)
    var expected = ManifestState()
    for edit in Self.edits.prefix(editCount) { expected = try expected.applying(edit) }
    #expect(scan.state == expected)
    #expect(scan.editCount == editCount && scan.end == bytes.count && !scan.hasTornEdit)
  }

  /// What is written today is version 2, byte by byte, and but for its header and the changes that it alone
  /// has, version 1.
  @Test func todaysBytesAreVersion2() throws {
    let golden = [UInt8](try Data(contentsOf: Self.folder.appending(path: "v2.manifest")))
    #expect(Self.manifest() == golden)
    let first = [UInt8](try Data(contentsOf: Self.folder.appending(path: "v1.manifest")))
    #expect(golden[16..<first.count].elementsEqual(first[16...]))
  }
}
