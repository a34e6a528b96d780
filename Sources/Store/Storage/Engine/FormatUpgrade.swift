import Records

/// The blocks that were there at the start and may be of an older format: each is looked into once, and
/// written anew if it is, when nothing else is to be done. Not shared between threads.
struct FormatUpgrade {
  /// How many blocks are looked into at a time: an open and a footer each.
  static let lookedIntoAtOnce = 16
  /// What the disk refused is tried again so much later.
  private static let restNanoseconds: Int64 = 600_000_000_000

  /// The next one last.
  private var waiting: [UInt64]
  /// Partitions of which a block could not be written anew.
  private(set) var failing: Set<Partition> = []
  private var restsUntil: Int64?

  /// - Parameter blocks: Those at the start.
  init(blocks: some Sequence<UInt64>) { waiting = blocks.sorted(by: >) }

  /// The next blocks; none while it rests.
  mutating func next(now: Int64) -> [UInt64] {
    if let time = restsUntil, now < time, time - now <= FormatUpgrade.restNanoseconds { return [] }
    restsUntil = nil
    failing = []
    return waiting.suffix(FormatUpgrade.lookedIntoAtOnce).reversed()
  }

  /// Whether none is left to look into.
  var isDone: Bool { waiting.isEmpty }

  /// The block that was next is of the format now, gone, or damaged.
  mutating func close(_ id: UInt64) { if waiting.last == id { waiting.removeLast() } }

  /// The block that was next cannot be read or written now: others first, later.
  mutating func rest(_ id: UInt64, of partition: Partition, now: Int64) {
    close(id)
    waiting.insert(id, at: 0)
    failing.insert(partition)
    restsUntil = now.addingReportingOverflow(FormatUpgrade.restNanoseconds).partialValue
  }
}
