import Access
import ArgumentParser
import Foundation
import Platform
import Server

/// Whose users and keys: options of every command that works on DATA/control.sqlite.
struct ControlPlace: ParsableArguments {
  @Option(help: "The server's configuration file, if it has one.") var config: String?
  @Option(help: "The server's data directory (default ./data).") var dataDir: String?

  private func configuration() throws -> Configuration {
    var tree = ConfigurationTree()
    if let config { try tree.overlay(file: config) }
    _ = try tree.overlay(environment: ProcessInfo.processInfo.environment)
    if let dataDir { try tree.overlay(path: "data_dir", text: dataDir, source: "--data-dir") }
    return try Configuration(tree)
  }

  /// The data directory, as the server would have it.
  func directory() throws(Failure) -> String {
    do { return try configuration().dataDirectory } catch { throw Failure("\(error)") }
  }

  private func open(creates: Bool) async throws -> AccessServices {
    let configuration = try configuration()
    let directory = configuration.dataDirectory
    guard FileManager.default.fileExists(atPath: directory) else {
      throw Failure(
        "there is no directory \(directory): start the server once, or name another with --data-dir")
    }
    guard FileManager.default.fileExists(atPath: directory + "/.") else {
      throw Failure("\(directory) is a file, not a data directory")
    }
    let isKnown = ["manifest", AccessServices.fileName].contains {
      FileManager.default.fileExists(atPath: directory + "/" + $0)
    }
    guard isKnown || creates else {
      throw Failure(
        "\(directory) is no data directory: it has no manifest. Start the server once, name another with "
          + "--data-dir, or have one begun here with --create (of add and create)")
    }
    do {
      return try await AccessServices.openForTools(configuration, clock: SystemClock())
    } catch {
      throw Failure(ControlPlace.text(of: error))
    }
  }

  /// Opens the database, does `body`, closes it; failures are shown in words.
  func read(_ body: (AccessServices) async throws -> Void) async throws {
    try await Failure.shown { try await use(open(creates: false), body) }
  }

  /// The same for what changes it: whoever asks the server as soon as this returned finds it changed.
  ///
  /// - Parameter creates: Whether a directory that no server has used is let in.
  func change(creates: Bool = false, _ body: (AccessServices) async throws -> Void) async throws {
    try await Failure.shown {
      try await use(open(creates: creates), body)
      let lock = try SharedLock(directory() + "/" + AccessServices.lockName)
      // Alone: there is no server to wait for.
      if lock.takeAlone() { return }
      try await Task.sleep(for: AccessServices.changesAreSeenWithin)
    }
  }

  private func use(
    _ services: AccessServices, _ body: (AccessServices) async throws -> Void
  ) async throws {
    do {
      try await body(services)
      try await services.plane.close()
    } catch let error as AccessError {
      throw Failure(ControlPlace.text(of: error))
    }
  }

  /// Errors in words for people.
  static func text(of error: AccessError) -> String {
    switch error {
    case .userExists: "there is a user of this name already"
    case .unknownUser: "there is no user of this name"
    case .ownsContainers(let count):
      "the user owns \(count) containers: give them to another user with --transfer-to NAME"
    case .lastAdministrator: "this is the last administrator: make another one first"
    case .invalidName(let reason), .weakPassword(let reason), .database(let reason): reason
    case .noGrant: "the user has no grant for this tenant"
    case .limitReached(let reason): reason
    case .diskFull: "no room on the disk; nothing was changed"
    case .keyExists: "there is a key of this name already: revoke it first, or take another name"
    case .unknownKey: "there is no key of this name that holds"
    case .wrongPassword, .throttled, .overloaded, .containerExists, .noContainer, .sessionExists, .noSession,
      .noView, .tenantExists, .sealedSecret:
      "\(error)"
    }
  }
}
