import Synchronization

/// What was looked at for an answer, and how long it took.
package struct AnswerStatistics: Sendable, Hashable {
  /// Rows whose conditions were evaluated or that were given out, each time they were.
  package var rowsLookedAt = 0
  /// Rows that summaries of blocks counted, so that nobody had to look at them.
  package var rowsKnown = 0
  /// Blocks whose indexes or summaries were asked: their times, positions and ids do not rule them out, and
  /// the answer had not all it wants before.
  package var blocks = 0
  /// Pages of these blocks of which nothing was read: what the answer needs cannot be there, was counted by
  /// summaries, or lies beyond its end.
  package var pagesLeftOut = 0
  /// Bytes of the columns that were read, as blocks store them, uncompressed, about; of the head whole
  /// frames.
  package var bytesLookedAt = 0
  /// How long was worked, without the time in which the client reads.
  package var milliseconds = 0.0

  /// Nothing yet.
  package init() {}
}

/// Counts what is looked at for one answer. Any number of threads.
///
/// Told once for each step of pages, never for a row: a call takes less than a microsecond.
package final class ScanMeter: Sendable {
  private let rows = Atomic<Int>(0)
  private let known = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)
  /// By block, whether each of its pages was looked at.
  private let pages = Mutex<[StoredObject: [Bool]]>([:])

  init() {}

  /// Rows were looked at.
  package func note(rows count: Int) { rows.add(count, ordering: .relaxed) }

  /// Rows need not be looked at.
  package func note(rowsKnown count: Int) { known.add(count, ordering: .relaxed) }

  /// Columns of so many bytes were read.
  package func note(bytes count: Int) { bytes.add(count, ordering: .relaxed) }

  /// The answer begins anew: what was known of it, and which blocks were asked, is gone. What was looked at
  /// was looked at.
  package func beginAnew() {
    known.store(0, ordering: .relaxed)
    pages.withLock { $0 = [:] }
  }

  /// A block is asked. As often as is convenient.
  package func note(block: StoredObject, pageCount: Int) {
    pages.withLock { pages in
      if pages[block] == nil { pages[block] = Array(repeating: false, count: pageCount) }
    }
  }

  /// Pages of a block that was noted are looked at.
  package func note(pages looked: [Int], of block: StoredObject) {
    pages.withLock { pages in
      guard let place = pages.index(forKey: block) else { return }
      for page in looked { pages.values[place][page] = true }
    }
  }

  /// What was noted so far.
  package var statistics: AnswerStatistics {
    var statistics = AnswerStatistics()
    statistics.rowsLookedAt = rows.load(ordering: .relaxed)
    statistics.rowsKnown = known.load(ordering: .relaxed)
    statistics.bytesLookedAt = bytes.load(ordering: .relaxed)
    pages.withLock { pages in
      statistics.blocks = pages.count
      statistics.pagesLeftOut = pages.values.reduce(0) { $0 + $1.count { !$0 } }
    }
    return statistics
  }
}
