import Platform
import Records

/// What an anchor's file holds, read without changing it.
package struct AnchorReading: Sendable {
  /// Of the file.
  package let path: String
  /// Whether there is a file.
  package let exists: Bool
  /// What is known; of a broken anchor, what is surely true.
  package private(set) var state = AnchorState()
  /// Where a broken slot starts.
  package private(set) var brokenOffsets: [Int] = []
  /// The slot that the state is from, and its number.
  private(set) var slot: (index: Int, number: UInt64)?

  /// Whether the newest state is surely the one that was read.
  package var isExact: Bool { exists && brokenOffsets.isEmpty }

  /// Reads the anchor in `directory`.
  ///
  /// - Throws: `.laterVersion`, or what the disk said.
  package init(directory: String, fileSystem: any FileSystem) throws(JournalError) {
    path = directory + "/" + Anchor.name
    do throws(DiskError) {
      exists = try fileSystem.exists(path)
      if exists { try read(try fileSystem.open(path, writable: false)) }
    } catch { throw .disk(error) }
    if let version = laterVersion { throw .laterVersion(file: path, version: version) }
    if !exists || isExact { return }
    let isKnown = slot != nil
    state.allowance = isKnown ? state.allowance + AnchorState.unknownAllowance : AnchorState.unknownAllowance
    // A newer state may have needed fewer segments.
    state.firstSegment = 0
  }

  /// Takes note that there was an anchor once: without it, nobody knows what was given.
  package mutating func expect() {
    if !exists { state.allowance = AnchorState.unknownAllowance }
  }

  private var laterVersion: Int?

  private mutating func read(_ file: any File) throws(DiskError) {
    let size = try file.size()
    for (index, offset) in AnchorSlots.offsets.enumerated() {
      let count = max(0, min(AnchorSlots.slotBytes, size - offset))
      switch AnchorSlots.read(try file.read(at: offset, count: count)) {
      case .unwritten where count == AnchorSlots.slotBytes: continue
      case .unwritten, .broken: brokenOffsets.append(offset)
      case .later(let version): laterVersion = version
      case .valid(let found):
        if found.number <= slot?.number ?? 0 { continue }
        slot = (index, found.number)
        state = found.state
      }
    }
    // Slots of zeros alone are no anchor that was ever made.
    if slot == nil, brokenOffsets.isEmpty { brokenOffsets = AnchorSlots.offsets }
  }
}
