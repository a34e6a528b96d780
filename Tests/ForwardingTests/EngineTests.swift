import Records
import Synchronization
import TestKit
import Testing

@testable import Forwarding

@Suite struct EngineTests {
  let a = tenant("a")
  let b = tenant("b")

  @Test func everythingArrivesInOrder() throws {
    var harness = Harness()
    harness.append(numbered(0..<2500), to: a)
    try harness.settle()
    // Two full pushes; the rest waits for more.
    #expect(
      harness.loki.pushes.map(\.count) == [1000, 1000, 500]
        || harness.loki.pushes.map(\.count) == [1000, 1000])
    try harness.drain()
    #expect(harness.loki.messages(a) == (0..<2500).map { "m\($0)" })
    #expect(harness.state.contents.withLock { $0.cursors[a]?.position } == 2500)
    #expect(harness.engine.figures.tenants[a]?.entriesForwarded == 2500)
    #expect(harness.engine.figures.tenants[a]?.backlogRows == 0)
  }

  @Test func fewEntriesWaitForMore() throws {
    var harness = Harness()
    harness.append(numbered(0..<3), to: a)
    try harness.settle()
    #expect(harness.loki.pushes.isEmpty)
    try harness.advance(seconds: 0.2)
    #expect(harness.loki.pushes.isEmpty)
    try harness.advance(seconds: 0.4)
    #expect(harness.loki.pushes.map(\.count) == [3])
  }

  /// Seconds between the pushes of a tenant that meets `answers`, then success.
  private func waits(_ answers: [ScriptedLoki.Answer], chance: UInt64 = 0) throws -> [Int] {
    var harness = Harness()
    harness.chance = chance
    harness.loki.script = answers
    harness.append(numbered(0..<1000), to: a)
    try harness.settle()
    for _ in 0..<4000 { try harness.advance(seconds: 0.25) }
    #expect(harness.loki.messages(a).suffix(1000) == (0..<1000).map { "m\($0)" })
    let times = harness.loki.pushes.map(\.at)
    return zip(times, times.dropFirst()).map { Int(($1 - $0) / second) }
  }

  @Test func retriesFollowTheSchedule() throws {
    let refused = ScriptedLoki.Answer.fail(.connect)
    #expect(try waits([refused]) == [5])
    #expect(try waits([Array(repeating: refused, count: 6)].flatMap { $0 }) == [5, 10, 20, 60, 60, 60])
    #expect(try waits([.status(500), .fail(.timeout), .fail(.cut), .status(503)]) == [5, 10, 20, 60])
    #expect(try waits([.fail(.garbage), .status(408), .status(429)]) == [5, 10, 20])
    // Chance makes waits longer, never shorter.
    #expect(try waits([refused, refused, refused, refused], chance: .max) == [5, 11, 22, 66])
  }

  @Test func lokiMaySayHowLongToWait() throws {
    #expect(try waits([.status(429, retryAfter: "33")]) == [33])
    #expect(try waits([.status(503, retryAfter: "2"), .status(503)]) == [2, 10])
    #expect(try waits([.status(429, retryAfter: "soon")]) == [5])
    // 1_790_000_000 is Mon, 21 Sep 2026 14:13:20 GMT.
    #expect(try waits([.status(429, retryAfter: "Mon, 21 Sep 2026 14:15:00 GMT")]) == [100])
    #expect(try waits([.status(429, retryAfter: "Mon, 21 Sep 2020 14:15:00 GMT")]) == [1])
  }

  @Test(arguments: [301, 401, 403, 404, 405, 100, 7])
  func aWrongSetupParksAndBuriesNothing(status: Int) throws {
    #expect(try waits([.status(status), .status(status)]) == [60, 60])
    var harness = Harness()
    harness.loki.script = [.status(status)]
    harness.append(numbered(0..<1000), to: a)
    try harness.settle()
    let figures = try #require(harness.engine.figures.tenants[a])
    #expect(figures.isParked && figures.fault == .configuration(status: status))
    #expect(harness.letters.isEmpty)
    try harness.drain()
    #expect(harness.engine.figures.tenants[a]?.fault == nil)
  }

  @Test(arguments: [false, true], [0, 1, 499, 500, 998, 999])
  func oneRefusedEntryOfAThousandIsFound(takesTheRest: Bool, place: Int) throws {
    var harness = Harness()
    harness.loki.takesTheRest = takesTheRest
    harness.append(numbered(0..<1000) { if $1 == place { $0.message = "poison\(place)" } }, to: a)
    harness.append(numbered(1000..<2000), to: a)
    try harness.drain()
    let letter = try #require(harness.letters.first)
    #expect(harness.letters.count == 1 && letter.position == Int64(place))
    #expect(letter.reason == .tooOld && letter.status == 400 && letter.attempts == 1)
    let text = try #require(String(validating: letter.entry, as: UTF8.self))
    let entry = try #require(try PushReader.json(Array("{\"streams\":[\(text)]}".utf8)).first)
    #expect(
      entry.message == "poison\(place)" && entry.labels == "{env=\"prod\",level=\"INFO\",service=\"shop\"}")
    var seen: Set<String> = []
    let first = harness.loki.messages(a).filter { seen.insert($0).inserted }
    #expect(first == (0..<2000).filter { $0 != place }.map { "m\($0)" })
    // A binary search, not one push an entry.
    #expect(harness.loki.pushes.count < 30)
    #expect(harness.engine.figures.tenants[a]?.deadLetterCount == 1)
  }

  @Test func everyEntryMayBeRefused() throws {
    var harness = Harness()
    harness.append(numbered(0..<300) { $0.message = "poison\($1)" }, to: a)
    try harness.drain()
    #expect(harness.letters.map(\.position) == Array(0..<300))
    #expect(harness.loki.received.isEmpty)
  }

  @Test func whatIsTooLargeIsHalvedBySize() throws {
    var harness = Harness()
    harness.loki.entriesMax = 130
    harness.append(numbered(0..<3000) { if $1 == 1234 { $0.message = "huge" } }, to: a)
    try harness.drain()
    #expect(harness.loki.messages(a) == (0..<3000).filter { $0 != 1234 }.map { "m\($0)" })
    #expect(harness.letters.map(\.position) == [1234])
    #expect(harness.letters.first?.reason == .tooLarge)
  }

  @Test func pushesAreBoundedInBytes() throws {
    var options = ForwardingOptions()
    options.limits.pushBytesMax = 10_000
    var harness = Harness(options)
    let long = String(repeating: "x", count: 3000)
    harness.append(numbered(0..<50) { $0.message = "m\($1) \(long)" }, to: a)
    harness.append(numbered(50..<51) { $0.message = String(repeating: "y", count: 20_000) + "\($1)" }, to: a)
    harness.append(numbered(51..<60), to: a)
    try harness.drain()
    #expect(harness.loki.messages(a).count == 60)
    #expect(harness.loki.pushes.map(\.count).prefix(16) == [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3])
  }

  @Test func oneTenantNeverStarvesAnother() throws {
    var options = ForwardingOptions()
    options.limits.pushesInFlightMax = 1
    options.limits.windowsHeldMax = 2
    var harness = Harness(options)
    harness.append(numbered(0..<100_000), to: a)
    for name in ["b", "c", "d", "e", "f"] { harness.append(numbered(0..<3000), to: tenant(name)) }
    var others = 0
    while others < 15 {
      try harness.carryOut()
      others = harness.loki.pushes.count { $0.tenant != a }
    }
    #expect(harness.loki.pushes.count { $0.tenant == a } <= 4)
    try harness.drain()
  }

  @Test func pushesUnderWayAreBounded() throws {
    var options = ForwardingOptions()
    options.limits.pushesInFlightMax = 3
    var harness = Harness(options)
    for name in 0..<20 { harness.append(numbered(0..<1500), to: tenant("t\(name)")) }
    for _ in 0..<200 where !harness.work.isEmpty {
      let tenants = harness.work.compactMap { action -> Tenant? in
        switch action {
        case .read(let tenant, _, _), .push(let tenant, _, _, _): tenant
        case .save, .advanced, .flushed, .finish: nil
        }
      }
      #expect(tenants.count <= 3 && Set(tenants).count == tenants.count)
      let windows = harness.engine.lanes.values.count { $0.window != nil }
      #expect(windows <= options.limits.windowsHeldMax + 3)
      try harness.carryOut()
    }
    try harness.drain()
  }

  @Test func deletedRecordsAreSkippedAndCounted() throws {
    var harness = Harness()
    harness.loki.script = [.fail(.connect)]
    harness.append(numbered(0..<900), to: a)
    try harness.advance(seconds: 1)
    harness.store.delete(a) { $0.position % 3 == 0 || $0.position > 700 }
    try harness.drain()
    #expect(harness.loki.messages(a) == (0...700).filter { $0 % 3 != 0 }.map { "m\($0)" })
    #expect(harness.engine.figures.tenants[a]?.entriesDeletedBefore == 900 - harness.loki.messages(a).count)
    #expect(harness.backlog.figures(of: a).bytes == 0)
  }

  @Test func aLongGapIsCrossedQuickly() throws {
    var harness = Harness()
    harness.append(numbered(0..<10), to: a)
    harness.store.state.withLock { $0.ends[a] = 50_000_000 }
    harness.append(numbered(10..<20), to: a)
    var steps = 0
    harness.now += second
    harness.send(.tick)
    while !harness.work.isEmpty {
      try harness.carryOut()
      steps += 1
    }
    #expect(harness.loki.messages(a).count == 20)
    #expect(steps < 100)
  }

  @Test func unreadableRecordsAreTriedAgain() throws {
    var harness = Harness()
    harness.store.state.withLock { $0.failure = .disk("read") }
    harness.append(numbered(0..<1000), to: a)
    try harness.settle()
    #expect(harness.engine.figures.tenants[a]?.fault == .unreadable)
    harness.store.state.withLock { $0.failure = nil }
    try harness.drain()
    #expect(harness.loki.messages(a).count == 1000)
  }

  @Test func retriesAndRequestsAreCounted() throws {
    var harness = Harness()
    harness.loki.script = [.fail(.connect), .status(500), .status(500), .status(500), .status(500), .accept]
    harness.append(numbered(0..<1000), to: a)
    try harness.drain()
    let figures = harness.engine.figures
    #expect(figures.requestsByStatus == [0: 1, 500: 4, 204: 1])
    #expect(figures.tenants[a]?.retries == [1, 1, 1, 2])
    #expect(figures.durationCounts[1] == 6 && abs(figures.durationSecondsSum - 1.2) < 1e-9)
  }
}
