import Records

extension AppendReceipt {
  /// The ids of the rows, in their order, as a column.
  package var ids: Column { UUIDv7.column(first: firstID, count: rowCount) }

  /// The id of a row, 16 bytes.
  ///
  /// - Parameter row: From 0, below ``rowCount``.
  package func id(of row: Int) -> [UInt8] { UUIDv7.incremented(firstID, by: row) }
}
