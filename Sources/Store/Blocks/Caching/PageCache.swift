import Records
import Synchronization

/// Decoded pages, column chunks and dictionaries of open blocks, within a bound of bytes
/// (Docs/decisions/0036-a-cache-of-decoded-pages.md). Any number of threads; nothing is decoded or let go
/// under a lock.
package final class PageCache: Sendable {
  /// What the cache did since it was made, and holds now.
  package struct Statistics: Sendable, Hashable {
    /// Parts that were found.
    package var hits = 0
    /// Parts that were wanted and had to be decoded, or whose rows were.
    package var misses = 0
    /// Of what is held.
    package var bytes = 0
    /// Parts that are held.
    package var count = 0

    /// Nothing.
    package init() {}
  }

  private final class Shard: Sendable {
    let state: Mutex<PageShard>
    init(bytesMax: Int) { state = Mutex(PageShard(bytesMax: bytesMax)) }
  }

  /// A shard of less would have room for few row groups.
  private static let shardBytesMin = 32 << 20
  private static let shardsMax = 16

  private let shards: [Shard]
  private let memory: MemoryBudget?

  /// - Parameters:
  ///   - bytesMax: Of all that is held.
  ///   - memory: Is charged with it. When the budget that it is part of has not enough left, what comes is
  ///     not kept and half of what is held goes; when others find it used up, what they lack goes.
  package init(bytesMax: Int, memory: MemoryBudget? = nil) {
    let count = max(1, min(PageCache.shardsMax, bytesMax / PageCache.shardBytesMin))
    shards = (0..<count).map { _ in Shard(bytesMax: bytesMax / count) }
    self.memory = memory
    memory?.onShortage { [weak self] bytes in self?.release(bytes) }
  }

  deinit { memory?.give(back: statistics.bytes) }

  /// Summed up over the shards, one after the other.
  package var statistics: Statistics {
    shards.reduce(into: Statistics()) { sum, shard in
      shard.state.withLock { state in
        sum.hits += state.hits
        sum.misses += state.misses
        sum.bytes += state.bytes
        sum.count += state.count
      }
    }
  }

  func find(_ key: PageKey) -> DecodedPart? { shard(of: key).state.withLock { $0.find(key) } }

  /// Keeps a part of a block, unless the block is gone.
  func keep(_ part: DecodedPart, as key: PageKey, while life: BlockLife) {
    if let memory, !memory.wholeHasLeft(part.byteCount) {
      release(statistics.bytes / 2)
      return
    }
    change(shard(of: key)) { shard, gone in
      // Asked under the lock that ``drop(block:)`` takes after the end: nothing of a dead block stays.
      if !life.isGone { shard.insert(key, part, gone: &gone) }
    }
  }

  /// Whether a part that is not held was asked for not long ago, or held; from now on it was.
  ///
  /// - Parameter scan: Whose scan asks, if not 0: what the same one asked for last does not count.
  func remember(_ key: PageKey, bytes: Int, scan: UInt64 = 0) -> Bool {
    shard(of: key).state.withLock { $0.remember(key, bytes: bytes, scan: scan) }
  }

  /// Drops what is held of a block, whose life has ended.
  func drop(block: UInt64) {
    for shard in shards { change(shard) { $0.drop(block: block, gone: &$1) } }
  }

  /// Gives up so many bytes at least, if so many are held, from all shards alike.
  private func release(_ bytes: Int) {
    let each = (bytes + shards.count - 1) / shards.count
    for shard in shards { change(shard) { $0.evict(to: max(0, $0.bytes - each), gone: &$1) } }
  }

  /// What goes is let go outside of the lock.
  private func change(_ shard: Shard, _ body: (inout PageShard, inout [DecodedPart]) -> Void) {
    var gone: [DecodedPart] = []
    shard.state.withLock { state in
      let before = state.bytes
      body(&state, &gone)
      // Within the lock, so that what is charged never falls below what is held.
      memory?.charge(state.bytes - before)
    }
    withExtendedLifetime(gone) {}
  }

  private func shard(of key: PageKey) -> Shard {
    if shards.count == 1 { return shards[0] }
    return shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
  }
}

/// The cache as one block's reader uses it.
struct BlockPages: Sendable {
  let cache: PageCache
  let block: UInt64
  let life: BlockLife
}
