import NIOCore
import NIOHTTP1
import Records

/// What the server tells about itself: `GET /`, `/healthz`, `/metrics`.
package struct OperationsRoutes: APIRoutes {
  let version: String
  let store: String
  let registry: MetricsRegistry
  let control: any StoreControl
  let isStopping: @Sendable () -> Bool

  package init(
    version: String, store: String, registry: MetricsRegistry, control: any StoreControl,
    isStopping: @escaping @Sendable () -> Bool = { false }
  ) {
    self.version = version
    self.store = store
    self.registry = registry
    self.control = control
    self.isStopping = isStopping
  }

  package func admit(_ head: HTTPRequestHead, path: String, origin: RequestOrigin) -> Admission? {
    switch path {
    case "/": open(head, route: path) { root() }
    case "/healthz": open(head, route: path) { health() }
    case "/metrics": open(head, route: path) { metrics() }
    default: nil
    }
  }

  private func open(
    _ head: HTTPRequestHead, route: String, _ answer: @escaping @Sendable () -> HTTPAnswer
  ) -> Admission {
    guard head.method == .GET || head.method == .HEAD else {
      return .refuse(Problem(405, "This path takes GET, HEAD.", allow: "GET, HEAD"), route: route)
    }
    return .accept(
      Endpoint(route: route, bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
        (_, _) async throws(Problem) in
        .answer(answer())
      })
  }

  /// The service object: what this is and where to go from here.
  func root() -> HTTPAnswer {
    var text = JSONText()
    text.beginObject()
    text.name("service")
    text.value("cordwood")
    text.name("version")
    text.value(version)
    text.name("store")
    text.value(store)
    text.name("status")
    text.value("ok")
    text.name("endpoints")
    text.beginArray()
    for route in [
      "/v1/records/{dataset}", "/v1/query", "/v1/tail/{dataset}", "/v1/delete", "/v1/admin/flush",
      "/api/auth/login",
      "/api/auth/refresh", "/api/auth/logout", "/api/users", "/api/users/me/password", "/api/keys",
      "/api/containers",
      "/api/containers/{container}/sessions", "/api/logs/{container}/{session}", "/api/v1/logs",
      "/api/v1/logs/{id}", "/api/v1/logs/bulk", "/api/v1/logs/stats", "/api/v1/logs/export",
      "/api/v1/logs/cleanup",
      "/api/v1/logs/stream", "/api/v1/login", "/api/v1/verify/{id}", "/api/v1/websocket-info", "/ws/logs",
      "/ws/stream", "/api/v1/tenants", "/api/v1/logs/batch", "/api/v1/metrics/overview",
      "/api/v1/metrics/categories",
      "/cubejs-api/v1/load", "/cubejs-api/v1/meta", "/openapi.json", "/health", "/healthz", "/metrics",
    ] {
      text.value(route)
    }
    text.endArray()
    text.endObject()
    return .json(.ok, text)
  }

  /// 200 while writes are taken, else 503 and why.
  func health() -> HTTPAnswer {
    let failure = control.writeFailure()
    var text = JSONText()
    text.beginObject()
    text.name("status")
    text.value(failure == nil ? "healthy" : "unhealthy")
    if let failure {
      text.name("detail")
      text.value(Problem(failure).detail)
    }
    text.endObject()
    return .json(failure == nil ? .ok : .serviceUnavailable, text)
  }

  func metrics() -> HTTPAnswer {
    HTTPAnswer(
      .ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: registry.render())
    )
  }
}
