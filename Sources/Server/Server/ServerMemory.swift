import Platform
import Records
import Routing
import Tailing

/// What the server may hold for those who ask it, kind by kind (Docs/decisions/0024-memory-budget.md).
package struct ServerMemory: Sendable {
  /// `memory.bytes_max`: of all kinds together.
  let whole: MemoryBudget
  let uploads: MemoryBudget
  /// Bodies that come without a credential: a thousand of the longest there may be.
  let strangers: MemoryBudget
  let queries: MemoryBudget
  let answers: MemoryBudget
  /// Of these, what live streams begin with: those who do not read leave room for others' answers.
  let beginnings: MemoryBudget
  let live: MemoryBudget
  let keys: MemoryBudget
  let forwarding: MemoryBudget
  let blocks: MemoryBudget
  let pages: MemoryBudget

  /// Budgets of which nothing is taken.
  init(_ configuration: Configuration) {
    let bytesMax = configuration.memoryBytes
    let whole = MemoryBudget("memory.bytes_max", bytesMax: bytesMax)
    self.whole = whole
    func share(_ name: String, _ bytes: Int) -> MemoryBudget {
      MemoryBudget(name, bytesMax: min(bytes, bytesMax), within: whole)
    }
    uploads = share("limits.upload_bytes_max", configuration.http.uploadBytesMax)
    strangers = share("limits.share_max", Route.openBytesMax << 10)
    queries = share("query.memory_bytes_max", configuration.queryMemoryBytesMax)
    answers = share("half of memory.bytes_max", bytesMax / 2)
    beginnings = MemoryBudget("a quarter of memory.bytes_max", bytesMax: bytesMax / 4, within: answers)
    live = share("live.memory_bytes_max", configuration.live.bytesMax)
    blocks = share("storage.open_blocks_bytes_max", configuration.openBlocksBytesMax)
    pages = share("storage.page_cache_ratio", configuration.pageCacheBytes)
    // Bounded by their tables and numbers.
    keys = share("memory.bytes_max", bytesMax)
    forwarding = share("memory.bytes_max", bytesMax)
  }

  func collect(into text: inout MetricsText) {
    let kinds = [
      ("all", whole), ("uploads", uploads), ("logins", strangers),
      ("queries", queries), ("answers", answers), ("beginnings", beginnings), ("live", live),
      ("keys", keys), ("forwarding", forwarding), ("blocks", blocks),
      ("pages", pages),
    ]
    func family(
      _ name: String, _ kind: MetricKind, _ help: String, _ value: (MemoryBudget) -> Int
    ) {
      text.family(name, kind, help)
      for (kind, budget) in kinds { text.sample(name, [("kind", kind)], Double(value(budget))) }
    }
    family(
      "cordwood_memory_bytes", .gauge, "Bytes held for those who ask, by what for.", \.bytesUsed)
    family(
      "cordwood_memory_bytes_max", .gauge, "Bytes that may be held, by what for; all: memory.bytes_max.",
      \.bytesMax)
    family(
      "cordwood_memory_refusals_total", .counter, "How often there were not as many bytes as were wanted.",
      \.refusalCount)
  }
}

extension Configuration {
  /// `memory.bytes_max`, or a quarter of what the machine, or its cgroup, has.
  var memoryBytes: Int {
    memoryBytesMax > 0 ? memoryBytesMax : max(MachineMemory.bytes / 4, 64 << 20)
  }

  /// `storage.page_cache_ratio` of it.
  var pageCacheBytes: Int { Int(Double(memoryBytes) * pageCacheRatio) }
}
