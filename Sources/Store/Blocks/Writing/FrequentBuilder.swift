import Codecs
import Records

/// Gathers section 15 (``FrequentSection``) while a block is written. A row costs a nanosecond, a value of
/// a row group's dictionary some thirty.
struct FrequentBuilder {
  /// Different values of all columns, and their bytes: a column with more is left out, so that memory is
  /// bounded.
  private static let valuesMax = 1 << 18
  private static let bytesMax = 4 << 20

  private var columns: [Tally]
  /// By column, its place in a batch.
  private let indices: [Int]

  /// - Parameter fields: Of the batches to come: those of text are looked at, but the primary text and those
  ///   that are summed up by minute.
  init(fields: [Field], schema: DatasetSchema) {
    indices = fields.indices.filter { index in
      let name = fields[index].name
      return fields[index].type == .utf8 && schema.primaryText?.hasBytes(of: name) != true
        && !name.hasBytes(of: "id") && !schema.summaryColumns.contains(name)
    }
    columns = indices.map { Tally(name: fields[$0].name) }
  }

  /// Adds a row group: all columns of the file, in dictionary layout where they have few values; one with
  /// many is given up.
  mutating func add(_ batch: RecordBatch) {
    for (place, index) in indices.enumerated() where !columns[place].isGivenUp {
      columns[place].add(batch.columns[index])
      if columns.reduce(0, { $0 + $1.count }) > FrequentBuilder.valuesMax
        || columns.reduce(0, { $0 + $1.byteCount }) > FrequentBuilder.bytesMax
      {
        columns[place] = Tally(name: columns[place].name, isGivenUp: true)
      }
    }
  }

  /// The section, without columns where there is nothing to say.
  func finish() -> [UInt8] {
    var section = FrequentSection()
    for column in columns where !column.isGivenUp && column.count > 0 {
      section.columns.append(column.finish())
    }
    return section.encoded()
  }

  /// Rows by value of one column.
  private struct Tally {
    let name: String
    private(set) var isGivenUp = false
    private var nulls = 0
    /// Rows whose values are too long to be listed.
    private var longRows = 0
    /// The values listed, and the rows of each by its number.
    private var values = TextNumbers()
    private var rows: [Int] = []

    init(name: String, isGivenUp: Bool = false) {
      self.name = name
      self.isGivenUp = isGivenUp
    }

    /// Different values.
    var count: Int { rows.count }
    var byteCount: Int { values.textByteCount }

    mutating func add(_ column: Column) {
      guard case .dictionary(_, _, _, let valueCount) = column.storage else {
        // Only a column of nulls stays plain.
        let isEmpty = column.validity != nil && !column.validRows.contains(true)
        if isEmpty { nulls += column.rowCount } else { isGivenUp = true }
        return
      }
      var counts = [Int32](repeating: 0, count: valueCount)
      column.withDictionary { keys, offsets, text in
        column.withValidity { bits in
          var counts = counts.mutableSpan
          guard let bits else {
            for row in keys.indices { counts[Int(keys[row])] &+= 1 }
            return
          }
          for row in keys.indices {
            if bits[row >> 3] & (1 << UInt8(row & 7)) != 0 {
              counts[Int(keys[row])] &+= 1
            } else {
              nulls += 1
            }
          }
        }
        for key in counts.indices where counts[key] > 0 {
          add(text.extracting(Int(offsets[key])..<Int(offsets[key + 1])), rows: Int(counts[key]))
        }
      }
    }

    private mutating func add(_ text: Span<UInt8>, rows more: Int) {
      guard text.count <= FrequentSection.valueBytesMax else {
        longRows += more
        return
      }
      let number = Int(values.number(text))
      if number == rows.count { rows.append(more) } else { rows[number] += more }
    }

    func finish() -> FrequentSection.Column {
      let order = rows.indices.sorted { left, right in
        rows[left] != rows[right]
          ? rows[left] > rows[right] : values.compare(Int32(left), Int32(right)) < 0
      }
      let listed = order.prefix(FrequentSection.valuesMax)
      let next = order.count > listed.count ? rows[order[listed.count]] : 0
      return FrequentSection.Column(
        name: name, nulls: nulls,
        values: listed.map {
          FrequentSection.Value(
            text: String(decoding: values.text($0) ?? [], as: UTF8.self), rows: rows[$0])
        },
        othersMax: max(next, longRows))
    }
  }
}
