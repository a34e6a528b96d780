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
    #expect(bench.rows().count == 1)
  }

  @Test func anotherBodyIsRefused() throws {
    var bench = try Bench()
    _ = try bench.append(oneRow("a"), key: key("k"))
    #expect(throws: StoreError.idempotencyMismatch) { try bench.append(oneRow("b"), key: key("k", body: 2)) }
    try bench.reopen()
    #expect(throws: StoreError.idempotencyMismatch) { try bench.append(oneRow("b"), key: key("k", body: 2)) }
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
    #expect(bench.rows().count == 2)
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
    #expect(bench.rows().count == 1)
  }

  @Test func keysAreForgottenInTime() throws {
    var bench = try Bench()
    _ = try bench.append(oneRow("a"), key: key("k"))
    bench.clock.advance(seconds: 15 * 60 - 1)
    #expect(try bench.append(oneRow("a"), key: key("k")).isReplay)
    bench.clock.advance(seconds: 1)
    #expect(try !bench.append(oneRow("a"), key: key("k", body: 5)).isReplay)
    bench.clock.advance(seconds: 15 * 60)
    try bench.reopen()
    #expect(try !bench.append(oneRow("a"), key: key("k", body: 6)).isReplay)
  }

  @Test func theTableIsBounded() throws {
    var options = testOptions(segmentBytes: 64 << 10)
    options.idempotencyEntriesMax = 10
    let bench = try Bench(options: options)
    for number in 0..<30 { _ = try bench.append(oneRow("a"), key: key("k\(number)")) }
    #expect(bench.journal.statistics().idempotencyEntries == 10)
    #expect(try bench.append(oneRow("a"), key: key("k29")).isReplay)
    #expect(try !bench.append(oneRow("a"), key: key("k3")).isReplay)
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
      #expect(bench.rows().isEmpty)
    }
  }
}
