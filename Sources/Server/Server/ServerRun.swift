import APIs
import Access
import AsyncHTTPClient
import Forwarding
import Foundation
import HTTP
import Logging
import NIOCore
import Platform
import Records
import Routing

/// One run of the server from start to stop signal.
package struct ServerRun {
  private let configuration: Configuration
  private let warnings: [String]
  private let logger: Logger
  private let isJSON: Bool
  private let clock = SystemClock()
  private let configurationPath: String?
  private let reread: @Sendable () throws -> (Configuration, [String])

  /// - Parameters:
  ///   - warnings: Logged before the line that says that the server listens.
  ///   - configurationPath: The configuration's file; nil: none.
  ///   - reread: Lays the sources of the configuration over one another again.
  package init(
    _ configuration: Configuration, warnings: [String], configurationPath: String?,
    reread: @escaping @Sendable () throws -> (Configuration, [String])
  ) {
    self.configuration = configuration
    self.warnings = warnings
    self.configurationPath = configurationPath
    self.reread = reread
    let isJSON =
      switch configuration.logFormat {
      case .json: true
      case .text: false
      case .auto: !ProcessLimits.isTerminal(2)
      }
    self.isJSON = isJSON
    let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
    let clock = clock
    self.logger = Logger(label: "cordwood") { _ in LogOutput(level: level, isJSON: isJSON, clock: clock) }
  }

  /// Opens the store, listens, waits for a stop signal, stops.
  package func run() async throws {
    let tls = try tlsFiles()
    let reports = StoreReports(logger: logger)
    let engine = try await EngineOpening.open(configuration, reports: reports, clock: clock)
    let access: AccessServices
    let keySet: KeySetFile?
    let ingest: IngestServices
    let server: RunningServer
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: ServerRun.clientOptions)
    let log = AccessLogOutput(isJSON: isJSON, logsAll: configuration.logsAllAccess, clock: clock)
    do {
      access = try await AccessServices.open(configuration, clock: clock)
      let credentials = access.audit
      keySet = try await DiskThread(name: "keys").run {
        try configuration.auditKeySetPath.map { try KeySetFile($0, for: credentials) }
      }
      ingest = IngestServices(
        configuration.ingest, store: access.keys,
        loki: try await openLoki(engine: engine, database: access.database, client: client),
        control: engine.control, clock: clock)
      do {
        server = try await RunningServer.start(
          configuration, engine: engine, reports: reports, access: access, ingest: ingest, client: client,
          log: log,
          tls: tls?.credentials, clock: clock, logger: logger)
      } catch {
        throw StartError.cannotListen(host: configuration.host, port: configuration.port, error)
      }
    } catch {
      await engine.close()
      // The server does not start anyway; what failed first is told.
      try? await client.shutdown()
      throw error
    }
    ingest.loki?.start()
    announce(server, engine: engine, access: access)
    let reload = ConfigurationReload(configuration, path: configurationPath, read: reread) { new in
      server.use(new.ingest)
    }
    let upkeep = Task { await keepUp(access, tls, keySet, reload, ingest) }
    let signals = DiskThread(name: "signals")
    let name = await signals.run { StopSignals.wait() }
    logger.notice("stopping", metadata: ["signal": "\(name)"])
    exitAtOnceOnSecondSignal(signals)
    upkeep.cancel()
    await server.stop()
    await upkeep.value
    do { try await client.shutdown() } catch { logger.error("\(error)") }
    do { try access.database.close() } catch { logger.error("\(error)") }
    await log.drain()
    logger.notice("stopped")
  }

  private func openLoki(
    engine: Engine, database: ControlDatabase, client: HTTPClient
  ) async throws -> LokiForwarding? {
    guard let url = configuration.loki.url else { return nil }
    do throws(ForwardingStateError) {
      return try await LokiForwarding(
        configuration.loki, url: url, quota: configuration.ingest.quota, engine: engine, database: database,
        client: client,
        clock: clock)
    } catch {
      throw StartError.store("cannot open the forwarder's state: \(error)")
    }
  }

  /// Of the server's own requests. What is tried again, and when, is the forwarder's to decide.
  private static var clientOptions: HTTPClient.Configuration {
    var options = HTTPClient.Configuration()
    options.connectionPool.retryConnectionEstablishment = false
    options.timeout.connect = .seconds(5)
    options.redirectConfiguration = .disallow
    return options
  }

  private func tlsFiles() throws -> TLSFiles? {
    guard let certificate = configuration.tlsCertificate, let key = configuration.tlsKey else { return nil }
    return try TLSFiles(certificate: certificate, key: key)
  }

  /// What is looked after about once a second: changes by other commands, expired tokens, new certificates and
  /// public keys.
  private func keepUp(
    _ access: AccessServices, _ tls: TLSFiles?, _ keySet: KeySetFile?, _ reload: ConfigurationReload,
    _ ingest: IngestServices
  ) async {
    let files = DiskThread(name: "files")
    var count = 0
    while !Task.isCancelled {
      // Cancelled: the loop ends, which it sees for itself.
      try? await Task.sleep(for: .seconds(1))
      count += 1
      do throws(AccessError) {
        try await access.database.refresh()
        if count % 60 == 0 {
          try await access.accounts.removeExpiredTokens()
          try await access.queries.removeExpiredTokens()
        }
      } catch {
        // Stopping ends what is under way.
        if Task.isCancelled { return }
        logger.error("the control database failed", metadata: ["detail": "\(error)"])
      }
      ingest.loki?.tell(logger)
      let isAsked = StopSignals.takeHangup()
      await files.run { reload.run(isAsked: isAsked, logger) }
      if count % 5 == 0 {
        await files.run {
          tls?.reload(logger)
          keySet?.reload(logger)
        }
      }
    }
  }

  private func exitAtOnceOnSecondSignal(_ thread: DiskThread) {
    let wait: @Sendable () -> Void = {
      _ = StopSignals.wait()
      StopSignals.exitAtOnce()
    }
    thread.submit(wait)
  }

  /// Says what is to be known of this start. That it listens comes last: who waits for that has read the rest.
  private func announce(_ server: RunningServer, engine: Engine, access: AccessServices) {
    let addresses = server.ports.map { "\(configuration.scheme)://\(configuration.host):\($0)" }
    defer { logger.notice("listening on \(addresses.joined(separator: ", "))") }
    logger.notice("\(engine.summary)")
    if let password = access.newPassword {
      // The one place where a password is shown, once: there is no other way in.
      let text = """

        The user admin was made with the password

          \(password)

        It is not shown again. Change it with POST /api/users/me/password or `cordwood users password admin`.


        """
      if !say(text) {
        logger.error(
          "the first password of admin could not be shown: set one with `cordwood users password admin`")
      }
    }
    for warning in warnings + access.warnings { logger.warning("\(warning)") }
    guard configuration.isOpen, !access.keys.hasKeys(.native), let url = addresses.first else { return }
    logger.warning(
      "development mode without API keys: everybody who reaches this port may read, write and delete everything"
    )
    let text = """

      Try it:

        curl -s \(url)/v1/records/logs --data-binary '{"level":"INFO","service":"shop","message":"hello from curl"}'
        curl -s \(url)/v1/query -d '{"dataset":"logs","limit":10}'


      """
    // Only a hint: a server whose standard output is closed serves all the same.
    _ = say(text)
  }

  /// Whether standard output took it.
  private func say(_ text: String) -> Bool {
    do throws(StreamError) { try StandardOutput.write(Array(text.utf8)) } catch { return false }
    return true
  }
}

/// Why the server did not start.
package enum StartError: Error, CustomStringConvertible {
  case cannotListen(host: String, port: Int, reason: String)
  case store(String)

  static func cannotListen(host: String, port: Int, _ error: any Error) -> StartError {
    let reason =
      switch (error as? IOError)?.errnoCode {
      case EADDRINUSE: "the port is in use; choose another with --port (0 picks a free one)"
      case EACCES: "not allowed; ports below 1024 need special rights"
      case EADDRNOTAVAIL: "this machine has no such address"
      default: "\(error)"
      }
    return .cannotListen(host: host, port: port, reason: reason)
  }

  package var description: String {
    switch self {
    case .cannotListen(let host, let port, let reason): "cannot listen on \(host):\(port): \(reason)"
    case .store(let reason): reason
    }
  }
}
