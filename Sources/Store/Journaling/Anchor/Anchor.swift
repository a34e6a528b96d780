import Platform
import Records
import Synchronization

/// The anchor's file, open for writing (Docs/formats/anchor.md). Written by the journal's thread and by those
/// who edit the manifest; each call blocks on the disk for the others' writes too.
package final class Anchor: Sendable {
  /// Of the file in the data directory.
  package static let name = "anchor"

  private struct Held: Sendable {
    let file: any File
    var state: AnchorState
    var number: UInt64
    /// The slot that the last synced write went to: what is not synced goes to the other.
    var syncedSlot: Int
    /// Set by a failed sync: what the file holds is not known any more.
    var failure: DiskError?
  }

  /// What the file held when it was opened.
  package let reading: AnchorReading
  private let held: Mutex<Held>

  private init(_ reading: AnchorReading, file: any File) {
    self.reading = reading
    held = Mutex(
      Held(
        file: file, state: reading.state, number: reading.slot?.number ?? 0,
        syncedSlot: reading.slot?.index ?? 0))
  }

  /// Opens the anchor that was read; made, durably, if there is none.
  ///
  /// - Parameter store: The identity that a new one gets.
  package static func open(
    _ reading: AnchorReading, store: StoreID = .none, fileSystem: any FileSystem
  ) throws(DiskError) -> Anchor {
    if !reading.exists { try make(reading, store: store, fileSystem: fileSystem) }
    let anchor = Anchor(reading, file: try fileSystem.open(reading.path, writable: true))
    // Number and slot of one that was just made are those of `make`.
    if !reading.exists { anchor.held.withLock { ($0.number, $0.state.store) = (1, store) } }
    return anchor
  }

  private static func make(
    _ reading: AnchorReading, store: StoreID, fileSystem: any FileSystem
  ) throws(DiskError) {
    let temporary = reading.path + ".tmp"
    if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
    let file = try fileSystem.create(temporary)
    var state = reading.state
    state.store = store
    try file.write(state.file.span, at: 0)
    try file.sync()
    try fileSystem.rename(temporary, to: reading.path)
    try fileSystem.syncDirectory(String(reading.path.dropLast(name.utf8.count + 1)))
  }

  /// What it says.
  package var state: AnchorState { held.withLock { $0.state } }

  /// Changes what it says.
  ///
  /// - Parameter syncs: Whether that is durable when the call returns. If not, a power cut may take it.
  /// - Throws: What the disk said; then the state is as before. After a sync that failed, for good.
  package func update(
    syncs: Bool, _ change: (inout AnchorState) -> Void
  ) throws(DiskError) {
    try held.withLock { held throws(DiskError) in
      if let failure = held.failure { throw failure }
      var next = held.state
      change(&next)
      if next == held.state, !syncs { return }
      let slot = 1 - held.syncedSlot
      let bytes = AnchorSlots.encode(AnchorSlots.Slot(number: held.number + 1, state: next))
      // A write that fails may leave this slot broken; the synced one is whole, and the next write goes here
      // too.
      try held.file.write(bytes.span, at: AnchorSlots.offsets[slot])
      if syncs {
        do throws(DiskError) { try held.file.sync() } catch {
          held.failure = error
          throw error
        }
        held.syncedSlot = slot
      }
      held.number += 1
      held.state = next
    }
  }

  /// Whether the file has no later epoch than ours: else another process has opened the store since. Reads
  /// two slots.
  package func isOurs() throws(DiskError) -> Bool {
    try held.withLock { held throws(DiskError) in
      for offset in AnchorSlots.offsets {
        let bytes = try held.file.read(at: offset, count: AnchorSlots.slotBytes)
        if case .valid(let slot) = AnchorSlots.read(bytes), slot.state.epoch > held.state.epoch {
          return false
        }
      }
      return true
    }
  }
}
