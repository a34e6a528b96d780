import HTTP
import Logging
import Records
import Routing

/// A server that listens: the engine behind the routes.
package struct RunningServer: Sendable {
  /// The ports it listens on, the first as `server.port` asked.
  package let ports: [Int]
  private let http: HTTPServer
  private let shutdownSeconds: Int
  private let ingest: IngestServices
  private let served: ServedAPIs

  /// Of the program, as `GET /` and `--version` show it.
  package static let version = ProgramVersion.text

  /// Wires engine and access to routes and listens.
  ///
  /// - Throws: What the system says of an address: then nothing listens.
  package static func start(
    _ parts: ServerParts, tls: TLSCredentials?, logger: Logger
  ) async throws -> RunningServer {
    let configuration = parts.configuration
    let metrics = HTTPMetrics(
      uploads: UploadBudget(parts.memory.uploads, share: configuration.http.shareMax),
      strangers: UploadBudget(parts.memory.strangers, share: configuration.http.shareMax),
      answers: parts.memory.answers,
      datasets: ServedAPIs.registry.datasets)
    let served = ServedAPIs(parts, metrics: metrics)
    let http = HTTPServer(
      router: Router(
        RouteTable(served.apis), origins: configuration.allowedOrigins, isPrivate: configuration.isPrivate,
        rates: parts.rates, log: parts.log),
      limits: configuration.http, metrics: metrics, logger: logger, clock: parts.clock,
      threads: configuration.loopCount)
    do {
      let ports = try await http.listen(
        on: ([configuration.port] + configuration.extraPorts).map {
          Listener(
            .http, host: configuration.host, port: $0, tls: tls, proxies: configuration.trustedProxies)
        })
      return RunningServer(
        ports: ports, http: http, shutdownSeconds: configuration.shutdownSeconds, ingest: parts.ingest,
        served: served)
    } catch {
      await http.stop(withinSeconds: 0)
      throw error
    }
  }

  /// Takes new keys, masking, limits and quotas.
  func use(_ settings: IngestSettings) {
    ingest.use(settings)
    served.use(settings.masking)
  }

  /// Stops accepting and lets requests finish. What it was started with stays open.
  package func stop() async {
    await http.stop(withinSeconds: max(shutdownSeconds - 1, 1))
  }
}
