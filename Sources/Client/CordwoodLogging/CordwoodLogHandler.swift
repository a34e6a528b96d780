import Logging

/// Sends a logger's records to a Cordwood server; made by ``CordwoodLog/handler(label:)``.
///
/// A call encodes the record, copies it to the buffer of its ``CordwoodLog`` under a lock, and returns: about
/// a microsecond. It never waits for the network, a full buffer or another task.
public struct CordwoodLogHandler: LogHandler {
  /// `info` by default.
  public var logLevel: Logger.Level = .info
  /// What a record takes from its task, a trace's id for example. Called on the thread that logs.
  public var metadataProvider: Logger.MetadataProvider?
  private var encoder: RecordEncoder
  private let sender: Sender

  init(label: String, options: CordwoodLogOptions, sender: Sender, provider: Logger.MetadataProvider?) {
    encoder = RecordEncoder(label: label, options: options)
    metadataProvider = provider
    self.sender = sender
  }

  /// Members of `metadata` in every record of this logger; `trace_id` and `span_id` are columns. Setting it
  /// encodes all of it, so descriptions of values are those of that moment.
  public var metadata: Logger.Metadata {
    get { encoder.metadata }
    set { encoder.metadata = newValue }
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { encoder.metadata[key] }
    set { encoder.metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    // Before the lock: whatever the program's own code does here, it may log.
    let provided = metadataProvider?.get() ?? [:]
    sender.append(encoder.line(event, at: WallClock.nanoseconds(), provided: provided))
  }
}
