import Codecs
import Records

/// How much each of many cells has of the measure that orders a query's groups: one worker's part, or several
/// merged. A group's rows all go to the cell that its hash names, so no group has more than its cell.
///
/// This is the coarse count of M. Fang, N. Shivakumar, H. Garcia-Molina, R. Motwani, J. D. Ullman, "Computing
/// Iceberg Queries Efficiently" (VLDB 1998), with one hash function: a first pass over the rows counts by
/// cell, a second one computes exactly for the groups of the greatest cells alone. Cells take eight bytes
/// whatever the groups' texts, adding and merging them is the same in any order, and they bound sums and
/// greatest values as well as counts, which Misra-Gries' and Space-Saving's counters do not.
struct GroupCells: Sendable {
  let ranking: GroupRanking
  private let shift: UInt64
  private var cells: [Double]
  private var hasher: GroupHasher
  private var groups = DistinctSet.sketch
  private var rowCount = 0
  private var textByteCount = 0

  /// - Parameter bits: How many of a hash name its cell: 1 to 32.
  init(_ ranking: GroupRanking, bits: Int) {
    self.ranking = ranking
    shift = UInt64(64 - bits)
    cells = [Double](repeating: ranking.bound == .greatest ? -.infinity : 0, count: 1 << bits)
    let query = ranking.plan.query
    hasher = GroupHasher(bucket: query.bucket, columnCount: query.groupBy.count)
  }

  /// What the cells of one worker take, with the sketch.
  static func byteCount(bits: Int) -> Int { (8 << bits) + (1 << 14) }

  /// How many cells there may be: 2^10 to 2^26.
  static func bits(bytesMax: Int) -> Int {
    var bits = 10
    while bits < 26, byteCount(bits: bits + 1) <= bytesMax { bits += 1 }
    return bits
  }

  /// Adds the rows of a batch of the ranking's plan.
  mutating func add(_ batch: RecordBatch) {
    hasher.hash(batch)
    let hashes = hasher.hashes
    rowCount += batch.rowCount
    let query = ranking.plan.query
    for column in batch.columns[(query.bucket == nil ? 0 : 1)...].prefix(query.groupBy.count) {
      textByteCount += column.textByteCount(0..<batch.rowCount)
    }
    for hash in hashes { _ = groups.insert(hash) }
    let accumulator = ranking.plan.accumulators[0]
    let input = MeasureInput(
      column: accumulator.column.map { batch.columns[$0] }, rowCount: batch.rowCount,
      passing: accumulator.filter.map { ranking.plan.filters[$0].evaluate(batch, ranking.plan.cancellation) })
    let shift = shift
    guard ranking.bound != .rows, let column = input.column else {
      return input.forEach { row in cells[Int(truncatingIfNeeded: hashes[row] >> shift)] += 1 }
    }
    let isSum = ranking.bound == .sum
    let sign = ranking.isDescending ? 1.0 : -1.0
    if column.type == .utf8 {
      column.plainText().withText { offsets, bytes in
        input.forEach { row in
          let value = JSONNumber.nearest(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))) * sign
          add(value, to: Int(truncatingIfNeeded: hashes[row] >> shift), isSum: isSum)
        }
      }
    } else if column.type == .float64 {
      column.withFloat64 { values in
        input.forEach { row in
          add(values[row] * sign, to: Int(truncatingIfNeeded: hashes[row] >> shift), isSum: isSum)
        }
      }
    } else {
      column.withInt64 { values in
        input.forEach { row in
          // Where a double rounds the number, upwards.
          let value = Double(values[row]) * sign
          let bound = abs(value) < 9e15 ? value : value.nextUp
          add(bound, to: Int(truncatingIfNeeded: hashes[row] >> shift), isSum: isSum)
        }
      }
    }
  }

  /// Lets go of what is kept of the unit that was read.
  mutating func forgetDictionaries() { hasher.forgetDictionaries() }

  @inline(__always)
  private mutating func add(_ value: Double, to cell: Int, isSum: Bool) {
    if isSum {
      if value > 0 { cells[cell] += value }
    } else if value > cells[cell] {
      cells[cell] = value
    }
  }

  /// Adds another worker's part with cells of the same number.
  mutating func merge(_ other: GroupCells) {
    groups.merge(other.groups)
    rowCount += other.rowCount
    textByteCount += other.textByteCount
    let isGreatest = ranking.bound == .greatest
    for cell in cells.indices {
      cells[cell] = isGreatest ? max(cells[cell], other.cells[cell]) : cells[cell] + other.cells[cell]
    }
  }

  /// Groups a cell has in the mean, of those that have a row.
  var groupsPerCell: Double { Double(groups.count) / Double(cells.count) }

  /// Bytes of text that a row's group has in the mean.
  var keyBytes: Double { Double(textByteCount) / Double(max(1, rowCount)) }

  /// The `most` greatest cells; of equal ones the first by number.
  func greatest(_ most: Int) -> AdmittedCells {
    guard most < cells.count else {
      return AdmittedCells(shift: shift, words: [UInt64](repeating: ~0, count: (cells.count + 63) >> 6))
    }
    let least = GroupCells.element(at: cells.count - most, of: cells)
    var words = [UInt64](repeating: 0, count: (cells.count + 63) >> 6)
    var room = most
    for (cell, value) in cells.enumerated() where value > least {
      words[cell >> 6] |= 1 << UInt64(cell & 63)
      room -= 1
    }
    // At least one is left: the `most` greatest are above or at the least of them.
    var bound = -Double.infinity
    for (cell, value) in cells.enumerated() where value <= least {
      if value == least, room > 0 {
        words[cell >> 6] |= 1 << UInt64(cell & 63)
        room -= 1
      } else {
        bound = max(bound, value)
      }
    }
    // A cell without a row has no group.
    if bound <= 0, ranking.isOfAllRows { return AdmittedCells(shift: shift, words: words) }
    return AdmittedCells(shift: shift, words: words, leftOut: ranking.widened(bound))
  }

  /// What stands at `place` once all are sorted: Hoare's selection.
  private static func element(at place: Int, of cells: [Double]) -> Double {
    var cells = cells
    var (low, high) = (0, cells.count - 1)
    while low < high {
      let pivot = cells[(low + high) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while cells[left] < pivot { left += 1 }
        while cells[right] > pivot { right -= 1 }
        guard left <= right else { break }
        cells.swapAt(left, right)
        left += 1
        right -= 1
      }
      if place <= right { high = right } else if place >= left { low = left } else { break }
    }
    return cells[place]
  }
}

/// The cells whose groups are computed.
struct AdmittedCells: Sendable {
  private let shift: UInt64
  /// A bit a cell.
  private let words: [UInt64]
  /// What no group of the other cells has more of; nil: there are none.
  let leftOut: Double?

  init(shift: UInt64, words: [UInt64], leftOut: Double? = nil) {
    self.shift = shift
    self.words = words
    self.leftOut = leftOut
  }

  /// The rows of a batch whose groups are computed.
  func runs(_ hashes: [UInt64]) -> [RowRun] {
    var runs: [RowRun] = []
    let hashes = hashes.span
    for row in hashes.indices {
      let cell = Int(truncatingIfNeeded: hashes[row] >> shift)
      guard words[cell >> 6] >> UInt64(cell & 63) & 1 != 0 else { continue }
      if let last = runs.last, last.start + last.count == row {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(RowRun(source: 0, start: row, count: 1))
      }
    }
    return runs
  }
}
