import Records

/// Where one tenant stands.
struct Lane: Sendable {
  enum Stage: Sendable, Hashable {
    /// Nothing to do, or too little to be worth a push yet.
    case idle
    /// In the queue for a turn.
    case ready
    case reading
    case pushing(rows: Range<Int>)
    /// Not before this time, ns since 1970.
    case waiting(until: Int64)
  }

  /// Everything below it is accepted, a dead letter, or gone.
  var cursor: Int64
  var positionEnd: Int64
  var stage = Stage.idle
  var window: EntryWindow?
  /// Where pieces of a refused push end, the next one last. Positions, so that they outlive the window.
  var splitEnds: [Int64] = []
  /// When the records that wait were first seen, ns since 1970.
  var pendingSince: Int64?
  /// A flush wants everything below it.
  var flushTarget: Int64 = 0
  var failures = 0
  /// Bytes of the next push: half of what was refused after a 413, a 64th of the limit more with each
  /// push accepted.
  var bytesMax: Int
  /// Windows look at 2^sparsity positions for each row they may hold.
  var sparsity = 0
  /// Refused and not yet durable.
  var letters: [DeadLetter] = []
  var figures = TenantForwarding()

  static let sparsityMax = 12
  /// With so many letters waiting to be saved the lane stands.
  static let lettersPendingMax = 256

  init(cursor: Int64, positionEnd: Int64, bytesMax: Int) {
    self.cursor = cursor
    self.positionEnd = positionEnd
    self.bytesMax = bytesMax
  }

  /// The rows of the next push: those up to the next split, or at most `entriesMax`. nil: the window has
  /// none.
  mutating func nextRows(entriesMax: Int) -> Range<Int>? {
    guard let window else { return nil }
    let start = window.firstRow(from: cursor)
    var end = min(start + entriesMax, window.rowCount)
    while let split = splitEnds.last {
      let splitRow = window.firstRow(from: split)
      if splitRow > start {
        end = min(end, splitRow)
        break
      }
      // The piece's rows are gone, unless it lies behind the window.
      if split >= window.coveredEnd { break }
      splitEnds.removeLast()
    }
    return start < end ? start..<end : nil
  }

  /// Cuts the refused `rows` in two.
  mutating func split(_ rows: Range<Int>, of window: EntryWindow) {
    invariant(rows.count > 1, "one row cannot be split")
    let end = window.positions[rows.upperBound - 1] + 1
    if splitEnds.last.map({ end < $0 }) ?? true { splitEnds.append(end) }
    splitEnds.append(window.positions[rows.lowerBound + rows.count / 2 - 1] + 1)
  }
}
