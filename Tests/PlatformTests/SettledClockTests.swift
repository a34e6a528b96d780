import Platform
import TestKit
import Testing

/// What is deleted for its age is not deleted by one wrong reading.
@Suite struct SettledClockTests {
  private static let start: Int64 = 1_780_000_000_000_000_000
  private static let second: Int64 = 1_000_000_000
  private static let year: Int64 = 365 * 86_400 * 1_000_000_000

  @Test(arguments: [year, -year, 3_601 * second, -3_601 * second])
  func aStepIsHeldOffUntilItHasStayed(step: Int64) {
    let wall = ManualClock(Self.start)
    let settled = SettledClock(wall, uptime: wall, holdSeconds: 3_600)
    wall.set(Self.start + step)
    #expect(settled.now() == Self.start)
    #expect(settled.step?.seconds == step / Self.second)
    #expect(settled.step?.secondsLeft == 3_600)
    for minute in 1..<60 {
      wall.advance(seconds: 60)
      #expect(settled.now() == Self.start + Int64(minute) * 60 * Self.second)
    }
    wall.advance(seconds: 60)
    #expect(settled.now() == wall.now())
    #expect(settled.step == nil)
  }

  @Test func aReadingThatComesBackLeavesNoTrace() {
    let wall = ManualClock(Self.start)
    let settled = SettledClock(wall, uptime: wall, holdSeconds: 3_600)
    for _ in 0..<100 {
      wall.advance(nanoseconds: 120 * Self.second)
      let right = wall.now()
      wall.set(right + Self.year)
      #expect(settled.now() == right)
      wall.set(right)
      #expect(settled.now() == right)
      #expect(settled.step == nil)
    }
  }

  /// A clock that jumps about is never believed: each place has to be held anew.
  @Test func eachStepIsTimedByItself() {
    let wall = ManualClock(Self.start)
    let settled = SettledClock(wall, uptime: wall, holdSeconds: 3_600)
    for round in 1...10 as ClosedRange<Int64> {
      wall.advance(seconds: 1_800)
      let right = Self.start + round * 1_800 * Self.second
      wall.set(right + round * Self.year)
      #expect(settled.now() == right)
    }
  }

  @Test func smallStepsAreFollowed() {
    let wall = ManualClock(Self.start)
    let settled = SettledClock(wall, uptime: wall, holdSeconds: 3_600)
    for step in [3_600, -3_600, 1] as [Int64] {
      wall.set(wall.now() + step * Self.second)
      #expect(settled.now() == wall.now())
    }
  }

  /// A machine that starts with a wrong clock has no reading before it: what the store has seen stands in.
  @Test func whatHasBeenIsKnownAtTheStart() {
    for ahead in [Self.year, 3_601 * Self.second] {
      let wall = ManualClock(Self.start + ahead)
      let settled = SettledClock(wall, uptime: wall, latest: Self.start, holdSeconds: 3_600)
      #expect(settled.now() == Self.start)
      wall.advance(seconds: 3_600)
      #expect(settled.now() == wall.now())
    }
    let behind = ManualClock(Self.start - Self.year)
    let settled = SettledClock(behind, uptime: behind, latest: Self.start, holdSeconds: 3_600)
    #expect(settled.now() == behind.now())
  }

  @Test func extremesDoNotTrap() {
    for first in [Int64.min, -1, 0, .max] {
      for second in [Int64.min, 0, .max] {
        let wall = ManualClock(first)
        let settled = SettledClock(wall, uptime: wall, latest: second, holdSeconds: 3_600)
        _ = settled.now()
        wall.set(second)
        _ = settled.now()
      }
    }
  }

  @Test func withoutAHoldEveryStepIsFollowed() {
    let wall = ManualClock(Self.start)
    let settled = SettledClock(wall, uptime: wall, holdSeconds: 0)
    wall.set(Self.start + Self.year)
    #expect(settled.now() == wall.now())
  }
}
