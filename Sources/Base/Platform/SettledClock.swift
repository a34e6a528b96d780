import Records
import Synchronization

/// Wall-clock time that does not follow a step at once: what is deleted for its age cannot be had back, so
/// one wrong reading must not say what is old.
///
/// A reading more than an hour from where the uptime clock would have it is held off until readings have
/// stayed there for a while (`clock.step_seconds`); meanwhile time goes on as if nothing had happened. Any
/// thread; costs two readings and a lock.
package final class SettledClock: WallClock {
  /// A step that is not believed yet.
  package struct Step: Sendable, Hashable {
    /// By how much the clock is ahead of what is believed; negative: behind.
    package let seconds: Int64
    /// How much longer it has to stay there.
    package let secondsLeft: Int64
  }

  private struct Point {
    var wall: Int64
    var uptime: Int64

    /// What a clock shows at `uptime` that showed this and ran on.
    func wall(at uptime: Int64) -> Int64 { wall.addingClamped(uptime.subtractingClamped(self.uptime)) }
  }

  private struct State {
    var believed: Point
    /// The first reading of a step that is held off.
    var stepped: Point?
    /// The last reading's step.
    var step: Step?
  }

  /// The largest difference that is followed at once.
  private static let toleranceNanoseconds: Int64 = 3_600_000_000_000

  private let clock: any WallClock
  private let uptime: any UptimeClock
  private let holdNanoseconds: Int64
  private let state: Mutex<State>

  /// Believes what the clock shows, unless it is more than an hour ahead of `latest`.
  ///
  /// - Parameters:
  ///   - latest: A time that has been, nanoseconds since 1970; nil: none is known.
  ///   - holdSeconds: How long a step has to stay; 0: all steps are followed at once.
  package init(
    _ clock: any WallClock, uptime: any UptimeClock, latest: Int64? = nil, holdSeconds: Int
  ) {
    self.clock = clock
    self.uptime = uptime
    holdNanoseconds = Int64(holdSeconds) * 1_000_000_000
    let now = Point(wall: clock.now(), uptime: uptime.uptime())
    var believed = now
    // One that is behind what has been deletes too little: that is never wrong.
    if let latest, now.wall.subtractingClamped(latest) > SettledClock.toleranceNanoseconds {
      believed = Point(wall: latest, uptime: now.uptime)
    }
    state = Mutex(State(believed: believed))
  }

  package func now() -> Int64 {
    state.withLock { state in
      let reading = Point(wall: clock.now(), uptime: uptime.uptime())
      let expected = state.believed.wall(at: reading.uptime)
      let isNear = { (other: Int64) in
        abs(reading.wall.subtractingClamped(other)) <= SettledClock.toleranceNanoseconds
      }
      let stepped = state.stepped.flatMap { isNear($0.wall(at: reading.uptime)) ? $0 : nil } ?? reading
      let left = holdNanoseconds - reading.uptime.subtractingClamped(stepped.uptime)
      if isNear(expected) || left <= 0 {
        state = State(believed: reading)
        return reading.wall
      }
      state.stepped = stepped
      state.step = Step(
        seconds: reading.wall.subtractingClamped(expected) / 1_000_000_000,
        secondsLeft: (left + 999_999_999) / 1_000_000_000)
      return expected
    }
  }

  /// The step that the last reading showed; nil: none, the clock is believed.
  package var step: Step? { state.withLock { $0.step } }
}
