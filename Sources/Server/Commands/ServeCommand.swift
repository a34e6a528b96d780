import APIs
import ArgumentParser
import Foundation
import HTTP
import Logging
import Platform
import Routing
import Server

/// `cordwood serve`: runs the server until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the server.", usage: "cordwood serve [<options>]",
    discussion: """
      Flags win over environment variables (CORDWOOD_SERVER_PORT, …), these over the
      file, this over defaults. Docs/operating/configuration.md lists every setting.

      Examples:
        cordwood serve
        cordwood serve --config cordwood.yaml --port 9000
        cordwood serve --data-dir /var/lib/cordwood --set storage.durability=os
      """)

  @Option(help: "A configuration file (YAML).") var config: String?
  @Option(help: "Where everything is stored.") var dataDir: String?
  @Option(help: "Address to listen on.") var host: String?
  @Option(help: "Port to listen on; 0 picks a free one.") var port: Int?
  @Option(name: .customLong("extra-port"), help: "One more port; may be given several times.") var extraPorts:
    [Int] = []
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any setting; may be given several times.", valueName: "key=value"))
  var settings: [String] = []

  func run() async throws {
    // Here alone: the other commands end at once when they are interrupted, with the same status.
    StopSignals.catchAll()
    ProcessLimits.raiseOpenFiles()
    ProcessLimits.keepFilesPrivate()
    var (configuration, warnings) = try Failure.shown { try loadConfiguration() }
    warnings += configuration.http.holdToDescriptors(ProcessLimits.openFilesMax)
    if !configuration.isPrivate, !ProcessLimits.forbidCoreDumps() {
      warnings.append("core dumps could not be switched off: a crash may write secrets to the disk")
    }
    let isInterrupted = try await Failure.shown {
      try await ServerRun(
        configuration, warnings: warnings, configurationPath: config, reread: { try loadConfiguration() }
      ).run()
    }
    if isInterrupted { throw ExitCode(130) }
  }

  /// Lays the sources over one another.
  func loadConfiguration() throws -> (Configuration, [String]) {
    var tree = ConfigurationTree()
    if let config { try tree.overlay(file: config) }
    let warnings = try tree.overlay(environment: ProcessInfo.processInfo.environment)
    if let dataDir { try tree.overlay(path: "data_dir", text: dataDir, source: "--data-dir") }
    if let host { try tree.overlay(path: "server.host", text: host, source: "--host") }
    if let port { try tree.overlay(path: "server.port", text: String(port), source: "--port") }
    if !extraPorts.isEmpty {
      try tree.overlay(path: "server.extra_ports", text: "\(extraPorts)", source: "--extra-port")
    }
    for setting in settings {
      guard let equals = setting.firstIndex(of: "=") else {
        throw ConfigurationError.refused("--set wants key=value, for example --set server.port=9000")
      }
      try tree.overlay(
        path: String(setting[..<equals]), text: String(setting[setting.index(after: equals)...]),
        source: "--set")
    }
    return (try Configuration(tree), tree.warnings + warnings)
  }
}

extension HTTPLimits {
  /// Holds the bound on connections against the descriptors there are; what to warn of.
  fileprivate mutating func holdToDescriptors(_ openFilesMax: Int) -> [String] {
    guard openFilesMax > 0, hold(toOpenFiles: openFilesMax) else { return [] }
    return [
      "server.connections_max is lowered to \(connectionCountMax): the process may have \(openFilesMax) "
        + "descriptors, of which some are kept for files (ulimit -n, LimitNOFILE)"
    ]
  }
}
