import Columnar
import Records
import Testing

@testable import Encoding

struct BinaryEncoderTests {
  private func encode(_ format: OutputFormat, batches: Int) throws -> [UInt8] {
    let encoder = try format.encoder(fields: TextEncoderTests.fields)
    var bytes = try encoder.begin()
    for _ in 0..<batches { bytes += try encoder.encode(TextEncoderTests.batch) }
    return bytes + (try encoder.end(cursor: nil))
  }

  /// The rows as NDJSON, which compares every value.
  private func text(_ batches: [RecordBatch]) -> String {
    let encoder = TextEncoder(format: .ndjson, fields: TextEncoderTests.fields)
    return batches.map { String(decoding: encoder.encode($0), as: UTF8.self) }.joined()
  }

  @Test(arguments: [0, 1, 3])
  func arrowStreamsReadBackEqual(count: Int) throws {
    let read = try ArrowStreamReader.read(Buffer(copying: try encode(.arrow, batches: count)))
    #expect(read.batches.count == count)
    #expect(text(read.batches) == text(Array(repeating: TextEncoderTests.batch, count: count)))
  }

  @Test(arguments: [0, 1, 3])
  func parquetReadsBackEqual(count: Int) throws {
    let bytes = try encode(.parquet, batches: count)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    #expect(reader.rowCount == 2 * count)
    guard count > 0 else { return }
    let columns = try reader.read(
      rowGroup: 0, columns: Array(reader.fields.indices), rows: [0..<reader.rowCount], asDictionary: false)
    let batch = RecordBatch(fields: reader.fields, columns: columns, rowCount: reader.rowCount)
    #expect(text([batch]) == text(Array(repeating: TextEncoderTests.batch, count: count)))
  }

  /// Row groups of Parquet are cut by bytes of text, a dictionary's values counted in every row.
  @Test(arguments: [1, 2_000, 5_000, 1 << 20])
  func rowGroupsAreCutByBytes(bytesMax: Int) throws {
    let text = String(repeating: "d", count: 100)
    let words = Column(
      type: .utf8, rowCount: 10, validity: nil,
      storage: .dictionary(
        indices: Buffer(copying: [Int32](repeating: 0, count: 10)),
        offsets: Buffer(copying: [Int32(0), 100]),
        bytes: Buffer(copying: Array(text.utf8)), valueCount: 1))
    let fields = [Field("w", .utf8, isNullable: true)]
    let encoder = try BinaryEncoder(format: .parquet, fields: fields, rowGroupBytes: bytesMax)
    var bytes = encoder.begin()
    for _ in 0..<12 {
      bytes += try encoder.encode(RecordBatch(fields: fields, columns: [words], rowCount: 10))
    }
    bytes += try encoder.end(cursor: nil)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    #expect(reader.rowCount == 120)
    #expect(reader.rowGroups.allSatisfy { $0.rowCount == 10 || $0.rowCount * 100 <= bytesMax })
    #expect(reader.rowGroups.count == [1: 12, 2_000: 6, 5_000: 3, 1 << 20: 1][bytesMax])
  }
}
