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
  /// By which tokens expire.
  private let settled: SettledClock
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
    settled = SettledClock(
      SystemClock(), uptime: SystemUptime(), holdSeconds: configuration.clockStepSeconds)
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
  ///
  /// - Returns: Whether the signal was an interrupt (Ctrl-C).
  package func run() async throws -> Bool {
    var opened = OpenedParts()
    let parts: RunningParts
    do { parts = try await open(&opened) } catch {
      await opened.close()
      throw error
    }
    if let refusal = await parts.engine.control.writeFailure() {
      logger.error("writes are refused from the start", metadata: ["detail": "\(refusal)"])
    }
    announce(parts)
    let server = parts.server
    let reload = ConfigurationReload(configuration, path: configurationPath, read: reread) { new in
      server.use(new.ingest)
    }
    let upkeep = Task {
      async let commands: Void = keepUpWithCommands(parts)
      await keepUp(parts, reload)
      await commands
    }
    opened.add {
      upkeep.cancel()
      await upkeep.value
    }
    let signals = DiskThread(name: "signals")
    let name = await signals.run { StopSignals.wait() }
    logger.notice("stopping", metadata: ["signal": "\(name)"])
    exitAtOnceOnSecondSignal(signals)
    await opened.close()
    logger.notice("stopped")
    StopSignals.endWithoutDestructors()
    return name.hasBytes(of: "SIGINT")
  }

  /// What runs.
  private struct RunningParts: Sendable {
    let tls: [TLSFiles]
    let keySet: KeySetFile?
    let engine: Engine
    let reports: StoreReports
    let access: AccessServices
    let ingest: IngestServices
    let server: RunningServer
  }

  /// Opens one part after the other; each is noted as soon as it is open.
  private func open(_ opened: inout OpenedParts) async throws -> RunningParts {
    let logger = logger
    let tls = try tlsFiles()
    // Addresses that ask clients for certificates have files of their own.
    let listenerTLS = try configuration.listeners.map { listener in
      guard let path = listener.address.clientAuthorities else { return tls }
      return try tlsFiles(clientAuthorities: path)
    }
    let log = AccessLogOutput(isJSON: isJSON, logsAll: configuration.logsAllAccess, clock: clock)
    opened.add { await log.drain() }
    let reports = StoreReports(logger: logger)
    let memory = ServerMemory(configuration)
    do throws(OwnDirectoryFault) { try OwnDirectory.check(configuration.dataDirectory) } catch {
      throw StartError.store("\(error)")
    }
    var engine = try await EngineOpening.open(
      configuration, ServedAPIs.registry, memory: memory, reports: reports, clock: clock)
    opened.add(engine.close)
    let access = try await openAccess(&opened)
    // Behind the control database: where a store has its name, both are there.
    engine.identity = try await DiskThread(name: "identity").run { [configuration, clock] in
      try StoreIdentity.loadOrMake(in: configuration.dataDirectory, clock: clock)
    }
    let credentials = access.audit
    let keySet = try await DiskThread(name: "keys").run { [configuration] in
      try configuration.auditKeySetPath.map { try KeySetFile($0, for: credentials) }
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: ServerRun.clientOptions)
    opened.add { do { try await client.shutdown() } catch { logger.error("\(error)") } }
    let loki = try await openLoki(engine: engine, state: access.plane.forwarding, client: client)
    if let loki { opened.add { await loki.stop(withinSeconds: 1) } }
    var parts = ServerParts(configuration, engine: engine, access: access, log: log, clock: clock)
    parts.client = client
    parts.memory = memory
    parts.reports = reports
    parts.ingest = IngestServices(
      configuration.ingest, store: access.keys, loki: loki, control: engine.control, clock: clock)
    let server = try await RunningServer.start(
      parts, tls: tls?.credentials, listenerTLS: listenerTLS.map { $0?.credentials }, logger: logger)
    opened.add { await server.stop() }
    loki?.start()
    return RunningParts(
      tls: (listenerTLS + [tls]).compactMap { $0 }, keySet: keySet, engine: engine, reports: reports,
      access: access, ingest: parts.ingest,
      server: server)
  }

  private func openAccess(_ opened: inout OpenedParts) async throws -> AccessServices {
    let logger = logger
    let directory = configuration.dataDirectory
    let plane: any ControlPlane
    do throws(AccessError) { plane = try await AccessServices.openPlane(in: directory) } catch {
      throw StartError.access(error, directory: directory)
    }
    opened.add { do { try await plane.close() } catch { logger.error("\(error)") } }
    return try await AccessServices.open(configuration, over: plane, clock: clock, expiry: settled)
  }

  private func openLoki(
    engine: Engine, state: any ForwardingState, client: HTTPClient
  ) async throws -> LokiForwarding? {
    guard let url = configuration.loki.url else { return nil }
    do throws(ForwardingStateError) {
      return try await LokiForwarding(
        configuration, url: url, engine: engine, state: state, client: client, clock: clock)
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

  private func tlsFiles(clientAuthorities: String? = nil) throws -> TLSFiles? {
    guard let certificate = configuration.tlsCertificate, let key = configuration.tlsKey else { return nil }
    return try TLSFiles(certificate: certificate, key: key, clientAuthorities: clientAuthorities)
  }

  /// Sees what other commands changed: half as late as they wait for.
  private func keepUpWithCommands(_ parts: RunningParts) async {
    var told: String?
    while !Task.isCancelled {
      // Cancelled: the loop ends, which it sees for itself.
      try? await Task.sleep(for: AccessServices.changesAreSeenWithin / 2)
      do throws(AccessError) {
        try await parts.access.plane.changes.catchUp()
        told = nil
      } catch {
        // Stopping ends what is under way.
        if Task.isCancelled { return }
        let text = "\(error)"
        if told != text { logger.error("the control database failed", metadata: ["detail": "\(text)"]) }
        told = text
      }
    }
  }

  /// What is looked after about once a second: expired tokens, new certificates and public keys.
  private func keepUp(_ parts: RunningParts, _ reload: ConfigurationReload) async {
    let files = DiskThread(name: "files")
    var count = 0
    while !Task.isCancelled {
      // Cancelled: the loop ends, which it sees for itself.
      try? await Task.sleep(for: .seconds(1))
      count += 1
      _ = settled.now()
      await files.run { [settled] in
        parts.reports.note(settled.step)
        parts.reports.remind()
      }
      do throws(AccessError) {
        if count % 60 == 0 {
          try await parts.access.accounts.removeExpiredTokens()
          try await parts.access.queries.removeExpiredTokens()
          try await parts.access.page.removeIdle()
        }
      } catch {
        // Stopping ends what is under way.
        if Task.isCancelled { return }
        logger.error("the control database failed", metadata: ["detail": "\(error)"])
      }
      parts.ingest.loki?.tell(logger)
      let isAsked = StopSignals.takeHangup()
      await files.run { reload.run(isAsked: isAsked, logger) }
      if count % 5 == 0 {
        await files.run {
          for files in parts.tls { files.reload(logger) }
          parts.keySet?.reload(logger)
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

  /// Says what is to be known of this start. That it listens comes last: who waits for that has read the
  /// rest.
  private func announce(_ parts: RunningParts) {
    let access = parts.access
    let addresses = parts.server.ports.map { "\(configuration.scheme)://\(configuration.host):\($0)" }
    defer {
      if configuration.hasPage, let url = addresses.first { logger.notice("the page is at \(url)/ui/") }
      logger.notice("listening on \(addresses.joined(separator: ", "))")
    }
    logger.notice("\(parts.engine.summary)")
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
    for text in parts.server.listeners { logger.notice("\(text)") }
    for warning in warnings + access.warnings + readableFiles() { logger.warning("\(warning)") }
    if configuration.isReadable {
      logger.warning(
        "plain HTTP on \(configuration.host): who reads along sees all, unless a proxy encrypts"
      )
    }
    guard configuration.isOpen, !access.keys.hasKeys(.native), let url = addresses.first else { return }
    logger.warning(
      "development mode without API keys: everybody who reaches this port may read, write and delete everything"
    )
    let text = """

      Try it:

        curl -s \(url)/v1/records/logs --data-binary '{"level":"INFO","service":"shop","message":"hello from curl"}'
        curl -s \(url)/v1/query -d '{"dataset":"logs","limit":10}'


      """
    let page = configuration.hasPage ? "Or open \(url)/ui/ in a browser.\n\n" : ""
    // Only a hint: a server whose standard output is closed serves all the same.
    _ = say(text + page)
  }

  /// What to say of files with secrets that others may read.
  private func readableFiles() -> [String] {
    let files = [
      ("server.tls_key", configuration.tlsKey), ("the configuration", configurationPath),
    ]
    var warnings: [String] = []
    for (name, path) in files {
      if let path, PrivateFile.isOpenToOthers(path) == true {
        warnings.append("\(name) \(path) can be read by other users: chmod 600 \(path)")
      }
    }
    let directory = configuration.dataDirectory
    if OwnDirectory.isReadableByOthers(directory) {
      warnings.append("the data directory \(directory) can be read by other users: chmod 700 \(directory)")
    }
    return warnings
  }

  /// Whether standard output took it.
  private func say(_ text: String) -> Bool {
    do throws(StreamError) { try StandardOutput.write(Array(text.utf8)) } catch { return false }
    return true
  }
}
