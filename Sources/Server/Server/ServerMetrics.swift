import APIs
import Forwarding
import HTTP
import Platform
import Routing

/// What `/metrics` shows of the whole server.
enum ServerMetrics {
  /// Collectors in the order of the families.
  static func registry(_ parts: ServerParts, _ metrics: HTTPMetrics) -> MetricsRegistry {
    let (clock, ingest) = (parts.clock, parts.ingest)
    let startedAt = clock.now()
    let registry = MetricsRegistry()
    registry.register { metrics.collect(into: &$0) }
    registry.register(parts.engine.collect)
    registry.register { ProcessMetrics.collect(into: &$0) }
    registry.register { ProcessMetrics.collectDatagrams(of: metrics.datagramPorts, into: &$0) }
    registry.register { text in
      text.family("logstack_service_info", .gauge, "Always 1: which service and version this is.")
      text.sample(
        "logstack_service_info", [("service", "logstack"), ("version", RunningServer.version)], 1)
      text.single(
        "uptime_seconds", .gauge, "How long the server has been running.",
        Double(max(0, clock.now() - startedAt)) / 1e9)
    }
    registry.register { metrics.collectPlain(into: &$0) }
    registry.register { await ingest.metrics.collect(into: &$0) }
    registry.register { text in
      if let loki = ingest.loki {
        loki.collect(into: &text)
      } else {
        LokiMetrics.collect(ForwardingMetrics(), now: 0, into: &text)
      }
    }
    return registry
  }
}
