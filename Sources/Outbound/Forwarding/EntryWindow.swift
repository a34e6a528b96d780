import Records
import Synchronization

/// Records of one tenant in the order of their positions: what was read at a time.
package final class EntryWindow: Sendable {
  /// The mapping's columns; the first four are position, id, timestamp, ingested_at.
  let rows: RecordBatch
  /// A position a row, ascending.
  let positions: [Int64]
  /// No record from the window's start up to here is missing from it.
  let coveredEnd: Int64
  /// One behind the last position that was visible when it was read.
  let positionEnd: Int64
  /// What it takes, given back with it; nil: nobody counts.
  let memory = Mutex<MemoryReservation?>(nil)

  init(rows: RecordBatch, positions: [Int64], coveredEnd: Int64, positionEnd: Int64) {
    invariant(rows.rowCount == positions.count, "a position a row")
    invariant(positions.last.map { $0 < coveredEnd } ?? true, "rows lie below the covered end")
    self.rows = rows
    self.positions = positions
    self.coveredEnd = coveredEnd
    self.positionEnd = positionEnd
  }

  var rowCount: Int { positions.count }

  /// The first row at or behind `position`; the number of rows if there is none.
  func firstRow(from position: Int64) -> Int {
    var low = 0
    var high = positions.count
    while low < high {
      let middle = (low + high) / 2
      if positions[middle] < position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func id(_ row: Int) -> [UInt8] {
    rows.columns[1].withUUIDs { ids in (0..<16).map { ids[row * 16 + $0] } }
  }
  func timestamp(_ row: Int) -> Int64 { rows.columns[2].withInt64 { $0[row] } }
  func ingestedAt(_ row: Int) -> Int64 { rows.columns[3].withInt64 { $0[row] } }
}
