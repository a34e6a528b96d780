/// What a repeated request is recognised by. Scope: tenant and credential.
package struct IdempotencyKey: Sendable, Hashable {
  /// The client's key, 1 to 255 bytes.
  package let key: String
  /// A hash of the credential the request came with, so that two credentials never meet.
  package let credential: UInt64
  /// 16 bytes: a hash of the body as sent.
  package let bodyHash: [UInt8]
  /// What the first answer needs beyond positions (at most 64 KiB), given back to repeats.
  package let answer: [UInt8]

  package init(key: String, credential: UInt64, bodyHash: [UInt8], answer: [UInt8]) {
    self.key = key
    self.credential = credential
    self.bodyHash = bodyHash
    self.answer = answer
  }
}

/// What is true once an append is acknowledged.
package struct AppendReceipt: Sendable, Hashable {
  package let firstPosition: Int64
  package let rowCount: Int
  /// 16 bytes: the UUIDv7 of the first row; row i has it plus i (big-endian).
  package let firstID: [UInt8]
  /// Nanoseconds since 1970.
  package let ingestedAt: Int64
  /// Whether an earlier request with the same idempotency key wrote the rows.
  package let isReplay: Bool
  /// `IdempotencyKey.answer` of the request that wrote the rows.
  package let answer: [UInt8]

  package init(
    firstPosition: Int64, rowCount: Int, firstID: [UInt8], ingestedAt: Int64, isReplay: Bool = false,
    answer: [UInt8] = []
  ) {
    self.firstPosition = firstPosition
    self.rowCount = rowCount
    self.firstID = firstID
    self.ingestedAt = ingestedAt
    self.isReplay = isReplay
    self.answer = answer
  }
}

/// The way in: where decoded and masked batches go.
package protocol BatchSink: Sendable {
  /// Appends `batch`; returns when its rows would survive a power loss (`storage.durability: fsync`).
  ///
  /// - Parameters:
  ///   - batch: ``DatasetSchema/declaredFields`` of the partition's dataset, in that order, at least one row.
  ///   - idempotency: When its key is known the earlier receipt comes back and nothing is written.
  /// - Throws: On every error nothing of the batch is visible, now or later, but for `poisoned` and `stopping`:
  ///   then it may be found after a restart, whole or not at all.
  func append(_ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?)
    async throws(StoreError) -> AppendReceipt
}

/// A column a scan gives out.
package struct OutputColumn: Sendable, Hashable {
  package let path: ColumnPath
  /// For a column its schema type. For a member: `utf8` (scalars as JSON text, strings unquoted; null where missing),
  /// `float64` (numbers; null elsewhere) or `json` (the member's JSON text).
  package let type: ColumnType

  package init(_ path: ColumnPath, type: ColumnType) {
    self.path = path
    self.type = type
  }

  package var field: Field { Field(path.description, type, isNullable: true) }
}

/// The order rows come in.
package enum ScanOrder: Sendable, Hashable {
  /// By the dataset's sort key, then position.
  case ascending, descending
  /// As is cheapest.
  case unordered
}

/// What a scan is asked for.
package struct ScanRequest: Sendable {
  package var columns: [OutputColumn]
  package var predicate: Predicate
  /// Nanoseconds since 1970 on `timestamp`: start included, end not. nil: no bound.
  package var start: Int64?
  package var end: Int64?
  /// Only positions in this range.
  package var positions: Range<Int64>
  package var order: ScanOrder

  package init(
    columns: [OutputColumn], predicate: Predicate = .all, start: Int64? = nil, end: Int64? = nil,
    positions: Range<Int64> = 0..<Int64.max, order: ScanOrder = .unordered
  ) {
    self.columns = columns
    self.predicate = predicate
    self.start = start
    self.end = end
    self.positions = positions
    self.order = order
  }
}

/// Smallest and largest `timestamp` and `position` of some rows, both included.
package struct KeyBounds: Sendable, Hashable {
  package var timestampMin: Int64
  package var timestampMax: Int64
  package var positionMin: Int64
  package var positionMax: Int64

  package init(timestampMin: Int64, timestampMax: Int64, positionMin: Int64, positionMax: Int64) {
    self.timestampMin = timestampMin
    self.timestampMax = timestampMax
    self.positionMin = positionMin
    self.positionMax = positionMax
  }
}

/// Reads the rows of one scan unit, filtered and projected. Not shared between threads; may be handed over.
package protocol BatchCursor: AnyObject {
  /// The next rows in the request's order, at most 8,192; nil at the end. An empty batch is never returned.
  /// Blocking (disk, CPU): call on a query thread.
  func next() throws(StoreError) -> RecordBatch?
}

/// A file that a scan reads.
package enum ScanFile: Sendable, Hashable {
  case block(path: String)
  case segment(UInt32)
}

/// A part of a scan that can be read by itself, on any thread: a row group of a block, or a run of the head.
/// Rows of an ordered scan are ordered within a unit; units may overlap.
package protocol ScanUnit: Sendable {
  /// The files the unit reads.
  var files: Set<ScanFile> { get }
  /// Bounds over the unit's rows before filtering.
  var bounds: KeyBounds { get }
  /// The most rows the unit can give.
  var rowCountMax: Int { get }
  /// Rough bytes of memory an open cursor holds, for `query.memory_bytes_max`.
  var memoryBytesEstimate: Int { get }
  func open() throws(StoreError) -> any BatchCursor
  /// How many rows match: from summaries and indexes where they prove it, else by reading filter columns only.
  func countMatches() throws(StoreError) -> Int
}

/// A grouped count that block summaries may answer.
package struct GroupedCountRequest: Sendable {
  /// Columns to group by; null is a group of its own.
  package var groupBy: [ColumnPath]
  /// Width of time buckets in ns (aligned to 1970), or nil for none.
  package var bucketNanoseconds: Int64?
  package var predicate: Predicate
  package var start: Int64?
  package var end: Int64?
  package var positions: Range<Int64>

  package init(
    groupBy: [ColumnPath], bucketNanoseconds: Int64?, predicate: Predicate, start: Int64?, end: Int64?,
    positions: Range<Int64> = 0..<Int64.max
  ) {
    self.groupBy = groupBy
    self.bucketNanoseconds = bucketNanoseconds
    self.predicate = predicate
    self.start = start
    self.end = end
    self.positions = positions
  }
}

/// A group: the bucket's start (ns; 0 without buckets) and the columns' values.
package struct GroupKey: Sendable, Hashable {
  package var bucket: Int64
  package var values: [String?]
  package init(bucket: Int64, values: [String?]) {
    self.bucket = bucket
    self.values = values
  }
}

/// What summaries could say about a grouped count: exact counts for what they cover, and scans for the rest.
package struct GroupedCountAnswer: Sendable {
  package var counts: [GroupKey: Int]
  /// Units (with the same predicate and bounds, columns: `timestamp` if bucketed, then `groupBy` as utf8) that must
  /// be scanned and counted besides; their rows are disjoint from what `counts` covers.
  package var remaining: [any ScanUnit]
  package init(counts: [GroupKey: Int], remaining: [any ScanUnit]) {
    self.counts = counts
    self.remaining = remaining
  }
}

/// One moment of a partition: live blocks, head and durable end. Keeps them readable while it lives.
package protocol PartitionSnapshot: AnyObject, Sendable {
  /// Every visible row's position is below it.
  var positionEnd: Int64 { get }
  /// The units that may hold matching rows after pruning by position, time, statistics, Bloom filters and the text
  /// index; for ordered scans sorted by their first key in that order. Deleted rows are left out by the units.
  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit]
  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer
}

/// The way back.
package protocol BatchSource: Sendable {
  /// A consistent view; rows acknowledged before the call are in it.
  func snapshot(of partition: Partition) -> any PartitionSnapshot
}

/// Figures of one partition.
package struct PartitionUsage: Sendable, Hashable {
  package var partition: Partition
  package var headRows: Int
  package var headBytes: Int
  package var blockRows: Int
  package var blockBytes: Int
  package var blockCount: Int
  package init(
    partition: Partition, headRows: Int, headBytes: Int, blockRows: Int, blockBytes: Int, blockCount: Int
  ) {
    self.partition = partition
    self.headRows = headRows
    self.headBytes = headBytes
    self.blockRows = blockRows
    self.blockBytes = blockBytes
    self.blockCount = blockCount
  }
}

/// What operators and other modules may ask of the store besides reading and writing.
package protocol StoreControl: Sendable {
  /// Archives everything the head holds when called; returns when it is in blocks.
  func archive() async throws(StoreError)
  /// Hides the matching rows with positions below the snapshot's end at once and for good; returns how many.
  func delete(_ predicate: Predicate, from partition: Partition) async throws(StoreError) -> Int
  /// Removes blocks whose rows are all older (by `ingested_at`) than their dataset's retention age; returns rows removed.
  func retain() async throws(StoreError) -> Int
  func usage() -> [PartitionUsage]
  /// nil while healthy; else why writes are refused, without secrets.
  func writeFailure() -> StoreError?
}
