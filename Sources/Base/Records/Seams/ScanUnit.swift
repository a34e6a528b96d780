/// Reads the rows of one scan unit, filtered and projected. Not shared between threads; may be handed over.
package protocol BatchCursor: AnyObject {
  /// The next rows in the request's order, at most 8,192; nil at the end. An empty batch is never returned.
  /// Blocking (disk, CPU): call on a query thread.
  func next() throws(StoreError) -> RecordBatch?
}

/// Something stored that a scan reads, a file for one. Only whether two are the same can be told.
package struct StoredObject: Sendable, Hashable {
  private enum Identity: Sendable, Hashable {
    case name(String)
    case number(UInt64)
  }

  private let identity: Identity

  /// - Parameter name: Names no other object of the store.
  package init(name: String) { identity = .name(name) }

  /// - Parameter number: Of no other object of the store that has a number.
  package init(number: UInt64) { identity = .number(number) }
}

/// A part of a scan that can be read by itself, on any thread: a row group of a block, or a run of the head.
/// Rows of an ordered scan are ordered within a unit; units may overlap.
package protocol ScanUnit: Sendable {
  /// What the unit reads, for counting.
  var objects: Set<StoredObject> { get }
  /// Bounds over the unit's rows before filtering.
  var bounds: KeyBounds { get }
  /// The most rows the unit can give.
  var rowCountMax: Int { get }
  /// Rough bytes of memory an open cursor holds, for `query.memory_bytes_max`.
  var memoryBytesEstimate: Int { get }
  /// The unit as smaller ones that together give its rows in its order, each some milliseconds of work; one
  /// that is small, or that costs more in parts, is the only part.
  func parts() -> [any ScanUnit]
  /// Begins to read. Blocking, as its cursor is.
  func open() throws(StoreError) -> any BatchCursor
  /// How many rows match: from summaries and indexes where they prove it, else by reading filter columns
  /// only. Blocking.
  func countMatches() throws(StoreError) -> Int
}

extension ScanUnit {
  /// Itself.
  package func parts() -> [any ScanUnit] { [self] }
}
