import Journaling
import Platform
import Records
import TestKit
import Testing

@Suite struct IdempotencyTests {
  @Test func aRepeatGetsTheFirstAnswer() throws {
    var bench = try Bench()
    let first = try bench.append(oneRow("a"), key: key("k", answer: "hello"))
    #expect(!first.isReplay)
    let second = try bench.append(oneRow("a"), key: key("k", answer: "other"))
    #expect(second.isReplay && second.firstID == first.firstID && second.answer == Array("hello".utf8))
    #expect(second.ingestedAt == first.ingestedAt)
    try bench.crash()
    let third = try bench.append(oneRow("a"), key: key("k"))
    #expect(third.isReplay && third.firstPosition == first.firstPosition)
    #expect(try bench.rows().count == 1)
  }

  @Test func anotherBodyIsRefused() throws {
    var bench = try Bench()
    _ = try bench.append(oneRow("a"), key: key("k"))
    #expect(throws: StoreError.idempotencyMismatch) { try bench.append(oneRow("b"), key: key("k", body: 2)) }
    try bench.reopen()
    #expect(throws: StoreError.idempotencyMismatch) { try bench.append(oneRow("b"), key: key("k", body: 2)) }
  }

  /// A server of before keys were kept hashed wrote the key, was stopped, and is followed by one of today.
  @Test func aRepeatOfAnEarlierVersionsRequestIsKnown() throws {
    var bench = try Bench()
    let first = try bench.append(oneRow("a"), key: key("plain", answer: "hello"))
    try bench.crash()
    func today(_ name: String, earlierBody: UInt8) -> IdempotencyKey {
      IdempotencyKey(
        key: "hashed " + name, credential: 7, bodyHash: [UInt8](repeating: 9, count: 16), answer: [],
        earlier: .init(key: name, bodyHash: [UInt8](repeating: earlierBody, count: 16)))
    }
    let repeated = try bench.append(oneRow("a"), key: today("plain", earlierBody: 1))
    #expect(repeated.isReplay && repeated.firstID == first.firstID && repeated.answer == Array("hello".utf8))
    #expect(throws: StoreError.idempotencyMismatch) {
      try bench.append(oneRow("b"), key: today("plain", earlierBody: 2))
    }
    // What is new is kept as it is kept today, and only so.
    #expect(try !bench.append(oneRow("c"), key: today("new", earlierBody: 1)).isReplay)
    #expect(try bench.append(oneRow("c"), key: today("new", earlierBody: 3)).isReplay)
    #expect(try !bench.append(oneRow("d"), key: key("new")).isReplay)
    #expect(try bench.rows().count == 3)
  }

  @Test func scopesDoNotMeet() throws {
    let bench = try Bench()
    _ = try bench.append(oneRow("a"), key: key("k"))
    let other = Partition(tenant: Tenant(realm: .ingest, name: "acme"), dataset: .logs)
    #expect(try !bench.append(oneRow("a"), to: other, key: key("k", body: 2)).isReplay)
    let stranger = IdempotencyKey(
      key: "k", credential: 8, bodyHash: [UInt8](repeating: 3, count: 16), answer: [])
    #expect(try !bench.append(oneRow("a"), key: stranger).isReplay)
  }

  @Test func duplicatesInOneCommitShareTheFirst() throws {
    let bench = try Bench()
    let requests = [("a", 1), ("a", 1), ("a", 2), ("b", 1)].map { name, body in
      AppendRequest(batch: oneRow("m"), partition: logs, idempotency: key(name, body: UInt8(body)))
    }
    let results = bench.journal.commit(requests)
    let first = try results[0].get()
    let second = try results[1].get()
    #expect(!first.isReplay && second.isReplay && first.firstID == second.firstID)
    #expect(results[2] == .failure(.idempotencyMismatch))
    #expect(try !results[3].get().isReplay)
    #expect(try bench.rows().count == 2)
  }

  @Test func aFailedRequestLeavesNoKey() throws {
    let bench = try Bench()
    bench.disk.fail(.write, with: .full)
    let requests = [
      AppendRequest(batch: oneRow("m"), partition: logs, idempotency: key("k")),
      AppendRequest(batch: oneRow("m"), partition: logs, idempotency: key("k")),
    ]
    for result in bench.journal.commit(requests) {
      guard case .failure(.diskFull) = result else { Issue.record("\(result)"); return }
    }
    #expect(try !bench.append(oneRow("m"), key: key("k", body: 9)).isReplay)
    #expect(try bench.rows().count == 1)
  }

  @Test func keysAreForgottenInTime() throws {
    var bench = try Bench()
    _ = try bench.append(oneRow("a"), key: key("k"))
    bench.clock.advance(seconds: 15 * 60 - 1)
    #expect(try bench.append(oneRow("a"), key: key("k")).isReplay)
    bench.clock.advance(seconds: 1)
    #expect(try !bench.append(oneRow("a"), key: key("k", body: 5)).isReplay)
    bench.clock.advance(seconds: 14 * 60)
    _ = try bench.append(oneRow("a"), key: key("later"))
    try bench.reopen()
    #expect(try bench.append(oneRow("a"), key: key("k", body: 5)).isReplay)
    bench.clock.advance(seconds: 60)
    #expect(try !bench.append(oneRow("a"), key: key("k", body: 6)).isReplay)
  }

  /// Steps of the wall clock, forward and back, while the journal runs and while it is closed.
  @Test func noStepOfTheClockEndsAKey() throws {
    for step in [-86_400, -901, 901, 86_400 * 365] as [Int64] {
      var bench = try Bench()
      let first = try bench.append(oneRow("a"), key: key("k"))
      bench.clock.set(bench.clock.now() + step * 1_000_000_000)
      #expect(try bench.append(oneRow("a"), key: key("k")).firstID == first.firstID, "\(step)")
      _ = try bench.append(oneRow("a"), key: key("after the step"))
      bench.clock.set(bench.clock.now() + step * 1_000_000_000)
      try bench.crash()
      #expect(try bench.append(oneRow("a"), key: key("k")).firstID == first.firstID, "\(step)")
      bench.clock.advance(seconds: 15 * 60)
      #expect(try !bench.append(oneRow("a"), key: key("k", body: 2)).isReplay, "\(step)")
    }
  }

  /// The half second that a key was made in counts as none of its time, in this life and in the next.
  @Test func noKeyIsForgottenEarly() throws {
    var bench = try Bench()
    bench.clock.advance(nanoseconds: 900_000_000)
    _ = try bench.append(oneRow("a"), key: key("k"))
    bench.clock.advance(nanoseconds: 899_950_000_000)
    #expect(try bench.append(oneRow("a"), key: key("k")).isReplay)
    try bench.reopen()
    bench.clock.advance(nanoseconds: 899_950_000_000)
    #expect(try bench.append(oneRow("a"), key: key("k")).isReplay)
  }

  @Test func whoHasTooManyKeysIsRefusedAndNobodyForgotten() throws {
    var options = testOptions(segmentBytes: 64 << 10)
    options.idempotencyTenantEntriesMax = 10
    var bench = try Bench(options: options)
    let other = Partition(tenant: Tenant(realm: .ingest, name: "acme"), dataset: .logs)
    _ = try bench.append(oneRow("a"), to: other, key: key("k"))
    for number in 0..<10 {
      _ = try bench.append(oneRow("a"), key: key("k\(number)"))
      bench.clock.advance(seconds: 10)
    }
    for life in 0..<2 {
      #expect(throws: StoreError.keysExhausted(retryAfterSeconds: 800)) {
        try bench.append(oneRow("b"), key: key("one more"))
      }
      #expect(try bench.append(oneRow("a"), key: key("k0")).isReplay, "what is known is answered")
      #expect(try bench.append(oneRow("a"), to: other, key: key("k")).isReplay)
      #expect(try !bench.append(oneRow("a"), to: other, key: key("another \(life)")).isReplay)
      _ = try bench.append(oneRow("without a key"))
      try bench.crash()
    }
    bench.clock.advance(seconds: 800)
    #expect(try !bench.append(oneRow("b"), key: key("one more")).isReplay, "the wait was right")
  }

  @Test func oneCommitIsNoWayAroundTheBound() throws {
    var options = testOptions(segmentBytes: 64 << 10)
    options.idempotencyTenantEntriesMax = 3
    let bench = try Bench(options: options)
    let requests = (0..<5).map {
      AppendRequest(batch: oneRow("m"), partition: logs, idempotency: key("k\($0)"))
    }
    let results = bench.journal.commit(requests)
    #expect(results.count { if case .success = $0 { true } else { false } } == 3)
    #expect(results[4] == .failure(.keysExhausted(retryAfterSeconds: 900)))
    #expect(try bench.rows().count == 3)
  }

  /// Of the last quarter those get some who have little; at the end nobody does.
  @Test func manyWithMuchLeaveRoomForThoseWithLittle() throws {
    var options = testOptions(segmentBytes: 64 << 10)
    options.idempotencyTenantBytesMax = 64 * 400
    options.idempotencyBytesMax = 400 * 400
    let bench = try Bench(options: options)
    func fill(_ tenant: String) throws -> Int {
      let partition = Partition(tenant: Tenant(realm: .native, name: tenant), dataset: .logs)
      for number in 0..<100 {
        let name = key("k\(number + 100)", answer: String(repeating: "x", count: 96))
        guard (try? bench.append(oneRow("a"), to: partition, key: name)) != nil else { return number }
      }
      return 100
    }
    var held = try (0..<8).map { try fill("much \($0)") }
    #expect(held.prefix(4).allSatisfy { $0 == 64 } && held.last == 1, "\(held)")
    held = try (0..<200).map { try fill("little \($0)") }
    #expect(held.first == 1 && held.last == 0, "\(held)")
    #expect(bench.journal.statistics().idempotencyEntries <= 401)
  }

  /// Keys outlive the segments of their records, over restarts and power cuts, until their time is over.
  @Test func keysAreCarriedOver() throws {
    for seed in 0..<20 as Range<UInt64> {
      var bench = try Bench(seed: seed, options: testOptions(segmentBytes: 4 << 10))
      var receipts: [AppendReceipt] = []
      for number in 0..<40 {
        receipts.append(
          try bench.append(oneRow("row \(number)"), key: key("k\(number)", answer: "\(number)")))
      }
      let end = Int64(receipts.count)
      bench.journal.release([logs: end])
      #expect(bench.journal.statistics().segmentsRemoved > 0)
      try bench.crash(start: JournalStart(archivedThrough: [logs: end]))
      // Their segments go as well.
      for number in 0..<40 { _ = try bench.append(oneRow("more \(number)")) }
      let next = bench.journal.nextPosition(of: acme)
      bench.journal.release([logs: next])
      try bench.crash(start: JournalStart(archivedThrough: [logs: next]))
      for (number, receipt) in receipts.enumerated() {
        let again = try bench.append(oneRow("row \(number)"), key: key("k\(number)"))
        #expect(again.isReplay && again.firstID == receipt.firstID, "seed \(seed), key \(number)")
        #expect(again.answer == Array("\(number)".utf8))
      }
      #expect(try bench.rows().isEmpty)
    }
  }
}
