import Platform
import Records
import Synchronization

/// Files to be unlinked by a thread that may block.
final class Trash: Sendable {
  private let paths = Mutex<[String]>([])

  func add(_ path: String) { paths.withLock { $0.append(path) } }

  /// Everything added so far; the caller unlinks it or adds it again.
  func take() -> [String] {
    paths.withLock { paths in
      defer { paths = [] }
      return paths
    }
  }
}

/// A block's file, for as long as a live set or a snapshot refers to it. Once removed from the live set, the last one to let
/// go hands it to the trash.
final class BlockFile: Sendable {
  let id: UInt64
  let path: String
  private let trash: Trash
  private let isRemoved = Atomic(false)

  init(id: UInt64, path: String, trash: Trash) {
    self.id = id
    self.path = path
    self.trash = trash
  }

  /// Says that no edit names the file any more.
  func markRemoved() { isRemoved.store(true, ordering: .sequentiallyConsistent) }

  deinit {
    if isRemoved.load(ordering: .sequentiallyConsistent) { trash.add(path) }
  }
}

/// A block of the live set or of a snapshot.
struct LiveBlock: Sendable {
  let facts: BlockFacts
  let file: BlockFile
}

/// Open blocks, the most recently used of them. What is in use stays open beyond that.
final class OpenBlocks: Sendable {
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

  init(fileSystem: any FileSystem, format: any BlockFormat, countMax: Int) {
    self.fileSystem = fileSystem
    self.format = format
    self.countMax = max(countMax, 1)
  }

  /// The block, opened if it is not.
  func reader(of block: LiveBlock) throws(StoreError) -> any BlockReading {
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
  func forget(_ id: UInt64) { state.withLock { _ = $0.entries.removeValue(forKey: id) } }
}
