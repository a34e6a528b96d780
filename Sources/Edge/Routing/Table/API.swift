import Access
import Masking
import Records

/// A family of routes over datasets of its own, with its own callers and its own looks.
///
/// The server is a list of these. What an API is, its folder says; nothing else has to know of it.
package struct API: Sendable {
  /// Decides whom a request comes from; nil where the credential names nobody whose records they are.
  ///
  /// Called on event loops with the head alone: must not block. Records in the access log what it found.
  package typealias Authenticate = @Sendable (RequestHead, RequestOrigin, Route) throws(Problem) -> Principal?

  /// The heading in documents.
  package let name: String
  /// Whose tenants these are; nil: it keeps none.
  package var realm: Realm?
  /// What it stores.
  package var datasets: [Dataset] = []
  /// Kinds of credentials that open its routes.
  package var credentials: [CredentialKind] = []
  /// Paths that begin so are its own, served or not: the longest prefix decides how an unknown path is
  /// answered.
  package var prefixes: [String] = []
  package var errors: ErrorFormat
  /// Whether pages of other origins may ask (CORS).
  package var isOpenToPages = false
  /// Whether strangers are not told which methods a path has.
  package var hidesMethods = false
  package var authenticate: Authenticate
  package var routes: [Route] = []
  /// Told of the masking of its datasets whenever the configuration changes it.
  package var masking: @Sendable ((Dataset) -> MaskingPlan) -> Void = { _ in }

  package init(
    _ name: String, errors: ErrorFormat = .problemDetails,
    authenticate: @escaping Authenticate = { (_, _, _) throws(Problem) in nil }
  ) {
    self.name = name
    self.errors = errors
    self.authenticate = authenticate
  }

  /// The kinds of credentials that open `route`.
  package func credentials(of route: Route) -> [CredentialKind] { route.credentials ?? credentials }
}
