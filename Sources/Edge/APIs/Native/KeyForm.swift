import Access
import Records
import Routing

/// How a tool's clients show a key of the native API, and what they are told when it opens nothing.
struct KeyForm: Sendable {
  /// `Bearer KEY`, or what else stands in the key's place; nil: there is none.
  let authorization: @Sendable (RequestHead) -> String?
  /// What is answered.
  let problem: @Sendable (CredentialError) -> Problem

  /// - Parameter problem: As the native API has it, unless said.
  init(
    problem: @escaping @Sendable (CredentialError) -> Problem = { Problem($0) },
    authorization: @escaping @Sendable (RequestHead) -> String?
  ) {
    self.authorization = authorization
    self.problem = problem
  }

  /// `Authorization: Bearer KEY` alone.
  static let bearer = KeyForm(authorization: { $0.headers.first(name: "Authorization") })

  /// Also the password of `Authorization: Basic`, whatever the name.
  static let pairs = KeyForm(authorization: { KeyForm.pair(of: $0) })

  /// What `Authorization` has; nil: there is none.
  static func pair(of head: RequestHead) -> String? {
    head.headers.first(name: "Authorization").map { NativeCallers.bearer(ofPair: $0) ?? $0 }
  }
}
