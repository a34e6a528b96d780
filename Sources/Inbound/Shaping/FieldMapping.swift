import Codecs
import Records

/// Which members of loggers' objects give columns, before the names that are known (``RecordShape``), and
/// what becomes of a record whose time cannot be read.
package struct FieldMapping: Sendable {
  /// The columns of the dataset `logs` that a member can give, as they are called there.
  package enum Column: String, Sendable, Hashable, CaseIterable {
    case message, timestamp, level, service, env
    case trace = "trace_id"
    case span = "span_id"
  }

  /// Names of a column.
  package static let namesMax = 16
  /// Bytes of a name; dots in it are four at most.
  package static let nameBytesMax = 256
  private static let dotsMax = 4

  /// Of each column the names, the first one first.
  private(set) var names: [(column: Column, names: [Name])] = []
  /// Whether a record that has a time which cannot be read is refused; else it has the time it came at.
  package var refusesUnreadTimes = false

  /// The known names alone.
  package init() {}

  package var isEmpty: Bool { names.isEmpty && !refusesUnreadTimes }
  package var hasNames: Bool { !names.isEmpty }

  /// What it says, as one text: no two say the same. Names have no NUL.
  package var text: String {
    names.map { "\($0.column.rawValue)\u{0}\($0.names.map(\.text).joined(separator: ","))\u{0}" }.joined()
      + (refusesUnreadTimes ? "refuse" : "")
  }

  /// - Parameter list: Names with commas between; a dot means a name with a dot in it, or a member of a
  ///   member.
  /// - Returns: What is wrong with it; nil: it stands in place of what was put there.
  package mutating func put(_ list: String, for column: Column) -> String? {
    let texts = list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard texts.count <= FieldMapping.namesMax else { return "more than \(FieldMapping.namesMax) names" }
    for text in texts {
      let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      guard parts.allSatisfy({ !$0.isEmpty }) else { return "an empty name" }
      guard text.utf8.count <= FieldMapping.nameBytesMax else {
        return "a name of more than \(FieldMapping.nameBytesMax) bytes"
      }
      guard text.utf8.count(where: { $0 == UInt8(ascii: ".") }) <= FieldMapping.dotsMax else {
        return "a name with more than \(FieldMapping.dotsMax) dots"
      }
    }
    names.removeAll { $0.column == column }
    names.append((column, texts.map { Name($0) }))
    return nil
  }
}
