import Platform
import Records
import TestKit
import Testing

@testable import Journaling

/// Bytes of the journal that change under a running server: an error of that place, never a trap.
@Suite struct LiveDamageTests {
  private static let path = "data/journal/00000001.seg"

  /// Every bit of a frame's header, a bit of each byte of its body. The server ended at the first flipped bit
  /// of a header.
  @Test func anyFlippedBitIsAnErrorOrGivesTheRowsThatAreThere() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 64 << 10))
    var generator = SeededGenerator(seed: 7)
    _ = try bench.append(RandomBatches.batch(of: .logs, rowCount: 3, using: &generator), key: key("k"))
    let frame = try #require(bench.journal.head(of: logs).frames.first)
    let expected = RandomBatches.rowTexts(try frame.batch())
    try frame.verify()
    var errorCount = 0
    for offset in frame.place.byte..<frame.place.byte + frame.byteCount {
      let isOfHeader = offset < frame.place.byte + FrameHeader.byteCount
      for bit in isOfHeader ? 0..<8 : offset & 7..<offset & 7 + 1 {
        bench.disk.rot(Self.path, offset: offset, bit: bit)
        defer { bench.disk.rot(Self.path, offset: offset, bit: bit) }
        do {
          #expect(RandomBatches.rowTexts(try frame.batch()).count == expected.count)
        } catch JournalError.corrupt(let file, let byte, _) {
          errorCount += 1
          #expect(file == Self.path && byte == frame.place.byte)
        }
        // Before rows go into a block, nothing passes.
        #expect(throws: JournalError.self, "byte \(offset), bit \(bit)") { try frame.verify() }
      }
    }
    // At the least all of the header.
    #expect(errorCount >= FrameHeader.byteCount * 8)
    #expect(RandomBatches.rowTexts(try frame.batch()) == expected)
  }

  @Test func damagedRowsAreNotAtHand() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 64 << 10))
    _ = try bench.append(oneRow("first"))
    _ = try bench.append(oneRow("second"))
    let frame = try #require(bench.journal.head(of: logs).frames.last)
    bench.disk.rot(Self.path, offset: frame.place.byte + 8, bit: 0)
    func committed(from position: Int64, rowsMax: Int) -> CommittedRows? {
      bench.journal.committed(to: logs, from: position, columns: ["message"], rowsMax: rowsMax)
    }
    #expect(committed(from: 0, rowsMax: 1)?.batches.count == 1)
    #expect(committed(from: 0, rowsMax: 2) == nil)
    #expect(committed(from: 1, rowsMax: 1) == nil)
  }
}
