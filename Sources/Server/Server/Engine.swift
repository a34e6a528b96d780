import APIs
import HTTP
import Querying
import Records
import Routing
import Tailing

/// The store and what asks it questions, as the server uses them.
package struct Engine: Sendable {
  /// The way in.
  package let sink: any BatchSink
  /// Flush, delete, figures, health.
  package let control: any StoreControl
  /// The way back.
  package let source: any BatchSource
  /// Commits as they happen.
  package let feed: any CommitFeed
  /// Answers the APIs' questions.
  package let questions: any QueryAnswering
  /// Committed records as they come.
  package let live: LiveFeed
  /// Names the store on this disk, whatever address it is served at; shown by `GET /`.
  package var identity = ""
  /// Writes the engine's metric families; called at each scrape.
  package var collect: MetricsRegistry.Collector = { _ in }
  /// Is charged with what the forwarder holds.
  package var forwardingMemory: MemoryBudget?
  /// A line about what was found at start, for the log.
  package var summary = ""
  /// Syncs and closes; called once, after the last request.
  package let close: @Sendable () async -> Void

  /// An engine over a store that is open.
  package init(
    store: any BatchSink & StoreControl & BatchSource & CommitFeed, questions: any QueryAnswering,
    live: LiveFeed, close: @escaping @Sendable () async -> Void
  ) {
    sink = store
    control = store
    source = store
    feed = store
    self.questions = questions
    self.live = live
    self.close = close
  }
}
