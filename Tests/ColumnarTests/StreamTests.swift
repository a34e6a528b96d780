import Records
import TestKit
import Testing

@testable import Columnar

@Suite struct StreamTests {
  @Test(arguments: 0..<9) func whatIsWrittenIsRead(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let compression: ArrowStreamWriter.Compression = [.none, .lz4, .zstandard][seed % 3]
    let batches = (0..<3).map { _ in
      sampleBatch(rowCount: Int.random(in: 1...400, using: &random), using: &random)
    }
    let sink = ByteSink()
    let writer = try ArrowStreamWriter(fields: sampleFields, compression: compression, sink: sink.take)
    for batch in batches { try writer.write(batch) }
    try writer.finish()
    let read = try ArrowStreamReader.read(Buffer(copying: sink.bytes))
    #expect(read.fields == sampleFields)
    #expect(read.batches.count == 3)
    for (got, written) in zip(read.batches, batches) {
      for (index, column) in got.columns.enumerated() {
        #expect(values(column) == values(written.columns[index]), "seed \(seed), \(sampleFields[index].name)")
      }
    }
  }

  @Test func dictionariesAreWrittenPlain() throws {
    let rows: [Value] = [.bytes([0x61]), .null, .bytes([0x61]), .bytes([0x62, 0x63])]
    let fields = [Field("level", .utf8, isNullable: true)]
    let sink = ByteSink()
    let writer = try ArrowStreamWriter(fields: fields, sink: sink.take)
    try writer.write(
      RecordBatch(fields: fields, columns: [dictionaryLayout(column(.utf8, rows))], rowCount: 4))
    try writer.finish()
    let read = try ArrowStreamReader.read(Buffer(copying: sink.bytes))
    #expect(values(read.batches[0].columns[0]) == rows)
  }

  @Test func brokenStreamsAreErrors() throws {
    var random = SeededGenerator(seed: 77)
    let sink = ByteSink()
    let writer = try ArrowStreamWriter(fields: sampleFields, sink: sink.take)
    try writer.write(sampleBatch(rowCount: 60, using: &random))
    try writer.finish()
    let sound = sink.bytes
    for _ in 0..<400 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      if random.chance(oneIn: 4) { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
      // Either an error or rows that can be looked at; never a trap.
      guard let read = try? ArrowStreamReader.read(Buffer(copying: bytes)) else { continue }
      for batch in read.batches { for column in batch.columns { _ = values(column) } }
    }
  }

  @Test func aFailingSinkIsAnError() throws {
    for limit in [10, 3000] {
      let sink = ByteSink(limit: limit)
      var random = SeededGenerator(seed: 5)
      let batch = sampleBatch(rowCount: 200, using: &random)
      let writer = try ArrowStreamWriter(fields: sampleFields, sink: sink.take)
      #expect(throws: ColumnarError.sink) { try writer.write(batch) }
    }
  }

  @Test func aStreamWithoutBatchesHasItsSchema() throws {
    let sink = ByteSink()
    let writer = try ArrowStreamWriter(fields: sampleFields, sink: sink.take)
    try writer.finish()
    let read = try ArrowStreamReader.read(Buffer(copying: sink.bytes))
    #expect(read.fields == sampleFields && read.batches.isEmpty)
  }
}
