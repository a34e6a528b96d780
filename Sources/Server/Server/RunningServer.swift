import APIs
import HTTP
import Logging
import Records
import Routing

/// A server that listens: the engine behind the routes.
package struct RunningServer: Sendable {
  /// The ports it listens on, the first as `server.port` asked.
  package let ports: [Int]
  /// Where it takes messages that come without requests.
  package let listeners: [String]
  private let http: HTTPServer
  private let shutdownSeconds: Int
  private let ingest: IngestServices
  private let served: ServedAPIs

  /// Of the program, as `GET /` and `--version` show it.
  package static let version = ProgramVersion.text

  /// Wires engine and access to routes and listens.
  ///
  /// - Throws: `StartError.cannotListen`: then nothing listens.
  ///
  /// - Parameter listenerTLS: Of each of the configuration's listeners: what it shows and asks for.
  package static func start(
    _ parts: ServerParts, tls: TLSCredentials?, listenerTLS: [TLSCredentials?] = [], logger: Logger
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
      let ports = try await open(
        ([configuration.port] + configuration.extraPorts).map {
          Listener(
            .http, host: configuration.host, port: $0, tls: tls, proxies: configuration.trustedProxies)
        }, of: http)
      let listeners = configuration.listeners
      let taken = try await open(
        listeners.enumerated().map { index, listener in
          let (address, intake) = (listener.address, served.intake(of: listener))
          return Listener(
            address.transport == .udp ? .messageDatagrams(intake) : .messageStream(intake),
            host: address.host, port: address.port,
            tls: address.transport == .tls ? listenerTLS[index] : nil)
        }, of: http)
      return RunningServer(
        ports: ports, listeners: zip(listeners, taken).map { $0.text(port: $1) }, http: http,
        shutdownSeconds: configuration.shutdownSeconds, ingest: parts.ingest,
        served: served)
    } catch {
      await http.stop(withinSeconds: 0)
      throw error
    }
  }

  private static func open(_ listeners: [Listener], of http: HTTPServer) async throws -> [Int] {
    var ports: [Int] = []
    for listener in listeners {
      do { ports.append(try await http.listen(on: listener)) } catch {
        throw StartError.cannotListen(host: listener.host, port: listener.port, error)
      }
    }
    return ports
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
