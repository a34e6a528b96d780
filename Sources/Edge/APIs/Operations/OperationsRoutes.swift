import Platform
import Records
import Routing

/// What the server tells about itself: `GET /`, `/healthz`, `/readyz`, `/metrics`.
package struct OperationsRoutes: APIRoutes {
  let version: String
  let store: String
  let registry: MetricsRegistry
  let readiness: any ReadinessChecks
  let clock: any WallClock

  package init(
    version: String, store: String, registry: MetricsRegistry, readiness: any ReadinessChecks,
    clock: any WallClock
  ) {
    self.version = version
    self.store = store
    self.registry = registry
    self.readiness = readiness
    self.clock = clock
  }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    switch path {
    case "/": open(head, route: path) { root() }
    case "/healthz": open(head, route: path) { alive() }
    case "/readyz": open(head, route: path) { await ready() }
    case "/metrics": open(head, route: path) { metrics() }
    default: nil
    }
  }

  private func open(
    _ head: RequestHead, route: String, _ answer: @escaping @Sendable () async -> HTTPAnswer
  ) -> Admission {
    guard head.method == .get || head.method == .head else {
      return .refuse(Problem(405, "This path takes GET, HEAD.", allow: "GET, HEAD"), route: route)
    }
    return .accept(
      Endpoint(route: route, bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
        (_, _) async throws(Problem) in
        .answer(await answer())
      })
  }

  /// The service object: what this is and where to go from here.
  func root() -> HTTPAnswer {
    var text = JSONText()
    text.beginObject()
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
      "/api/v1/metrics/categories", "/cubejs-api/v1/load", "/cubejs-api/v1/meta", "/v1/logs:ingest",
      "/v1/admin/status", "/v1/admin/tokens/generate", "/v1/admin/masking:test", "/v1/admin/deadletters",
      "/openapi.json", "/health", "/healthz", "/readyz", "/metrics",
    ] {
      text.value(route)
    }
    text.endArray()
    text.endObject()
    return .json(.ok, text)
  }

  /// 200 as long as there is somebody to answer.
  func alive() -> HTTPAnswer {
    var text = JSONText()
    text.beginObject()
    text.member("status", "alive")
    text.time("timestamp", clock.now(), zone: "")
    // What the ingest system calls itself: its clients' probes compare this object.
    text.member("service", "logstack")
    text.member("version", version)
    text.endObject()
    return .json(.ok, text)
  }

  /// 200 while everything the server needs is there, else 503 and what is missing.
  func ready() async -> HTTPAnswer {
    let checks = await readiness.run()
    let failed = checks.filter { !$0.isHealthy }.map(\.name)
    var text = JSONText()
    text.beginObject()
    text.member("status", failed.isEmpty ? "ready" : "not_ready")
    text.time("timestamp", clock.now(), zone: "")
    text.name("checks")
    text.beginObject()
    for check in checks {
      text.name(text: check.name)
      check.write(to: &text)
    }
    text.endObject()
    if !failed.isEmpty {
      text.name("failed_checks")
      text.beginArray()
      for name in failed { text.value(name) }
      text.endArray()
    }
    text.endObject()
    return .json(failed.isEmpty ? .ok : .serviceUnavailable, text)
  }

  func metrics() -> HTTPAnswer {
    HTTPAnswer(
      .ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: registry.render()
    )
  }
}
