import Platform
import Records
import Synchronization

/// Open blocks, the most recently used of them, within a bound of number and of memory. What is in use stays
/// open beyond that, as does what only older snapshots hold: that is never kept here.
package final class OpenBlocks: Sendable {
  private struct Entry {
    var reader: any BlockReading
    var usedAt: UInt64
    /// As counted in ``State/bytes``: a reader grows as its parts are read.
    var bytes: Int
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var clock: UInt64 = 0
    var bytes = 0 { didSet { memory?.charge(bytes - oldValue) } }
    let memory: MemoryBudget?

    /// The block's reader, its size counted anew.
    mutating func use(_ id: UInt64) -> (any BlockReading)? {
      guard var entry = entries[id] else { return nil }
      clock += 1
      entry.usedAt = clock
      let size = entry.reader.memoryBytes
      bytes += size - entry.bytes
      entry.bytes = size
      entries[id] = entry
      return entry.reader
    }

    mutating func remove(_ id: UInt64) {
      if let entry = entries.removeValue(forKey: id) { bytes -= entry.bytes }
    }

    /// Closes the ones not used for longest, but for the one used last.
    mutating func evict(countMax: Int, bytesMax: Int) -> [any BlockReading] {
      let isShort = memory.map { $0.bytesLeft == 0 } ?? false
      let bytesMax = isShort ? min(bytesMax, bytes / 2) : bytesMax
      var closed: [any BlockReading] = []
      while entries.count > 1, entries.count > countMax || bytes > bytesMax,
        let oldest = entries.min(by: { $0.value.usedAt < $1.value.usedAt })
      {
        closed.append(oldest.value.reader)
        remove(oldest.key)
      }
      return closed
    }
  }

  private let fileSystem: any FileSystem
  private let format: any BlockFormat
  private let countMax: Int
  private let bytesMax: Int
  private let pages: PageCache?
  private let state: Mutex<State>

  /// - Parameters:
  ///   - countMax: Kept open beyond what is in use; at least one.
  ///   - bytesMax: Memory that those take together, by ``BlockReading/memoryBytes``; one may take more.
  ///   - memory: Is charged with that; when nothing is left of it, half is closed at the next use.
  ///   - pages: Keeps what readers decode.
  package init(
    fileSystem: any FileSystem, format: any BlockFormat, countMax: Int, bytesMax: Int,
    memory: MemoryBudget? = nil, pages: PageCache? = nil
  ) {
    state = Mutex(State(memory: memory))
    self.fileSystem = fileSystem
    self.format = format
    self.countMax = max(countMax, 1)
    self.bytesMax = bytesMax
    self.pages = pages
  }

  /// The block, opened if it is not. Blocks on the disk then.
  ///
  /// - Throws: See ``BlockFormat/open(_:facts:on:)``.
  package func reader(of block: LiveBlock) throws(StoreError) -> any BlockReading {
    let id = block.facts.id
    // What goes is let go outside of the lock: it unmaps a file.
    let known = state.withLock { state -> (reader: (any BlockReading)?, closed: [any BlockReading]) in
      let reader = state.use(id)
      return (reader, reader == nil ? [] : state.evict(countMax: countMax, bytesMax: bytesMax))
    }
    if let reader = known.reader { return reader }
    if let reader = block.file.reader { return reader }
    // Two threads may open the same block at once; both readers are good, one is kept.
    let reader = try format.open(block.file.path, facts: block.facts, on: fileSystem)
    if let pages { reader.keepPages(in: pages, while: block.file.life) }
    let closed = state.withLock { state -> [any BlockReading] in
      // Asked under the lock that ``forget(_:)`` takes after the mark: a dead block never stays here.
      if block.file.isGone {
        block.file.keep(reader)
        return []
      }
      state.remove(id)
      state.entries[id] = Entry(reader: reader, usedAt: 0, bytes: 0)
      _ = state.use(id)
      return state.evict(countMax: countMax, bytesMax: bytesMax)
    }
    withExtendedLifetime(closed) {}
    return reader
  }

  /// Closes a block that is not live any more and was marked so (``BlockFile/markRemoved()``), or that was
  /// found damaged, and drops its decoded pages. Those who hold it go on reading it.
  package func forget(_ id: UInt64) {
    let reader = state.withLock { state in
      defer { state.remove(id) }
      return state.entries[id]?.reader
    }
    withExtendedLifetime(reader) {}
    pages?.drop(block: id)
  }

  /// How many blocks are kept open, and the memory that takes.
  package var held: (count: Int, bytes: Int) { state.withLock { ($0.entries.count, $0.bytes) } }
}
