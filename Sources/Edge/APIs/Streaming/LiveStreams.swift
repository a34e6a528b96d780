import Access
import Records
import Routing
import Synchronization
import Tailing

/// Makes live sessions: what the APIs' streams have in common.
package struct LiveStreams: Sendable {
  /// How many streams of one kind are open.
  final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ change: Int) { count.add(change, ordering: .relaxed) }
  }

  private static let pieceBytesMax = 64 * 1024

  private let feed: LiveFeed
  /// Of all that says where a client was.
  let seal: CursorSeal
  private let memory: MemoryBudget

  /// - Parameter memory: Of what streams open with; without bound unless it is given.
  package init(
    feed: LiveFeed, seal: CursorSeal, memory: MemoryBudget = MemoryBudget("answers", bytesMax: .max)
  ) {
    self.memory = memory
    self.feed = feed
    self.seal = seal
  }

  /// For what a stream opens with.
  func reservation() -> MemoryReservation { MemoryReservation(of: memory) }

  func marks(of partition: Partition) -> LiveMarks { LiveMarks(seal, of: partition) }

  /// Subscribes, and sees to what a client that comes back has missed: from its last event on, in order,
  /// without gap or double; or a `reset` where it was is no longer there.
  ///
  /// - Parameters:
  ///   - counter: Counts the session as long as it lasts.
  ///   - first: Where a client begins that was not there before; nil: now.
  func session(
    _ opening: LiveEndpoint.Opening, of partition: Partition, filter: Predicate, shape: RecordShape,
    counter: Counter, from first: Int64? = nil
  ) async throws(Problem) -> LiveSession {
    do throws(StoreError) {
      let subscription = try await feed.subscribe(
        to: partition, filter: filter, shape: shape, wake: opening.wake)
      var session = LiveSession(subscription)
      var start = subscription.positionStart
      if opening.form == .events, let mark = opening.lastEventID, !mark.isEmpty {
        start = try await resume(&session, from: mark, partition, filter, shape) ?? start
      } else if let first {
        try catchUp(&session, from: first, partition, filter, shape)
        start = first
      }
      if opening.form == .events {
        // An id alone: whoever is cut off before the first record comes back to the right place too.
        session.opening += Array("id: \(marks(of: partition).text(for: start))\n\n".utf8)
      }
      counter.add(1)
      session.ended = { counter.add(-1) }
      return session
    } catch .memoryExhausted {
      throw Problem(503, "Too many live streams are open.", retryAfterSeconds: 5)
    } catch {
      throw Problem(error)
    }
  }

  /// Where the client was; nil: that place is no longer there.
  private func resume(
    _ session: inout LiveSession, from mark: String, _ partition: Partition, _ filter: Predicate,
    _ shape: RecordShape
  ) async throws(StoreError) -> Int64? {
    guard let position = marks(of: partition).position(of: mark),
      let reader = try await feed.resume(
        partition, filter: filter, shape: shape, from: position, to: session.subscription.positionStart)
    else {
      session.opening = LiveForm.events.message("reset", Array("{\"type\":\"reset\"}".utf8))
      return nil
    }
    session.catchUp = LiveStreams.pieces(of: reader)
    session.isResumed = true
    return position
  }

  private func catchUp(
    _ session: inout LiveSession, from position: Int64, _ partition: Partition, _ filter: Predicate,
    _ shape: RecordShape
  ) throws(StoreError) {
    guard position < session.subscription.positionStart else { return }
    let reader = try feed.catchUp(
      partition, filter: filter, shape: shape, from: position, to: session.subscription.positionStart)
    session.catchUp = LiveStreams.pieces(of: reader)
  }

  private static func pieces(of reader: LiveCatchUp) -> @Sendable () async throws(Problem) -> [UInt8]? {
    { () async throws(Problem) -> [UInt8]? in
      do throws(StoreError) {
        return try await reader.next(bytesMax: pieceBytesMax)?.bytes
      } catch {
        throw Problem(error)
      }
    }
  }
}
