import Journaling
import Platform
import Records
import TestKit
import Testing

/// Random lives of a journal on a failing disk, with a list of texts as the model.
@Suite struct HistoryTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func historiesAgreeWithTheModel(seed: UInt64) throws {
    var history = try History(seed: seed)
    try history.run(steps: 120)
  }
}

private struct History {
  let seed: UInt64
  var generator: SeededGenerator
  var bench: Bench
  /// Acknowledged rows by partition: position and text.
  var acknowledged: [Partition: [(position: Int64, text: String)]] = [:]
  /// Rows of requests that were answered `poisoned` in this life: found after a restart, each commit whole or
  /// not at all.
  var uncertain: [(partition: Partition, texts: [String])] = []
  var archivedThrough: [Partition: Int64] = [:]
  var receipts: [(partition: Partition, name: String, receipt: AppendReceipt, at: Int64)] = []
  var counter = 0
  /// Which faults exist at all in this history.
  let faults: Set<Int>

  let partitions = [
    logs, Partition(tenant: acme, dataset: .audit),
    Partition(tenant: Tenant(realm: .ingest, name: "ö"), dataset: .logs),
  ]

  init(seed: UInt64) throws {
    self.seed = seed
    var generator = SeededGenerator(seed: seed)
    faults = Set((0..<6).filter { _ in generator.chance(oneIn: 2) })
    var options = testOptions(
      segmentBytes: [2 << 10, 4 << 10, 16 << 10].randomElement(using: &generator) ?? 4096,
      frameBytesMax: [512, 2 << 10].randomElement(using: &generator) ?? 512)
    options.idempotencySeconds = 60
    bench = try Bench(seed: generator.next(), options: options)
    self.generator = generator
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps {
      switch Int.random(in: 0..<20, using: &generator) {
      case 0..<11: commit()
      case 11, 12: archive()
      case 13: bench.clock.advance(seconds: Int.random(in: -5...30, using: &generator))
      case 14: if faults.contains(0) { bench.disk.fail(.write, after: random(4), with: .full) }
      case 15: if faults.contains(1) { bench.disk.fail(.write, after: random(4), with: .short) }
      case 16: if faults.contains(2) { bench.disk.fail(.sync, after: random(4)) }
      case 17:
        if faults.contains(3) { bench.disk.fail(.syncDirectory, after: random(2)) }
        if faults.contains(4) { bench.disk.fail(.remove, after: 1) }
      case 18: repeatRequest()
      default: try restart()
      }
      if generator.chance(oneIn: 8) { try check() }
    }
    try restart()
    try check()
  }

  private mutating func random(_ most: Int) -> Int { Int.random(in: 1...most, using: &generator) }

  private mutating func commit() {
    var requests: [AppendRequest] = []
    var texts: [[String]] = []
    var names: [String?] = []
    for _ in 0..<random(4) {
      guard let partition = partitions.randomElement(using: &generator) else { return }
      let rows = generator.chance(oneIn: 5) ? random(40) : random(3)
      let batch = RandomBatches.batch(of: partition.dataset, rowCount: rows, using: &generator)
      counter += 1
      let name = Bool.random(using: &generator) ? "k\(counter)" : nil
      requests.append(
        AppendRequest(batch: batch, partition: partition, idempotency: name.map { key($0, answer: $0) }))
      texts.append(RandomBatches.rowTexts(batch))
      names.append(name)
    }
    let results = bench.journal.commit(requests)
    for (index, result) in results.enumerated() {
      let partition = requests[index].partition
      switch result {
      case .success(let receipt):
        for (row, text) in texts[index].enumerated() {
          acknowledged[partition, default: []].append((receipt.firstPosition + Int64(row), text))
        }
        if let name = names[index] { receipts.append((partition, name, receipt, receipt.ingestedAt)) }
      case .failure(.poisoned): uncertain.append((partition, texts[index]))
      case .failure(.diskFull), .failure(.disk): break
      case .failure(let error): Issue.record("\(error), seed \(seed)")
      }
    }
  }

  private mutating func archive() {
    guard let partition = partitions.randomElement(using: &generator) else { return }
    let frames = bench.journal.head(of: partition).frames
    if frames.isEmpty { return }
    let count = Int.random(in: 1...frames.count, using: &generator)
    archivedThrough[partition] = frames[count - 1].positionEnd
    // Now and then the process ends between the manifest's edit and the release.
    if !generator.chance(oneIn: 4) { bench.journal.release(archivedThrough) }
  }

  private mutating func repeatRequest() {
    guard let known = receipts.randomElement(using: &generator), bench.journal.writeFailure == nil else {
      return
    }
    // Clocks that went back may keep a key longer; only those surely alive are asked.
    guard bench.clock.now() < known.at + 50_000_000_000 else { return }
    let request = AppendRequest(
      batch: RandomBatches.batch(of: known.partition.dataset, rowCount: 1, using: &generator),
      partition: known.partition, idempotency: key(known.name))
    guard case .success(let again) = bench.journal.commit([request])[0] else {
      Issue.record("key \(known.name) was forgotten, seed \(seed)")
      return
    }
    #expect(again.isReplay && again.firstID == known.receipt.firstID, "seed \(seed)")
    #expect(again.firstPosition == known.receipt.firstPosition && again.answer == Array(known.name.utf8))
  }

  private mutating func restart() throws {
    bench.disk.failNothing()
    bench.disk = Bool.random(using: &generator) ? bench.disk.crash() : bench.disk.kill()
    let nextPositions = Dictionary(
      archivedThrough.map { ($0.key.tenant, $0.value) }, uniquingKeysWith: max)
    if faults.contains(5), generator.chance(oneIn: 3) {
      // A recovery that is itself cut short.
      bench.disk.fail(
        [.write, .sync, .syncDirectory].randomElement(using: &generator) ?? .sync, with: .short)
      do {
        try bench.reopen(
          start: JournalStart(archivedThrough: archivedThrough, nextPositions: nextPositions))
      } catch JournalError.disk {
        bench.disk.failNothing()
        bench.disk = bench.disk.crash()
      }
      bench.disk.failNothing()
    }
    try bench.reopen(start: JournalStart(archivedThrough: archivedThrough, nextPositions: nextPositions))
    try settleUncertain()
    try check()
  }

  /// Takes over what turned out to be there of unanswered requests.
  private mutating func settleUncertain() throws {
    for (partition, texts) in uncertain {
      let known = acknowledged[partition]?.last?.position ?? -1
      let found = try rows(of: partition).filter { $0.position > known }
      let start = found.indices.first { index in
        found[index...].prefix(texts.count).map(\.text) == texts
      }
      guard let start else { continue }
      acknowledged[partition, default: []] += found[start..<start + texts.count]
    }
    uncertain = []
  }

  private func rows(of partition: Partition) throws -> [(position: Int64, text: String)] {
    try bench.journal.head(of: partition).frames.flatMap { frame -> [(position: Int64, text: String)] in
      let declared = partition.dataset.schema.declaredFields.map(\.name)
      let texts = RandomBatches.rowTexts(try frame.batch(columns: declared))
      return texts.enumerated().map { (frame.bounds.positionMin + Int64($0.offset), $0.element) }
    }
  }

  private func check() throws {
    for partition in partitions {
      let found = try rows(of: partition)
      let archived = archivedThrough[partition] ?? 0
      let expected = (acknowledged[partition] ?? []).filter { $0.position >= archived }
      let visible = found.filter { $0.position >= archived }
      #expect(
        visible.map(\.position) == expected.map(\.position) && visible.map(\.text) == expected.map(\.text),
        "seed \(seed), \(partition): \(visible.count) rows instead of \(expected.count)")
    }
  }
}
