/// Rows of one dataset as columns of equal length. Immutable; copying shares memory.
package struct RecordBatch: Sendable {
  /// Name and type of each column, in order.
  package let fields: [Field]
  /// One column a field, each `rowCount` rows.
  package let columns: [Column]
  package let rowCount: Int

  package init(fields: [Field], columns: [Column], rowCount: Int) {
    invariant(fields.count == columns.count, "a column for each field")
    for (field, column) in zip(fields, columns) {
      invariant(
        column.rowCount == rowCount && column.type == field.type, "columns of the declared type and length")
    }
    self.fields = fields
    self.columns = columns
    self.rowCount = rowCount
  }

  /// The column named `name`, or nil.
  package func column(_ name: String) -> Column? {
    fields.firstIndex { $0.name.hasBytes(of: name) }.map { columns[$0] }
  }
}
