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
}
