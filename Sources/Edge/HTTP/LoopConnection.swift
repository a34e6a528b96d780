import NIOCore

/// A connection as its event loop looks after it. On the loop only.
protocol LoopConnection: AnyObject {
  /// About once a second: closes what waits too long.
  func tick(_ now: NIODeadline)
  /// The server stops: ends when what is being served is.
  func quiesce()
  /// Closes at once, whatever is going on.
  func abandon()
}
