import Columnar
import Records
import Synchronization

/// What of a block a decoded part is.
struct PageKey: Hashable, Sendable {
  enum Part: UInt8 {
    /// Values as reading the column gives them.
    case values
    /// As ``values``, times rounded down to microseconds.
    case rounded
    /// Numbers of values of the row group's dictionary.
    case codes
    /// The row group's dictionary.
    case dictionary
  }

  let block: UInt64
  let group: Int32
  let column: Int32
  /// The first row of the page within its row group; -1: all rows of the row group.
  let firstRow: Int32
  let part: Part

  /// - Parameter firstRow: nil: all rows of the row group.
  init(block: UInt64, group: Int, column: Int, firstRow: Int?, part: Part) {
    self.block = block
    self.group = Int32(truncatingIfNeeded: group)
    self.column = Int32(truncatingIfNeeded: column)
    self.firstRow = firstRow.map { Int32(truncatingIfNeeded: $0) } ?? -1
    self.part = part
  }
}

/// A decoded part of a column. Immutable; copying shares memory.
enum DecodedPart: Sendable {
  case column(Column)
  case codes(TextCodes)

  /// What keeping it takes: the buffers, and what stands around them.
  var byteCount: Int {
    switch self {
    case .column(let column): column.byteCount + DecodedPart.overheadBytes
    case .codes(let codes):
      codes.indices.byteCount + (codes.validity?.byteCount ?? 0) + DecodedPart.overheadBytes
    }
  }

  /// Entries of the queues and the table, the objects of Swift and Arrow that hold the buffers.
  private static let overheadBytes = 1_024
}

/// Whether a block's file is still named by an edit.
package final class BlockLife: Sendable {
  private let isOver = Atomic(false)

  /// It is.
  package init() {}

  var isGone: Bool { isOver.load(ordering: .sequentiallyConsistent) }

  /// Says that no edit names the file any more.
  func end() { isOver.store(true, ordering: .sequentiallyConsistent) }
}
