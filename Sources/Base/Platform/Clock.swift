/// Wall-clock time as an argument, so that tests decide it.
package protocol WallClock: Sendable {
  /// Nanoseconds since 1970-01-01T00:00:00Z. May jump, also backwards.
  func now() -> Int64
}

/// Random bytes as an argument, so that tests replay them.
package protocol EntropySource: Sendable {
  func randomUInt64() -> UInt64
}
