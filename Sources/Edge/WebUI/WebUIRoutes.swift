import Codecs
import Crypto
import Records
import Routing

/// The page for people below `/ui/`, from this binary (Docs/page.md): one HTML for all its addresses, and
/// what that asks for, under an address that changes with any byte of it.
///
/// What the page asks of the server is below `/ui/v1/`, and no business of this.
package struct WebUIRoutes: Sendable {
  /// The pages that the one HTML shows.
  package static let pages = ["overview", "logs", "trace", "charts", "verify", "send", "manage", "signin"]

  /// What the page may do: load what is ours, ask what is ours. Texts become nodes and never HTML, so trusted
  /// types may be had by nobody.
  package static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    + "trusted-types 'none'"

  private static let index: Name = "index.html"

  /// Of all files and their names, hexadecimal.
  package let hash: String
  private let page: PageAsset
  private let assets: [Name: PageAsset]

  /// Hashes and compresses.
  ///
  /// - Parameter files: With `index.html`, in which `{assets}` is where the others are.
  package init(_ files: PageFiles = .embedded) {
    let names = files.contents.keys.sorted()
    var digest = SHA256()
    for name in names {
      let bytes = files.contents[name] ?? []
      digest.update(data: Array("\(name.text) \(bytes.count) ".utf8))
      digest.update(data: bytes)
    }
    let hash = Hex.text(Array(digest.finalize().prefix(16)))
    self.hash = hash
    let html = String(decoding: files.contents[WebUIRoutes.index] ?? [], as: UTF8.self)
    page = PageAsset(
      WebUIRoutes.index.text, Array(html.replacing("{assets}", with: "/ui/-/" + hash).utf8))
    assets = Dictionary(
      uniqueKeysWithValues: names.filter { $0 != WebUIRoutes.index }.map {
        ($0, PageAsset($0.text, files.contents[$0] ?? []))
      })
  }

  package var api: API {
    var api = API("page")
    api.prefixes = ["/ui/"]
    let names = assets.keys.sorted().map(\.text)
    api.routes =
      [
        Route(.get, "/", "The page, for browsers", .open(toPage)).answering(303)
          .claimed { ($0.method == .get || $0.method == .head) && $0.prefersPage },
        Route(.get, "/ui", "Where the page is", .open(toPage)).answering(303),
        Route(.get, "/ui/", "The page for people", .open(show)),
        Route(.get, "/ui/-/{hash}/{file}", "What the page is made of", .open(send))
          .taking(
            .path("hash", JSONSchema.choice([hash]), "Of all files"),
            .path("file", JSONSchema.choice(names), "The file's name")),
      ] + WebUIRoutes.pages.map { Route(.get, PathPattern("/ui/\($0)"), "The page, at \($0)", .open(show)) }
    // What stands in an address is the page's to read, and to say what is wrong with it.
    api.routes = api.routes.map(\.leavingQuery)
    return api
  }

  private func toPage(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    HTTPAnswer(
      303, contentType: "text/plain; charset=utf-8",
      headers: [("Location", "/ui/"), ("Vary", "Accept"), ("Cache-Control", "no-cache")],
      body: Array("See /ui/\n".utf8))
  }

  private func show(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let fields =
      [
        (name: "Content-Security-Policy", value: WebUIRoutes.policy),
        (name: "Cache-Control", value: "no-cache"),
        // Weak: the same page in another coding has other bytes.
        (name: "ETag", value: "W/\"\(hash)\""),
      ] + PageGuard.fields
    if call.head.headers[list: "If-None-Match"].contains(where: isThis) {
      return HTTPAnswer(304, contentType: page.mediaType, headers: fields, body: [])
    }
    return page.answer(to: call.head, fields)
  }

  private func isThis(_ tag: Substring) -> Bool {
    tag.hasBytes(of: "*") || tag.hasBytes(of: "W/\"\(hash)\"") || tag.hasBytes(of: "\"\(hash)\"")
  }

  private func send(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    guard call.parameters["hash"].hasBytes(of: hash), let asset = assets[Name(call.parameters["file"])] else {
      throw Problem(404, "This page has no such file; load it anew.")
    }
    // The policy too: a picture that is opened by itself is a document.
    let fields = [
      (name: "Content-Security-Policy", value: "default-src 'none'; frame-ancestors 'none'"),
      (name: "Cache-Control", value: "public, max-age=31536000, immutable"),
    ]
    return asset.answer(to: call.head, fields + PageGuard.fields)
  }
}
