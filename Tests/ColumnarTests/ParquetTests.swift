import Records
import TestKit
import Testing

@testable import Columnar

@Suite struct ParquetTests {
  /// Every type, nulls, all-null columns, several row groups, each kind of encoding.
  @Test(arguments: 0..<12) func whatIsWrittenIsRead(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let batches = (0..<3).map { _ in
      sampleBatch(rowCount: Int.random(in: 1...900, using: &random), using: &random)
    }
    let options = sampleFields.map { field in
      let choices: [ParquetColumnOptions.Encoding] =
        switch field.type {
        case .int64, .timestamp: [.plain, .dictionary, .delta]
        case .bool: [.plain]
        case .utf8, .json, .uuid: [.plain, .dictionary]
        case .float64: [.plain, .dictionary]
        }
      return ParquetColumnOptions(encoding: choices.randomElement(using: &random) ?? .plain)
    }
    let bytes = try parquet(batches, options: options, metadata: [("a", "b"), ("é", "ü")])
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    #expect(reader.fields == sampleFields, "seed \(seed)")
    #expect(reader.rowCount == batches.map(\.rowCount).reduce(0, +))
    #expect(reader.metadata["a"] == "b" && reader.metadata["é"] == "ü")
    try reader.verify()
    for (group, batch) in batches.enumerated() {
      #expect(reader.rowGroups[group].rowCount == batch.rowCount)
      for asDictionary in [false, true] {
        let columns = try reader.read(
          rowGroup: group, columns: Array(sampleFields.indices), rows: [0..<batch.rowCount],
          asDictionary: asDictionary)
        for (index, column) in columns.enumerated() {
          #expect(column.type == sampleFields[index].type)
          #expect(
            values(column) == values(batch.columns[index]),
            "seed \(seed), group \(group), \(sampleFields[index].name), \(options[index].encoding)")
        }
      }
    }
  }

  /// Any rows asked for come back, and only those, whatever the pages.
  @Test(arguments: 0..<12) func rowRangesAreReadAlone(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(1000 + seed))
    let rowCount = Int.random(in: 350...1000, using: &random)
    let batch = sampleBatch(rowCount: rowCount, using: &random)
    let bytes = try parquet([batch], rowsPerPage: 64)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    for _ in 0..<12 {
      var ranges: [Range<Int>] = []
      var at = 0
      while at < rowCount {
        at += Int.random(in: 0...200, using: &random)
        let end = min(rowCount, at + Int.random(in: 0...150, using: &random))
        if at < end { ranges.append(at..<end) }
        at = max(at, end) + 1
      }
      for index in sampleFields.indices {
        let got = try reader.read(
          rowGroup: 0, columns: [index], rows: ranges, asDictionary: random.chance(oneIn: 2))[0]
        let all = values(batch.columns[index])
        #expect(
          values(got) == ranges.flatMap { all[$0] },
          "seed \(1000 + seed), \(sampleFields[index].name), rows \(ranges)")
      }
    }
  }

  @Test func pagesOfAllColumnsHoldTheSameRows() throws {
    var random = SeededGenerator(seed: 5)
    let rowCount = 40_000
    // Distinct long texts overflow the dictionary, so this column turns plain in the middle.
    let long = (0..<rowCount).map { Value.bytes(Array("\($0) \(String(repeating: "x", count: 90))".utf8)) }
    let fields = sampleFields + [Field("long", .utf8, isNullable: false)]
    let sample = sampleBatch(rowCount: rowCount, using: &random)
    let batch = RecordBatch(
      fields: fields, columns: sample.columns + [column(.utf8, long)], rowCount: rowCount)
    let bytes = try parquet([batch], rowsPerPage: 8192)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    for index in fields.indices {
      #expect(
        try reader.pageStarts(rowGroup: 0, column: index) == [0, 8192, 16384, 24576, 32768],
        "\(fields[index])")
    }
    let mixed = try reader.read(
      rowGroup: 0, columns: [fields.count - 1], rows: [8000..<8400, 39_000..<40_000], asDictionary: true)
    #expect(values(mixed[0]) == Array(long[8000..<8400] + long[39_000..<40_000]))
    #expect(!reader.rowGroups[0].columns[fields.count - 1].isDictionary)
  }

  @Test func dictionaryLayoutGoesInAndOut() throws {
    var random = SeededGenerator(seed: 9)
    let fields = [Field("level", .utf8, isNullable: true), Field("object", .json, isNullable: false)]
    let plain = RecordBatch(
      fields: fields,
      columns: [
        column(.utf8, (0..<500).map { $0 % 5 == 0 ? .null : .bytes(Array("L\($0 % 3)".utf8)) }),
        column(.json, (0..<500).map { .bytes(Array("{\"a\":\($0 % 9)}".utf8)) }),
      ], rowCount: 500)
    let batch = RecordBatch(
      fields: fields, columns: plain.columns.map(dictionaryLayout), rowCount: 500)
    for encodings in [[ParquetColumnOptions.Encoding.dictionary, .plain], [.plain, .dictionary]] {
      let bytes = try parquet([batch, plain], options: encodings.map { .init(encoding: $0) })
      let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
      for group in 0..<2 {
        let columns = try reader.read(rowGroup: group, columns: [0, 1], rows: [0..<500], asDictionary: true)
        for (index, column) in columns.enumerated() {
          #expect(values(column) == values(plain.columns[index]))
          var isDictionary = false
          if case .dictionary = column.storage { isDictionary = true }
          #expect(isDictionary == (encodings[index] == .dictionary))
          #expect(reader.rowGroups[group].columns[index].isDictionary == isDictionary)
        }
      }
    }
    _ = random.next()
  }

  /// Rows are given with the dictionary of the row group they came from: values of other rows are not theirs.
  @Test func valuesThatNoRowHasAreNotWritten() throws {
    let fields = [Field("level", .utf8, isNullable: true)]
    let words = ["alpha", "secret-of-another", "beta", "gamma-of-another"]
    var starts: [Int32] = [0]
    for word in words { starts.append(starts[starts.count - 1] + Int32(word.utf8.count)) }
    func column(_ indices: [Int32], validity: UInt8?) -> Column {
      Column(
        type: .utf8, rowCount: indices.count, validity: validity.map { Buffer(copying: [$0]) },
        storage: .dictionary(
          indices: Buffer(copying: indices), offsets: Buffer(copying: starts),
          bytes: Buffer(copying: words.flatMap(\.utf8)), valueCount: 4))
    }
    let cases: [([Int32], UInt8?, [Value])] = [
      ([2, 0, 2], nil, ["beta", "alpha", "beta"].map { .bytes(Array($0.utf8)) }),
      // A null row's index counts for nothing.
      ([2, 1, 0], 0b101, [.bytes(Array("beta".utf8)), .null, .bytes(Array("alpha".utf8))]),
      ([1, 3], 0, [.null, .null]),
    ]
    for (indices, validity, expected) in cases {
      let batch = RecordBatch(
        fields: fields, columns: [column(indices, validity: validity)], rowCount: indices.count)
      let bytes = try parquet([batch], options: [.init(encoding: .dictionary)])
      #expect(!String(decoding: bytes, as: UTF8.self).contains("of-another"))
      let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
      let read = try reader.read(rowGroup: 0, columns: [0], rows: [0..<indices.count], asDictionary: true)
      #expect(values(read[0]) == expected)
    }
  }

  @Test func boundsAndNullCounts() throws {
    let fields = [
      Field("t", .timestamp, isNullable: false), Field("n", .int64, isNullable: true),
      Field("f", .float64, isNullable: false), Field("s", .utf8, isNullable: true),
    ]
    let batch = RecordBatch(
      fields: fields,
      columns: [
        column(.timestamp, [.int(5), .int(9)]), column(.int64, [.null, .int(-3)]),
        column(.float64, [.double((2.5).bitPattern), .double((-1).bitPattern)]),
        column(.utf8, [.bytes(Array("b".utf8)), .bytes(Array("a".utf8))]),
      ], rowCount: 2)
    let reader = try ParquetReader(Buffer(copying: try parquet([batch])), verifyChecksums: true)
    let infos = reader.rowGroups[0].columns
    #expect(infos[0].int64Bounds == 5...9)
    #expect(infos[1].int64Bounds == -3...(-3))
    #expect(infos[1].nullCount == 1 && infos[0].nullCount == 0)
    #expect(infos[2].float64Bounds == -1...2.5)
    #expect(infos[3].textBounds?.min == Array("a".utf8) && infos[3].textBounds?.max == Array("b".utf8))
  }

  @Test func bloomFiltersFindWhatIsThere() throws {
    let fields = [
      Field("id", .uuid, isNullable: false), Field("trace", .utf8, isNullable: true),
      Field("none", .utf8, isNullable: true),
    ]
    func id(_ number: Int) -> [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: number >> ($0 * 3)) &* 31 } }
    let traces = (0..<4000).map { Value.bytes(Array("trace-\($0)".utf8)) }
    let batch = RecordBatch(
      fields: fields,
      columns: [
        column(.uuid, (0..<4000).map { .bytes(id($0)) }), column(.utf8, traces), column(.utf8, traces),
      ],
      rowCount: 4000)
    let bytes = try parquet(
      [batch],
      options: [
        .init(encoding: .plain, bloomDistinctCount: 4000),
        .init(encoding: .dictionary, bloomDistinctCount: 4000), .init(encoding: .dictionary),
      ], rowsPerPage: 512)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    var falsePositives = 0
    for number in 0..<4000 {
      #expect(reader.bloomMayContain(rowGroup: 0, column: 0, text: id(number)))
      #expect(reader.bloomMayContain(rowGroup: 0, column: 1, text: Array("trace-\(number)".utf8)))
      let absent = Array("trace-\(number + 10_000)".utf8)
      falsePositives += reader.bloomMayContain(rowGroup: 0, column: 1, text: absent) ? 1 : 0
      #expect(reader.bloomMayContain(rowGroup: 0, column: 2, text: absent))
    }
    #expect(falsePositives < 240, "3 % of 4000, with room")
  }

  @Test func embeddedBytesLieWhereTheyShould() throws {
    var random = SeededGenerator(seed: 3)
    let sink = ByteSink()
    let batch = sampleBatch(rowCount: 300, using: &random)
    let options = sampleFields.map {
      ParquetColumnOptions(
        encoding: encoding(for: $0.type), bloomDistinctCount: $0.type == .utf8 ? 300 : nil)
    }
    let writer = try ParquetWriter(
      fields: sampleFields, options: options, sortedBy: ["timestamp_all"], rowsPerPage: 64, sink: sink.take)
    try writer.writeRowGroup(batch)
    try writer.writeRowGroup(batch)
    let index = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let offset = try writer.embed(index)
    try writer.finish(metadata: [("cordwood.index", "\(offset) \(index.count)")])
    let bytes = sink.bytes
    #expect(Array(bytes[offset..<offset + index.count]) == index)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    try reader.verify()
    let columns = try reader.read(
      rowGroup: 1, columns: Array(sampleFields.indices), rows: [10..<20, 200..<300], asDictionary: false)
    for (got, written) in zip(columns, batch.columns) {
      #expect(values(got) == Array(values(written)[10..<20] + values(written)[200..<300]))
    }
    for value in values(batch.columns[7]) {
      guard case .bytes(let text) = value else { continue }
      #expect(reader.bloomMayContain(rowGroup: 1, column: 7, text: text))
    }
  }

  @Test func manyTasksReadOneFile() async throws {
    var random = SeededGenerator(seed: 12)
    let batches = (0..<2).map { _ in sampleBatch(rowCount: 400, using: &random) }
    let reader = try ParquetReader(Buffer(copying: try parquet(batches)), verifyChecksums: true)
    let wanted = batches.map { batch in batch.columns.map { Array(values($0)[90..<310]) } }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for task in 0..<16 {
        group.addTask {
          let columns = try reader.read(
            rowGroup: task % 2, columns: Array(sampleFields.indices), rows: [90..<310],
            asDictionary: task % 4 < 2)
          return columns.map(values) == wanted[task % 2]
        }
      }
      for try await isEqual in group { #expect(isEqual) }
    }
  }

  @Test func noRowsAndNoRanges() throws {
    var random = SeededGenerator(seed: 4)
    let batch = sampleBatch(rowCount: 10, using: &random)
    let reader = try ParquetReader(Buffer(copying: try parquet([batch])), verifyChecksums: true)
    for ranges in [[], [3..<3]] as [[Range<Int>]] {
      for asDictionary in [false, true] {
        let columns = try reader.read(
          rowGroup: 0, columns: Array(sampleFields.indices), rows: ranges, asDictionary: asDictionary)
        #expect(columns.allSatisfy { $0.rowCount == 0 })
      }
    }
    #expect(throws: ColumnarError.self) {
      _ = try reader.read(rowGroup: 0, columns: [0], rows: [5..<11], asDictionary: false)
    }
    #expect(throws: ColumnarError.self) {
      _ = try reader.read(rowGroup: 0, columns: [0], rows: [5..<6, 5..<7], asDictionary: false)
    }
  }

  @Test(arguments: [0, 3, 500, 3000]) func aFailingSinkIsAnError(limit: Int) throws {
    var random = SeededGenerator(seed: 6)
    let sink = ByteSink(limit: limit)
    let batch = sampleBatch(rowCount: 200, using: &random)
    #expect(throws: ColumnarError.sink) {
      let writer = try ParquetWriter(
        fields: sampleFields, options: sampleFields.map { _ in .init(encoding: .dictionary) }, sortedBy: [],
        rowsPerPage: 64, sink: sink.take)
      try writer.writeRowGroup(batch)
      try writer.finish(metadata: [])
    }
  }

  @Test func anAbandonedFileHasNoFooter() throws {
    var random = SeededGenerator(seed: 8)
    let sink = ByteSink()
    var writer: ParquetWriter? = try ParquetWriter(
      fields: sampleFields, options: sampleFields.map { .init(encoding: encoding(for: $0.type)) },
      sortedBy: [], rowsPerPage: 64, sink: sink.take)
    try writer?.writeRowGroup(sampleBatch(rowCount: 50, using: &random))
    let written = sink.bytes.count
    writer = nil
    #expect(sink.bytes.count == written)
    #expect(throws: ColumnarError.self) {
      _ = try ParquetReader(Buffer(copying: sink.bytes), verifyChecksums: true)
    }
  }

  @Test func columnNamesMayHoldAnything() throws {
    let fields = ["a.b", "a.b.c", "ü \"x\"", "labels.a:b"].map { Field($0, .utf8, isNullable: true) }
    let rows: [Value] = [.bytes([0x78]), .null, .bytes([])]
    let batch = RecordBatch(
      fields: fields, columns: fields.map { _ in column(.utf8, rows) }, rowCount: 3)
    let options = fields.map { _ in ParquetColumnOptions(encoding: .dictionary, bloomDistinctCount: 10) }
    let reader = try ParquetReader(
      Buffer(copying: try parquet([batch], options: options)), verifyChecksums: true)
    #expect(reader.fields == fields)
    #expect(!reader.bloomMayContain(rowGroup: 0, column: 1, text: [0x79]))
    let got = try reader.read(rowGroup: 0, columns: [0, 1, 2, 3], rows: [0..<3], asDictionary: true)
    #expect(got.allSatisfy { values($0) == rows })
  }
}
