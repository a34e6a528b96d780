import Records

/// A column as a predicate meets it.
package enum EvaluationColumn: Sendable {
  case plain(Column)
  /// An object column: in the head all of it is in `rest`; in a block, members found often are columns of
  /// their own and the rest stays as text.
  case object(ObjectColumns)
}

/// The parts of an object column.
package struct ObjectColumns: Sendable {
  /// A member stored as a typed column: `int64`, `float64`, `bool` or `utf8`. Null where the row has no such
  /// member, or has it with another type (then it is in another member column of the name, or in `rest`).
  package struct Member: Sendable {
    /// The member's name, without the object's.
    package let name: String
    /// A row a row of the batch; null where the object lacks the member.
    package let column: Column
    /// A member whose values are a column.
    package init(name: String, column: Column) {
      self.name = name
      self.column = column
    }
  }

  /// JSON text of what is not in `members`; null where the record has no such object.
  package let rest: Column
  /// In the file's order; names may repeat with other types.
  package let members: [Member]

  /// An object taken apart.
  package init(rest: Column, members: [Member]) {
    self.rest = rest
    self.members = members
  }
}

/// The columns a predicate reads, for some rows.
package struct EvaluationBatch: Sendable {
  /// Rows of each column.
  package let rowCount: Int
  /// By column name; every column of the predicate's paths must be there.
  package let columns: [String: EvaluationColumn]
  /// Looked at before each condition: once it is over, what is evaluated means nothing, and whoever evaluates
  /// has to ask the token before using it.
  package var cancellation: CancellationToken?

  /// A batch of the columns that a predicate asks for.
  package init(rowCount: Int, columns: [String: EvaluationColumn]) {
    self.rowCount = rowCount
    self.columns = columns
  }

  /// All columns of `batch`, whose objects are whole: JSON text.
  package init(_ batch: RecordBatch) {
    var columns: [String: EvaluationColumn] = [:]
    for (field, column) in zip(batch.fields, batch.columns) { columns[field.name] = .plain(column) }
    self.init(rowCount: batch.rowCount, columns: columns)
  }
}
