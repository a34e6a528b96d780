/// Wall-clock time as an argument, so that tests decide it.
package protocol WallClock: Sendable {
  /// Nanoseconds since 1970-01-01T00:00:00Z. May jump, also backwards.
  func now() -> Int64
}

/// Time that only passes: for how long something has been so, whatever the wall clock is set to.
package protocol UptimeClock: Sendable {
  /// Nanoseconds since some moment of the machine's life. Never goes back; counts nothing of a restart.
  func uptime() -> Int64
}

/// Random bytes as an argument, so that tests replay them.
package protocol EntropySource: Sendable {
  func randomUInt64() -> UInt64
}

extension EntropySource {
  /// `count` random bytes.
  package func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var word = randomUInt64()
      for _ in 0..<min(8, count - bytes.count) {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return bytes
  }
}
