/// What a repeated request is recognised by. Scope: tenant and credential.
package struct IdempotencyKey: Sendable, Hashable {
  /// A request as versions before 0.4 kept it: looked for where ``IdempotencyKey/key`` is not known.
  package struct Earlier: Sendable, Hashable {
    package let key: String
    package let bodyHash: [UInt8]

    package init(key: String, bodyHash: [UInt8]) {
      self.key = key
      self.bodyHash = bodyHash
    }
  }

  /// What stands for the client's key, 1 to 255 bytes: never the key itself.
  package let key: String
  /// A hash of the credential the request came with, so that two credentials never meet.
  package let credential: UInt64
  /// 16 bytes: a keyed hash of the body as sent. A plain one would tell what is masked in it.
  package let bodyHash: [UInt8]
  /// What the first answer needs beyond positions (at most 64 KiB), given back to repeats.
  package let answer: [UInt8]
  /// The piece of an import that the request is; then ``key`` is the import's name.
  package let part: ImportPart?
  /// nil: nothing is known any more that an earlier version kept.
  package let earlier: Earlier?

  package init(
    key: String, credential: UInt64, bodyHash: [UInt8], answer: [UInt8], earlier: Earlier? = nil
  ) {
    self.key = key
    self.credential = credential
    self.bodyHash = bodyHash
    self.answer = answer
    self.earlier = earlier
    part = nil
  }

  /// The key of a piece of an import.
  ///
  /// - Parameter scope: Of the name: where the records go. Not the credential: whoever goes on with an import
  ///   may have another by then.
  package init(_ part: ImportPart, scope: UInt64, answer: [UInt8]) {
    key = part.name
    credential = scope
    bodyHash = ImportPart.mark
    self.answer = answer
    self.part = part
    earlier = nil
  }
}

/// What is true once an append is acknowledged.
package struct AppendReceipt: Sendable, Hashable {
  /// The rows' positions follow one another in the order of the batch.
  package let firstPosition: Int64
  package let rowCount: Int
  /// 16 bytes: the UUIDv7 of the first row; row i has it plus i (big-endian).
  package let firstID: [UInt8]
  /// When the rows were taken in, nanoseconds since 1970.
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

  /// Where the rows lie.
  package var positions: Range<Int64> { firstPosition..<firstPosition + Int64(rowCount) }
}

/// The way in: where decoded and masked batches go.
package protocol BatchSink: Sendable {
  /// Appends `batch`; returns when its rows would survive a power loss (`storage.durability: fsync`).
  ///
  /// - Parameters:
  ///   - batch: ``DatasetSchema/declaredFields`` of the partition's dataset, in that order, at least one row.
  ///   - idempotency: When its key is known the earlier receipt comes back and nothing is written.
  /// - Throws: On every error nothing of the batch is visible, now or later, but for `poisoned` and
  ///   `stopping`: then it may be found after a restart, whole or not at all.
  func append(_ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?)
    async throws(StoreError) -> AppendReceipt
}
