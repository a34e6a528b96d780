import Access
import Codecs
import Records
import Routing

/// Signing in by a provider of OpenID Connect (Docs/page.md): the browser goes there and comes back, by
/// addresses that it opens itself.
extension PageRoutes {
  /// Of what the browser keeps on the way. It comes along when another site sends the browser back here, as
  /// no other cookie of ours does. Over TLS no other host can have set it (`__Host-`, RFC 6265bis §4.1.3.2).
  private var tripName: String { parts.isSecure ? "__Host-cordwood_trip" : "cordwood_trip" }
  private static let signInPage = "/ui/signin"
  /// Of a code: providers' have some hundred bytes.
  private static let codeBytesMax = 4_096

  /// Addresses that the browser opens by itself, with no field of ours.
  static let navigations = [PageDownloads.path, OpenIDSettings.startPath, OpenIDSettings.callbackPath]

  var providerRoutes: [Route] {
    let ways = Route(.get, "/ui/v1/signin", "How people may sign in", .open(waysIn))
      .taking(PageCallers.fields[0])
    guard let provider = parts.provider else { return [ways] }
    return [
      ways,
      Route(
        .get, PathPattern(OpenIDSettings.startPath), "Goes to the provider of sign-ins",
        .open { call throws(Problem) in try await start(call, provider) }
      )
      .taking(.query("to", JSONSchema.text, "Where to go afterwards: a path below /ui/"))
      .answering(303),
      // What providers add is theirs.
      Route(
        .get, PathPattern(OpenIDSettings.callbackPath), "Comes back from it",
        .open { call throws(Problem) in try await comeBack(call, provider) }
      )
      .leavingQuery.answering(303),
    ]
  }

  private func waysIn(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    HTTPAnswer.object { text in text.member("provider", parts.provider?.settings.title) }.ofPage
  }

  /// What only looks where an address leads would use it up.
  private func refuseLooks(_ call: HTTPCall) throws(Problem) {
    guard call.head.method == .get else { throw Problem(405, "GET alone", allow: "GET") }
  }

  private func start(_ call: HTTPCall, _ provider: OpenIDProvider) async throws(Problem) -> HTTPAnswer {
    try refuseLooks(call)
    do throws(OpenIDFailure) {
      let (address, trip) = try await provider.begin(to: call.query["to"] ?? "")
      return redirect(to: address, cookies: [tripCookie(trip.cookie, seconds: Int(OpenIDTrip.seconds))])
    } catch {
      return refuse(call, error)
    }
  }

  private func comeBack(_ call: HTTPCall, _ provider: OpenIDProvider) async throws(Problem) -> HTTPAnswer {
    try refuseLooks(call)
    do throws(OpenIDFailure) {
      let kept = PageCallers.value(of: tripName, call.head)
      let trip = try provider.back(cookie: kept, state: call.query["state"])
      if let error = call.query["error"] { throw .refused(OpenIDProvider.word(error) ?? "no reason") }
      guard let code = call.query["code"], (1...PageRoutes.codeBytesMax).contains(code.utf8.count) else {
        throw .refused("no code")
      }
      let token = try await access.sessions.signIn(
        address: call.address, administrators: provider.settings.administrators
      ) { () throws(OpenIDFailure) in
        try await provider.name(code: code, of: trip)
      }
      var event = event(call, .login, subject: token.user, tenant: nil)
      if !token.isKept { event.outcome = .grantedInMemory }
      services.log.record(event)
      return redirect(
        to: trip.target,
        cookies: [tripCookie("", seconds: 0), cookie(token.token, seconds: parts.tokenSeconds)])
    } catch {
      return refuse(call, error)
    }
  }

  /// Back to where one signs in, which says the word in other words; the log has the rest.
  private func refuse(_ call: HTTPCall, _ failure: OpenIDFailure) -> HTTPAnswer {
    var event = event(call, .login, subject: nil, tenant: nil)
    event.outcome = .refused(failure.detail)
    services.log.record(event)
    return redirect(
      to: "\(PageRoutes.signInPage)?failed=\(failure.word)", cookies: [tripCookie("", seconds: 0)])
  }

  private func redirect(to address: String, cookies: [String]) -> HTTPAnswer {
    var answer = HTTPAnswer(
      303, contentType: "text/plain; charset=utf-8",
      headers: [("Location", address), ("Referrer-Policy", "no-referrer")], body: [])
    for cookie in cookies { answer.headers.append(("Set-Cookie", cookie)) }
    return answer.ofPage
  }

  private func tripCookie(_ value: String, seconds: Int) -> String {
    let path = parts.isSecure ? "/" : "/ui/v1/oidc/"
    return setCookie(tripName, value, "Path=\(path); Max-Age=\(seconds)", sameSite: "Lax")
  }
}

extension OpenIDFailure {
  /// For the access log.
  fileprivate var detail: String {
    switch self {
    case .expired, .busy: "oidc_\(word)"
    case .refused(let said), .provider(let said), .identity(let said): "oidc_\(word): \(said)"
    case .access(let error): "oidc_\(error.word)"
    }
  }
}
