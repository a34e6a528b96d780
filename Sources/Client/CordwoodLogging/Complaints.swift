import Logging
import Synchronization

/// What goes wrong with sending logs cannot go to the log: it goes to standard error, a line a minute
/// of each kind.
final class Complaints: Sendable {
  private struct Kind: Sendable {
    var lastTold: Duration?
    var untoldCount = 0
  }

  private let kinds = Mutex<[String: Kind]>([:])
  private let elapsed: @Sendable () -> Duration
  private let write: @Sendable (String) -> Void

  static let interval: Duration = .seconds(60)

  /// - Parameter write: Gets a line without its end.
  init(
    elapsed: @escaping @Sendable () -> Duration,
    write: @escaping @Sendable (String) -> Void = Complaints.standardError
  ) {
    self.elapsed = elapsed
    self.write = write
  }

  /// Called by the sender and at the end, so that a standard error that nobody reads stops nobody who logs.
  ///
  /// - Parameter what: The kind, one of a few.
  func tell(_ what: String, _ answer: TransportAnswer?, _ failure: (any Error)?, _ recordCount: Int) {
    let now = elapsed()
    let untoldCount = kinds.withLock { kinds -> Int? in
      var kind = kinds[what] ?? Kind()
      defer { kinds[what] = kind }
      if let last = kind.lastTold, now - last < Complaints.interval {
        kind.untoldCount += 1
        return nil
      }
      let count = kind.untoldCount
      kind = Kind(lastTold: now)
      return count
    }
    guard let untoldCount else { return }
    var line = "\(what): records=\(recordCount)"
    if let answer { line += " status=\(answer.status)" }
    if let failure { line += " error=\(failure)" }
    if untoldCount > 0 { line += " untold=\(untoldCount)" }
    write(line)
  }

  private static func standardError(_ line: String) {
    StreamLogHandler.standardError(label: "CordwoodLogging").log(
      event: LogEvent(
        level: .warning, message: "\(line)", metadata: nil, source: "CordwoodLogging", file: #fileID,
        function: #function, line: #line))
  }
}
