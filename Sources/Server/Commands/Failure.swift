import ArgumentParser
import Foundation

/// How commands fail: one line on standard error, exit status 1.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }

  /// Runs `body`; what it throws is printed for people, and the process ends with status 1.
  static func shown<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch { throw report(error) }
  }

  /// The same for what does not wait.
  static func shown<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch { throw report(error) }
  }

  private static func report(_ error: any Error) -> any Error {
    if error is ExitCode || error is ValidationError || error is CleanExit { return error }
    FileHandle.standardError.write(Data("cordwood: \(error)\n".utf8))
    return ExitCode.failure
  }
}
