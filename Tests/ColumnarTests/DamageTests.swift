import Records
import TestKit
import Testing

@testable import Columnar

@Suite struct DamageTests {
  private static func sample(_ seed: UInt64) throws -> (batch: RecordBatch, bytes: [UInt8]) {
    var random = SeededGenerator(seed: seed)
    let batch = sampleBatch(rowCount: 200, using: &random)
    let options = sampleFields.map {
      ParquetColumnOptions(encoding: encoding(for: $0.type), bloomDistinctCount: $0.type == .utf8 ? 50 : nil)
    }
    return (batch, try parquet([batch], options: options, rowsPerPage: 50, metadata: [("k", "v")]))
  }

  /// Reads all there is in every way; what it gives is of no interest.
  private static func readAll(_ bytes: [UInt8], verifyChecksums: Bool) {
    guard let reader = try? ParquetReader(Buffer(copying: bytes), verifyChecksums: verifyChecksums) else {
      return
    }
    _ = try? reader.verify()
    for (group, info) in reader.rowGroups.enumerated() {
      for column in reader.fields.indices {
        _ = reader.bloomMayContain(rowGroup: group, column: column, text: [1, 2, 3])
        _ = try? reader.pageStarts(rowGroup: group, column: column)
        let ranges = info.rowCount > 150 ? [3..<60, 120..<150] : [0..<info.rowCount]
        for asDictionary in [false, true] {
          let columns = try? reader.read(
            rowGroup: group, columns: [column], rows: ranges, asDictionary: asDictionary)
          for column in columns ?? [] { _ = values(column) }
        }
      }
    }
  }

  /// Bytes flipped, cut off, put in: an error or rows, never a trap. Without checksums more gets through to
  /// the decoders.
  @Test(arguments: 0..<10) func damagedFilesNeverTrap(seed: Int) throws {
    let (_, sound) = try Self.sample(1)
    var random = SeededGenerator(seed: UInt64(seed))
    for _ in 0..<80 {
      var bytes = sound
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        // Near the end: the footer and the page index.
        let place = max(0, bytes.count - 1 - Int.random(in: 0..<4000, using: &random))
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: Int.random(in: 0..<bytes.count, using: &random))
      case 2:
        bytes.insert(
          UInt8.random(in: 0...255, using: &random), at: Int.random(in: 0..<bytes.count, using: &random))
      default:
        for _ in 0..<Int.random(in: 1...20, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
            1 << UInt8.random(in: 0..<8, using: &random)
        }
      }
      Self.readAll(bytes, verifyChecksums: random.chance(oneIn: 2))
    }
  }

  @Test func everyFlippedBitOfAPageIsFound() throws {
    let (batch, sound) = try Self.sample(2)
    let reader = try ParquetReader(Buffer(copying: sound), verifyChecksums: true)
    var random = SeededGenerator(seed: 3)
    for (column, info) in reader.rowGroups[0].columns.enumerated() {
      for _ in 0..<8 {
        var bytes = sound
        let place = Int.random(in: info.fileRange, using: &random)
        bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        let damaged = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
        let got = try? damaged.read(rowGroup: 0, columns: [column], rows: [0..<200], asDictionary: false)
        // A flip in a page's header may touch a field nobody reads; data never comes out changed.
        if let got { #expect(values(got[0]) == values(batch.columns[column]), "byte \(place)") }
      }
    }
  }

  @Test func shortAndForeignBytesAreErrors() throws {
    let (_, sound) = try Self.sample(4)
    for bytes in [
      [], [1, 2, 3], Array("PAR1PAR1".utf8), Array(sound.dropLast()), Array(sound.dropFirst(1000)),
    ] {
      #expect(throws: ColumnarError.self) {
        _ = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
      }
    }
  }
}
