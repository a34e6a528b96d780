import Dispatch
import Synchronization
import Testing

@testable import Access
@testable import Records

private final class Started: Sendable {
  private let state = Mutex(0)
  var count: Int { state.withLock { $0 } }

  func add(_ count: Int) { state.withLock { $0 += count } }

  func next() -> Int {
    state.withLock { state in
      state += 1
      return state
    }
  }
}

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

  /// Making a user took 76 s beside 400 wrong logins from as many addresses.
  @Test func whoIsLetInWaitsForNoStranger() async throws {
    let checker = PasswordChecker(threads: 1, cost: AccessBench.cost)
    let (isBusy, mayGo) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let (started, overtaking) = (Started(), Started())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          _ = try await checker.matches("no", nil, of: Name("n\(number)"), .fresh) {
            // Behind the one that is under way none starts while a hash waits to be made.
            guard started.next() == 1 else { return overtaking.add(checker.makingCount) }
            isBusy.signal()
            mayGo.wait()
          }
        }
      }
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          isBusy.wait()
          continuation.resume()
        }
      }
      let made = Task { try await checker.hash("correct horse battery") }
      while checker.makingCount == 0 { await Task.yield() }
      mayGo.signal()
      _ = try await made.value
      try await group.waitForAll()
      #expect(overtaking.count == 0 && started.count == 20)
    }
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
