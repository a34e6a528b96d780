/// Bounds of the HTTP edge. Every one has a key in the configuration and a documented outcome.
package struct HTTPLimits: Sendable, Hashable {
  /// A request's body, decompressed size included. Beyond it: 413.
  package var bodyBytesMax = 64 << 20
  /// All bodies being collected or decompressed at one time. Beyond it: 503 with Retry-After.
  package var uploadBytesMax = 256 << 20
  /// A request's header fields together. Beyond it: 431.
  package var headerBytesMax = 64 << 10
  /// Open connections; one more is answered 503 and closed.
  package var connectionCountMax = 20_000
  /// Open live streams; one more is answered 503.
  package var streamCountMax = 10_000
  /// The part of connections, live streams and bytes of bodies that one address, or one tenant, may have
  /// while nobody else has any; what is left bounds it the more, the less it is. 1: all.
  package var shareMax = 1.0
  /// How long a connection may wait for its next request before it is closed.
  package var idleSeconds = 75
  /// How long a client may say nothing, or not shake hands, when connections are short.
  package var silentSeconds = 10
  /// How long a request may take to arrive; each 64 KiB received adds a second. Beyond it: 408.
  package var requestSeconds = 30
  /// How long a client may take nothing of an answer before its connection is closed.
  package var stallSeconds = 30

  /// Between the heartbeats of a live stream, and between pings of a WebSocket, whose peer has 20 seconds to
  /// answer.
  package var heartbeatSeconds = 30

  package init() {}

  /// Descriptors kept for files, the control database, Loki and the machinery of threads: a quarter of what
  /// the process may have, at most 1,024. Beside sockets a server with the defaults has 60 to 200 open.
  package static func descriptorReserve(of openFilesMax: Int) -> Int { min(1024, openFilesMax / 4) }

  /// Lowers ``connectionCountMax`` to what a process that may have `openFilesMax` descriptors can hold.
  ///
  /// - Returns: Whether it was higher.
  package mutating func hold(toOpenFiles openFilesMax: Int) -> Bool {
    let possible = max(1, openFilesMax - HTTPLimits.descriptorReserve(of: openFilesMax))
    defer { connectionCountMax = min(connectionCountMax, possible) }
    return connectionCountMax > possible
  }
}
