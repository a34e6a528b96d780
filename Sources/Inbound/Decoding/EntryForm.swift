import Records

/// What an API's entries look like on the wire, field by field.
package struct EntryForm: Sendable {
  /// What a field may hold.
  package enum Kind: Sendable, Hashable {
    /// At most so many characters; nil: any.
    case text(charactersMax: Int?)
    /// One of these. `hasOwnWords`: the error says "<field> must be one of [...]" instead of "Input should be
    /// …".
    case choice([String], hasOwnWords: Bool)
    /// A time; `takesDates`: the error for other texts says "a valid datetime or date".
    case time(takesDates: Bool)
    /// A number, or a number in quotes.
    case number
    case object
  }

  package struct EntryField: Sendable, Hashable {
    package let name: String
    /// The dataset's column.
    package let column: String
    package let kind: Kind
    package let isRequired: Bool
    package let isNullable: Bool

    package init(
      _ name: String, column: String? = nil, _ kind: Kind, isRequired: Bool = false, isNullable: Bool = true
    ) {
      self.name = name
      self.column = column ?? name
      self.kind = kind
      self.isRequired = isRequired
      self.isNullable = isNullable
    }
  }

  package let dataset: Dataset
  package let fields: [EntryField]
  /// The object column that keeps unknown fields; its own members win. nil: they are left out.
  package let overflow: String?

  package init(dataset: Dataset, fields: [EntryField], overflow: String? = nil) {
    self.dataset = dataset
    self.fields = fields
    self.overflow = overflow
  }
}
