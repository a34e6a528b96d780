import Records

/// Rows of the head that lie together, read when they are needed, and again.
///
/// So a block's rows need not be in memory all at once, neither what is made for them (ids, positions,
/// checked offsets: 64 bytes a row) nor the pages of the journal that they lie in.
package struct HeadPart: Sendable {
  /// What whoever goes through the parts one after the other holds of them before letting go.
  package static let heldBytesMax = 8 << 20

  /// At least one.
  package let rowCount: Int
  /// What reading it takes while it is held, and letting go gives back; 0: nothing.
  package let byteCount: Int
  private let reading: @Sendable ([String]) throws(StoreError) -> RecordBatch
  private let letting: @Sendable () -> Void

  /// - Parameters:
  ///   - read: Gives the named columns of all rows, the same ones each time.
  ///   - letGo: Called when the rows are not needed for a while; they may be asked for again.
  package init(
    rowCount: Int, byteCount: Int, read: @escaping @Sendable ([String]) throws(StoreError) -> RecordBatch,
    letGo: @escaping @Sendable () -> Void
  ) {
    self.rowCount = rowCount
    self.byteCount = byteCount
    reading = read
    letting = letGo
  }

  /// Rows that are in memory.
  package init(_ batch: RecordBatch) {
    self.init(
      rowCount: batch.rowCount, byteCount: 0,
      read: { names in
        RecordBatch(
          fields: names.compactMap { name in batch.fields.first { $0.name.hasBytes(of: name) } },
          columns: names.map { batch.existing($0) }, rowCount: batch.rowCount)
      }, letGo: {})
  }

  /// The named columns, in that order.
  package func batch(columns: [String]) throws(BlockError) -> RecordBatch {
    do throws(StoreError) { return try reading(columns) } catch {
      if case .corrupt(let file, let offset, let reason) = error {
        throw .corrupt(file: file, offsetBytes: offset, reason: reason)
      }
      throw .ended(error)
    }
  }

  /// Says that the rows are not needed for a while.
  package func letGo() { letting() }
}

/// Parts that are gone through one after the other, of which only the last are held.
struct HeldParts {
  private var held: [HeadPart] = []
  private var byteCount = 0

  /// Notes that the part was read, and lets go of those before it when they take much.
  mutating func add(_ part: HeadPart) {
    held.append(part)
    byteCount += part.byteCount
    if byteCount > HeadPart.heldBytesMax { letGo() }
  }

  /// Lets go of all.
  mutating func letGo() {
    held.forEach { $0.letGo() }
    (held, byteCount) = ([], 0)
  }
}
