import Codecs
import TestKit
import Testing

@testable import Records

/// Parts of batches that share memory, against parts that are copied.
struct SlicingTests {
  private static func batch(_ rowCount: Int, nulls: Int, _ generator: inout SeededGenerator) -> RecordBatch {
    var numbers = FixedBuilder<Int64>()
    var fractions = FixedBuilder<Double>()
    var texts = TextBuilder()
    for row in 0..<rowCount {
      if nulls > 0, generator.chance(oneIn: nulls) {
        numbers.appendNull(placeholder: 0)
        fractions.appendNull(placeholder: 0)
        texts.appendNull()
      } else {
        numbers.append(Int64(row))
        fractions.append(Double(row) / 3)
        texts.appendRow(String(repeating: "x", count: row % 5) + "\(row % 3)")
      }
    }
    let plain = texts.finish()
    let fields = [
      Field("n", .int64, isNullable: true), Field("f", .float64, isNullable: true),
      Field("t", .utf8, isNullable: true), Field("d", .utf8, isNullable: true),
    ]
    let columns = [
      numbers.finish(type: .int64), fractions.finish(type: .float64), plain,
      DictionaryEncoder.encode(plain, valuesMax: 100),
    ]
    return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
  }

  @Test(arguments: 1...20) func partsAreThoseThatAreCopied(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let count = Int.random(in: 200...500, using: &generator)
    let batch = SlicingTests.batch(count, nulls: [0, 2, 3, 9][Int(seed) % 4], &generator)
    for _ in 0..<20 {
      let start = Int.random(in: 0...count / 8, using: &generator) * 8
      let range = start..<Int.random(in: start...max(start, count), using: &generator)
      if range.upperBound > count { continue }
      let slice = batch.slice(range)
      #expect(PlainRow.rows(of: slice) == PlainRow.rows(of: batch.rows(range)))
      #expect(slice.columns[3].sharesDictionary(with: batch.columns[3]))
      let runs = SlicingTests.runs(range.count, &generator)
      let picked = slice.picked(runs)
      let copied = RecordBatch.gather(
        [slice], runs: runs.map { RowRun(source: 0, start: $0.lowerBound, count: $0.count) })
      #expect(PlainRow.rows(of: picked) == PlainRow.rows(of: copied))
      #expect(picked.columns[3].sharesDictionary(with: batch.columns[3]))
    }
  }

  private static func runs(_ count: Int, _ generator: inout SeededGenerator) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var at = 0
    while at < count {
      let start = min(count, at + Int.random(in: 0...3, using: &generator))
      at = min(count, start + Int.random(in: 1...9, using: &generator))
      if start < at { runs.append(start..<at) }
    }
    return runs
  }

  @Test func equalDictionariesAreNotOne() {
    var generator = SeededGenerator(seed: 1)
    let one = SlicingTests.batch(40, nulls: 0, &generator).columns
    let other = SlicingTests.batch(40, nulls: 0, &generator).columns
    #expect(one[3].sharesDictionary(with: one[3]) && !one[3].sharesDictionary(with: other[3]))
    #expect(!one[2].sharesDictionary(with: one[2]) && !one[3].sharesDictionary(with: one[2]))
  }
}
