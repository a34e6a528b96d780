import Codecs
import Records

/// How often the members of one object column were met, by type, in some rows of a block to be.
///
/// Bounded: at most ``namesMax`` names are known at a time; when a client invents new ones without end, those
/// seen least are forgotten.
package struct MemberCensus: Sendable {
  static let namesMax = 16_384
  static let nameBytesMax = 256
  static let types: [ColumnType] = [.int64, .float64, .bool, .utf8]

  /// Rows by name, one count for each of ``types``.
  private var counts: [Name: [Double]] = [:]
  private var rowCount = 0.0
  private var forgottenMax = 1.0

  /// Nothing seen yet.
  package init() {}

  /// Counts the members of the rows of a `json` column, each as `weight` rows.
  package mutating func add(_ object: Column, weight: Double = 1) {
    rowCount += Double(object.rowCount) * weight
    count(object, weight: weight)
  }

  /// Counts the rest of an object column whose other members come through ``add(_:type:rowCount:)``; the rows
  /// through
  /// ``addRows(_:)``.
  mutating func count(_ object: Column, weight: Double) {
    let object = object.plainText()
    object.withText { offsets, bytes in
      for row in 0..<object.rowCount {
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        if text.isEmpty { continue }
        var members = JSONMembers(text)
        while members.next(text) {
          guard members.key.count <= MemberCensus.nameBytesMax,
            let type = MemberCensus.type(of: text, members.value, members.kind)
          else { continue }
          let name = members.keyText(text)
          if name.utf8.count <= MemberCensus.nameBytesMax { add(name, type: type, rowCount: weight) }
        }
      }
    }
  }

  mutating func addRows(_ count: Int) { rowCount += Double(count) }

  /// Counts `rowCount` rows that have a value of `type` for the member of this name.
  mutating func add(_ text: String, type: ColumnType, rowCount: Double) {
    let name = Name(text)
    guard let index = MemberCensus.types.firstIndex(of: type) else { return }
    if let known = counts.index(forKey: name) {
      counts.values[known][index] += rowCount
      return
    }
    if counts.count >= MemberCensus.namesMax {
      while counts.count >= MemberCensus.namesMax {
        counts = counts.filter { $0.value.reduce(0, +) > forgottenMax }
        forgottenMax += 1
      }
    }
    var rows = [Double](repeating: 0, count: MemberCensus.types.count)
    rows[index] = rowCount
    counts[name] = rows
  }

  mutating func formUnion(_ other: MemberCensus) {
    rowCount += other.rowCount
    for (name, rows) in other.counts {
      for (index, count) in rows.enumerated() where count > 0 {
        add(name.text, type: MemberCensus.types[index], rowCount: count)
      }
    }
  }

  /// The members to make columns of, most frequent first, each with its types, most frequent first: those
  /// that one row in a hundred has, and two rows at least; at most `columnsMax` columns.
  func members(columnsMax: Int) -> [ShredMember] {
    let least = max(2, rowCount / 100)
    var found: [(name: Name, type: ColumnType, rows: Double)] = []
    for (name, rows) in counts {
      for (index, count) in rows.enumerated() where count >= least {
        found.append((name, MemberCensus.types[index], count))
      }
    }
    // Ties are broken by name and type, so that equal rows make equal files.
    found.sort {
      ($1.rows, $0.name, $0.type.rawValue) < ($0.rows, $1.name, $1.type.rawValue)
    }
    var order: [Name] = []
    var types: [Name: [ColumnType]] = [:]
    for entry in found.prefix(columnsMax) {
      if types[entry.name] == nil { order.append(entry.name) }
      types[entry.name, default: []].append(entry.type)
    }
    return order.compactMap { name in types[name].map { ShredMember(name: name.text, types: $0) } }
  }

  private static func type(of text: Span<UInt8>, _ value: Range<Int>, _ kind: JSONKind) -> ColumnType? {
    switch kind {
    case .string: return .utf8
    case .true, .false: return .bool
    case .object, .array, .null: return nil
    case .number:
      switch JSONNumber.typed(text.extracting(value)) {
      case .int64: return .int64
      case .float64: return .float64
      case .other: return nil
      }
    }
  }
}
