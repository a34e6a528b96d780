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

/// How sure the groups of an answer are that there was no memory for to gather all.
///
/// What the answer says of its groups is right in any case. A group that belongs into the answer and is not
/// in it has at most ``errorBound``; what is beyond that stands where it belongs.
package struct Approximation: Sendable, Hashable {
  /// In the unit of the measure that orders the groups, times in nanoseconds since 1970; of an ascending
  /// order the least. nil: groups that are missing have no value of the measure.
  package let errorBound: Double?

  package init(errorBound: Double?) { self.errorBound = errorBound }
}

/// What the answers to all queries of one request lack, for whoever sends the request's answer.
///
/// A request of some APIs is several queries, of which only a number may be left in the end; with these marks
/// none of them can forget to say that it is too small.
package final class AnswerMarks: Sendable {
  /// Of the request that the current task answers; nil: nobody asks.
  @TaskLocal package static var current: AnswerMarks?

  /// Whether what cannot be read whole, and groups that there is no memory for, are to be an error.
  package let isStrict: Bool
  private let files = Mutex<Set<DamagedFile>>([])
  private let guesses = Mutex<[Approximation]>([])

  /// Nothing is lacking yet.
  package init(isStrict: Bool) { self.isStrict = isStrict }

  /// Adds what one answer lacks, and how sure it is.
  package func note(_ lacking: [DamagedFile], _ approximation: Approximation?) {
    if !lacking.isEmpty { files.withLock { $0.formUnion(lacking) } }
    if let approximation { guesses.withLock { $0.append(approximation) } }
  }

  /// Of the answers whose groups are not sure, in the order they came.
  package var approximations: [Approximation] { guesses.withLock { $0 } }

  /// What is lacking so far.
  package var incompleteness: Incompleteness? { Incompleteness(files.withLock { $0 }) }
}
