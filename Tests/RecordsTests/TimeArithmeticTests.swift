import Records
import Testing

@Suite struct TimeArithmeticTests {
  private static let edges: [Int64] = [
    .min, .min + 1, .min + 999, -8_520_336_000_000_000_000, -1, 0, 1, 1_780_000_000_000_000_000, .max - 999,
    .max - 1, .max,
  ]

  @Test(arguments: edges, edges)
  func sumsAndDifferencesAreThoseOfWiderNumbers(_ a: Int64, _ b: Int64) {
    let (x, y) = (Int128(a), Int128(b))
    #expect(a.addingClamped(b) == Int64(clamping: x + y))
    #expect(a.subtractingClamped(b) == max(Int64(clamping: x - y), -.max))
    #expect(Int128(a.nanoseconds(since: b)) == max(0, x - y))
  }

  @Test(arguments: edges, [1, 1_000, 60_000_000_000, 86_400_000_000_000, .max] as [Int64])
  func floorsAreMultiples(_ time: Int64, _ width: Int64) {
    let rest = (Int128(time) % Int128(width) + Int128(width)) % Int128(width)
    #expect(time.flooredTime(by: width) == Int64(clamping: Int128(time) - rest))
  }

  @Test func nothingIsBehindTheLast() {
    #expect(Int64.max.endBehind == nil)
    #expect(Int64.min.endBehind == .min + 1)
    #expect((Int64.max - 1).endBehind == .max)
  }
}
