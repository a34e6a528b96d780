import Records

/// The rows of an answer as they are computed. Releasing it ends what is under way for it and gives back what
/// it holds.
package protocol AnswerRows: AnyObject {
  /// The next rows, in the request's order and at most its limit in all; nil at the end. One call at a time.
  func next() async throws(StoreError) -> RecordBatch?
  /// The sort key and the position of the last row given; nil before the first.
  var lastKey: AnswerKey? { get }
}

/// Where a row lies in the order of its answer.
package struct AnswerKey: Sendable {
  /// Values of the request's ``QueryRequest/orderColumns``.
  package var parts: [QueryCursor.KeyPart]
  /// The row's position, which decides among equal keys.
  package var position: Int64

  /// A place in an answer.
  package init(parts: [QueryCursor.KeyPart], position: Int64) {
    self.parts = parts
    self.position = position
  }
}

/// An answer under way. One consumer at a time.
package final class QueryAnswer: @unchecked Sendable {
  // Safe because: its one consumer awaits each call to next() before the following one.
  /// Of every batch.
  package let fields: [Field]
  private let request: QueryRequest
  private let positionEnd: Int64
  /// How many stored objects, files for one, its first rows were looked for in, after pruning; 0 for groups.
  package let objectCount: Int
  /// The files whose rows the answer lacks, by name; empty: it is whole.
  package let damagedFiles: [DamagedFile]
  /// How far the groups may be from the right ones; nil: they are the right ones.
  package let approximation: Approximation?
  private let rows: (any AnswerRows)?
  private let groups: GroupBatches?
  private var rowCount = 0
  /// Of the query, as long as its answer is read.
  var memory: MemoryReservation?
  private var bytesHeld = 0
  /// What it is computed on; nil: all of it is at hand.
  var workers: (any QueryWorkers)?
  /// Counts what it takes; nil: nobody does.
  var work: CancellationToken?

  /// What was looked at for what came so far, and how long that took; nil: nobody counted.
  package var statistics: AnswerStatistics? { work?.statistics }

  /// Rows of records.
  ///
  /// - Parameters:
  ///   - fields: Of the batches that `rows` gives.
  ///   - positionEnd: Every row's position is below it, on later pages too.
  ///   - objectCount: See ``objectCount``.
  ///   - damagedFiles: See ``damagedFiles``.
  package init(
    fields: [Field], request: QueryRequest, positionEnd: Int64, objectCount: Int, rows: any AnswerRows,
    damagedFiles: [DamagedFile] = []
  ) {
    self.damagedFiles = damagedFiles
    self.objectCount = objectCount
    self.fields = fields
    self.request = request
    self.positionEnd = positionEnd
    self.rows = rows
    groups = nil
    approximation = nil
  }

  /// Groups.
  init(request: QueryRequest, groups: GroupAnswer, damagedFiles: [DamagedFile]) {
    self.damagedFiles = damagedFiles
    fields = groups.batches.fields
    self.request = request
    self.groups = groups.batches
    approximation = groups.approximation
    positionEnd = 0
    objectCount = 0
    rows = nil
  }

  /// The next rows, at most 8,192 of records, or all groups at once unless their text takes more than 16 MiB;
  /// nil at the end.
  package func next() async throws(StoreError) -> RecordBatch? {
    if let rows {
      let batch = try await rows.next()
      rowCount += batch?.rowCount ?? 0
      return batch
    }
    return groups?.next()
  }

  /// Runs `body`, which takes long with the rows that came last, among the queries of the answer's tenant.
  package func aside<Value: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    guard let workers else { return try body() }
    return try await workers.perform(body)
  }

  /// Takes what is made of the rows, `bytes` in all, of the query's memory, in place of what was taken
  /// before; given back with the answer.
  ///
  /// - Throws: `.memoryExhausted`.
  package func hold(_ bytes: Int) throws(StoreError) {
    if bytes > bytesHeld {
      try memory?.take(bytes - bytesHeld)
    } else {
      memory?.give(back: bytesHeld - bytes)
    }
    bytesHeld = bytes
  }

  /// Where the next page begins, once the rows are read; nil if the limit was not reached.
  package var cursor: String? { lastCursor?.token(for: request) }

  /// As ``cursor``, for whoever answers.
  package var lastCursor: QueryCursor? {
    guard let last = rows?.lastKey, rowCount >= request.limit else { return nil }
    return QueryCursor(key: last.parts, position: last.position, positionEnd: positionEnd)
  }
}
