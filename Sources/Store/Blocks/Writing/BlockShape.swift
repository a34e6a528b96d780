import Codecs
import Columnar
import Records

/// The columns of a block that is being written, and how rows become them.
struct BlockShape {
  /// Text in which hardly a value comes twice.
  private static let plainColumns: Set<String> = ["id", "trace_id", "span_id", "hash"]
  /// The most by which neighbouring values differ in DELTA_BINARY_PACKED, if none is less than the one before
  /// it; half of it if any may be: fastparquet misreads differences of 29 bits and more.
  private static let deltaMax: UInt64 = 1 << 28 - 1
  /// Distinct values of a row group up to which a column is written as a dictionary.
  private static let dictionaryValuesMax = 32_768
  /// Dictionaries of more values are sorted; smaller ones take next to nothing.
  private static let sortedValuesMin = 256

  let schema: DatasetSchema
  /// Of the file.
  let fields: [Field]
  private(set) var members: [MemberColumn]
  private let positionEncoding: ParquetColumnOptions.Encoding
  private let timeEncoding: ParquetColumnOptions.Encoding
  private let shredders: [String: ObjectShredder]
  private var options: [ParquetColumnOptions] = []

  /// - Parameters:
  ///   - positionSpan: See ``BlockRowSource``.
  ///   - timeGapMax: The same.
  init(
    schema: DatasetSchema, census: [String: MemberCensus], layout: BlockLayout, positionSpan: UInt64,
    timeGapMax: UInt64?
  ) {
    self.schema = schema
    positionEncoding = positionSpan <= BlockShape.deltaMax / 2 ? .delta : .plain
    // In microseconds, rounded down, they may differ by one more.
    let gap = timeGapMax.map { $0 / 1_000 + 1 } ?? .max
    timeEncoding = gap <= BlockShape.deltaMax ? .delta : .plain
    var fields: [Field] = []
    var members: [MemberColumn] = []
    var shredders: [String: ObjectShredder] = [:]
    for field in schema.fields {
      fields += StoredForm.fields(of: field)
      guard field.type == .json else { continue }
      let chosen = (census[field.name] ?? MemberCensus()).members(columnsMax: layout.memberColumnsMax)
      shredders[field.name] = ObjectShredder(members: chosen)
      for column in MemberNames.columns(of: field.name, chosen) {
        members.append(column)
        fields.append(Field(column.physicalName, column.type, isNullable: true))
      }
    }
    self.fields = fields
    self.members = members
    self.shredders = shredders
  }

  /// A row group as it is written, and the parts the index is made of.
  struct Group {
    var batch: RecordBatch
    /// Per object column: text members and rest.
    var objects: [(name: String, members: [Column], rest: Column)]
  }

  /// Takes the objects of `rows` (all columns of the schema) apart and gives columns with few values
  /// dictionary layout, dictionaries of values that rows have: all else the index is made of comes from them.
  mutating func group(_ rows: RecordBatch) -> Group {
    var columns: [Column] = []
    var objects: [(name: String, members: [Column], rest: Column)] = []
    for field in schema.fields {
      let column = rows.existing(field.name)
      guard let shredder = shredders[field.name] else {
        columns += StoredForm.columns(of: column, named: field.name).map { encoded($0, named: field.name) }
        continue
      }
      let shredded = shredder.shred(column)
      let rest = DictionaryEncoder.encode(shredded.rest, valuesMax: BlockShape.dictionaryValuesMax)
      columns.append(rest)
      var parts: [Column] = []
      for (index, member) in shredder.members.enumerated() {
        count(shredded.restCounts[index], for: member.name, of: field.name)
        for part in shredded.columns[index] {
          let column = part.type == .utf8 ? encoded(part, named: nil) : part
          columns.append(column)
          parts.append(column)
        }
      }
      objects.append((field.name, parts, rest))
    }
    let batch = RecordBatch(fields: fields, columns: columns, rowCount: rows.rowCount)
    return Group(batch: batch, objects: objects)
  }

  private func encoded(_ column: Column, named name: String?) -> Column {
    guard column.type == .utf8 else { return column }
    if let name, isPlain(name) { return column.plainText() }
    // A dictionary that came with the rows may have values of rows that deletions hide.
    return DictionaryEncoder.encode(column.withUsedValuesOnly(), valuesMax: BlockShape.dictionaryValuesMax)
      .withSortedDictionary(above: BlockShape.sortedValuesMin)
  }

  private func isPlain(_ name: String) -> Bool {
    name == schema.primaryText || BlockShape.plainColumns.contains(name)
  }

  private mutating func count(_ rows: Int, for member: String, of field: String) {
    guard rows > 0 else { return }
    for index in members.indices
    where members[index].field == field && members[index].member.hasBytes(of: member) {
      members[index].restCount += rows
    }
  }

  /// What the rows are sorted by.
  var sortColumns: [String] {
    (schema.sortKey + ["position"]).flatMap { name in
      schema.field(name).map { StoredForm.fields(of: $0).map(\.name) } ?? []
    }
  }

  /// How each column is stored, told by the first row group.
  func options(first: RecordBatch) -> [ParquetColumnOptions] {
    zip(fields, first.columns).map { field, column in
      switch field.type {
      case .timestamp, .uuid: bug("forms that files have no more")
      case .int64:
        if field.name.hasBytes(of: "position") { return ParquetColumnOptions(encoding: positionEncoding) }
        guard schema.field(field.name)?.type == .timestamp else {
          return ParquetColumnOptions(encoding: .dictionary)
        }
        return ParquetColumnOptions(
          encoding: field.name.hasBytes(of: "timestamp") ? timeEncoding : .plain, isMicroseconds: true)
      case .bool: return ParquetColumnOptions(encoding: .plain)
      case .json: return ParquetColumnOptions(encoding: .dictionary)
      case .float64: return ParquetColumnOptions(encoding: .dictionary, content: .numbers)
      case .utf8:
        // A dictionary of nearly every row's value would only be in the way of those who want one row.
        let isPlain = isPlain(field.name) || BlockShape.isMostlyDistinct(column)
        let bloom = schema.bloomColumns.contains(field.name) ? BlockShape.distinctCount(column) : nil
        return ParquetColumnOptions(
          encoding: isPlain ? .plain : .dictionary,
          content: BlockShape.plainColumns.contains(field.name) ? .random : .mixed, bloomDistinctCount: bloom)
      }
    }
  }

  /// Whether a dictionary would hold over half of the values.
  private static func isMostlyDistinct(_ column: Column) -> Bool {
    let distinct =
      if case .dictionary(_, _, _, let values) = column.storage { values } else { distinctCount(column) }
    return distinct > max(column.rowCount / 2, 256)
  }

  /// Distinct values, and a tenth more for row groups to come, which hardly have more rows; at least 64.
  private static func distinctCount(_ column: Column) -> Int {
    var count = column.rowCount
    let encoded = DictionaryEncoder.encode(column, valuesMax: 1 << 20)
    if case .dictionary(_, _, _, let values) = encoded.storage { count = values }
    return max(64, min(count + count / 10, column.rowCount))
  }
}
