import Synchronization

/// How much an answer lacks because files are damaged or missing. Which files these are is for the log.
package struct Incompleteness: Sendable, Hashable {
  /// At least one.
  package let fileCount: Int
  /// The most rows that are lacking, of all times and whatever the filter.
  package let rowCountMax: Int

  /// nil: nothing is lacking.
  package init?(_ files: some Sequence<DamagedFile>) {
    fileCount = Set(files.map(\.name)).count
    guard fileCount > 0 else { return nil }
    rowCountMax = files.reduce(0) { $0 + $1.rowCount }
  }
}

/// What the answers to all queries of one request lack, for whoever sends the request's answer.
///
/// A request of some APIs is several queries, of which only a number may be left in the end; with these marks
/// none of them can forget to say that it is too small.
package final class AnswerMarks: Sendable {
  /// Of the request that the current task answers; nil: nobody asks.
  @TaskLocal package static var current: AnswerMarks?

  /// Whether what cannot be read whole is to be an error.
  package let isStrict: Bool
  private let files = Mutex<Set<DamagedFile>>([])

  /// Nothing is lacking yet.
  package init(isStrict: Bool) { self.isStrict = isStrict }

  /// Adds what one answer lacks.
  package func note(_ lacking: [DamagedFile]) {
    if !lacking.isEmpty { files.withLock { $0.formUnion(lacking) } }
  }

  /// What is lacking so far.
  package var incompleteness: Incompleteness? { Incompleteness(files.withLock { $0 }) }
}
