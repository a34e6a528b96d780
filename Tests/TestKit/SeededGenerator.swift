import Platform
import Records
import Synchronization

/// Random numbers that a seed repeats (SplitMix64). The same numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  /// True once in `oneIn` calls on average.
  package mutating func chance(oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &self) == 0 }

  /// A generator of its own whose numbers depend on this one's state.
  package mutating func fork() -> SeededGenerator { SeededGenerator(seed: next()) }
}

/// Entropy that a seed repeats.
package final class SeededEntropy: EntropySource {
  private let generator: Mutex<SeededGenerator>

  package init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

  package func randomUInt64() -> UInt64 { generator.withLock { $0.next() } }
}

/// A clock that stands until it is told otherwise.
package final class ManualClock: WallClock, UptimeClock {
  private let time: Mutex<Int64>
  private let passed = Mutex<Int64>(0)

  /// - Parameter time: Nanoseconds since 1970; by default a day in 2026.
  package init(_ time: Int64 = 1_780_000_000_000_000_000) { self.time = Mutex(time) }

  package func now() -> Int64 { time.withLock { $0 } }

  /// What was advanced, whatever the clock was set to.
  package func uptime() -> Int64 { passed.withLock { $0 } }

  /// Lets time pass; a negative number sets the clock back.
  package func advance(nanoseconds: Int64) {
    time.withLock { $0 += nanoseconds }
    if nanoseconds > 0 { passed.withLock { $0 += nanoseconds } }
  }
  package func advance(seconds: Int) { advance(nanoseconds: Int64(seconds) * 1_000_000_000) }
  /// Sets the clock; no time passes.
  package func set(_ nanoseconds: Int64) { time.withLock { $0 = nanoseconds } }
}
