import Platform
import Records
import Synchronization

/// Where the journal is durable, and how many rows were given up to there.
struct SyncedPoint {
  var offset = JournalOffset(segment: 0, byte: 0)
  /// Of the frame that ends there; 0: none does.
  var sequence: UInt64 = 0
  /// Counted from the place that the anchor had at the start.
  var rows: UInt64 = 0
}

/// Positions that go up because a crash may have taken some that were given.
package struct RaisedPositions: Sendable, Hashable {
  /// What the next record of each tenant gets at least.
  package let nextPositions: [Tenant: Int64]
  /// The same of tenants that nobody knows yet.
  package let base: Int64
}

/// The anchor as the journal uses it: what it says before positions are given, and what a start makes of it.
extension JournalFile {
  private static let allowanceMin: UInt64 = 4096
  private static let allowanceMax: UInt64 = 1 << 20

  /// Before a commit of `rowCount` rows: makes sure that the anchor allows for them, whatever becomes of the
  /// commit. A sync at the first commit of a life, later one in a million rows.
  func reserve(rowCount: Int) throws(StoreError) {
    let needed = rowsGiven + UInt64(rowCount) - rowsAnchored
    if isAnchored, needed + unsettledRows <= anchor.state.allowance { return }
    let step = min(max(rowsGiven, Self.allowanceMin), Self.allowanceMax)
    let pending = rowsGiven - durable.rows
    try moveAnchor(allowance: pending + max(step, UInt64(rowCount)), syncs: true)
    isAnchored = true
  }

  /// Takes the anchor along to where the journal is durable; what it allows for stays allowed.
  ///
  /// - Parameters:
  ///   - firstSegment: The first that is needed; nil: the first there is.
  ///   - allowance: Rows that may be given behind that place; nil: those that are left.
  func moveAnchor(
    firstSegment: UInt32? = nil, allowance: UInt64? = nil, syncs: Bool
  ) throws(StoreError) {
    let left = anchor.state.allowance - min(anchor.state.allowance, durable.rows - rowsAnchored)
    do throws(DiskError) {
      try anchor.update(syncs: syncs) { state in
        state.synced = durable.offset
        state.sequence = durable.sequence
        state.firstSegment = firstSegment ?? segments[0].number
        state.allowance = allowance.map { $0 + unsettledRows } ?? left
      }
    } catch {
      if error.isFailedSync { throw poison(error) }
      throw JournalFile.refusal(error)
    }
    rowsAnchored = durable.rows
  }

  /// Raises every tenant's next position by what the anchor allowed for and the journal does not hold.
  func raisePositions(_ check: AnchorCheck, base: Int64) {
    let state = anchor.state
    rowsGiven = check.rowsBehind
    durable.rows = check.rowsBehind
    unsettledRows = state.allowance - min(state.allowance, check.rowsBehind)
    let gap = Int64(clamping: unsettledRows)
    let (raised, isOver) = base.addingReportingOverflow(gap)
    positionBase = isOver ? base : raised
    for (tenant, position) in nextPositions {
      let (raised, isOver) = position.addingReportingOverflow(gap)
      if !isOver { raise(tenant, to: raised) }
    }
    head.withLock { $0.positionBase = positionBase }
  }

  /// What opening has raised, until ``settle()``; nil: nothing, all that was given is known.
  package var raisedPositions: RaisedPositions? {
    unsettledRows == 0 ? nil : RaisedPositions(nextPositions: nextPositions, base: positionBase)
  }

  /// Says that raised positions are durable elsewhere, so that no later start has to raise them again. Before
  /// the first commit.
  package func settle() throws(StoreError) {
    unsettledRows = 0
    // An end mark may be gone at the next start, and nothing with it: what was synced is said to end before.
    if endsWithMark, anchor.state.firstSegment > 0 {
      do throws(DiskError) { try anchor.update(syncs: true) { $0.allowance = 0 } } catch {
        if error.isFailedSync { throw poison(error) }
        throw JournalFile.refusal(error)
      }
    } else {
      try moveAnchor(allowance: 0, syncs: true)
    }
  }

  /// Ends the journal for good: syncs it whatever the durability, and writes the mark that makes damage of
  /// the last commit visible.
  package func finish() throws(StoreError) {
    try syncAll()
    if endsWithMark { return }
    try moveAnchor(allowance: 0, syncs: true)
    buffer.removeAll()
    let header = FrameEncoder(buffer: buffer).encode([])
    var draft = CommitDraft(requestCount: 0, now: clock.now(), second: running.now())
    draft.frames = [DraftFrame(header: header, bufferStart: 0, partition: nil)]
    try write(&draft)
    try syncAll()
    endsWithMark = true
  }
}

/// Holds the frames that a scan finds against what the anchor says.
struct AnchorCheck {
  let state: AnchorState
  /// Rows of frames behind the synced place.
  private(set) var rowsBehind: UInt64 = 0
  private var hasEnd = false
  /// Whether the last frame that counts is an end mark.
  private(set) var endsWithMark = false

  init(_ state: AnchorState) { self.state = state }

  /// Takes note of a frame that counts.
  mutating func note(_ header: FrameHeader) {
    endsWithMark = header.kind == .keys && header.requestCount == 0
    if header.place >= state.synced { rowsBehind += UInt64(header.rowCount) }
    let end = JournalOffset(segment: header.place.segment, byte: header.place.byte + header.frameBytes)
    if end == state.synced { hasEnd = header.sequence == state.sequence }
  }

  /// Makes damage of it when less is there than was synced, or something else.
  func judge(_ outcome: inout JournalScan.Outcome, firstSegment: UInt32) {
    if outcome.isDamaged { return }
    if outcome.end < state.synced {
      outcome.isDamaged = true
      let synced = "the journal was synced up to segment \(state.synced.segment), byte \(state.synced.byte)"
      outcome.reason = outcome.reason.map { "\($0); \(synced)" } ?? synced
    } else if state.sequence > 0, state.synced.segment >= firstSegment, !hasEnd {
      outcome.isDamaged = true
      outcome.stop = state.synced
      outcome.reason = "no frame of the anchor ends here: this is not the journal that was synced"
    }
  }

  /// Throws if the first segment is behind the one that is needed, or none is left.
  static func requireFirst(
    _ first: UInt32?, _ state: AnchorState, directory: String
  ) throws(JournalError) {
    guard state.firstSegment > 0, first ?? .max > state.firstSegment else { return }
    throw .corrupt(
      file: directory + "/" + SegmentFile.name(state.firstSegment), offsetBytes: 0,
      reason: "the segment is missing")
  }
}
