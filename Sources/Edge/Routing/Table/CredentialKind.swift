/// A kind of credential, as documents tell of it. APIs declare their own.
package struct CredentialKind: Sendable, Hashable {
  /// How it is shown.
  package enum Form: Sendable, Hashable {
    /// `Authorization: Bearer …`; `format` says what the bearer looks like, for people.
    case bearer(format: String?)
    /// A header field of its own, or `Authorization: Bearer …`, which documents call `bearer`.
    case header(String, bearer: String)
    /// A cookie of this name.
    case cookie(String)
  }

  /// Its name in the OpenAPI document.
  package let name: String
  /// What it is, in words: "a token of the sessions API".
  package let words: String
  package let form: Form

  package init(_ name: String, _ words: String, _ form: Form = .bearer(format: nil)) {
    self.name = name
    self.words = words
    self.form = form
  }
}
