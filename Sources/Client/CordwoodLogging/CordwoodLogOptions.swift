/// What a ``CordwoodLog`` sends, how often, and how much of the program's memory it may take.
public struct CordwoodLogOptions: Sendable {
  /// The column `service` of every record; none if nil.
  public var service: String?
  /// The column `env` of every record; none if nil.
  public var environment: String?
  /// How long a record waits for others at most before it is sent, unless the server lags. A second by
  /// default: one request a second and the loss of at most a second of records when the process is killed.
  public var batchInterval: Duration = .seconds(1)
  /// A batch is sent at once when it is so long. 256 KiB by default, some 800 records; at least 4 KiB and
  /// 1/256 of ``bufferBytesMax``, at most half of it and 16 MiB.
  public var batchBytesMax = 256 << 10
  /// Records that are not stored yet take so many bytes of JSON at most, those of a request under way
  /// included. Beyond it records are dropped and counted. 8 MiB by default, 64 KiB to 1 GiB. Arrays have up
  /// to a quarter more room than bytes, and a request under way takes a batch more.
  public var bufferBytesMax = 8 << 20
  /// A text (a message, a value, a name) is cut behind so many bytes of UTF-8. 32 KiB by default, 64 bytes at
  /// least. A record that is longer than ``batchBytesMax`` nevertheless is dropped and counted.
  public var textBytesMax = 32 << 10
  /// A request without a whole answer in that time is a failed one. 10 seconds by default.
  public var requestTimeout: Duration = .seconds(10)
  /// A batch that the server cannot store for so long is dropped and counted. Ten minutes by default: less
  /// than the fifteen in which the server knows a repeat, so that no record is stored twice.
  public var giveUpAfter: Duration = .seconds(600)
  /// How long ``CordwoodLog/run()`` and ``CordwoodLog/shutdown()`` try to send what is left. 10 seconds by
  /// default.
  public var shutdownTimeout: Duration = .seconds(10)

  public init(service: String? = nil, environment: String? = nil) {
    self.service = service
    self.environment = environment
  }

  /// The same with every number in its range.
  var bounded: CordwoodLogOptions {
    var options = self
    options.bufferBytesMax = min(max(bufferBytesMax, 64 << 10), 1 << 30)
    let least = max(4 << 10, options.bufferBytesMax / 256)
    options.batchBytesMax = min(max(batchBytesMax, least), options.bufferBytesMax / 2, 16 << 20)
    options.textBytesMax = max(textBytesMax, 64)
    options.batchInterval = max(batchInterval, .zero)
    return options
  }
}
