import Platform
import Records
import Synchronization

extension JournalFile {
  /// Why an append would be refused now; nil: as far as can be known it would not.
  ///
  /// Space, the head's bounds and the directory are looked at. After a commit that failed the disk is tried
  /// as the next one would: a server that is not ready gets no appends by which it could see that it is
  /// again.
  /// On the writing thread; costs a call of the system, after a failure a sync, and at most a segment.
  package func refusal() -> StoreError? {
    if let failure = writeFailure { return failure }
    let isFull = head.withLock { head in
      head.byteCount >= options.headBytesMax || head.frameCount >= options.headFramesMax
    }
    if isFull { return .headFull(retryAfterSeconds: options.retryAfterSeconds) }
    do throws(StoreError) {
      try checkHome()
      try checkFreeSpace()
      if hasFailedCommit { try tryWriting() }
    } catch { return error }
    hasFailedCommit = false
    reporter.done(.commit)
    return nil
  }

  /// Makes the next segment if there is none, and syncs zeros where zeros are: what a commit needs.
  private func tryWriting() throws(StoreError) {
    if activeIndex == segments.count - 1 { try addSegment(for: 0) }
    let count = min(4096, active.byteCount - end)
    do throws(DiskError) { try SegmentFile.writeZeros(to: active.file, end..<end + count) } catch {
      throw JournalFile.refusal(error)
    }
    try sync(active)
  }
}
