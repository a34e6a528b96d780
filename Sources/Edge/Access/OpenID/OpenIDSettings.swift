import Records

/// A provider of OpenID Connect by which people sign in to the page, and what we are to it.
package struct OpenIDSettings: Sendable, Hashable {
  /// As its tokens say it, to the byte; without what stands in it there is no provider.
  package var issuer: String
  package var clientID: String
  /// nil: a public client, which PKCE alone protects.
  package var clientSecret: String?
  /// Where it sends people back to: ``callbackPath`` under the address that browsers know us by.
  package var redirectURL: String
  /// Separated by blanks.
  package var scopes = "openid email profile"
  /// The claim that says who somebody is. What it says must be nobody else's, now and later.
  package var nameClaim = "email"
  /// What people know the provider by.
  package var title = "single sign-on"
  /// Who may sign in: names as the claim has them, or `@` and the domain of addresses; none: everybody whom
  /// the provider lets in.
  package var allowed: [String] = []
  /// Names, as the claim has them, whose users are administrators when they are made.
  package var administrators: Set<Name> = []

  package static let startPath = "/ui/v1/oidc/start"
  package static let callbackPath = "/ui/v1/oidc/callback"

  package init(issuer: String, clientID: String, redirectURL: String) {
    self.issuer = issuer
    self.clientID = clientID
    self.redirectURL = redirectURL
  }

  /// Whether somebody of this name may sign in.
  func lets(_ name: String) -> Bool {
    allowed.isEmpty
      || allowed.contains { name.hasBytes(of: $0) || $0.hasBytes(from: "@") && name.hasBytes(to: $0) }
  }

  /// Whether what is sent to `url` is safe from others on the way: TLS, or this machine.
  package static func isSafe(_ url: String) -> Bool {
    let authority = url.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2).prefix {
      ![UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\\")].contains($0)
    }
    // A name before the host would make of the host a password.
    guard !authority.isEmpty, !authority.contains(UInt8(ascii: "@")) else { return false }
    if url.hasBytes(from: "https://") { return true }
    guard url.hasBytes(from: "http://") else { return false }
    return ["127.0.0.1", "localhost", "[::1]"].contains { host in
      guard authority.starts(with: host.utf8) else { return false }
      let rest = authority.dropFirst(host.utf8.count)
      return rest.isEmpty
        || rest.first == UInt8(ascii: ":") && rest.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }
  }
}

/// Why somebody could not be let in by their provider.
package enum OpenIDFailure: Error, Sendable, Hashable {
  /// The way to the provider took too long, was begun in another browser or before a restart, or was not
  /// begun here.
  case expired
  /// The person or the provider said no: its word.
  case refused(String)
  /// The provider does not answer, or not as it should: a sentence's end for the operator.
  case provider(String)
  /// What it says of the person does not do: a sentence's end for the operator.
  case identity(String)
  /// Too many ask it at the same time.
  case busy
  /// We could not let them in.
  case access(AccessError)

  /// For the page: one of a few words.
  package var word: String {
    switch self {
    case .expired: "expired"
    case .refused: "refused"
    case .provider: "provider"
    case .identity: "identity"
    case .busy, .access(.overloaded), .access(.throttled): "busy"
    case .access(.userExists): "name"
    case .access: "access"
    }
  }
}

/// How the provider is asked.
package protocol OpenIDTransport: Sendable {
  /// - Throws: `provider`: no answer, or one that is longer than ``OpenIDResponse/bytesMax``.
  func send(_ request: OpenIDRequest) async throws(OpenIDFailure) -> OpenIDResponse
}

/// What the provider is asked.
package struct OpenIDRequest: Sendable, Hashable {
  package let url: String
  /// Sent by POST as a form; nil: GET.
  package var form: String?
  /// The value of `Authorization`.
  package var authorization: String?

  package init(url: String, form: String? = nil, authorization: String? = nil) {
    self.url = url
    self.form = form
    self.authorization = authorization
  }
}

/// What it answers.
package struct OpenIDResponse: Sendable, Hashable {
  package let status: Int
  package let body: [UInt8]

  /// Of a body.
  package static let bytesMax = 1 << 20

  package init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }
}
