import Blocks
import Codecs
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Storage

/// The manifest: round trips, damage, torn ends, failing disks.
struct ManifestTests {
  static let partition = Partition(tenant: Tenant(realm: .audit, name: "acme ü"), dataset: .audit)

  static func facts(_ id: UInt64, positions: ClosedRange<Int64>, partition: Partition = partition)
    -> BlockFacts
  {
    var facts = BlockFacts(
      id: id, partition: partition, rowCount: positions.count,
      bounds: KeyBounds(
        timestampMin: -5, timestampMax: 7, positionMin: positions.lowerBound,
        positionMax: positions.upperBound),
      ingested: 1_780_000_000_000_000_000...1_780_000_000_000_000_001, deletionsApplied: 3)
    facts.byteCount = 1000
    return facts
  }

  static let predicates: [Predicate] = [
    .all, .none, .not(.exists(ColumnPath("metadata", members: ["a.b", ""]))),
    .and([.compare(ColumnPath("severity"), .equal, .string("é\"\u{1}")), .or([])]),
    .isIn(
      ColumnPath("id"),
      [.uuid([UInt8](0..<16)), .int64(.min), .rounded(-0.0), .bool(true), .timestamp(.max), .string("")]),
    .contains(ColumnPath("action"), needle: "x", ignoreCase: true), .word(ColumnPath("action"), "w"),
    .regex(ColumnPath("action"), pattern: "a+", ignoreCase: false), .prefix(ColumnPath("action"), "p"),
    .compare(ColumnPath("timestamp"), .greaterOrEqual, .timestamp(-1)),
  ]

  static let changes: [ManifestChange] =
    [
      .blockAdded(facts(7, positions: 0...9)), .blockRemoved(id: .max),
      .archivedThrough(partition, position: 10), .deletionFinished(id: 1),
      .nextPosition(partition.tenant, position: .max), .nextIDs(block: 1, deletion: 2),
      .deletionsApplied(block: 7, through: 9), .store(StoreID(high: 7, low: 9)), .epoch(.max),
      .generation(300), .positionBase(.max),
    ]
    + predicates.enumerated().map { index, predicate in
      .deletionAdded(
        Deletion(id: UInt64(index) + 1, partition: partition, predicate: predicate, positionEnd: 5))
    }

  @Test func changesRoundTrip() throws {
    let bytes = ManifestCoding.encode(ManifestTests.changes)
    #expect(try ManifestCoding.decode(bytes) == ManifestTests.changes)
  }

  /// Any cut and any changed byte gives an error or other changes, never a trap.
  @Test func brokenPayloadsAreErrors() {
    let bytes = ManifestCoding.encode(ManifestTests.changes)
    var refused = 0
    for count in 0..<bytes.count {
      do { _ = try ManifestCoding.decode(Array(bytes.prefix(count))) } catch { refused += 1 }
    }
    #expect(refused > bytes.count / 2)
    for index in bytes.indices {
      for value in [UInt8(0), 1, 0x7F, 0x80, 0xFF] {
        var changed = bytes
        changed[index] = value
        _ = try? ManifestCoding.decode(changed)  // Only that it returns counts.
      }
    }
  }

  @Test func deepPredicatesAreRefused() {
    var predicate = Predicate.all
    for _ in 0..<PredicateCoding.depthMax { predicate = .not(predicate) }
    #expect(!PredicateCoding.isEncodable(predicate))
    #expect(throws: ManifestCodingError.self) {
      try PredicateCoding.decode([1] + [UInt8](repeating: 4, count: 100_000))
    }
  }

  /// Numbers that are compared exactly are of version 2, which older programs refuse; what those wrote goes
  /// on meaning what it meant.
  @Test func numbersAreOfVersion2() throws {
    let path = ColumnPath("metadata", members: ["n"])
    let literals: [Literal] = [
      .number("18446744073709551615"), .float64(0.1), .float64(-0.0), .float64(1e300), .number("1e+400"),
    ]
    for literal in literals {
      let predicate = Predicate.isIn(path, [.int64(1), literal])
      let bytes = PredicateCoding.encode(predicate)
      #expect(bytes[0] == 2)
      #expect(try PredicateCoding.decode(bytes) == predicate)
    }
    let before = PredicateCoding.encode(.compare(path, .equal, .rounded(0x1p64)))
    #expect(before[0] == 1 && before.dropLast(8).last == 2)
    #expect(try PredicateCoding.decode(before) == .compare(path, .equal, .rounded(0x1p64)))
    let compiled = try CompiledPredicate(
      .compare(path, .equal, .rounded(0x1p64)), schema: Dataset.logs.schema)
    var builder = TextBuilder()
    for number in ["18446744073709551615", "18446744073709551614", "1e18"] {
      builder.appendRow("{\"n\":\(number)}")
    }
    let objects = ObjectColumns(rest: builder.finish(type: .json), members: [])
    let found = compiled.evaluate(EvaluationBatch(rowCount: 3, columns: ["metadata": .object(objects)]))
    #expect(found.indices() == [0, 1])
  }

  @Test func contradictionsAreErrors() throws {
    let state = try ManifestState().applying([
      .blockAdded(ManifestTests.facts(1, positions: 0...9)),
      .blockAdded(ManifestTests.facts(2, positions: 20...29)),
      .archivedThrough(ManifestTests.partition, position: 30),
    ])
    let wrong: [[ManifestChange]] = [
      [.blockAdded(ManifestTests.facts(1, positions: 40...41))],
      [.blockAdded(ManifestTests.facts(3, positions: 9...12))],
      [.blockAdded(ManifestTests.facts(3, positions: 15...20))],
      [.blockRemoved(id: 4)], [.blockRemoved(id: 1), .blockRemoved(id: 1)],
      [.archivedThrough(ManifestTests.partition, position: 29)], [.deletionFinished(id: 1)],
      [.deletionsApplied(block: 9, through: 1)],
    ]
    for changes in wrong {
      #expect(throws: ManifestCodingError.self, "\(changes)") { try state.applying(changes) }
    }
    #expect(state.nextPositions[ManifestTests.partition.tenant] == 30)
    #expect(state.nextBlockID == 3)
    #expect(try ManifestState().applying(state.summary()) == state)
  }

  /// What an edit is checked against is only what it touches: that must see what the whole state would.
  @Test func editsAreCheckedBeforeTheyAreMade() throws {
    let other = Partition(tenant: ManifestTests.partition.tenant, dataset: .sessions)
    var elsewhere = ManifestTests.facts(1, positions: 40...41)
    elsewhere.partition = other
    var state = try ManifestState().applying([.blockAdded(ManifestTests.facts(1, positions: 0...9))])
    let before = state
    let edits: [[ManifestChange]] = [
      [.blockAdded(elsewhere)], [.blockAdded(ManifestTests.facts(3, positions: 9...12))],
      [.blockRemoved(id: 4)], [.deletionFinished(id: 1)],
    ]
    for edit in edits {
      #expect(throws: ManifestCodingError.self, "\(edit)") { try state.check(edit) }
      #expect(state == before)
    }
    try state.check([.blockRemoved(id: 1), .blockAdded(elsewhere)])
    try state.apply([.blockRemoved(id: 1), .blockAdded(elsewhere)])
    #expect(state.partitions(touchedBy: [.blockRemoved(id: 1)]) == [other])
  }

  static func open(_ disk: SimulatedDisk, compactionBytesMin: Int = 1 << 20) throws -> Manifest {
    try disk.createDirectory("d")
    try disk.syncDirectory(".")
    return try Manifest.open(
      directory: "d", fileSystem: disk, isNew: { () throws(StoreError) in true },
      compactionBytesMin: compactionBytesMin)
  }

  @Test func editsAreFoundAgain() throws {
    let disk = SimulatedDisk(seed: 1)
    let manifest = try ManifestTests.open(disk, compactionBytesMin: 500)
    for index in 0..<60 {
      let low = Int64(index) * 10
      try manifest.append([
        .blockAdded(ManifestTests.facts(UInt64(index) + 1, positions: low...low + 9)),
        .archivedThrough(ManifestTests.partition, position: low + 10),
      ])
      if index > 5 { try manifest.append([.blockRemoved(id: UInt64(index) - 4)]) }
    }
    #expect(disk.contents("d/manifest").count < 2500, "the file is compacted")
    for next in [disk.kill().crash()] {
      let again = try ManifestTests.open(next)
      #expect(again.state == manifest.state)
    }
  }

  /// Each byte of the file changed in turn: the state is as before, or opening says which byte is wrong.
  @Test func damageIsReported() throws {
    let disk = SimulatedDisk(seed: 1)
    let manifest = try ManifestTests.open(disk)
    try manifest.append([.archivedThrough(ManifestTests.partition, position: 10)])
    try manifest.append([.blockAdded(ManifestTests.facts(1, positions: 0...9))])
    let bytes = disk.contents("d/manifest")
    var silent = 0
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 0x10
      do {
        let scan = try ManifestScan(changed, path: "d/manifest")
        #expect(scan.state == manifest.state, "byte \(index) changes the state in silence")
        silent += 1
      } catch StoreError.corrupt(_, let offset, _) {
        #expect(offset <= index)
      }
    }
    // The unused bytes of the header, padding, and the last mark.
    #expect(silent <= 60)
  }

  /// The file cut after each byte: whole edits before the cut count, and nothing else.
  @Test func tornEndsAreCut() throws {
    let disk = SimulatedDisk(seed: 1)
    let manifest = try ManifestTests.open(disk)
    var states = [manifest.state]
    var sizes = [disk.contents("d/manifest").count]
    for index in 0..<3 {
      let low = Int64(index) * 10
      try manifest.append([.blockAdded(ManifestTests.facts(UInt64(index) + 1, positions: low...low + 9))])
      states.append(manifest.state)
      // Without its padding and the mark behind it.
      let size = disk.contents("d/manifest").count - ManifestFrame.headerBytes
      sizes.append(payloadEnd(disk.contents("d/manifest"), before: size))
    }
    let bytes = disk.contents("d/manifest")
    for size in sizes[0]..<bytes.count {
      let scan = try ManifestScan(Array(bytes.prefix(size)) + [UInt8](repeating: 0, count: 5), path: "m")
      let edits = sizes.lastIndex { $0 <= size } ?? 0
      #expect(scan.state == states[edits], "cut at \(size)")
    }
  }

  private func payloadEnd(_ bytes: [UInt8], before end: Int) -> Int {
    var place = ManifestFrame.fileHeaderBytes
    while let frame = ManifestFrame.parse(bytes, at: place) {
      if frame.end == end { return frame.payload.upperBound }
      place = frame.end
    }
    return end
  }

  @Test func aFailedSyncPoisons() throws {
    let disk = SimulatedDisk(seed: 3)
    let manifest = try ManifestTests.open(disk)
    disk.fail(.sync, pathSuffix: "manifest")
    let edit = [ManifestChange.archivedThrough(ManifestTests.partition, position: 10)]
    #expect(performing: { try manifest.append(edit) }, throws: ManifestTests.isPoisoned)
    #expect(performing: { try manifest.append(edit) }, throws: ManifestTests.isPoisoned)
    #expect(manifest.state == ManifestState())
  }

  static func isPoisoned(_ error: any Error) -> Bool {
    if case .poisoned? = error as? StoreError { true } else { false }
  }

  @Test func aFailedWriteChangesNothing() throws {
    for fault in [SimulatedDisk.Fault.error, .full, .short] {
      let disk = SimulatedDisk(seed: 4)
      let manifest = try ManifestTests.open(disk)
      disk.fail(.write, pathSuffix: "manifest", with: fault)
      let edit = [ManifestChange.archivedThrough(ManifestTests.partition, position: 10)]
      #expect(throws: StoreError.self) { try manifest.append(edit) }
      #expect(manifest.failure == nil)
      try manifest.append([.archivedThrough(ManifestTests.partition, position: 20)])
      let again = try ManifestTests.open(disk.crash())
      #expect(again.state == manifest.state)
    }
  }

  /// A manifest that was replaced when no descriptor was left takes no edit before its name is durable, and
  /// then goes on.
  @Test(arguments: [(SimulatedDisk.Operation.syncDirectory, "d"), (.open, "d/manifest")])
  func noDescriptorWhileItIsReplacedPoisonsNothing(
    operation: SimulatedDisk.Operation, suffix: String
  ) throws {
    for seed in 0..<10 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let manifest = try ManifestTests.open(disk, compactionBytesMin: 500)
      let before = try disk.identity("d/manifest")
      var position: Int64 = 0
      disk.fail(operation, pathSuffix: suffix, with: .exhausted)
      while try disk.identity("d/manifest") == before {
        position += 1
        try manifest.append([.archivedThrough(ManifestTests.partition, position: position)])
      }
      #expect(manifest.failure == nil)
      if operation == .syncDirectory {
        disk.fail(operation, pathSuffix: suffix, with: .exhausted)
        let edit = [ManifestChange.archivedThrough(ManifestTests.partition, position: position + 1)]
        #expect(throws: StoreError.self) { try manifest.append(edit) }
      }
      try manifest.append([.archivedThrough(ManifestTests.partition, position: position + 2)])
      #expect(try ManifestTests.open(disk.crash()).state == manifest.state)
    }
  }

  @Test func aMissingManifestBesideDataIsDamage() throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("d")
    #expect(throws: StoreError.self) {
      try Manifest.open(directory: "d", fileSystem: disk, isNew: { () throws(StoreError) in false })
    }
  }
}

extension ManifestState {
  /// The state after all of `changes`.
  func applying(_ changes: [ManifestChange]) throws(ManifestCodingError) -> ManifestState {
    var next = self
    try next.apply(changes)
    return next
  }
}
