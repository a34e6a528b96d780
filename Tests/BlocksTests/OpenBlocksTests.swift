import Matching
import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Blocks

/// What open blocks hold is bounded, and a block that is not live any more is held by nobody but those who
/// read it.
struct OpenBlocksTests {
  final class Reader: BlockReading {
    let bytes: Atomic<Int>
    init(bytes: Int) { self.bytes = Atomic(bytes) }
    var memoryBytes: Int { bytes.load(ordering: .relaxed) }
    func isOfOlderFormat() throws(StoreError) -> Bool { false }
    func units(
      _ request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
    ) throws(StoreError) -> [any ScanUnit] { [] }
    func groupedCounts(
      _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
    ) throws(StoreError) -> GroupedCountAnswer { GroupedCountAnswer(counts: [:], remaining: []) }
  }

  /// Opens blocks of 100 bytes, and knows which are open.
  final class Format: BlockFormat {
    private struct Weak { weak var reader: Reader? }
    private let readers = Mutex<[Weak]>([])
    let onOpen = Mutex<(@Sendable () -> Void)?>(nil)

    var openCount: Int { readers.withLock { $0.filter { $0.reader != nil }.count } }
    var openedCount: Int { readers.withLock { $0.count } }

    func write(
      _ rows: BlockInput, to place: BlockPlace, on fileSystem: any FileSystem, shouldStop: () -> Bool
    ) throws(StoreError) -> BlockFacts? { nil }

    func claim(
      _ path: String, on fileSystem: any FileSystem, registry: Registry
    ) throws(StoreError) -> BlockClaim? { nil }

    func open(
      _ path: String, facts: BlockFacts, on fileSystem: any FileSystem
    ) throws(StoreError) -> any BlockReading {
      onOpen.withLock { $0 }?()
      let reader = Reader(bytes: 100)
      readers.withLock { $0.append(Weak(reader: reader)) }
      return reader
    }
  }

  let format = Format()
  let trash = Trash()

  func block(_ id: UInt64) -> LiveBlock {
    let facts = BlockFacts(
      id: id, partition: BlockFixture.partition(.logs), rowCount: 1,
      bounds: KeyBounds(timestampMin: 0, timestampMax: 0, positionMin: 0, positionMax: 0), ingested: 0...0,
      deletionsApplied: 0)
    return LiveBlock(facts: facts, file: BlockFile(id: id, path: "b\(id)", trash: trash))
  }

  func cache(countMax: Int = 100, bytesMax: Int = 1_000) -> OpenBlocks {
    OpenBlocks(fileSystem: SimulatedDisk(seed: 1), format: format, countMax: countMax, bytesMax: bytesMax)
  }

  @Test func theOnesNotUsedForLongestAreClosed() throws {
    let cache = cache(bytesMax: 350)
    let blocks = (1...5).map { block($0) }
    for index in [0, 1, 2, 0, 3, 0, 4] { _ = try cache.reader(of: blocks[index]) }
    #expect(cache.held == (3, 300))
    #expect(format.openCount == 3 && format.openedCount == 5)
    for index in [0, 3, 4] { _ = try cache.reader(of: blocks[index]) }
    #expect(format.openedCount == 5, "the last three are still open")
  }

  @Test func readersThatGrowAreCountedAnew() throws {
    let cache = cache(bytesMax: 500)
    let blocks = (1...3).map { block($0) }
    for block in blocks { _ = try cache.reader(of: block) }
    (try cache.reader(of: blocks[2]) as? Reader)?.bytes.store(450, ordering: .relaxed)
    _ = try cache.reader(of: blocks[2])
    _ = try cache.reader(of: block(4))
    #expect(cache.held.bytes <= 500)
    #expect(cache.held.count >= 1)
  }

  @Test func oneMayBeLargerThanTheBound() throws {
    let cache = cache(bytesMax: 10)
    let block = block(1)
    for _ in 0..<3 { _ = try cache.reader(of: block) }
    #expect(format.openedCount == 1 && cache.held.count == 1)
  }

  @Test func numbersAreBoundedToo() throws {
    let cache = cache(countMax: 2)
    for id in 1...5 { _ = try cache.reader(of: block(UInt64(id))) }
    #expect(cache.held.count == 2 && format.openCount == 2)
  }

  /// A snapshot from before asks for a block that was replaced meanwhile: it is opened for that snapshot,
  /// once, and goes with it.
  @Test func aDeadBlockIsNotKept() throws {
    let cache = cache()
    do {
      let block = block(1)
      _ = try cache.reader(of: block)
      block.file.markRemoved()
      cache.forget(1)
      #expect(format.openCount == 0)
      for _ in 0..<3 { _ = try cache.reader(of: block) }
      #expect(format.openedCount == 2 && cache.held == (0, 0))
      #expect(trash.take().isEmpty)
    }
    #expect(format.openCount == 0)
    #expect(trash.take() == ["b1"])
  }

  /// The block is replaced while it is being opened.
  @Test func aBlockThatDiesWhileItIsOpenedIsNotKept() throws {
    let cache = cache()
    do {
      let block = block(1)
      format.onOpen.withLock {
        $0 = {
          block.file.markRemoved()
          cache.forget(1)
        }
      }
      _ = try cache.reader(of: block)
      format.onOpen.withLock { $0 = nil }
      #expect(cache.held == (0, 0))
    }
    #expect(format.openCount == 0 && trash.take() == ["b1"])
  }
}
