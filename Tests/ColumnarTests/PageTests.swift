import Records
import TestKit
import Testing

@testable import Columnar

/// Pages that are read by themselves, without those before them.
@Suite struct PageTests {
  private static let fields = [
    Field("random", .utf8, isNullable: true), Field("few", .utf8, isNullable: false),
    Field("number", .int64, isNullable: false),
  ]

  private static func sample(rowCount: Int) throws -> (batch: RecordBatch, bytes: [UInt8]) {
    var random = SeededGenerator(seed: 8)
    let batch = RecordBatch(
      fields: fields,
      columns: [
        column(
          .utf8,
          (0..<rowCount).map { $0 % 7 == 0 ? .null : .bytes(Array("\(random.next()) \($0)".utf8)) }),
        column(.utf8, (0..<rowCount).map { .bytes(Array("value \($0 % 5)".utf8)) }),
        column(.int64, (0..<rowCount).map { .int(Int64($0)) }),
      ], rowCount: rowCount)
    let options = [
      ParquetColumnOptions(encoding: .plain), ParquetColumnOptions(encoding: .dictionary),
      ParquetColumnOptions(encoding: .delta),
    ]
    return (batch, try parquet([batch], options: options, rowsPerPage: 16))
  }

  @Test func everyRowAlone() throws {
    let (batch, bytes) = try Self.sample(rowCount: 1_000)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    for index in Self.fields.indices {
      let all = values(batch.columns[index])
      for row in 0..<1_000 {
        let got = try reader.read(rowGroup: 0, columns: [index], rows: [row..<row + 1], asDictionary: true)[0]
        #expect(values(got) == [all[row]], "\(Self.fields[index].name), row \(row)")
      }
      let ends = try reader.read(
        rowGroup: 0, columns: [index], rows: [0..<1, 15..<17, 500..<500, 999..<1_000], asDictionary: false)[0]
      #expect(values(ends) == [all[0], all[15], all[16], all[999]])
    }
  }

  /// A few rows do not bring the whole dictionary with them.
  @Test func fewRowsComePlain() throws {
    let (_, bytes) = try Self.sample(rowCount: 1_000)
    let reader = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true)
    for (count, isDictionary) in [(1, false), (15, false), (16, true), (1_000, true)] {
      let got = try reader.read(rowGroup: 0, columns: [1], rows: [0..<count], asDictionary: true)[0]
      if case .dictionary = got.storage { #expect(isDictionary) } else { #expect(!isDictionary) }
    }
  }

  /// Any bit of a page, its header included, is noticed by who reads the page, or changes nothing.
  @Test func damageOfAPageIsItsOwn() throws {
    let (batch, bytes) = try Self.sample(rowCount: 256)
    let chunk = try ParquetReader(Buffer(copying: bytes), verifyChecksums: true).rowGroups[0].columns[0]
    let all = values(batch.columns[0])
    var failures = 0
    for place in chunk.fileRange {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8(place % 8)
      let reader = try ParquetReader(Buffer(copying: damaged), verifyChecksums: true)
      var failed: [Int] = []
      for page in 0..<16 {
        let rows = page * 16..<page * 16 + 16
        do throws(ColumnarError) {
          let got = try reader.read(rowGroup: 0, columns: [0], rows: [rows], asDictionary: false)[0]
          #expect(values(got) == Array(all[rows]), "byte \(place)")
        } catch { failed.append(page) }
      }
      #expect(failed.count <= 1, "byte \(place)")
      failures += failed.count
    }
    // The statistics in page headers are not looked at.
    #expect(failures > chunk.fileRange.count * 9 / 10)
  }
}
