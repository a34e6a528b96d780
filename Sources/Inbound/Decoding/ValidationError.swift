import Records

/// Where in a request something is wrong: names and array indices from the outside in, `body` or `query`
/// first.
package enum ValidationPlace: Sendable, Hashable {
  case name(String)
  case index(Int)
}

/// A parameter of a rule, as pydantic's `ctx` has it: `{"max_length":64}`. Never a value of the request.
package struct ValidationContext: Sendable, Hashable {
  package enum Value: Sendable, Hashable {
    case number(Int)
    case text(String)
    /// `{}`: what pydantic shows for an error of its own.
    case empty
  }

  package let name: String
  package let value: Value

  package init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }
}

/// A fault of one field, in the words that the audit, the workflow and the ingest API's clients know (those
/// of pydantic). Texts name rules, never values.
package struct ValidationError: Error, Sendable, Hashable {
  package let place: [ValidationPlace]
  /// `missing`, `string_type`, `enum`, …
  package let type: String
  package let message: String
  /// In the order they are written; empty: no `ctx`.
  package let context: [ValidationContext]

  package init(
    _ place: [ValidationPlace], _ type: String, _ message: String, context: [ValidationContext] = []
  ) {
    self.place = place
    self.type = type
    self.message = message
    self.context = context
  }
}

/// All that is wrong with a body, or that it cannot be read now.
package struct ValidationFailure: Error, Sendable, Hashable {
  /// Empty only with a ``shortage``.
  package let errors: [ValidationError]
  /// Nothing is known to be wrong, but there is no memory to read the body.
  package let shortage: MemoryShortage?
  /// Listed at most: a body of a hundred thousand bad entries is told by its first.
  package static let errorsMax = 100

  package init(_ errors: [ValidationError]) {
    invariant(!errors.isEmpty, "a failure has a reason")
    self.errors = errors
    shortage = nil
  }

  /// No memory.
  package init(_ shortage: MemoryShortage) {
    errors = []
    self.shortage = shortage
  }
}
