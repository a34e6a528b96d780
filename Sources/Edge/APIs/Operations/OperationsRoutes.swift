import Codecs
import Platform
import Records
import Routing

/// How the server is: `/healthz`, `/readyz`, `/metrics`.
package struct OperationsRoutes: Sendable {
  let registry: MetricsRegistry
  let readiness: any ReadinessChecks
  let clock: any WallClock
  let gate: OperatorGate

  /// - Parameter gate: Who is told more than whether the server works.
  package init(
    registry: MetricsRegistry, readiness: any ReadinessChecks, clock: any WallClock,
    gate: OperatorGate = .open
  ) {
    self.gate = gate
    self.registry = registry
    self.readiness = readiness
    self.clock = clock
  }

  package var api: API {
    var api = API("operations", authenticate: gate.authenticate)
    api.routes = [
      Route(.get, "/healthz", "Whether the server answers", .open(alive)),
      Route(
        .get, "/readyz", "Whether all it needs is there: Loki, disk, journal, forwarder", .open(ready)
      ).failing(with: 503),
      gate.guarded(Route(.get, "/metrics", "Figures in Prometheus' text format", .open(metrics))),
    ]
    return api
  }

  /// 200 as long as there is somebody to answer.
  private func alive(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    .object { text in
      text.member("status", "alive")
      text.time("timestamp", clock.now(), zone: "")
      // What the ingest system calls itself, its version included: its clients' probes compare this object.
      text.member("service", "logstack")
      text.member("version", "0.1.0")
    }
  }

  /// 200 while everything the server needs is there, else 503 and what is missing: by name, and for
  /// administrators in detail.
  private func ready(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let checks = await readiness.run()
    let failed = checks.filter { !$0.isHealthy }.map(\.name)
    let tellsAll = gate.tellsAll(call.authorization)
    return .object(failed.isEmpty ? .ok : .serviceUnavailable) { text in
      text.member("status", failed.isEmpty ? "ready" : "not_ready")
      text.time("timestamp", clock.now(), zone: "")
      if tellsAll {
        text.name("checks")
        text.beginObject()
        for check in checks {
          text.name(text: check.name)
          check.write(to: &text)
        }
        text.endObject()
      }
      if !failed.isEmpty {
        text.name("failed_checks")
        text.beginArray()
        for name in failed { text.value(name) }
        text.endArray()
      }
    }
  }

  private func metrics(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    HTTPAnswer(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: await registry.render())
  }
}
