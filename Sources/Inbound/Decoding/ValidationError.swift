/// Where in a request something is wrong: names and array indices from the outside in, `body` or `query` first.
package enum ValidationPlace: Sendable, Hashable {
  case name(String)
  case index(Int)
}

/// A fault of one field, in the words that the audit and the workflow API's clients know (those of pydantic). Texts name
/// rules, never values.
package struct ValidationError: Error, Sendable, Hashable {
  package let place: [ValidationPlace]
  /// `missing`, `string_type`, `enum`, …
  package let type: String
  package let message: String

  package init(_ place: [ValidationPlace], _ type: String, _ message: String) {
    self.place = place
    self.type = type
    self.message = message
  }
}

/// All that is wrong with a body; never empty.
package struct ValidationFailure: Error, Sendable, Hashable {
  package let errors: [ValidationError]
  /// Listed at most: a body of a hundred thousand bad entries is told by its first.
  package static let errorsMax = 100

  package init(_ errors: [ValidationError]) {
    precondition(!errors.isEmpty, "a failure has a reason")
    self.errors = errors
  }
}
