import Journaling
import Platform
import Records
import Storage
import Synchronization
import TestKit
import Testing

@testable import Tailing

@Suite(.timeLimit(.minutes(15))) struct CommitFeedTests {
  private func texts(_ rows: CommittedRows) -> [String] {
    rows.batches.flatMap { batch -> [String] in
      #expect(batch.rowCount > 0)
      return Received.of(
        EncodedRows(batch, shape: RowShape()).frames([0..<batch.rowCount], bytesMax: 1 << 30, budget: nil)[0]
      ).map { "\($0)" }
    }
  }

  /// Every position as a start, every bound: against a list.
  @Test func agreesWithAList() async throws {
    let store = try await openStore()
    let audit = Partition(tenant: acme, dataset: .audit)
    let written = Written()
    var generator = SeededGenerator(seed: 6)
    var frameEnds: [Int64] = []
    for _ in 0..<25 {
      // Rows of another dataset lie between.
      if generator.chance(oneIn: 3) {
        let batch = RandomBatches.batch(of: .audit, rowCount: 3, using: &generator)
        _ = try await store.append(batch, to: audit, idempotency: nil)
      }
      let count = Int.random(in: 1...6, using: &generator)
      try await written.append((0..<count).map { _ in Row.random(using: &generator) }, to: store)
      frameEnds.append(store.positionEnd(of: acme))
    }
    let columns = ["position", "level", "message"]
    let end = store.positionEnd(of: acme)
    for position in 0...end + 2 {
      for rowsMax in [1, 4, 7, 1000] {
        let found = try #require(
          store.committed(to: logs, from: position, columns: columns, rowsMax: rowsMax))
        let given = texts(found)
        let expected = written.rows.filter { $0.position >= position && $0.position < found.positionEnd }
        #expect(given == expected.map { "\(Received.row($0.text))" })
        #expect(found.positionEnd >= position)
        if position >= end { #expect(given.isEmpty && found.positionEnd == position) }
        if found.positionEnd < end { #expect(frameEnds.contains(found.positionEnd)) }
        // No more than asked, but for a first frame.
        let first = frameEnds.first { $0 > position } ?? end
        #expect(given.count <= max(rowsMax, Int(first - position) + 6))
        if position < end, rowsMax == 1000 { #expect(found.positionEnd == end) }
      }
    }
    // What went into blocks is not here any more, but what follows is.
    try await store.archive()
    try await written.append([Row(message: "after")], to: store)
    for position in 0..<end {
      let found = store.committed(to: logs, from: position, columns: columns, rowsMax: 10)
      if let last = frameEnds.last, position < last { #expect(found == nil) }
    }
    let last = try #require(store.committed(to: logs, from: end, columns: columns, rowsMax: 10))
    #expect(texts(last).count == 1)
    await store.stop()
  }

  @Test func aRestartForgetsNothingOfIt() async throws {
    let disk = SimulatedDisk(seed: 2)
    var store = try await openStore(disk: disk)
    let written = Written()
    for number in 0..<6 { try await written.append([Row(message: "\(number)")], to: store) }
    try await store.archive()
    try await written.append([Row(message: "6")], to: store)
    await store.stop()
    store = try await openStore(disk: disk)
    #expect(store.positionEnd(of: acme) == 7)
    #expect(store.committed(to: logs, from: 5, columns: ["position"], rowsMax: 10) == nil)
    let found = try #require(store.committed(to: logs, from: 6, columns: ["position"], rowsMax: 10))
    #expect(found.batches.map(\.rowCount) == [1] && found.positionEnd == 7)
    await store.stop()
  }

  @Test func observersAreToldOnceRowsAreThere() async throws {
    let store = try await openStore()
    let seen = Shared<[([Partition: Int64], Int64)]>([])
    var observation: CommitObservation? = store.observeCommits { partitions in
      let end = store.positionEnd(of: acme)
      seen.value.withLock { $0.append((partitions, end)) }
    }
    for number in 0..<3 { try await Written().append([Row(message: "\(number)")], to: store) }
    #expect(seen.value.withLock { $0.map(\.0) } == [[logs: 1], [logs: 2], [logs: 3]])
    #expect(seen.value.withLock { $0.map(\.1) } == [1, 2, 3])
    withExtendedLifetime(observation) {}
    observation = nil
    try await Written().append([Row(message: "x")], to: store)
    #expect(seen.value.withLock { $0.count } == 3)
    await store.stop()
  }

  @Test func portionsAreBounded() {
    var generator = SeededGenerator(seed: 12)
    for _ in 0..<200 {
      let batches = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        Row.batch(
          (0..<Int.random(in: 1...30, using: &generator)).map { _ in
            Row(message: String(repeating: "y", count: Int.random(in: 0...500, using: &generator)))
          })
      }
      let bytesMax = Int.random(in: 1...4000, using: &generator)
      var chunks = RowChunks(batches, bytesMax: bytesMax)
      var texts: [String] = []
      while let chunk = chunks.next() {
        #expect(chunk.rowCount == 1 || chunk.byteCount(0..<chunk.rowCount) <= bytesMax)
        texts += RandomBatches.rowTexts(chunk)
      }
      #expect(texts == batches.flatMap { RandomBatches.rowTexts($0) })
    }
  }

  /// A dictionary's value counts in every row that has it: a portion copies it so often.
  @Test func portionsOfDictionariesAreBounded() {
    let text = [UInt8](repeating: 120, count: 1_000)
    let words = Column(
      type: .utf8, rowCount: 500, validity: nil,
      storage: .dictionary(
        indices: Buffer(copying: [Int32](repeating: 0, count: 500)),
        offsets: Buffer(copying: [Int32(0), Int32(text.count)]), bytes: Buffer(copying: text), valueCount: 1))
    let batch = RecordBatch(
      fields: [Field("w", .utf8, isNullable: true)], columns: [words], rowCount: 500)
    var chunks = RowChunks([batch], bytesMax: 20_000)
    var rows = 0
    while let chunk = chunks.next() {
      #expect(chunk.textByteCount <= 20_000)
      rows += chunk.rowCount
    }
    #expect(rows == 500)
  }
}
