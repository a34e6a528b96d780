import Records
import TestKit
import Testing

@testable import Columnar

/// How a column is compressed goes by what it holds, and is nobody's business who reads it.
@Suite struct ContentTests {
  private static func byteCount(
    _ column: Column, _ encoding: ParquetColumnOptions.Encoding, _ content: ParquetColumnOptions.Content
  ) throws -> Int {
    let batch = RecordBatch(
      fields: [Field("c", column.type, isNullable: true)], columns: [column], rowCount: column.rowCount)
    let sink = ByteSink()
    let writer = try ParquetWriter(
      fields: batch.fields, options: [ParquetColumnOptions(encoding: encoding, content: content)],
      sortedBy: [],
      rowsPerPage: 8_192, sink: { sink.take($0) })
    try writer.writeRowGroup(batch)
    try writer.finish(metadata: [])
    let reader = try ParquetReader(Buffer(copying: sink.bytes), verifyChecksums: true)
    let read = try reader.read(
      rowGroup: 0, columns: [0], rows: [0..<column.rowCount], asDictionary: false)
    #expect(values(read[0]) == values(column))
    return sink.bytes.count
  }

  /// 16 bytes of each id are random; what is beyond are lengths.
  @Test func randomTextsTakeLittleMoreThanTheirBits() throws {
    var random = SeededGenerator(seed: 1)
    let ids = (0..<16_384).map { _ in
      Value.bytes(
        (0..<32).map { _ in Array("0123456789abcdef".utf8)[Int.random(in: 0..<16, using: &random)] })
    }
    let ids32 = column(.utf8, ids)
    let bytes = try Self.byteCount(ids32, .plain, .random)
    #expect(bytes < 17_200 * ids.count / 1_000)
    #expect(try bytes < Self.byteCount(ids32, .plain, .mixed) * 98 / 100)
  }

  /// Distinct numbers whose upper bytes are alike.
  @Test func numbersOfOneSizeShareTheirUpperBytes() throws {
    var random = SeededGenerator(seed: 2)
    let durations = (0..<16_384).map { _ in
      Value.double((Double(Int.random(in: 1...200_000, using: &random)) / 1_000).bitPattern)
    }
    let numbers = column(.float64, durations)
    let bytes = try Self.byteCount(numbers, .dictionary, .numbers)
    let mixed = try Self.byteCount(numbers, .dictionary, .mixed)
    #expect(bytes < mixed)
  }

  /// A filter of as many values as a row group has rows, and 8 bits each: a power of two.
  @Test func bloomFiltersTakeAByteAValue() throws {
    let ids = column(.utf8, (0..<8_192).map { .bytes(Array("id-\($0)".utf8)) })
    let batch = RecordBatch(fields: [Field("c", .utf8, isNullable: true)], columns: [ids], rowCount: 8_192)
    var sizes: [Int] = []
    for distinct in [nil, 8_192] {
      let sink = ByteSink()
      let writer = try ParquetWriter(
        fields: batch.fields,
        options: [ParquetColumnOptions(encoding: .plain, content: .random, bloomDistinctCount: distinct)],
        sortedBy: [], rowsPerPage: 8_192, sink: { sink.take($0) })
      try writer.writeRowGroup(batch)
      try writer.finish(metadata: [])
      sizes.append(sink.bytes.count)
    }
    #expect((8_192..<8_400).contains(sizes[1] - sizes[0]))
  }
}
