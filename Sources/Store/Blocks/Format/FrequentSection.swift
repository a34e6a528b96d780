import Codecs
import Records

/// The most frequent values of a block's text columns (section 15 of Docs/formats/block.md). Values are told
/// apart by their bytes.
struct FrequentSection: Sendable, Equatable {
  /// Values listed of a column.
  static let valuesMax = 64
  /// Longer values are not listed.
  static let valueBytesMax = 256

  struct Value: Sendable, Equatable {
    var text: String
    var rows: Int

    static func == (left: Value, right: Value) -> Bool {
      left.rows == right.rows && left.text.hasBytes(of: right.text)
    }
  }

  /// A column of the file.
  struct Column: Sendable, Equatable {
    var name: String
    /// Rows without a value.
    var nulls: Int
    /// The most frequent first.
    var values: [Value]
    /// What no value has more rows than that is not listed; 0: all are.
    var othersMax: Int
  }

  var columns: [Column] = []

  func column(_ name: String) -> Column? { columns.first { $0.name.hasBytes(of: name) } }

  func encoded() -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: columns.count)
    for column in columns {
      writer.append(text: column.name)
      writer.append(count: column.nulls)
      writer.append(count: column.othersMax)
      writer.append(count: column.values.count)
      for value in column.values {
        writer.append(text: value.text)
        writer.append(count: value.rows)
      }
    }
    return writer.bytes
  }

  init() {}

  /// - Parameter rowCount: Of the block.
  init(_ bytes: Buffer, rowCount: Int) throws(IndexError) {
    var reader = IndexReader(bytes)
    for _ in 0..<(try reader.count(max: 1 << 20)) {
      var column = Column(
        name: try reader.text(), nulls: try reader.count(max: rowCount), values: [], othersMax: 0)
      var left = rowCount - column.nulls
      column.othersMax = try reader.count(max: left)
      for _ in 0..<(try reader.count(max: FrequentSection.valuesMax)) {
        let value = Value(text: try reader.text(), rows: try reader.count(max: left))
        left -= value.rows
        column.values.append(value)
      }
      guard (left == 0) == (column.othersMax == 0), column.othersMax <= left else {
        throw reader.error("values of other rows")
      }
      columns.append(column)
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the values") }
  }
}
