import ArgumentParser

/// How commands fail: one line on standard error, and the command's exit status for failures.
struct Failure: Error, CustomStringConvertible {
  let description: String
  /// nil: the command's status for failures, which is 1 for most.
  let status: Int32?

  init(_ description: String, status: Int32? = nil) {
    self.description = description
    self.status = status
  }

  /// `cordwood query | head`: whoever reads has had enough, which ends a command quietly and is no failure of
  /// it.
  static let readerLeft = Failure("nobody reads standard output", status: 0)

  var isReaderLeft: Bool { status == 0 }

  /// Runs `body`; what it throws is printed for people, and the process ends with `status`.
  static func shown<Value>(status: Int32 = 1, _ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch { throw report(error, status) }
  }

  /// The same for what does not wait.
  static func shown<Value>(status: Int32 = 1, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch { throw report(error, status) }
  }

  private static func report(_ error: any Error, _ status: Int32) -> any Error {
    if error is ExitCode || error is ValidationError || error is CleanExit { return error }
    let failure = error as? Failure
    if failure?.isReaderLeft == true { return ExitCode.success }
    Output.warn("\(error)")
    return ExitCode(failure?.status ?? status)
  }
}
