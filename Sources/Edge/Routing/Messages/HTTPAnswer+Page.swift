extension HTTPAnswer {
  /// A page for people, and what keeps others from making it do more than it does: it is taken for nothing
  /// but HTML, loads and runs only what `policy` names, stands in no other page, and tells nobody where it
  /// was.
  ///
  /// - Parameter policy: Of `Content-Security-Policy`, beside what every page has.
  package static func page(_ text: [UInt8], policy: String) -> HTTPAnswer {
    HTTPAnswer(
      .ok, contentType: "text/html; charset=utf-8",
      headers: [
        (
          "Content-Security-Policy",
          "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " + policy
        ), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
      ], body: text)
  }
}
