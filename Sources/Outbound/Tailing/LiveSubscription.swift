import Records

/// One who follows a partition. Releasing it cancels it.
package final class LiveSubscription: Sendable {
  /// Rows from here on come live; what lies below is for a query or a catch-up.
  package let positionStart: Int64
  private let queue: LiveQueue
  private let end: @Sendable () -> Void

  /// - Parameter end: Called at each cancellation, of which there may be several.
  init(positionStart: Int64, queue: LiveQueue, end: @escaping @Sendable () -> Void) {
    self.positionStart = positionStart
    self.queue = queue
    self.end = end
  }

  deinit { cancel() }

  /// What waits, oldest first: at least one delivery if there is one, then as long as the bytes of frames
  /// stay within
  /// `bytesMax`.
  ///
  /// Once it has emptied the queue, the next delivery wakes again; as long as something is left nobody is
  /// woken: call again. From any thread; takes microseconds.
  package func take(bytesMax: Int) -> [LiveDelivery] { queue.take(bytesMax: bytesMax) }

  /// Ends it: nothing is queued any more and what waits is let go. `wake` may be called once more at the same
  /// moment.
  package func cancel() {
    queue.close()
    end()
  }
}
