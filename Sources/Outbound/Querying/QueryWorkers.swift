import Platform
import Records
import Synchronization

/// Threads that may block and compute: queries run there, never on Swift's shared pool.
package protocol QueryThreads: Sendable {
  /// How many pieces of work run at once.
  var workerCount: Int { get }
  /// The threads for one query of `tenant`, whose account its work goes to.
  func workers(for tenant: Tenant) -> any QueryWorkers
}

/// The threads as one query has them.
package protocol QueryWorkers: Sendable {
  /// What makes its work give way to that of others; nil: nothing.
  var pace: (any WorkPace)? { get }
  /// How many pieces of work run at once.
  var workerCount: Int { get }
  /// Runs `body` on one of the threads.
  func perform<T: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> T
  ) async throws(StoreError) -> T
}

extension FairPool: QueryThreads {
  /// Each query has an account, in its tenant's share.
  package func workers(for tenant: Tenant) -> any QueryWorkers { account(of: tenant) }
}

extension FairAccount: QueryWorkers {
  /// Itself.
  package var pace: (any WorkPace)? { self }

  /// See ``QueryWorkers``.
  package func perform<T: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> T
  ) async throws(StoreError) -> T {
    try await run(body)
  }
}

/// Whoever comes first is served first: enough where nobody is in anybody's way, as in tests.
extension WorkerPool: QueryThreads, QueryWorkers {
  /// The same for all.
  package func workers(for tenant: Tenant) -> any QueryWorkers { self }

  /// None.
  package var pace: (any WorkPace)? { nil }

  /// As many as the pool has threads.
  package var workerCount: Int { threadCount }

  /// See ``QueryWorkers``.
  package func perform<T: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> T
  ) async throws(StoreError) -> T {
    try await run(body)
  }
}

extension QueryWorkers {
  /// Runs `body` once a worker, at once, and gives all results; the first error wins.
  func runOnAll<T: Sendable>(
    upTo most: Int, _ body: @escaping @Sendable () throws(StoreError) -> T
  ) async throws(StoreError) -> [T] {
    let results = await withTaskGroup(of: Result<T, StoreError>.self) { group in
      for _ in 0..<max(1, min(workerCount, most)) {
        group.addTask {
          do throws(StoreError) { return .success(try await self.perform(body)) } catch {
            return .failure(error)
          }
        }
      }
      var results: [Result<T, StoreError>] = []
      for await result in group { results.append(result) }
      return results
    }
    var values: [T] = []
    for result in results { values.append(try result.get()) }
    return values
  }
}

/// Bytes of a budget that one query holds; given back when it goes.
final class MemoryShare: Sendable {
  let reservation: MemoryReservation
  private let cancellation: CancellationToken?

  /// - Parameter cancellation: Looked at whenever the query takes more: it grows as it works.
  init(of budget: MemoryBudget, cancellation: CancellationToken? = nil) {
    reservation = MemoryReservation(of: budget)
    self.cancellation = cancellation
  }

  /// - Throws: `.memoryExhausted`; `.cancelled`, `.deadlineExceeded`. Then nothing is taken.
  func take(_ bytes: Int) throws(StoreError) {
    try check()
    try reservation.take(bytes)
  }

  /// - Throws: `.cancelled`, `.deadlineExceeded`.
  func check() throws(StoreError) { try cancellation?.check() }

  func give(back bytes: Int) { reservation.give(back: bytes) }
}

/// Hands what is to be done to whichever worker asks next.
final class WorkQueue<Piece: Sendable>: Sendable {
  private let pieces: [Piece]
  private let next = Atomic<Int>(0)

  init(_ pieces: [Piece]) { self.pieces = pieces }

  /// The last pieces in parts, two a worker, so that no worker has much to do when the others find nothing
  /// any more.
  convenience init(_ pieces: [Piece], endingTogether workers: Int, parts: (Piece) -> [Piece]) {
    let last = workers > 1 ? pieces.suffix(workers * 2) : []
    self.init(pieces.dropLast(last.count) + last.flatMap(parts))
  }

  /// How many pieces there are.
  var count: Int { pieces.count }

  func take() -> Piece? {
    let index = next.add(1, ordering: .relaxed).oldValue
    return index < pieces.count ? pieces[index] : nil
  }
}

extension WorkQueue<any ScanUnit> {
  /// Units, which say themselves what parts they have.
  convenience init(_ units: [any ScanUnit], endingTogether workers: Int) {
    self.init(units, endingTogether: workers) { $0.parts() }
  }
}
