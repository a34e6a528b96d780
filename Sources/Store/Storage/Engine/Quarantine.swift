import Blocks
import Journaling
import Platform
import Records
import Synchronization

/// The files of an open store that were found damaged or missing. Their rows are left out of what is read,
/// merged and archived; nothing of them is changed. Forgotten when the store is closed: what is still damaged
/// then is found again.
final class Quarantine: Sendable {
  private struct State {
    var blocks: [UInt64: DamagedFile] = [:]
    /// Frames of the head, by partition: rows of a segment belong to many.
    var frames: [Partition: [JournalOffset: DamagedFile]] = [:]
  }

  private let state = Mutex(State())
  private let isEmpty = Atomic(true)
  private let directory: String
  private let reporter: StoreReporter

  init(directory: String, reporter: StoreReporter) {
    self.directory = directory
    self.reporter = reporter
  }

  /// All of it, by name.
  var files: [DamagedFile] {
    if isEmpty.load(ordering: .acquiring) { return [] }
    let (blocks, frames) = state.withLock { ($0.blocks, $0.frames) }
    return (Array(blocks.values) + frames.values.flatMap(\.values)).sorted {
      ($0.name, $0.offsetBytes) < ($1.name, $1.offsetBytes)
    }
  }

  func file(ofBlock id: UInt64) -> DamagedFile? {
    if isEmpty.load(ordering: .acquiring) { return nil }
    return state.withLock { $0.blocks[id] }
  }

  /// The damaged frames of the partition's head, by place.
  func frames(of partition: Partition) -> [JournalOffset: DamagedFile] {
    if isEmpty.load(ordering: .acquiring) { return [:] }
    return state.withLock { $0.frames[partition] ?? [:] }
  }

  /// Takes the block in if `error` says that its bytes are not those written; other errors may pass: nil.
  @discardableResult
  func note(_ error: StoreError, of block: LiveBlock) -> DamagedFile? {
    guard case .corrupt(_, let offset, let reason) = error else { return nil }
    let facts = block.facts
    let file = DamagedFile(
      partition: facts.partition, name: name(of: block.file.path), path: block.file.path,
      offsetBytes: offset, reason: reason, rowCount: facts.rowCount)
    let isNew = state.withLock { $0.blocks.updateValue(file, forKey: facts.id) == nil }
    isEmpty.store(false, ordering: .releasing)
    if isNew { reporter.tell(.damaged(facts.partition, error: file.error)) }
    return file
  }

  /// Takes those of the frames in whose bytes are not those written, if `error` says so of their rows. Blocks
  /// on the disk as long as reading them takes.
  func note(_ error: StoreError, of frames: [HeadFrame], in partition: Partition) {
    guard case .corrupt = error else { return }
    for frame in frames {
      do throws(JournalError) { try frame.verify() } catch {
        guard case .corrupt(let path, let offset, let reason) = error else { continue }
        let file = DamagedFile(
          partition: partition, name: name(of: path), path: path, offsetBytes: offset, reason: reason,
          rowCount: frame.rowCount)
        let isNew = state.withLock {
          $0.frames[partition, default: [:]].updateValue(file, forKey: frame.place) == nil
        }
        isEmpty.store(false, ordering: .releasing)
        if isNew { reporter.tell(.damaged(partition, error: file.error)) }
      }
    }
  }

  /// Forgets a block that no edit names any more.
  func forget(block id: UInt64) {
    if isEmpty.load(ordering: .acquiring) { return }
    state.withLock { _ = $0.blocks.removeValue(forKey: id) }
  }

  private func name(of path: String) -> String {
    path.hasPrefix(directory + "/") ? String(path.dropFirst(directory.utf8.count + 1)) : path
  }
}
