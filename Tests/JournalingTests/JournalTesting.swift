import Journaling
import Platform
import Records
import TestKit

let acme = Tenant(realm: .native, name: "acme")
let logs = Partition(tenant: acme, dataset: .logs)

/// Small segments, so that tests cross them.
func testOptions(
  segmentBytes: Int = 16 << 10, frameBytesMax: Int = 4 << 10
) -> JournalOptions {
  var options = JournalOptions()
  options.segmentBytes = segmentBytes
  options.frameBytesMax = frameBytesMax
  options.writeReserveBytes = 0
  return options
}

/// A disk, a clock and a journal on them.
struct Bench {
  var disk: SimulatedDisk
  let clock: ManualClock
  let entropy: SeededEntropy
  /// What the journal has told, over all its lives.
  let events = EventList()
  var options: JournalOptions
  var journal: JournalFile
  var recovery: JournalRecovery

  init(seed: UInt64 = 1, options: JournalOptions = testOptions()) throws {
    let disk = SimulatedDisk(seed: seed)
    try disk.createDirectory("data")
    try disk.syncDirectory("")
    try self.init(disk: disk, clock: ManualClock(), seed: seed, options: options)
  }

  init(
    disk: SimulatedDisk, clock: ManualClock, seed: UInt64, options: JournalOptions,
    start: JournalStart = JournalStart()
  ) throws {
    self.disk = disk
    self.clock = clock
    self.options = options
    entropy = SeededEntropy(seed: seed)
    let environment = StoreEnvironment(
      fileSystem: disk, clock: clock, uptime: clock, entropy: entropy, observer: events)
    (journal, recovery) = try JournalFile.open(
      directory: "data/journal", environment: environment, options: options, start: start)
  }

  /// The journal as found after a power cut.
  mutating func crash(start: JournalStart = JournalStart()) throws {
    disk = disk.crash()
    try reopen(start: start)
  }

  /// Opens the journal anew on the same disk.
  mutating func reopen(start: JournalStart = JournalStart()) throws {
    let environment = StoreEnvironment(
      fileSystem: disk, clock: clock, uptime: clock, entropy: entropy, observer: events)
    (journal, recovery) = try JournalFile.open(
      directory: "data/journal", environment: environment, options: options, start: start)
  }

  func append(
    _ batch: RecordBatch, to partition: Partition = logs, key: IdempotencyKey? = nil
  ) throws(StoreError) -> AppendReceipt {
    try journal.commit([AppendRequest(batch: batch, partition: partition, idempotency: key)])[0].get()
  }

  func rows(of partition: Partition = logs) throws -> [String] {
    try journal.head(of: partition).frames.flatMap { RandomBatches.rowTexts(try $0.batch()) }
  }
}

func oneRow(_ message: String) -> RecordBatch {
  let fields = Dataset.logs.schema.declaredFields
  let columns = fields.map { field -> Column in
    if field.type == .timestamp { return Column(timestamps: [1_780_000_000_000_000_000]) }
    if field.name != "message" { return .nulls(type: field.type, rowCount: 1) }
    var builder = TextBuilder()
    builder.appendRow(message)
    return builder.finish()
  }
  return RecordBatch(fields: fields, columns: columns, rowCount: 1)
}

func key(_ name: String, body: UInt8 = 1, answer: String = "") -> IdempotencyKey {
  IdempotencyKey(
    key: name, credential: 7, bodyHash: [UInt8](repeating: body, count: 16), answer: Array(answer.utf8))
}

func messages(_ frames: some Sequence<HeadFrame>) throws -> [String] {
  try frames.flatMap { frame -> [String] in
    let column = try frame.batch(columns: ["message"]).columns[0]
    return column.withText { offsets, bytes in
      (0..<column.rowCount).map { row in
        String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self)
      }
    }
  }
}
