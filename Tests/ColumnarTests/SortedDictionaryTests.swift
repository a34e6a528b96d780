import TestKit
import Testing

@testable import Records

@Suite struct SortedDictionaryTests {
  private static func dictionary(_ values: [String], rows: [Int?]) -> Column {
    var (offsets, bytes): ([Int32], [UInt8]) = ([0], [])
    for value in values {
      bytes += Array(value.utf8)
      offsets.append(Int32(bytes.count))
    }
    var bits = BitBuilder()
    for row in rows { bits.append(row != nil) }
    return Column(
      type: .utf8, rowCount: rows.count, validity: rows.contains(nil) ? bits.finishBits() : nil,
      storage: .dictionary(
        // A null row's index may be any number.
        indices: Buffer(copying: rows.map { Int32($0 ?? 1_000_000) }), offsets: Buffer(copying: offsets),
        bytes: Buffer(copying: bytes), valueCount: values.count))
  }

  private static func values(_ column: Column) -> [String] {
    column.withDictionary { _, starts, text in
      (0..<starts.count - 1).map { value in
        String(decoding: (Int(starts[value])..<Int(starts[value + 1])).map { text[$0] }, as: UTF8.self)
      }
    }
  }

  private static func rows(_ column: Column) -> [String?] {
    let values = values(column)
    return column.withDictionary { keys, _, _ in
      keys.indices.map { column.isValid($0) ? values[Int(keys[$0])] : nil }
    }
  }

  @Test(arguments: 0..<20) func rowsStayAndValuesRise(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let shared = ["", "https://example.org/", "é"].randomElement(using: &random) ?? ""
    let values = Set(
      (0..<Int.random(in: 2...400, using: &random)).map { _ in
        shared
          + (0..<Int.random(in: 0...8, using: &random)).map { _ in
            ["a", "b", "\u{0}", "z"].randomElement(using: &random) ?? ""
          }.joined()
      }
    ).shuffled(using: &random)
    let rows = (0..<1_000).map { _ in
      random.chance(oneIn: 9) ? nil : Int.random(in: 0..<values.count, using: &random)
    }
    let column = Self.dictionary(values, rows: rows)
    let sorted = column.withSortedDictionary(above: 1)
    #expect(Self.rows(sorted) == Self.rows(column))
    #expect(Set(Self.values(sorted)) == Set(values) && Self.values(sorted).count == values.count)
    // By the bytes behind what all share, shorter ones filled up with zeros.
    let keys = Self.values(sorted).map { Array($0.utf8) + [UInt8](repeating: 0, count: 40) }
    let compared = keys.map { Array($0.prefix(shared.utf8.count + 8)) }
    #expect(
      compared.indices.dropFirst().allSatisfy { !compared[$0].lexicographicallyPrecedes(compared[$0 - 1]) })
  }

  @Test func smallAndPlainColumnsStayAsTheyAre() {
    let column = Self.dictionary(["b", "a"], rows: [0, 1])
    #expect(Self.values(column.withSortedDictionary(above: 2)) == ["b", "a"])
    #expect(Self.values(column.withSortedDictionary(above: 1)) == ["a", "b"])
    #expect(Column(int64: [3, 1]).withSortedDictionary(above: 0).rowCount == 2)
  }
}
