import Codecs
import Records
import TestKit
import Testing

/// Texts and their numbers, against a plain dictionary of Swift's.
struct TextNumbersTests {
  /// Numbers by first coming, as they must be.
  private struct Model {
    var numbers: [[UInt8]?: Int32] = [:]

    mutating func number(_ text: [UInt8]?) -> Int32 {
      if let known = numbers[text] { return known }
      let number = Int32(numbers.count)
      numbers[text] = number
      return number
    }
  }

  private static func text(_ choices: Int, _ generator: inout SeededGenerator) -> [UInt8]? {
    let choice = Int.random(in: 0..<choices, using: &generator)
    if choice == 0 { return nil }
    if choice == 1 { return [] }
    // Lengths around the eight bytes that are compared at once; equal starts.
    return Array(repeating: UInt8(ascii: "a"), count: choice % 19) + Array("\(choice)".utf8)
  }

  private static func column(_ texts: [[UInt8]?], isDictionary: Bool) -> Column {
    var builder = TextBuilder()
    for text in texts {
      if let text {
        builder.append(contentsOf: text.span)
        builder.endRow()
      } else {
        builder.appendNull()
      }
    }
    let plain = builder.finish()
    return isDictionary ? DictionaryEncoder.encode(plain, valuesMax: 100_000) : plain
  }

  private static func batch(_ column: Column) -> RecordBatch {
    RecordBatch(
      fields: [Field("text", .utf8, isNullable: true)], columns: [column], rowCount: column.rowCount)
  }

  @Test(arguments: 1...30) func numbersAreThoseOfAPlainDictionary(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let choices = [3, 40, 5_000][Int(seed) % 3]
    var table = TextNumbers()
    var model = Model()
    var numbers: [Int32] = []
    for _ in 0..<12 {
      let texts = (0..<Int.random(in: 1...700, using: &generator)).map { _ in
        TextNumbersTests.text(choices, &generator)
      }
      let column = TextNumbersTests.column(texts, isDictionary: generator.chance(oneIn: 2))
      let whole = TextNumbersTests.batch(column)
      // In batches that share the dictionary, or as one, sometimes twice.
      let step = generator.chance(oneIn: 2) ? 8 * Int.random(in: 1...20, using: &generator) : texts.count
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        for start in stride(from: 0, to: texts.count, by: step) {
          let rows = start..<min(start + step, texts.count)
          numbers = [Int32](repeating: 0, count: rows.count)
          let before = table.byteCount
          let part = whole.slice(rows).columns[0]
          let room = table.growth(adding: rows.count, textBytes: part.textByteCount(0..<rows.count))
          table.number(part, into: &numbers)
          #expect(table.byteCount <= before + room)
          #expect(numbers.map { table.text(Int($0)) } == Array(texts[rows]))
          for text in texts[rows] { _ = model.number(text) }
        }
      }
      if generator.chance(oneIn: 4) { table.forgetDictionary() }
    }
    #expect(table.count == model.numbers.count)
    #expect(table.textByteCount == model.numbers.keys.reduce(0) { $0 + ($1?.count ?? 0) })
  }

  @Test(arguments: 1...30) func mergingKeepsTexts(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var whole = TextNumbers()
    var expected: Set<[UInt8]?> = []
    for _ in 0..<4 {
      let texts = (0..<Int.random(in: 0...900, using: &generator)).map { _ in
        TextNumbersTests.text(2_000, &generator)
      }
      expected.formUnion(texts)
      var part = TextNumbers()
      var numbers = [Int32](repeating: 0, count: texts.count)
      part.number(TextNumbersTests.column(texts, isDictionary: true), into: &numbers)
      let (before, room) = (
        whole.byteCount, whole.growth(adding: part.count, textBytes: part.textByteCount)
      )
      let merged = whole.merge(part)
      #expect(whole.byteCount <= before + room)
      #expect(merged.count == part.count)
      for (own, number) in merged.enumerated() { #expect(whole.text(Int(number)) == part.text(own)) }
    }
    #expect(whole.count == expected.count)
  }

  @Test func nullIsNoText() {
    var table = TextNumbers()
    var numbers: [Int32] = [0, 0, 0, 0]
    table.number(TextNumbersTests.column([nil, [], [0], nil], isDictionary: true), into: &numbers)
    #expect(Set(numbers).count == 3 && numbers[0] == numbers[3])
    #expect(table.text(Int(numbers[0])) == nil && table.text(Int(numbers[1])) == [])
    var other = TextNumbers()
    #expect(other.numberOfNull() == 0)
    #expect(table.merge(other) == [numbers[0]])
  }
}
