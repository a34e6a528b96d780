import Journaling
import Platform
import Records
import TestKit
import Testing

/// How far imports are known to have come.
@Suite struct ImportProgressTests {
  private func part(
    _ range: Range<Int64>, of name: String = "a.log", note: String = "n", restarts: Bool = false,
    answer: String = ""
  ) -> IdempotencyKey {
    IdempotencyKey(
      ImportPart(name: name, range: range, note: note, restarts: restarts), scope: 7,
      answer: Array(answer.utf8))
  }

  private func elsewhere(_ range: Range<Int64>?, note: String = "n") -> StoreError {
    .importElsewhere(range.map { ImportPart(name: "a.log", range: $0, note: note) })
  }

  @Test func eachPieceIsStoredOnceAndInOrder() throws {
    var bench = try Bench()
    let first = try bench.append(oneRow("0"), key: part(0..<10, answer: "kept"))
    for life in 0..<3 {
      if life == 1 { try bench.crash() }
      if life == 2 { try bench.reopen() }
      let again = try bench.append(oneRow("other"), key: part(0..<10))
      #expect(again.isReplay && again.firstID == first.firstID && again.answer == Array("kept".utf8))
      for wrong in [0..<5, 0..<11, 5..<10, 9..<20, 11..<20] as [Range<Int64>] {
        #expect(throws: elsewhere(0..<10)) { try bench.append(oneRow("x"), key: part(wrong)) }
      }
      #expect(throws: elsewhere(nil)) {
        try bench.append(oneRow("x"), key: part(3..<5, of: "b.log"))
      }
    }
    _ = try bench.append(oneRow("1"), key: part(10..<30, note: "longer"))
    #expect(throws: elsewhere(10..<30, note: "longer")) { try bench.append(oneRow("x"), key: part(0..<10)) }
    _ = try bench.append(oneRow("2"), key: part(0..<10, note: "another file", restarts: true))
    #expect(try bench.append(oneRow("2"), key: part(0..<10, note: "another file", restarts: true)).isReplay)
    #expect(try bench.rows().count == 3)
  }

  /// Two senders of one import, in one commit: every piece once.
  @Test func piecesInOneCommitFollowEachOther() throws {
    let bench = try Bench()
    let ranges: [Range<Int64>] = [0..<10, 0..<10, 10..<20, 0..<10, 5..<9, 20..<30, 20..<30]
    let results = bench.journal.commit(
      ranges.map { AppendRequest(batch: oneRow("\($0)"), partition: logs, idempotency: part($0)) })
    let replays = results.map { try? $0.get().isReplay }
    #expect(replays == [false, true, false, nil, nil, false, true])
    #expect(results[3] == .failure(elsewhere(10..<20)))
    #expect(try bench.rows().count == 3)
  }

  @Test func aFailedPieceMovesNothing() throws {
    let bench = try Bench()
    bench.disk.fail(.write, with: .full)
    let requests = [0..<10, 10..<20].map { (range: Range<Int64>) in
      AppendRequest(batch: oneRow("m"), partition: logs, idempotency: part(range))
    }
    for result in bench.journal.commit(requests) {
      guard case .failure(.diskFull) = result else { Issue.record("\(result)"); return }
    }
    #expect(throws: elsewhere(nil)) { try bench.append(oneRow("m"), key: part(10..<20)) }
    #expect(try !bench.append(oneRow("m"), key: part(0..<10)).isReplay)
  }

  @Test func tenantsAndPlacesDoNotMeet() throws {
    let bench = try Bench()
    _ = try bench.append(oneRow("m"), key: part(0..<10))
    let other = Partition(tenant: Tenant(realm: .ingest, name: "acme"), dataset: .logs)
    #expect(try !bench.append(oneRow("m"), to: other, key: part(0..<10)).isReplay)
    let elsewhere = IdempotencyKey(ImportPart(name: "a.log", range: 0..<10, note: "n"), scope: 8, answer: [])
    #expect(try !bench.append(oneRow("m"), key: elsewhere).isReplay)
    #expect(try !bench.append(oneRow("m"), key: key("a.log")).isReplay, "keys of requests are none of them")
  }

  /// A month in which segments come and go and the journal is opened anew: long beyond what keys are known.
  @Test func progressIsKnownForAMonthAfterTheLastPiece() throws {
    var bench = try Bench(options: testOptions(segmentBytes: 16 << 10))
    _ = try bench.append(oneRow("first"), key: part(0..<10))
    for day in 0..<29 {
      bench.clock.advance(seconds: 86_400)
      for _ in 0..<3 { _ = try bench.append(oneRow(String(repeating: "x", count: 4000))) }
      let end = try bench.append(oneRow("day"), key: key("day \(day)")).positions.upperBound
      bench.journal.release([logs: end])
      if day % 10 == 9 {
        try bench.crash(start: JournalStart(archivedThrough: [logs: end], nextPositions: [:]))
      }
      #expect(throws: elsewhere(0..<10)) { try bench.append(oneRow("x"), key: part(0..<5)) }
    }
    #expect(bench.journal.statistics().segmentsRemoved > 0, "segments went")
    bench.clock.advance(seconds: 86_400)
    #expect(try !bench.append(oneRow("x"), key: part(0..<5)).isReplay, "the month is over")
  }

  /// Beyond the bound those go that nobody went on with for a day, and nobody before.
  @Test func boundsForgetTheOldestAfterADay() throws {
    var options = testOptions()
    options.importTenantEntriesMax = 3
    let bench = try Bench(options: options)
    for name in ["a.log", "b.log", "c.log"] {
      _ = try bench.append(oneRow("m"), key: part(0..<10, of: name))
      bench.clock.advance(seconds: 3600)
    }
    let wait = 86_400 - 3 * 3600
    #expect(throws: StoreError.keysExhausted(retryAfterSeconds: wait)) {
      try bench.append(oneRow("m"), key: part(0..<10, of: "d.log"))
    }
    _ = try bench.append(oneRow("m"), key: part(10..<20, of: "a.log"))
    bench.clock.advance(seconds: wait + 3600)
    #expect(try !bench.append(oneRow("m"), key: part(0..<10, of: "d.log")).isReplay)
    #expect(throws: elsewhere(10..<20)) { try bench.append(oneRow("m"), key: part(0..<10)) }
    #expect(throws: elsewhere(nil)) { try bench.append(oneRow("m"), key: part(10..<20, of: "b.log")) }
  }

  /// Entries as they lie in a file, cut or changed anywhere: an entry, or none.
  @Test func piecesAreReadBack() throws {
    let piece = ImportPart(name: "a", range: 5..<(1 << 40), note: "4096-abc")
    #expect(ImportPart(name: "a", bytes: piece.bytes + [1, 2, 3]) == piece)
    for count in 0..<piece.bytes.count {
      #expect(ImportPart(name: "a", bytes: Array(piece.bytes.prefix(count))) == nil)
    }
    for index in 0..<piece.bytes.count {
      var bytes = piece.bytes
      bytes[index] = 0xFF
      _ = ImportPart(name: "a", bytes: bytes)
    }
  }
}
