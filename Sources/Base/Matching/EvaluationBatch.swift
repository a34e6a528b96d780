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
  /// A member stored as a typed column: `int64`, `float64`, `bool` or `utf8`. Null where the row has no such member,
  /// or has it with another type (then it is in another member column of the name, or in `rest`).
  package struct Member: Sendable {
    package let name: String
    package let column: Column
    package init(name: String, column: Column) {
      self.name = name
      self.column = column
    }
  }

  /// JSON text of what is not in `members`; null where the record has no such object.
  package let rest: Column
  package let members: [Member]

  package init(rest: Column, members: [Member]) {
    self.rest = rest
    self.members = members
  }
}

/// The columns a predicate reads, for some rows.
package struct EvaluationBatch: Sendable {
  package let rowCount: Int
  /// By column name; every column of the predicate's paths must be there.
  package let columns: [String: EvaluationColumn]

  package init(rowCount: Int, columns: [String: EvaluationColumn]) {
    self.rowCount = rowCount
    self.columns = columns
  }
}
