import AsyncHTTPClient
import Logging
import ServiceLifecycle

/// A connection of swift-log to a Cordwood server: batches records, sends them in the background from the
/// first one on, and tries again what could not be sent.
///
/// ```swift
/// let log = CordwoodLog(server: "https://logs.example.com", key: key, options: .init(service: "shop"))
/// LoggingSystem.bootstrap(log.handler)
/// ```
///
/// What was logged shortly before the program ends is sent by ``run()`` in a `ServiceGroup`, or by
/// ``shutdown()``. A program needs one of these and one value of this type, for all its loggers.
public final class CordwoodLog: Service, Sendable {
  private let options: CordwoodLogOptions
  private let sender: Sender
  private let provider: Logger.MetadataProvider?
  private let sending: Task<Void, Never>

  /// Begins to send. Nothing here fails: what a server does not take is counted, and told on standard error.
  ///
  /// - Parameters:
  ///   - server: Where the server is, `https://logs.example.com:8000`.
  ///   - key: A native key with the role `writer`; none for a server in development that has no keys.
  ///   - options: Numbers out of range become the nearest ones within.
  ///   - metadataProvider: For loggers that have none of their own.
  ///   - client: For certificates of one's own, say. The caller shuts it down, after ``shutdown()``.
  public convenience init(
    server: String, key: String?, options: CordwoodLogOptions = CordwoodLogOptions(),
    metadataProvider: Logger.MetadataProvider? = nil, client: HTTPClient = .shared
  ) {
    let transport = HTTPTransport(
      client: client, server: server, key: key, timeout: options.requestTimeout)
    self.init(
      options: options, provider: metadataProvider, transport: transport, timing: .system, complaints: nil)
  }

  init(
    options: CordwoodLogOptions, provider: Logger.MetadataProvider?, transport: any Transport,
    timing: Timing, complaints: Complaints?
  ) {
    self.options = options.bounded
    self.provider = provider
    let sender = Sender(
      options: options, transport: transport, timing: timing,
      complaints: complaints ?? Complaints(elapsed: timing.elapsed))
    self.sender = sender
    // It outlives whoever began it on purpose: records of a start that fails are worth the most.
    sending = Task { await sender.run() }
  }

  /// A handler for `LoggingSystem.bootstrap`, or for a `Logger` of its own.
  @Sendable public func handler(label: String) -> CordwoodLogHandler {
    CordwoodLogHandler(label: label, options: options, sender: sender, provider: provider)
  }

  /// The same for `LoggingSystem.bootstrap(_:metadataProvider:)`.
  @Sendable public func handler(
    label: String, metadataProvider: Logger.MetadataProvider?
  ) -> CordwoodLogHandler {
    let provider = metadataProvider ?? provider
    return CordwoodLogHandler(label: label, options: options, sender: sender, provider: provider)
  }

  /// What became of the records so far.
  public var counts: CordwoodLogCounts { sender.counts }

  /// Sends what waits without waiting for more.
  ///
  /// - Parameter limit: How long to wait for it.
  /// - Returns: Whether all that was logged before is stored, or lost and counted in ``counts``.
  @discardableResult
  public func flush(within limit: Duration = .seconds(10)) async -> Bool {
    await sender.flush(within: limit)
  }

  /// Sends what waits for as long as ``CordwoodLogOptions/shutdownTimeout``, and ends. What was not sent by
  /// then is lost, counted, and told on standard error; what is logged later is lost and counted. A second
  /// call does nothing.
  public func shutdown() async {
    _ = await sender.flush(within: options.shutdownTimeout)
    sender.close()
    sending.cancel()
  }

  /// For a `ServiceGroup`, as its first service, which ends last: waits for the graceful shutdown, or for the
  /// task's cancellation, and does what ``shutdown()`` does.
  public func run() async {
    // Cancellation throws, and is an end like the other.
    try? await gracefulShutdown()
    // A task of its own: one that is cancelled cannot wait for an answer.
    await Task { await shutdown() }.value
  }
}
