import Synchronization

/// Files to be unlinked by a thread that may block.
package final class Trash: Sendable {
  private let paths = Mutex<[String]>([])

  /// Nothing to unlink yet.
  package init() {}

  /// Hands the file over, for ever.
  package func add(_ path: String) { paths.withLock { $0.append(path) } }

  /// Everything added so far; the caller unlinks it or adds it again.
  package func take() -> [String] {
    paths.withLock { paths in
      defer { paths = [] }
      return paths
    }
  }
}

/// A block's file, for as long as a live set or a snapshot refers to it. Once removed from the live set, the
/// last one to let go hands it to the trash.
package final class BlockFile: Sendable {
  /// The block's.
  package let id: UInt64
  /// Of the file.
  package let path: String
  private let trash: Trash
  /// Ends when no edit names the file any more.
  let life = BlockLife()
  /// The open block, once it is gone from the live set and a snapshot asked for it.
  private let kept = Mutex<(any BlockReading)?>(nil)

  /// - Parameter trash: Gets the path once the file is removed and nobody holds it.
  package init(id: UInt64, path: String, trash: Trash) {
    self.id = id
    self.path = path
    self.trash = trash
  }

  /// Says that no edit names the file any more.
  package func markRemoved() { life.end() }

  /// Whether no edit names the file any more.
  var isGone: Bool { life.isGone }

  /// What ``keep(_:)`` was given.
  var reader: (any BlockReading)? { kept.withLock { $0 } }

  /// Keeps the block open for the snapshots that still hold the file, and no longer.
  func keep(_ reader: any BlockReading) { kept.withLock { $0 = reader } }

  deinit {
    if isGone { trash.add(path) }
  }
}

/// A block of the live set or of a snapshot.
package struct LiveBlock: Sendable {
  /// What the manifest says of it.
  package let facts: BlockFacts
  /// Kept on the disk by whoever has the block.
  package let file: BlockFile

  /// A block and its file.
  package init(facts: BlockFacts, file: BlockFile) {
    self.facts = facts
    self.file = file
  }
}
