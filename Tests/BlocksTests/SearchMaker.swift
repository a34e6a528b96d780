import Foundation
import Records
import TestKit

@testable import Blocks

/// Makes searches as the APIs ask them: one pattern over several text columns, cut from what the rows have.
enum SearchMaker {
  static func columns(_ dataset: Dataset) -> [ColumnPath] {
    dataset.schema.fields.filter { $0.type.isText }.map { ColumnPath($0.name) }
  }

  /// A piece of some text of the rows, in any case.
  static func needle(rows: RecordBatch, _ dataset: Dataset, _ generator: inout SeededGenerator) -> String {
    for _ in 0..<50 {
      let path = columns(dataset).randomElement(using: &generator) ?? ColumnPath("user_id")
      let row = Int.random(in: 0..<rows.rowCount, using: &generator)
      guard let text = PlainRow.value(of: rows.existing(path.column).plainText(), row), !text.isEmpty else {
        continue
      }
      let characters = Array(text)
      let start = Int.random(in: 0..<characters.count, using: &generator)
      let length = Int.random(in: 1...8, using: &generator)
      let piece = String(characters[start..<min(characters.count, start + length)])
      return [piece, piece, piece.uppercased(), piece + "z"].randomElement(using: &generator) ?? piece
    }
    return "x"
  }

  static func predicate(
    rows: RecordBatch, _ dataset: Dataset, _ generator: inout SeededGenerator
  ) -> Records.Predicate {
    let needles = (0..<2).map { _ in needle(rows: rows, dataset, &generator) }
    let escaped = needles.map { NSRegularExpression.escapedPattern(for: $0) }
    let paths =
      generator.chance(oneIn: 3)
      ? [columns(dataset).randomElement(using: &generator) ?? ColumnPath("user_id")] : columns(dataset)
    let kind = Int.random(in: 0..<5, using: &generator)
    let parts = paths.map { path -> Records.Predicate in
      switch kind {
      case 0: .contains(path, needle: needles[0], ignoreCase: generator.chance(oneIn: 2))
      case 1: .regex(path, pattern: escaped.joined(separator: "|"), ignoreCase: true)
      case 2: .word(path, needles[0])
      case 3: .regex(path, pattern: escaped[0] + "[a-z ]*" + escaped[1], ignoreCase: true)
      default: .regex(path, pattern: escaped[0], ignoreCase: true)
      }
    }
    let time = rows.existing("timestamp").int64Values.randomElement(using: &generator) ?? 0
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: return .not(.or(parts))
    case 1: return .and([.or(parts), .not(.compare(ColumnPath("timestamp"), .less, .timestamp(time)))])
    case 2: return .or(parts + [.compare(ColumnPath("timestamp"), .greater, .timestamp(time))])
    default: return .or(parts)
    }
  }
}
