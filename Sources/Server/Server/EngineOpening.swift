import Platform
import Querying
import Records
import Routing
import Tailing

/// Opens the store that a configuration names, and what asks it questions.
enum EngineOpening {
  /// - Parameters:
  ///   - registry: The kinds of records that are served.
  ///   - memory: What it may hold.
  static func open(
    _ configuration: Configuration, _ registry: Registry, memory: ServerMemory, reports: StoreReports,
    clock: any WallClock
  ) async throws -> Engine {
    var environment = StoreEnvironment(clock: clock, observer: reports)
    environment.keysMemory = memory.keys
    environment.blocksMemory = memory.blocks
    environment.pagesMemory = memory.pages
    let store = try await LocalStore.open(configuration, registry, environment)
    store.start()
    let budget = memory.queries
    let workers = FairPool(workers: configuration.queryThreadCount, name: "query")
    let questions = QueryEngine(
      source: store.seams, workers: workers, budget: budget, secondsMax: configuration.querySecondsMax)
    let live = LiveFeed(
      feed: store.seams, source: store.seams, pool: workers, limits: configuration.live, clock: clock,
      memory: memory.live)
    var engine = Engine(store: store.seams, questions: questions, live: live) {
      await live.stop()
      await store.close()
      await reports.drain()
    }
    engine.summary = store.summary
    engine.forwardingMemory = memory.forwarding
    engine.collect = { text in
      await store.collect(&text)
      text.single(
        "cordwood_query_memory_bytes", .gauge, "Memory that running queries hold.", Double(budget.bytesUsed))
      memory.collect(into: &text)
      QueryMetrics.collect(questions.endings, into: &text)
      await store.collectFailure(&text)
      reports.collect(into: &text)
      LiveMetrics.collect(live.statistics(), into: &text)
    }
    return engine
  }
}
