import Codecs
import Crypto
import Platform
import Records
import Synchronization

/// Signs people in by OpenID Connect's authorization code flow with PKCE (OpenID Connect Core 1.0 §3.1, RFC
/// 7636), as RFC 9700 has it.
///
/// What the provider says of itself and its keys are kept for an hour; a token that none of them signed has
/// them fetched anew, at most every ``refreshSeconds``.
package final class OpenIDProvider: Sendable {
  /// What was fetched, and when: nanoseconds since 1970.
  private struct Kept<Value: Sendable> {
    let value: Value
    let at: Int64

    /// nil: it is older, or of a clock that was set back since.
    func value(at now: Int64, notOlderThan seconds: Int64) -> Value? {
      let (age, overflow) = now.subtractingReportingOverflow(at)
      return !overflow && (0..<seconds * 1_000_000_000).contains(age) ? value : nil
    }
  }

  private struct Known {
    var endpoints: Kept<OpenIDEndpoints>?
    var keys: Kept<KeySet>?
    var asking = 0
  }

  package let settings: OpenIDSettings
  private let transport: any OpenIDTransport
  private let clock: any WallClock
  private let entropy: any EntropySource
  /// Ways that began before a restart end with it.
  private let key = SymmetricKey(size: .bits256)
  private let known = Mutex(Known())

  private static let keptSeconds: Int64 = 3_600
  /// Between two fetches of keys because of a token that none of them signed.
  static let refreshSeconds: Int64 = 30
  /// How many may wait for the provider at the same time.
  static let askingMax = 16

  package init(
    _ settings: OpenIDSettings, transport: any OpenIDTransport, clock: any WallClock,
    entropy: any EntropySource = SystemEntropy()
  ) {
    self.settings = settings
    self.transport = transport
    self.clock = clock
    self.entropy = entropy
  }

  /// Where a browser goes to sign in, and what it keeps until it is back.
  ///
  /// - Parameter target: Where it goes then.
  package func begin(to target: String) async throws(OpenIDFailure) -> (address: String, trip: OpenIDTrip) {
    let trip = OpenIDTrip(to: target, key: key, now: clock.now(), entropy: entropy)
    let endpoint = try await endpoints().authorization
    let items = [
      ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", settings.redirectURL),
      ("scope", settings.scopes), ("state", trip.state), ("nonce", trip.nonce),
      ("code_challenge", trip.challenge), ("code_challenge_method", "S256"),
    ]
    let mark = endpoint.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
    return (endpoint + mark + OpenIDProvider.form(items), trip)
  }

  /// A way that a browser is back from.
  ///
  /// - Parameters:
  ///   - cookie: What it kept; nil: nothing.
  ///   - state: What came along; nil: nothing.
  package func back(cookie: String?, state: String?) throws(OpenIDFailure) -> OpenIDTrip {
    guard let cookie, let state else { throw .expired }
    let trip = try OpenIDTrip(cookie: cookie, key: key, now: clock.now())
    guard trip.isState(state) else { throw .expired }
    return trip
  }

  /// Who came back: as the claim says, which is not a user's name yet.
  package func name(code: String, of trip: OpenIDTrip) async throws(OpenIDFailure) -> String {
    let endpoints = try await endpoints()
    let text = try await token(code, trip, endpoints)
    let token: SignedToken
    do throws(CredentialError) { token = try SignedToken(text) } catch {
      throw .identity("its token is none that could be verified (RS256 or ES256)")
    }
    try await verify(token, endpoints)
    let name = try OpenIDIdentity.name(token.claims, settings, nonce: trip.nonce, now: clock.now())
    guard settings.lets(name) else { throw .refused("not among oidc.allowed") }
    return name
  }

  private func verify(_ token: SignedToken, _ endpoints: OpenIDEndpoints) async throws(OpenIDFailure) {
    func isSigned(_ keys: KeySet) -> Bool {
      keys.isValid(token.signature, of: token.signed, token.algorithm, keyID: token.keyID)
    }
    if isSigned(try await keys(endpoints, notOlderThan: OpenIDProvider.keptSeconds)) { return }
    // Its keys may be others by now.
    if isSigned(try await keys(endpoints, notOlderThan: OpenIDProvider.refreshSeconds)) { return }
    throw .identity("its token is signed by none of its keys")
  }

  private func token(
    _ code: String, _ trip: OpenIDTrip, _ endpoints: OpenIDEndpoints
  ) async throws(OpenIDFailure) -> String {
    var items = [
      ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", settings.redirectURL),
      ("client_id", settings.clientID), ("code_verifier", trip.verifier),
    ]
    var authorization: String?
    if let secret = settings.clientSecret {
      if endpoints.takesBasic {
        let pair = settings.clientID.percentEncoded + ":" + secret.percentEncoded
        authorization = "Basic " + Base64.text(Array(pair.utf8).span)
      } else {
        items.append(("client_secret", secret))
      }
    }
    let answer = try await ask(
      OpenIDRequest(url: endpoints.token, form: OpenIDProvider.form(items), authorization: authorization))
    // A broken answer has no members.
    let tree = try? JSONTree(parsing: answer.body)
    guard answer.status == 200 else {
      let word = OpenIDProvider.word(tree?["error"]?.string)
      // The code is the browser's; the rest is ours, or the provider's.
      let isOurs = ["invalid_client", "unauthorized_client"].contains { word?.hasBytes(of: $0) == true }
      if answer.status == 400, !isOurs { throw .refused(word ?? "no reason") }
      throw .provider("its token endpoint answers \(answer.status)" + (word.map { ", \($0)" } ?? ""))
    }
    guard let token = tree?["id_token"]?.string else { throw .provider("its answer has no id_token") }
    return token
  }

  private func endpoints() async throws(OpenIDFailure) -> OpenIDEndpoints {
    let now = clock.now()
    let kept = known.withLock { $0.endpoints }
    if let kept = kept?.value(at: now, notOlderThan: OpenIDProvider.keptSeconds) { return kept }
    let slash = settings.issuer.utf8.last == UInt8(ascii: "/") ? "" : "/"
    let url = settings.issuer + slash + ".well-known/openid-configuration"
    let body = try await document(url)
    let endpoints = try OpenIDEndpoints(body, issuer: settings.issuer)
    known.withLock { $0.endpoints = Kept(value: endpoints, at: now) }
    return endpoints
  }

  private func keys(
    _ endpoints: OpenIDEndpoints, notOlderThan seconds: Int64
  ) async throws(OpenIDFailure) -> KeySet {
    let now = clock.now()
    let kept = known.withLock { $0.keys }
    if let kept = kept?.value(at: now, notOlderThan: seconds) { return kept }
    let body = try await document(endpoints.keys)
    let keys: KeySet
    do throws(KeySetError) { keys = try KeySet(parsing: body) } catch {
      throw .provider("its keys cannot be read: \(error.reason)")
    }
    known.withLock { $0.keys = Kept(value: keys, at: now) }
    return keys
  }

  private func document(_ url: String) async throws(OpenIDFailure) -> [UInt8] {
    let answer = try await ask(OpenIDRequest(url: url))
    guard answer.status == 200 else { throw .provider("\(url) answers \(answer.status)") }
    return answer.body
  }

  private func ask(_ request: OpenIDRequest) async throws(OpenIDFailure) -> OpenIDResponse {
    let mayAsk = known.withLock { known in
      guard known.asking < OpenIDProvider.askingMax else { return false }
      known.asking += 1
      return true
    }
    guard mayAsk else { throw .busy }
    defer { known.withLock { $0.asking -= 1 } }
    return try await transport.send(request)
  }

  private static func form(_ items: [(String, String)]) -> String {
    items.map { "\($0.0)=\($0.1.percentEncoded)" }.joined(separator: "&")
  }

  private static let wordBytes = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-".utf8)

  /// A provider's word for an error (RFC 6749 §4.1.2.1, §5.2); nil: none that could be shown.
  package static func word(_ text: String?) -> String? {
    guard let text, (1...64).contains(text.utf8.count),
      text.utf8.allSatisfy({ wordBytes.contains($0) })
    else { return nil }
    return text
  }
}

/// What a provider says of itself (OpenID Connect Discovery 1.0 §3).
struct OpenIDEndpoints: Sendable {
  let authorization: String
  let token: String
  let keys: String
  /// Whether the client's secret goes into `Authorization`; else into the form.
  let takesBasic: Bool

  private static let urlBytesMax = 4_096

  init(_ body: [UInt8], issuer: String) throws(OpenIDFailure) {
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: body) } catch {
      throw .provider("what it says of itself is not JSON")
    }
    guard let said = tree["issuer"]?.string, said.hasBytes(of: issuer) else {
      throw .provider("it says that its issuer is another than oidc.issuer")
    }
    func url(_ name: String) throws(OpenIDFailure) -> String {
      guard let url = tree[name]?.string, url.utf8.count <= OpenIDEndpoints.urlBytesMax,
        url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !url.utf8.contains(UInt8(ascii: "#"))
      else { throw .provider("it has no \(name)") }
      guard OpenIDSettings.isSafe(url) else { throw .provider("its \(name) is without TLS") }
      return url
    }
    authorization = try url("authorization_endpoint")
    token = try url("token_endpoint")
    keys = try url("jwks_uri")
    // Without a list it takes what is the default there.
    if case .array(let ways)? = tree["token_endpoint_auth_methods_supported"] {
      takesBasic =
        ways.contains(.string("client_secret_basic")) || !ways.contains(.string("client_secret_post"))
    } else {
      takesBasic = true
    }
  }
}

/// What a verified token says of a person (OpenID Connect Core 1.0 §3.1.3.7).
enum OpenIDIdentity {
  /// How far the clocks may be apart.
  private static let leewaySeconds = 60
  static let nameBytesMax = 200

  /// - Throws: `identity`.
  static func name(
    _ claims: JSONTree, _ settings: OpenIDSettings, nonce: String, now: Int64
  ) throws(OpenIDFailure) -> String {
    guard claims["iss"]?.string?.hasBytes(of: settings.issuer) == true else {
      throw .identity("its token is of another issuer")
    }
    guard TokenClaims.isFor(settings.clientID, claims["aud"]) else {
      throw .identity("its token is for another client")
    }
    if let party = claims["azp"], party.string?.hasBytes(of: settings.clientID) != true {
      throw .identity("its token was given to another client")
    }
    guard claims["exp"] != nil, let window = TokenClaims.window(claims, leewaySeconds: leewaySeconds),
      window.contains(now)
    else { throw .identity("its token does not hold now: compare the clocks") }
    guard claims["nonce"]?.string?.hasBytes(of: nonce) == true else {
      throw .identity("its token is of another sign-in")
    }
    let claim = settings.nameClaim
    guard let name = claims[claim]?.string, (1...nameBytesMax).contains(name.utf8.count) else {
      throw .identity("its token has no text in the claim \(claim)")
    }
    guard claim.hasBytes(of: "email") else { return name }
    // An address that anybody may say is theirs is nobody's.
    guard claims["email_verified"] == .bool(true) || claims["email_verified"] == .string("true") else {
      throw .identity("it does not say that it has verified the address (email_verified)")
    }
    return name.asciiLowercased
  }
}
