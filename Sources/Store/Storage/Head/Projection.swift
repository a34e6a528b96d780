import Codecs
import Records

/// Makes the columns a scan is asked for out of the dataset's own.
package struct Projection: Sendable {
  /// The columns that are made.
  package let outputs: [OutputColumn]
  /// The columns of the schema it needs, in the order ``apply(_:)`` wants them.
  package let columns: [String]
  private let sources: [Int]

  /// Finds out what the columns are made of.
  package init(_ outputs: [OutputColumn]) {
    self.outputs = outputs
    var columns: [String] = []
    sources = outputs.map { output in
      if let index = columns.firstIndex(of: output.path.column) { return index }
      columns.append(output.path.column)
      return columns.count - 1
    }
    self.columns = columns
  }

  /// - Parameter batch: The columns ``columns`` of the schema.
  package func apply(_ batch: RecordBatch) -> RecordBatch {
    let columns = zip(outputs, sources).map { output, source in
      let column = batch.columns[source]
      if !output.path.members.isEmpty {
        return MemberColumns.extract(column, output)
      }
      return output.type == column.type ? column : column.asText()
    }
    return RecordBatch(outputs: outputs, columns: columns, rowCount: batch.rowCount)
  }
}

extension Column {
  /// The values as text, the way answers print them: what groups are made by.
  func asText() -> Column {
    if type.isText {
      return Column(type: .utf8, rowCount: rowCount, validity: validity, storage: storage)
    }
    var builder = TextBuilder(capacity: rowCount)
    func build(_ write: (Int, inout TextBuilder) -> Void) {
      let valid = withValidity { bits in
        var valid = [Bool](repeating: true, count: rowCount)
        if let bits {
          for row in 0..<rowCount { valid[row] = bits[row >> 3] & (1 << UInt8(row & 7)) != 0 }
        }
        return valid
      }
      for row in 0..<rowCount {
        guard valid[row] else {
          builder.appendNull()
          continue
        }
        write(row, &builder)
        builder.endRow()
      }
    }
    switch type {
    case .int64: withInt64 { values in build { $1.append(contentsOf: String(values[$0])) } }
    case .timestamp: withInt64 { values in build { $1.append(contentsOf: RFC3339.string(values[$0])) } }
    case .float64:
      withFloat64 { values in build { $1.append(contentsOf: JSONNumber.format(values[$0])) } }
    case .bool:
      withBits { bits in
        build { $1.append(contentsOf: bits[$0 >> 3] & (1 << UInt8($0 & 7)) != 0 ? "true" : "false") }
      }
    case .uuid:
      withUUIDs { bytes in
        build { row, builder in
          var text: [UInt8] = []
          UUIDv7.appendText(bytes.extracting(row * 16..<row * 16 + 16), to: &text)
          builder.append(contentsOf: text.span)
        }
      }
    case .utf8, .json: break
    }
    return builder.finish()
  }
}
