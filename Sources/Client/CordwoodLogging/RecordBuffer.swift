/// Records that wait to be sent, in batches, and the count of those that will not be. Knows no clock and no
/// network: ``Sender`` does.
struct RecordBuffer: Sendable {
  private let batchBytesMax: Int
  private let bytesMax: Int
  /// Begins the idempotency key of every batch: no two buffers have the same.
  private let keyPrefix: String
  private var counts = CordwoodLogCounts()
  private var batches: [Piece] = []
  private var open = Piece()
  /// The batch that was taken and not settled.
  private var takenBytes = 0
  private var takenCount = 0
  private var keyCount: UInt64 = 0
  private var isClosed = false
  /// Lost records that no record of ours has told of.
  private var untoldCount = 0
  /// Records that were taken in since the start, and of these the ones that are stored or lost.
  private(set) var acceptedCount: UInt64 = 0
  private(set) var settledCount: UInt64 = 0
  /// Somebody waits for this record to be settled.
  var flushCount: UInt64 = 0

  /// Room that stays free for the record that tells how many were lost.
  static let reportBytesMax = 512

  private struct Piece: Sendable {
    var bytes: [UInt8] = []
    var recordCount = 0
  }

  init(options: CordwoodLogOptions, keyPrefix: String) {
    batchBytesMax = options.batchBytesMax
    bytesMax = options.bufferBytesMax
    self.keyPrefix = keyPrefix
  }

  /// Takes a record, a line of JSON with its end, or counts it as dropped.
  ///
  /// - Returns: Whether the sender has something to do that it does not know of.
  mutating func append(_ record: [UInt8]) -> Bool {
    counts.loggedCount += 1
    let isWithin = heldBytes + record.count <= bytesMax - RecordBuffer.reportBytesMax
    guard !isClosed, isWithin, record.count <= batchBytesMax else {
      counts.droppedCount += 1
      untoldCount += 1
      return false
    }
    var isNews = open.recordCount == 0 && batches.isEmpty
    if open.bytes.count + record.count > batchBytesMax {
      // What waits is not to take more memory than it is counted for.
      if open.bytes.capacity > open.bytes.count + open.bytes.count / 4 { open.bytes = Array(open.bytes[...]) }
      seal()
      isNews = true
    }
    makeRoom(record.count)
    open.bytes.append(contentsOf: record)
    open.recordCount += 1
    counts.waitingBytes += record.count
    acceptedCount += 1
    return isNews
  }

  /// Twice the room each time, but no more than a batch and the record of lost ones can fill.
  private mutating func makeRoom(_ count: Int) {
    let needed = open.bytes.count + count
    guard needed > open.bytes.capacity else { return }
    let most = batchBytesMax + RecordBuffer.reportBytesMax
    open.bytes.reserveCapacity(max(needed, min(max(open.bytes.capacity * 2, 16 << 10), most)))
  }

  private var heldBytes: Int { counts.waitingBytes }

  private mutating func seal() {
    batches.append(open)
    open = Piece()
  }

  /// Whether there is anything to send.
  var isEmpty: Bool { batches.isEmpty && open.recordCount == 0 }

  /// Whether what waits is to be sent without waiting for more.
  var isUrgent: Bool { !batches.isEmpty || (flushCount > settledCount && !isEmpty) }

  /// Takes the oldest batch, with a record about those that were lost, if any were. Nil if there is none.
  /// Until it is settled no other may be taken.
  ///
  /// - Parameter report: Writes the record that tells of so many lost ones, a line of at most
  ///   ``reportBytesMax`` bytes.
  mutating func take(report: (Int) -> [UInt8]) -> Batch? {
    precondition(takenCount == 0, "one batch is under way at a time")
    if batches.isEmpty {
      guard open.recordCount > 0 else { return nil }
      seal()
    }
    var piece = batches.removeFirst()
    let toldCount = untoldCount
    takenBytes = piece.bytes.count
    takenCount = piece.recordCount
    if toldCount > 0 { piece.bytes.append(contentsOf: report(toldCount)) }
    untoldCount = 0
    keyCount += 1
    return Batch(
      key: "\(keyPrefix)-\(keyCount)", body: piece.bytes, recordCount: piece.recordCount, toldCount: toldCount
    )
  }

  /// What became of the batch that was taken last.
  mutating func settle(_ batch: Batch, _ outcome: BatchOutcome) {
    counts.waitingBytes -= takenBytes
    settledCount += UInt64(takenCount)
    switch outcome {
    case .stored(let rejectedCount):
      let refusedCount = min(rejectedCount, takenCount)
      counts.storedCount += takenCount - refusedCount
      counts.refusedCount += refusedCount
      untoldCount += refusedCount
    case .refused:
      counts.refusedCount += takenCount
      untoldCount += takenCount + batch.toldCount
    case .abandoned:
      counts.abandonedCount += takenCount
      untoldCount += takenCount + batch.toldCount
    }
    takenBytes = 0
    takenCount = 0
  }

  /// Takes no more records, and gives up those that wait.
  ///
  /// - Returns: How many were given up.
  mutating func close() -> Int {
    guard !isClosed else { return 0 }
    isClosed = true
    let waitingCount = current.waitingCount
    counts.abandonedCount += waitingCount
    settledCount = acceptedCount
    counts.waitingBytes = 0
    batches = []
    open = Piece()
    takenBytes = 0
    takenCount = 0
    return waitingCount
  }

  var current: CordwoodLogCounts {
    var counts = counts
    counts.waitingCount = Int(acceptedCount - settledCount)
    return counts
  }
}

/// Records that are sent together, and sent again without a change.
struct Batch: Sendable, Hashable {
  /// The idempotency key.
  let key: String
  /// A line of JSON a record.
  let body: [UInt8]
  /// Without the one that tells of lost records.
  let recordCount: Int
  /// Lost records that it tells of.
  let toldCount: Int
}

/// How a batch ended.
enum BatchOutcome: Sendable, Hashable {
  /// On the server's disk, but for as many records as the server left out.
  case stored(rejectedCount: Int)
  /// The server will not have it, however often it is sent.
  case refused
  /// It could not be sent for too long.
  case abandoned
}
