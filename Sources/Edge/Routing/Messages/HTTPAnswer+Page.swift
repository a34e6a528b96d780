/// What every page for people is sent with, so that others cannot make it do more than it does.
package enum PageGuard {
  /// It is taken for nothing but what it is called, tells nobody where it was, and shares neither a window
  /// nor its bytes with pages of others.
  package static let fields: [(name: String, value: String)] = [
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
  ]
}

extension HTTPAnswer {
  /// A page for people that loads and runs only what `policy` names, and stands in no other page.
  ///
  /// - Parameter policy: Of `Content-Security-Policy`, beside what every page has.
  package static func page(_ text: [UInt8], policy: String) -> HTTPAnswer {
    HTTPAnswer(
      .ok, contentType: "text/html; charset=utf-8",
      headers: [
        (
          "Content-Security-Policy",
          "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " + policy
        )
      ] + PageGuard.fields, body: text)
  }
}
