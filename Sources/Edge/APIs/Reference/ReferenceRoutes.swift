import Codecs
import Crypto
import Routing

/// What the server is and answers to: `GET /`, `/openapi.json` (OpenAPI 3.1) and `/docs`, for programs and
/// for people.
package struct ReferenceRoutes: Sendable {
  private let version: String
  private let store: String
  private let hasPage: Bool
  private let others: [API]
  private let gate: OperatorGate

  /// - Parameters:
  ///   - store: The store's identity.
  ///   - hasPage: Whether `/docs` is served.
  ///   - others: The rest of what is served.
  ///   - gate: Who may ask for the lists of routes.
  package init(
    version: String, store: String, hasPage: Bool, others: [API], gate: OperatorGate = .open
  ) {
    self.gate = gate
    self.version = version
    self.store = store
    self.hasPage = hasPage
    self.others = others
  }

  /// Of `/docs`, which has a style and no script.
  private static let policy: String = {
    let hash = Base64.text(Array(SHA256.hash(data: Array(ReferencePage.style.utf8))).span)
    return "style-src 'sha256-\(hash)'; require-trusted-types-for 'script'; trusted-types 'none'"
  }()

  package var api: API {
    // The documents tell of themselves too.
    let table = RouteTable([described(root: [], document: [], page: [])] + others)
    return described(
      root: root(table.paths.map(\.description)),
      document: OpenAPIDocument.text(of: table, version: version),
      page: ReferencePage.text(of: table, version: version))
  }

  private func described(root: [UInt8], document: [UInt8], page: [UInt8]) -> API {
    var api = API("reference", authenticate: gate.authenticate)
    api.routes = [
      Route(
        .get, "/", "What this server is: version, the store's identity, routes",
        .open { _ throws(Problem) in HTTPAnswer(.ok, contentType: "application/json", body: root) }),
      Route(
        .get, "/openapi.json", "This document",
        .open { _ throws(Problem) in HTTPAnswer(.ok, contentType: "application/json", body: document) }),
    ].map(gate.guarded)
    guard hasPage else { return api }
    api.routes.append(
      Route(
        .get, "/docs", "This document for people",
        .open { _ throws(Problem) in
          HTTPAnswer.page(page, policy: ReferenceRoutes.policy)
        }))
    return api
  }

  /// What this is and where to go from here.
  private func root(_ paths: [String]) -> [UInt8] {
    JSONWriter.object { text in
      text.member("service", "cordwood")
      text.member("version", version)
      text.member("description", "A log server: logs, stacked in columns.")
      text.member("docs", "/docs")
      text.member("health", "/health")
      text.member("message", "Cordwood is running")
      text.member("store", store)
      text.member("status", "ok")
      text.name("endpoints")
      text.beginArray()
      for path in paths { text.value(path) }
      text.endArray()
    }
  }
}
