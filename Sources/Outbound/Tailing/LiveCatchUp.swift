import Platform
import Records

/// Reads the matching rows between two positions in the order of their positions, as frames of the shape that
/// live rows come in.
///
/// Memory does not grow with the rows. Holds a snapshot from the first call on: files stay until it is
/// released. One call at a time.
package final class LiveCatchUp: @unchecked Sendable {
  // Safe because: what changes is touched inside `next` alone, of which there is one call at a time, and
  // there by one job of
  // `account` or before the first.
  private let account: FairAccount
  private let cancellation: CancellationToken
  private let shape: any LiveShape
  private let makeScan: @Sendable (CancellationToken) async throws(StoreError) -> PositionScan
  private var scan: PositionScan?
  private var chunks = RowChunks([])
  private var encoded: EncodedRows?
  /// Messages of `encoded` before it were given out.
  private var message = 0

  /// - Parameter account: Of the tenant whose rows these are.
  init(
    account: FairAccount, shape: any LiveShape,
    makeScan: @escaping @Sendable (CancellationToken) async throws(StoreError) -> PositionScan
  ) {
    self.account = account
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
    guard var scan else { bug("the scan is made first") }
    defer { self.scan = scan }
    if scan.isAtEnd { return .end }
    guard let batch = try scan.next() else { return .goOn }
    chunks = RowChunks([batch])
    return nextFrame(bytesMax).map { .frame($0) } ?? .goOn
  }

  /// Of what was read already.
  private func nextFrame(_ bytesMax: Int) -> LiveFrame? {
    if encoded == nil {
      guard let batch = chunks.next() else { return nil }
      encoded = EncodedRows(batch, shape: shape)
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
