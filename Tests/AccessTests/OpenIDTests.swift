import Access
import Codecs
import Crypto
import Foundation
import Platform
import Records
import Synchronization
import TestKit
import Testing

/// A provider that signs what it is told to, and checks what a provider checks.
private final class FakeProvider: OpenIDTransport {
  struct State {
    var key = P256.Signing.PrivateKey()
    /// Which of its keys it shows; nil: that by which it signs.
    var shown: P256.Signing.PrivateKey?
    /// JSON: what it says of itself, over the usual; null takes a member away.
    var document = "{}"
    /// Likewise, of a person.
    var claims = "{}"
    /// What came with the browser.
    var nonce = ""
    var challenge = ""
    var asked: [OpenIDRequest] = []
    var isDown = false
    /// Likewise, of a token.
    var header = "{}"
  }

  static let issuer = "https://login.example.com/staff"
  static let code = "a code/+"
  let state: Mutex<State>
  private let clock: ManualClock

  init(_ clock: ManualClock) {
    self.clock = clock
    state = Mutex(State())
  }

  func send(_ request: OpenIDRequest) async throws(OpenIDFailure) -> OpenIDResponse {
    let answer: OpenIDResponse? = state.withLock { state in
      state.asked.append(request)
      guard !state.isDown else { return nil }
      // What tests say can be said.
      return try? self.answer(request, &state)
    }
    guard let answer else { throw .provider("it is down") }
    return answer
  }

  private func answer(_ request: OpenIDRequest, _ state: inout State) throws -> OpenIDResponse {
    func json(_ value: [String: Any], status: Int = 200) throws -> OpenIDResponse {
      OpenIDResponse(status: status, body: Array(try JSONSerialization.data(withJSONObject: value)))
    }
    func over(_ usual: [String: Any], _ text: String) throws -> [String: Any] {
      let more = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
      return usual.merging(more) { $1 }.filter { !($0.value is NSNull) }
    }
    if request.url.hasSuffix("/.well-known/openid-configuration") {
      let usual: [String: Any] = [
        "issuer": FakeProvider.issuer, "authorization_endpoint": "https://login.example.com/auth?x=1",
        "token_endpoint": "https://login.example.com/token", "jwks_uri": "https://login.example.com/keys",
      ]
      return try json(over(usual, state.document))
    }
    if request.url.hasSuffix("/keys") {
      return try json([
        "keys": [TokenBench.jwk((state.shown ?? state.key).publicKey, ["kid": "1", "use": "sig"])]
      ])
    }
    let items = FakeProvider.items(request.form ?? "")
    let verifier = Array(SHA256.hash(data: Data((items["code_verifier"] ?? "").utf8)))
    guard items["code"] == FakeProvider.code, Base64URL.text(verifier) == state.challenge else {
      return try json(["error": "invalid_grant"], status: 400)
    }
    let now = clock.now() / 1_000_000_000
    let usual: [String: Any] = [
      "iss": FakeProvider.issuer, "aud": "cordwood", "sub": "1", "exp": now + 60, "iat": now,
      "nonce": state.nonce, "email": "Ada@example.com", "email_verified": true,
    ]
    let payload = try JSONSerialization.data(withJSONObject: over(usual, state.claims))
    return try json([
      "id_token": TokenBench.token(
        .p256(state.key), payload: Array(payload), header: over(["kid": "1"], state.header))
    ])
  }

  static func items(_ query: String) -> [String: String] {
    var components = URLComponents()
    components.percentEncodedQuery = query
    return Dictionary(
      (components.queryItems ?? []).map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
  }
}

/// Signing in to the page by a provider.
@Suite struct OpenIDTests {
  private final class Bench {
    let access: AccessBench
    let provider: FakeProvider
    let client: OpenIDProvider
    let sessions: PageSessions
    let keys = KeyDirectory(keys: [], openTenant: nil)

    init(_ change: (inout OpenIDSettings) -> Void = { _ in }) async throws {
      access = try await AccessBench()
      provider = FakeProvider(access.clock)
      var settings = OpenIDSettings(
        issuer: FakeProvider.issuer, clientID: "cordwood",
        redirectURL: "https://logs.example.com" + OpenIDSettings.callbackPath)
      settings.clientSecret = "s:cret"
      settings.administrators = ["root@example.com"]
      change(&settings)
      client = OpenIDProvider(settings, transport: provider, clock: access.clock)
      sessions = PageSessions(accounts: access.accounts, clock: access.clock)
    }

    /// Goes there: the cookie, and what stands in the address.
    func leave(to target: String = "/ui/logs?q=a") async throws -> (cookie: String, items: [String: String]) {
      let (address, trip) = try await client.begin(to: target)
      #expect(address.hasPrefix("https://login.example.com/auth?x=1&response_type=code&"))
      let items = FakeProvider.items(String(address.split(separator: "?")[1]))
      provider.state.withLock { state in
        state.nonce = items["nonce"] ?? ""
        state.challenge = items["code_challenge"] ?? ""
      }
      return (trip.cookie, items)
    }

    /// Comes back, and is let in or not.
    func comeBack(
      _ cookie: String?, _ state: String?, code: String = FakeProvider.code
    ) async -> Result<(name: String?, target: String), OpenIDFailure> {
      do throws(OpenIDFailure) {
        let trip = try client.back(cookie: cookie, state: state)
        let token = try await sessions.signIn(
          address: "10.0.0.1", administrators: client.settings.administrators
        ) { () throws(OpenIDFailure) in try await client.name(code: code, of: trip) }
        return .success((sessions.caller(token.token, among: keys)?.name, trip.target))
      } catch {
        return .failure(error)
      }
    }

    func signIn(code: String = FakeProvider.code) async throws -> Result<String?, OpenIDFailure> {
      let (cookie, items) = try await leave()
      return await comeBack(cookie, items["state"], code: code).map(\.name)
    }
  }

  private func bench(
    _ change: (inout OpenIDSettings) -> Void = { _ in }, _ body: (Bench) async throws -> Void
  ) async throws {
    let bench = try await Bench(change)
    defer { bench.access.remove() }
    try await body(bench)
  }

  @Test func thereAndBack() async throws {
    try await bench { bench throws in
      let (cookie, items) = try await bench.leave()
      #expect(items["client_id"] == "cordwood" && items["scope"] == "openid email profile")
      #expect(items["redirect_uri"] == "https://logs.example.com/ui/v1/oidc/callback")
      #expect(items["code_challenge_method"] == "S256")
      for name in ["state", "nonce", "code_challenge"] {
        let value = try #require(items[name])
        #expect(value.utf8.count == 43 && !cookie.contains(value), "the cookie does not tell the \(name)")
      }
      let back = try await bench.comeBack(cookie, items["state"]).get()
      #expect(back.name == "oidc:ada@example.com" && back.target == "/ui/logs?q=a")
      let form = try #require(bench.provider.state.withLock { $0.asked.first { $0.form != nil } })
      #expect(form.authorization == "Basic " + Data("cordwood:s%3Acret".utf8).base64EncodedString())
      #expect(form.form?.contains("cret") == false)
      #expect(bench.access.accounts.users().map(\.role) == [.user])
      // Once more: nobody is made, and what the provider says of itself is known.
      let before = bench.provider.state.withLock { $0.asked.count }
      #expect(try await bench.signIn().get() == "oidc:ada@example.com")
      #expect(bench.access.accounts.users().count == 1)
      #expect(bench.provider.state.withLock { $0.asked.count } == before + 1)
      // There is no password that lets them in.
      for password in ["", "pw"] {
        let error = await accessError {
          _ = try await bench.access.bearer("oidc:ada@example.com", password, address: "10.0.0.9")
        }
        #expect(error == .wrongPassword)
      }
    }
  }

  @Test func administratorsAreNamed() async throws {
    try await bench { bench throws in
      bench.provider.state.withLock { $0.claims = #"{"email":"root@example.com"}"# }
      _ = try await bench.signIn().get()
      #expect(bench.access.accounts.users().map(\.role) == [.admin])
    }
    // A user of that name with a password is somebody else, and nobody can be made who looks like one.
    try await bench { bench throws in
      let error = await accessError {
        try await bench.access.accounts.create(name: "oidc:ada@example.com", password: "pw", role: .admin)
      }
      guard case .invalidName = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      try await bench.access.accounts.create(name: "ada@example.com", password: "pw", role: .admin)
      #expect(try await bench.signIn().get() == "oidc:ada@example.com")
      #expect(bench.access.accounts.users().map(\.role) == [.admin, .user])
    }
  }

  /// What is wrong with a token, whoever signed it.
  @Test func tokensOfOthersAreRefused() async throws {
    let now = 1_700_000_000
    let wrong = [
      #"{"iss":"https://login.example.com/staff/"}"#, #"{"iss":null}"#, #"{"aud":"other"}"#,
      #"{"aud":null}"#, #"{"aud":["cordwood",1]}"#, #"{"azp":"other"}"#, #"{"azp":1}"#,
      #"{"exp":\#(now - 61)}"#, #"{"exp":null}"#, #"{"exp":"soon"}"#, #"{"iat":\#(now + 120)}"#,
      #"{"nbf":\#(now + 120)}"#, #"{"nonce":"x"}"#, #"{"nonce":null}"#, #"{"email":null}"#,
      #"{"email":""}"#, #"{"email":["a@b"]}"#, #"{"email":"\#(String(repeating: "a", count: 201))"}"#,
      #"{"email_verified":false}"#, #"{"email_verified":null}"#, #"{"email_verified":"false"}"#,
    ]
    for claims in wrong {
      try await bench { bench throws in
        bench.provider.state.withLock { $0.claims = claims }
        guard case .failure(.identity) = try await bench.signIn() else {
          Issue.record("let in with \(claims)")
          return
        }
        #expect(bench.access.accounts.users().isEmpty)
      }
    }
    let right = [
      #"{"aud":["other","cordwood"],"azp":"cordwood"}"#, #"{"exp":\#(now - 59)}"#,
      #"{"email_verified":"true"}"#,
    ]
    for claims in right {
      try await bench { bench throws in
        bench.provider.state.withLock { $0.claims = claims }
        #expect(try await bench.signIn().get() == "oidc:ada@example.com", "\(claims)")
      }
    }
    try await bench({ $0.nameClaim = "sub" }) { bench throws in
      bench.provider.state.withLock { $0.claims = #"{"email":null,"sub":"A b"}"# }
      #expect(try await bench.signIn().get() == "oidc:A b", "as it is")
      bench.provider.state.withLock { $0.claims = #"{"sub":"a\u202eb"}"# }
      guard case .failure(.access(.invalidName)) = try await bench.signIn() else {
        Issue.record("a name that turns text was taken")
        return
      }
    }
  }

  @Test func keysChangeAndStrangersDoNotSign() async throws {
    try await bench { bench throws in
      _ = try await bench.signIn().get()
      // Another key, which it shows: fetched once the last fetch is half a minute ago.
      bench.provider.state.withLock { $0.key = P256.Signing.PrivateKey() }
      guard case .failure(.identity) = try await bench.signIn() else {
        Issue.record("nobody knows this key yet")
        return
      }
      bench.access.advance(seconds: 31)
      #expect(try await bench.signIn().get() != nil)
      // One that it does not show.
      bench.provider.state.withLock { state in
        state.shown = state.key
        state.key = P256.Signing.PrivateKey()
      }
      bench.access.advance(seconds: 31)
      guard case .failure(.identity) = try await bench.signIn() else {
        Issue.record("a stranger's key was taken")
        return
      }
    }
    for header in [#"{"alg":"none"}"#, #"{"alg":"HS256"}"#, #"{"kid":"2"}"#, #"{"crit":["x"]}"#] {
      try await bench { bench throws in
        bench.provider.state.withLock { $0.header = header }
        guard case .failure(.identity) = try await bench.signIn() else {
          Issue.record("let in with \(header)")
          return
        }
      }
    }
  }

  @Test func onlyWhoLeftComesBack() async throws {
    try await bench { bench throws in
      let (cookie, items) = try await bench.leave()
      let state = try #require(items["state"])
      let (other, others) = try await bench.leave()
      for (cookie, state) in [
        (nil, state), (cookie, nil), (cookie, ""), (cookie, state + "A"), (cookie, String(state.dropLast())),
        (other, state), (cookie, others["state"]), ("", state), ("." + cookie, state),
        (state + "." + state, state),
        (cookie.replacingOccurrences(of: ".", with: ""), state),
      ] as [(String?, String?)] {
        #expect(throws: OpenIDFailure.expired) { _ = try bench.client.back(cookie: cookie, state: state) }
      }
      #expect(throws: Never.self) { _ = try bench.client.back(cookie: cookie, state: state) }
      bench.access.advance(seconds: 601)
      #expect(throws: OpenIDFailure.expired) { _ = try bench.client.back(cookie: cookie, state: state) }
      bench.access.advance(seconds: -700)
      #expect(throws: OpenIDFailure.expired) { _ = try bench.client.back(cookie: cookie, state: state) }
    }
    // After a restart it has another key.
    try await bench { bench throws in
      let (cookie, items) = try await bench.leave()
      let restarted = OpenIDProvider(
        bench.client.settings, transport: bench.provider, clock: bench.access.clock)
      #expect(throws: OpenIDFailure.expired) {
        _ = try restarted.back(cookie: cookie, state: items["state"])
      }
    }
  }

  @Test(arguments: [
    "", "/", "//evil.example", "/\\evil.example", "https://evil.example/ui/", "/ui", "/uix", "ui/",
    "/ui/\\..",
    "/ui/ a", "/ui/\r\nX: y", "/ui/é", "/ui/" + String(repeating: "a", count: 1_100),
  ])
  func nobodyIsSentElsewhere(_ target: String) async throws {
    try await bench { bench throws in
      let (cookie, items) = try await bench.leave(to: target)
      #expect(try bench.client.back(cookie: cookie, state: items["state"]).target == "/ui/")
      // Nor by a cookie that somebody changed.
      let changed = cookie.split(separator: ".")[0] + "." + Base64URL.text(Array(target.utf8))
      guard !target.isEmpty else { return }
      #expect(try bench.client.back(cookie: String(changed), state: items["state"]).target == "/ui/")
    }
  }

  @Test func aProviderThatIsBrokenLetsNobodyIn() async throws {
    let documents = [
      #"{"issuer":"https://evil.example"}"#, #"{"issuer":null}"#, #"{"token_endpoint":null}"#,
      #"{"token_endpoint":"http://login.example.com/token"}"#, #"{"jwks_uri":"ftp://x"}"#,
      #"{"authorization_endpoint":"https://login.example.com/a#b"}"#,
      #"{"authorization_endpoint":"https://a b"}"#,
      #"{"token_endpoint":"http://localhost.evil.example/token"}"#,
      #"{"token_endpoint":"http://localhost:80@evil.example/token"}"#,
      #"{"token_endpoint":"https://login.example.com@evil.example/token"}"#,
      #"{"token_endpoint":"https:///token"}"#,
    ]
    for document in documents {
      try await bench { bench throws in
        bench.provider.state.withLock { $0.document = document }
        await #expect(throws: OpenIDFailure.self) { _ = try await bench.client.begin(to: "/ui/") }
      }
    }
    try await bench { bench throws in
      bench.provider.state.withLock { $0.isDown = true }
      await #expect(throws: OpenIDFailure.provider("it is down")) {
        _ = try await bench.client.begin(to: "/ui/")
      }
      bench.provider.state.withLock { $0.isDown = false }
      #expect(try await bench.signIn().get() != nil, "a failure is not kept")
    }
    try await bench { bench throws in
      bench.provider.state.withLock {
        $0.document = #"{"token_endpoint_auth_methods_supported":["client_secret_post"]}"#
      }
      _ = try await bench.signIn().get()
      let form = try #require(bench.provider.state.withLock { $0.asked.first { $0.form != nil } })
      #expect(form.authorization == nil && form.form?.hasSuffix("&client_secret=s%3Acret") == true)
    }
  }

  @Test func onlyThoseThatAreAllowed() async throws {
    let lists: [([String], Bool)] = [
      (["@example.com"], true), (["bob@example.com", "ada@example.com"], true), ([], true),
      (["@ample.com"], false), (["example.com"], false), (["a@example.com"], false), (["@"], false),
    ]
    for (allowed, isLetIn) in lists {
      try await bench({ $0.allowed = allowed }) { bench throws in
        let result = try await bench.signIn()
        #expect(
          result
            == (isLetIn ? .success("oidc:ada@example.com") : .failure(.refused("not among oidc.allowed"))))
        #expect(bench.access.accounts.users().isEmpty != isLetIn)
      }
    }
  }

  /// A provider that does not answer is waited for by few from one place, and keeps nobody else out.
  @Test func fewFromOnePlaceWait() async throws {
    try await bench { bench throws in
      let (gate, open) = AsyncStream<Void>.makeStream()
      let waiting = (0..<4).map { _ in
        Task { [sessions = bench.sessions] () -> OpenIDFailure? in
          do throws(OpenIDFailure) {
            _ = try await sessions.signIn(address: "10.0.0.1", administrators: []) {
              () throws(OpenIDFailure) in
              for await _ in gate {}
              throw .provider("late")
            }
            return nil
          } catch {
            return error
          }
        }
      }
      func ask(_ address: String) async -> OpenIDFailure? {
        do throws(OpenIDFailure) {
          _ = try await bench.sessions.signIn(address: address, administrators: []) {
            () throws(OpenIDFailure) in throw .provider("asked")
          }
          return nil
        } catch {
          return error
        }
      }
      while await ask("10.0.0.1") != .busy { await Task.yield() }
      #expect(await ask("10.0.0.2") == .provider("asked"))
      open.finish()
      for task in waiting { #expect(await task.value == .provider("late")) }
      #expect(await ask("10.0.0.1") == .provider("asked"))
    }
  }

  @Test func triesAreBounded() async throws {
    try await bench { bench throws in
      for _ in 0..<100 {
        #expect(try await bench.signIn(code: "x") == .failure(.refused("invalid_grant")))
      }
      guard case .failure(.access(.throttled)) = try await bench.signIn() else {
        Issue.record("one more was heard")
        return
      }
      bench.access.advance(seconds: 61)
      #expect(try await bench.signIn().get() != nil)
    }
  }
}
