import Access
import Querying
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
  private let memory: TenantBudgets

  /// - Parameter memory: Of what streams begin with; without bound unless it is given.
  package init(
    feed: LiveFeed, seal: CursorSeal, memory: MemoryBudget = MemoryBudget("streams", bytesMax: .max)
  ) {
    self.memory = TenantBudgets(of: memory)
    self.feed = feed
    self.seal = seal
  }

  /// For what a stream of the tenant begins with.
  func reservation(for tenant: Tenant) -> MemoryReservation {
    MemoryReservation(of: memory.budget(of: tenant))
  }

  func marks(of partition: Partition) -> LiveMarks { LiveMarks(seal, of: partition) }

  /// Subscribes, and sees to what a client that comes back has missed: from its last event on, in order,
  /// without gap or double; or a `reset` where it was is of another store.
  ///
  /// - Parameters:
  ///   - counter: Counts the session as long as it lasts.
  ///   - newest: With how many of the records that are there a client begins that was not there before.
  func session(
    _ opening: LiveEndpoint.Opening, of partition: Partition, filter: Predicate, shape: RecordShape,
    counter: Counter, newest: Int = 0
  ) async throws(Problem) -> LiveSession {
    do throws(StoreError) {
      let subscription = try await feed.subscribe(
        to: partition, filter: filter, shape: shape, wake: opening.wake)
      var session = LiveSession(subscription)
      var start: Int64? = subscription.positionStart
      if opening.form == .events, let mark = opening.lastEventID, !mark.isEmpty {
        start = try await resume(&session, from: mark, partition, filter, shape) ?? start
      } else if newest > 0 {
        let end = subscription.positionStart
        let reader = try feed.newest(
          newest, of: partition, filter: filter, shape: shape, below: end,
          memory: reservation(for: partition.tenant))
        // Whoever is cut off before all of them came begins anew, or goes on behind one that did.
        session.catchUp = LiveStreams.pieces(of: reader, closing: place(end, in: partition, opening.form))
        start = nil
      }
      // An id alone: whoever is cut off before the first record comes back to the right place too.
      if let start { session.opening += place(start, in: partition, opening.form) }
      counter.add(1)
      session.ended = { counter.add(-1) }
      return session
    } catch .memoryExhausted(let detail) {
      throw Problem(503, "No more live streams can begin now: \(detail).", retryAfterSeconds: 5)
    } catch {
      throw Problem(error)
    }
  }

  /// The id of a place alone, without an event; empty where the form has no ids.
  private func place(_ position: Int64, in partition: Partition, _ form: LiveForm) -> [UInt8] {
    form == .events ? Array("id: \(marks(of: partition).text(for: position))\n\n".utf8) : []
  }

  /// Where the client was; nil: that place is not of this store.
  private func resume(
    _ session: inout LiveSession, from mark: String, _ partition: Partition, _ filter: Predicate,
    _ shape: RecordShape
  ) async throws(StoreError) -> Int64? {
    guard let position = marks(of: partition).position(of: mark),
      let found = try await feed.resume(
        partition, filter: filter, shape: shape, from: position, to: session.subscription.positionStart,
        memory: reservation(for: partition.tenant))
    else {
      session.opening = LiveForm.events.message("reset", Array("{\"type\":\"reset\"}".utf8))
      return nil
    }
    if let deleted = found.deleted {
      // What was deleted is told, and the stream goes on with the first that is still there.
      let text = "{\"type\":\"deleted\",\"from\":\(deleted.lowerBound),\"to\":\(deleted.upperBound)}"
      session.opening = LiveForm.events.message("deleted", Array(text.utf8))
    }
    session.catchUp = LiveStreams.pieces(of: found.rows)
    session.isResumed = true
    return found.deleted?.upperBound ?? position
  }

  /// - Parameter closing: Comes behind the last row.
  private static func pieces(
    of reader: LiveCatchUp, closing: [UInt8] = []
  ) -> @Sendable () async throws(Problem) -> [UInt8]? {
    let isOver = Atomic(closing.isEmpty)
    return { () async throws(Problem) -> [UInt8]? in
      do throws(StoreError) {
        if let frame = try await reader.next(bytesMax: pieceBytesMax) { return frame.bytes }
        return isOver.exchange(true, ordering: .relaxed) ? nil : closing
      } catch {
        throw Problem(error)
      }
    }
  }
}
