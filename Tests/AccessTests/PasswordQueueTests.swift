import Testing

@testable import Access
@testable import Records

/// Whose password is checked next.
@Suite struct PasswordQueueTests {
  @Test func networksTakeTurns() {
    let queue = PasswordQueue<String>(waitingMax: 64)
    for number in 0..<5 { #expect(queue.add("a\(number)", of: "a", .fresh) == nil) }
    #expect(queue.add("b0", of: "b", .fresh) == nil)
    #expect((0..<6).compactMap { _ in queue.next() } == ["a0", "b0", "a1", "a2", "a3", "a4"])
    #expect(queue.next() == nil)
  }

  @Test func whoIsKnownGoesFirstAndNobodyWaitsForEver() {
    let queue = PasswordQueue<String>(waitingMax: 64)
    for number in 0..<8 { _ = queue.add("bad\(number)", of: Name("n\(number)"), .failing) }
    for number in 0..<8 { _ = queue.add("known\(number)", of: Name("k\(number)"), .known) }
    let order = (0..<16).compactMap { _ in queue.next() }
    #expect(order.prefix(4) == ["known0", "known1", "known2", "bad0"])
    #expect(order.count == 16)
  }

  @Test func whoeverHasMostGivesWay() {
    let queue = PasswordQueue<String>(waitingMax: 3)
    for number in 0..<3 { #expect(queue.add("flood\(number)", of: "flood", .fresh) == nil) }
    #expect(queue.add("right", of: "quiet", .fresh) == "flood2")
    #expect(queue.add("flood3", of: "flood", .fresh) == "flood3")
    #expect(queue.add("known", of: "flood", .known) == nil, "each standing has its own room")
    #expect((0..<4).compactMap { _ in queue.next() } == ["known", "flood0", "right", "flood1"])
  }
}
