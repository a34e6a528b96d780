import Foundation
import Gateway
import Logging
import NIOCore
import Platform

/// One run of the server from start to stop signal.
package struct ServerRun {
  private let configuration: Configuration
  private let warnings: [String]
  private let logger: Logger
  private let clock = SystemClock()

  /// - Parameter warnings: Logged once the server listens.
  package init(_ configuration: Configuration, warnings: [String]) {
    self.configuration = configuration
    self.warnings = warnings
    let isJSON =
      switch configuration.logFormat {
      case .json: true
      case .text: false
      case .auto: !ProcessLimits.isTerminal(2)
      }
    let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
    let clock = clock
    self.logger = Logger(label: "cordwood") { _ in LogOutput(level: level, isJSON: isJSON, clock: clock) }
  }

  /// Opens the store, listens, waits for a stop signal, stops.
  package func run() async throws {
    let engine = try await EngineOpening.open(configuration, clock: clock)
    let server: RunningServer
    do {
      server = try await RunningServer.start(
        configuration, engine: engine, inflater: GzipInflater(), clock: clock, logger: logger)
    } catch {
      await engine.close()
      throw StartError.cannotListen(host: configuration.host, port: configuration.port, error)
    }
    announce(server, engine: engine)
    let signals = DiskThread(name: "signals")
    let name = await signals.run { StopSignals.wait() }
    logger.notice("stopping", metadata: ["signal": "\(name)"])
    exitAtOnceOnSecondSignal(signals)
    await server.stop()
    logger.notice("stopped")
  }

  private func exitAtOnceOnSecondSignal(_ thread: DiskThread) {
    let wait: @Sendable () -> Void = {
      _ = StopSignals.wait()
      StopSignals.exitAtOnce()
    }
    thread.submit(wait)
  }

  private func announce(_ server: RunningServer, engine: Engine) {
    let addresses = server.ports.map { "http://\(configuration.host):\($0)" }
    logger.notice("listening on \(addresses.joined(separator: ", "))")
    logger.notice("\(engine.summary)")
    for warning in warnings { logger.warning("\(warning)") }
    guard configuration.isOpen, let url = addresses.first else { return }
    logger.warning(
      "development mode without API keys: everybody who reaches this port may read, write and delete everything"
    )
    let text = """

      Try it:

        curl -s \(url)/v1/records/logs --data-binary '{"level":"INFO","service":"shop","message":"hello from curl"}'
        curl -s \(url)/v1/query -d '{"dataset":"logs","limit":10}'


      """
    FileHandle.standardOutput.write(Data(text.utf8))
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
