import Platform
import Records

/// Reads the matching rows between two positions in the order of their positions, as frames of the shape that
/// live rows come in.
///
/// Memory does not grow with the rows: a window of them is held while a client takes its time, and charged.
/// Holds a snapshot from the first call on: files stay until it is released. One call at a time.
package final class LiveCatchUp: @unchecked Sendable {
  // Safe because: what changes is touched inside `next` alone, of which there is one call at a time, and
  // there by one job of
  // `account` or before the first.
  private let account: FairAccount
  /// Of the window, and of what was made of it.
  private let memory: MemoryReservation?
  private let cancellation: CancellationToken
  private let shape: any LiveShape
  private let makeScan: @Sendable (CancellationToken) async throws(StoreError) -> PositionScan
  private var scan: PositionScan?
  private var chunks = RowChunks([])
  /// Of the rows that ``chunks`` are of.
  private var windowBytes = 0
  private var encoded: EncodedRows?
  /// Messages of `encoded` before it were given out.
  private var message = 0

  /// - Parameters:
  ///   - account: Of the tenant whose rows these are.
  ///   - memory: Of which a window is taken at once; more is charged for rows that are larger. nil: there is
  ///     nothing to read.
  /// - Throws: `.memoryExhausted`: there is no room for a window.
  init(
    account: FairAccount, memory: MemoryReservation?, shape: any LiveShape,
    makeScan: @escaping @Sendable (CancellationToken) async throws(StoreError) -> PositionScan
  ) throws(StoreError) {
    try memory?.take(PositionScan.windowBytesMax)
    self.account = account
    self.memory = memory
    // Without end: streams take as long as their clients do.
    cancellation = CancellationToken(secondsMax: 0, pace: account) { 0 }
    self.shape = shape
    self.makeScan = makeScan
  }

  /// The next rows, at most about `bytesMax` bytes of messages but at least one message; nil at the end.
  ///
  /// Reads among the tenant's queries, a window of positions at a time.
  ///
  /// - Throws: `.disk`, `.corrupt`: the rows cannot be read. `.stopping`: the task was cancelled. `.invalid`:
  ///   the filter's text patterns are too dear. The first call: what keeps the store from giving a snapshot.
  package func next(bytesMax: Int) async throws(StoreError) -> LiveFrame? {
    if scan == nil { scan = try await makeScan(cancellation) }
    let result: Result<LiveFrame?, StoreError> = await withTaskCancellationHandler {
      do throws(StoreError) { return .success(try await steps(bytesMax)) } catch { return .failure(error) }
    } onCancel: {
      cancellation.cancel()
    }
    do throws(StoreError) { return try result.get() } catch .cancelled { throw .stopping }
  }

  private func steps(_ bytesMax: Int) async throws(StoreError) -> LiveFrame? {
    while true {
      let step = try await account.run { [self] () throws(StoreError) -> Step in try readOn(bytesMax) }
      switch step {
      case .frame(let frame): return frame
      case .end: return nil
      case .goOn: try cancellation.check()
      }
    }
  }

  private enum Step: Sendable {
    case frame(LiveFrame)
    case goOn
    case end
  }

  private func readOn(_ bytesMax: Int) throws(StoreError) -> Step {
    if let frame = nextFrame(bytesMax) { return .frame(frame) }
    (chunks, windowBytes) = (RowChunks([]), 0)
    guard var scan else { bug("the scan is made first") }
    defer { self.scan = scan }
    if scan.isAtEnd { return .end }
    guard let batch = try scan.next() else { return .goOn }
    windowBytes = batch.byteCount(0..<batch.rowCount)
    // What is encoded waits for the client: no more of it than it takes at once.
    chunks = RowChunks([batch], bytesMax: bytesMax)
    return nextFrame(bytesMax).map { .frame($0) } ?? .goOn
  }

  /// Counts what is held, a window at least. Beyond a window it is a single row, or what was encoded of a
  /// window: whoever was let in goes on, and others wait.
  private func hold(_ bytes: Int) {
    guard let memory else { return }
    let change = max(bytes, PositionScan.windowBytesMax) - memory.byteCount
    if change > 0 { memory.charge(change) } else { memory.give(back: -change) }
  }

  /// Of what was read already.
  private func nextFrame(_ bytesMax: Int) -> LiveFrame? {
    if encoded == nil {
      guard let batch = chunks.next() else { return nil }
      let rows = EncodedRows(batch, shape: shape)
      hold(windowBytes + rows.bytes.count)
      encoded = rows
      message = 0
    }
    guard let encoded else { return nil }
    let start = encoded.start(of: message)
    var end = message + 1
    while end < encoded.messageCount, encoded.ends[end] - start <= bytesMax { end += 1 }
    let frame = LiveFrame(
      bytes: message == 0 && end == encoded.messageCount
        ? encoded.bytes : Array(encoded.bytes[start..<encoded.ends[end - 1]]),
      messageCount: end - message, positionEnd: encoded.positions[end - 1] + 1)
    message = end
    if end == encoded.messageCount { self.encoded = nil }
    return frame
  }
}
