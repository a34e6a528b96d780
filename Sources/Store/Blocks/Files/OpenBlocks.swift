import Platform
import Records
import Synchronization

/// Open blocks, the most recently used of them. What is in use stays open beyond that.
package final class OpenBlocks: Sendable {
  private struct Entry {
    var reader: any BlockReading
    var usedAt: UInt64
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var clock: UInt64 = 0
  }

  private let fileSystem: any FileSystem
  private let format: any BlockFormat
  private let countMax: Int
  private let state = Mutex(State())

  /// - Parameter countMax: Kept open beyond what is in use; at least one.
  package init(fileSystem: any FileSystem, format: any BlockFormat, countMax: Int) {
    self.fileSystem = fileSystem
    self.format = format
    self.countMax = max(countMax, 1)
  }

  /// The block, opened if it is not. Blocks on the disk then.
  ///
  /// - Throws: See ``BlockFormat/open(_:facts:on:)``.
  package func reader(of block: LiveBlock) throws(StoreError) -> any BlockReading {
    let known: (any BlockReading)? = state.withLock { state in
      state.clock += 1
      state.entries[block.facts.id]?.usedAt = state.clock
      return state.entries[block.facts.id]?.reader
    }
    if let known { return known }
    // Two threads may open the same block at once; both readers are good, one is kept.
    let reader = try format.open(block.file.path, facts: block.facts, on: fileSystem)
    state.withLock { state in
      state.entries[block.facts.id] = Entry(reader: reader, usedAt: state.clock)
      while state.entries.count > countMax,
        let oldest = state.entries.min(by: { $0.value.usedAt < $1.value.usedAt })
      {
        state.entries.removeValue(forKey: oldest.key)
      }
    }
    return reader
  }

  /// Closes a block that is not live any more.
  package func forget(_ id: UInt64) { state.withLock { _ = $0.entries.removeValue(forKey: id) } }
}
