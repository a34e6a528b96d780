import Records

/// What is known of a block without opening it, enough to prune by time and position: the manifest keeps it,
/// and the block's index repeats it.
package struct BlockFacts: Sendable, Hashable {
  /// Given by the caller; never used twice.
  package var id: UInt64
  /// Whose rows these are.
  package var partition: Partition
  /// At least one.
  package var rowCount: Int
  /// Bytes of the file; 0 as long as that is not known.
  package var byteCount = 0
  /// Smallest and largest timestamp and position, both included.
  package var bounds: KeyBounds
  /// Smallest and largest `ingested_at`, ns since 1970, both included.
  package var ingestedMin: Int64
  /// As ``ingestedMin``.
  package var ingestedMax: Int64
  /// The block holds no row that a deletion up to this id hides.
  package var deletionsApplied: UInt64

  /// The facts of a block whose file has no end yet.
  package init(
    id: UInt64, partition: Partition, rowCount: Int, bounds: KeyBounds, ingested: ClosedRange<Int64>,
    deletionsApplied: UInt64
  ) {
    self.id = id
    self.partition = partition
    self.rowCount = rowCount
    self.bounds = bounds
    ingestedMin = ingested.lowerBound
    ingestedMax = ingested.upperBound
    self.deletionsApplied = deletionsApplied
  }

  /// One behind the largest position.
  package var positionEnd: Int64 { bounds.positionMax + 1 }

  var positions: ClosedRange<Int64> { bounds.positionMin...bounds.positionMax }
  var timestamps: ClosedRange<Int64> { bounds.timestampMin...bounds.timestampMax }
  var ingested: ClosedRange<Int64> { ingestedMin...ingestedMax }
}
