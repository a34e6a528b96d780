import Columnar
import Matching
import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Blocks

/// What the page cache keeps, gives up, and for how long.
@Suite struct PageCacheTests {
  private static func key(_ number: Int, block: UInt64 = 1) -> PageKey {
    PageKey(block: block, group: 0, column: 0, firstRow: number, part: .values)
  }

  /// About `bytes` bytes.
  private static func part(_ bytes: Int = 10_000) -> DecodedPart {
    .column(Column(int64: [Int64](repeating: 7, count: bytes / 8)))
  }

  private static func insert(_ numbers: some Sequence<Int>, into shard: inout PageShard) {
    var gone: [DecodedPart] = []
    for number in numbers { shard.insert(key(number), part(), gone: &gone) }
  }

  @Test func aShardIsBounded() {
    var shard = PageShard(bytesMax: 200_000)
    for number in 0..<500 {
      Self.insert([number], into: &shard)
      #expect(shard.bytes <= 200_000)
    }
    #expect(shard.count == 200_000 / Self.part().byteCount)
    var gone: [DecodedPart] = []
    shard.insert(Self.key(1_000), Self.part(30_000), gone: &gone)
    #expect(shard.find(Self.key(1_000)) == nil, "a part of over an eighth is not kept")
    shard.evict(to: 50_000, gone: &gone)
    #expect(shard.bytes <= 50_000 && shard.count > 0)
    shard.evict(to: 0, gone: &gone)
    #expect(shard.bytes == 0 && shard.count == 0)
  }

  /// What several asked for outlasts a scan over a hundred times the room there is.
  @Test func aScanPushesOutNothingThatIsUsed() {
    var shard = PageShard(bytesMax: 500_000)
    let used = 0..<20
    Self.insert(used, into: &shard)
    for _ in 0..<3 { for number in used { _ = shard.find(Self.key(number)) } }
    for number in 1_000..<6_000 {
      Self.insert([number], into: &shard)
      // A scan that comes back to the page it has just read is a scan still.
      _ = shard.find(Self.key(number))
    }
    let left = used.filter { shard.find(Self.key($0)) != nil }
    #expect(left.count == used.count, "\(left)")
  }

  @Test func whatComesBackSoonStays() {
    var shard = PageShard(bytesMax: 300_000)
    Self.insert(0..<40, into: &shard)
    #expect(shard.find(Self.key(5)) == nil, "it went from the small queue")
    Self.insert([5], into: &shard)
    Self.insert(100..<125, into: &shard)
    #expect(shard.find(Self.key(5)) != nil, "and came back to the main one")
  }

  @Test func blocksThatAreDroppedLeaveNothing() {
    var shard = PageShard(bytesMax: 500_000)
    var gone: [DecodedPart] = []
    for number in 0..<200 {
      shard.insert(Self.key(number, block: UInt64(number % 2)), Self.part(), gone: &gone)
      if number % 3 == 0 { for _ in 0..<3 { _ = shard.find(Self.key(number, block: UInt64(number % 2))) } }
    }
    shard.drop(block: 0, gone: &gone)
    for number in 0..<200 where number % 2 == 0 { #expect(shard.find(Self.key(number, block: 0)) == nil) }
    shard.drop(block: 1, gone: &gone)
    #expect(shard.bytes == 0 && shard.count == 0)
    Self.insert(0..<100, into: &shard)
    #expect(shard.bytes <= 500_000 && shard.count > 30)
  }

  // MARK: Memory

  @Test func whatIsHeldIsCharged() {
    let whole = MemoryBudget("whole", bytesMax: 1_000_000)
    let budget = MemoryBudget("pages", bytesMax: 500_000, within: whole)
    do {
      let cache = PageCache(bytesMax: 500_000, memory: budget)
      for number in 0..<200 { cache.keep(Self.part(), as: Self.key(number), while: BlockLife()) }
      #expect(cache.statistics.bytes == whole.bytesUsed && cache.statistics.count > 30)
      cache.drop(block: 1)
      #expect(cache.statistics.bytes == 0 && whole.bytesUsed == 0)
      cache.keep(Self.part(), as: Self.key(1), while: BlockLife())
      #expect(whole.bytesUsed > 0)
    }
    #expect(whole.bytesUsed == 0, "a cache that goes gives all back")
  }

  /// Requests get what they need of the cache's memory before any of them is refused, and while they hold it
  /// nothing more is kept.
  @Test func theCacheGivesWayToRequests() throws {
    let whole = MemoryBudget("whole", bytesMax: 1_000_000)
    let queries = MemoryBudget("queries", bytesMax: 1_000_000, within: whole)
    let cache = PageCache(
      bytesMax: 900_000, memory: MemoryBudget("pages", bytesMax: 900_000, within: whole))
    for number in 0..<200 { cache.keep(Self.part(), as: Self.key(number), while: BlockLife()) }
    #expect(cache.statistics.bytes > 800_000)
    try queries.take(600_000)
    #expect(cache.statistics.bytes <= 400_000 && cache.statistics.bytes > 200_000)
    try queries.take(400_000)
    #expect(cache.statistics.bytes == 0 && whole.bytesUsed == 1_000_000)
    #expect(!queries.tryTake(1), "what the cache does not hold it cannot give")
    cache.keep(Self.part(), as: Self.key(7), while: BlockLife())
    #expect(cache.statistics.bytes == 0)
    queries.give(back: 1_000_000)
    cache.keep(Self.part(), as: Self.key(7), while: BlockLife())
    #expect(cache.statistics.count == 1)
  }

  @Test func manyAtOnceStayWithinTheBounds() async {
    let whole = MemoryBudget("whole", bytesMax: 80 << 20)
    let queries = MemoryBudget("queries", bytesMax: 80 << 20, within: whole)
    let cache = PageCache(
      bytesMax: 70 << 20, memory: MemoryBudget("pages", bytesMax: 70 << 20, within: whole))
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          var generator = SeededGenerator(seed: UInt64(task))
          for _ in 0..<3_000 {
            let key = Self.key(
              Int.random(in: 0..<900, using: &generator), block: UInt64.random(in: 0..<4, using: &generator))
            if cache.find(key) == nil { cache.keep(Self.part(100_000), as: key, while: BlockLife()) }
            if generator.chance(oneIn: 50) { cache.drop(block: 3) }
            let bytes = Int.random(in: 0..<5_000_000, using: &generator)
            if generator.chance(oneIn: 20), queries.tryTake(bytes) { queries.give(back: bytes) }
          }
        }
      }
    }
    #expect(cache.statistics.bytes <= 70 << 20 && whole.bytesUsed == cache.statistics.bytes)
    for block in 0..<4 { cache.drop(block: UInt64(block)) }
    #expect(cache.statistics.bytes == 0 && whole.bytesUsed == 0)
  }

  /// Whoever reads a dead block goes on, and leaves nothing behind.
  @Test func nothingOfADeadBlockIsKept() {
    let cache = PageCache(bytesMax: 1_000_000)
    let life = BlockLife()
    cache.keep(Self.part(), as: Self.key(1), while: life)
    life.end()
    cache.drop(block: 1)
    cache.keep(Self.part(), as: Self.key(2), while: life)
    #expect(cache.statistics.count == 0)
  }
}
