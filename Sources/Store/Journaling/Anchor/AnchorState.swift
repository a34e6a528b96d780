import Codecs
import Records

/// How far a store had reached when its anchor was last written (Docs/formats/anchor.md).
package struct AnchorState: Sendable, Hashable {
  /// What a broken anchor is taken to have allowed: more rows than any tail holds.
  package static let unknownAllowance: UInt64 = 1 << 32

  /// Whose anchor it is; none before the manifest has an identity.
  package var store = StoreID.none
  /// How often the store was opened for writing.
  package var epoch: UInt64 = 0
  /// So many edits of the manifest are durable, or more.
  package var generation: UInt64 = 0
  /// So many rows at most have been given positions behind ``synced``.
  package var allowance: UInt64 = 0
  /// The first segment that the journal needs; 0: none yet.
  package var firstSegment: UInt32 = 0
  /// Everything before it was synced.
  package var synced = JournalOffset(segment: 0, byte: 0)
  /// Of the frame that ends there; 0: none does.
  package var sequence: UInt64 = 0

  /// Before anything was written.
  package init() {}

  /// An anchor's file that says this.
  package var file: [UInt8] {
    let slot = AnchorSlots.encode(AnchorSlots.Slot(number: 1, state: self))
    return slot + [UInt8](repeating: 0, count: AnchorSlots.fileBytes - slot.count)
  }
}

/// The anchor's two slots as bytes.
enum AnchorSlots {
  static let fileBytes = 8192
  static let slotBytes = 96
  static let offsets = [0, 4096]
  static let version: UInt8 = 1
  private static let magic = Array("CWANCHOR".utf8)

  struct Slot: Hashable {
    /// One more with each write.
    var number: UInt64
    var state: AnchorState
  }

  enum Reading: Hashable {
    /// Zeros.
    case unwritten
    case valid(Slot)
    /// A later version's.
    case later(version: Int)
    case broken
  }

  static func encode(_ slot: Slot) -> [UInt8] {
    var bytes = magic + [version] + [UInt8](repeating: 0, count: 7)
    let state = slot.state
    bytes.append(littleEndian: slot.number)
    bytes += state.store.bytes
    for value in [state.epoch, state.generation, state.allowance] { bytes.append(littleEndian: value) }
    bytes.append(littleEndian: state.firstSegment)
    bytes.append(littleEndian: state.synced.segment)
    bytes.append(littleEndian: UInt64(state.synced.byte))
    bytes.append(littleEndian: state.sequence)
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: CRC32C.checksum(bytes))
    return bytes
  }

  /// What stands in a slot's bytes.
  static func read(_ bytes: [UInt8]) -> Reading {
    if bytes.allSatisfy({ $0 == 0 }) { return .unwritten }
    guard bytes.count == slotBytes, bytes.starts(with: magic) else { return .broken }
    let checked = CRC32C.checksum(bytes.span.extracting(0..<slotBytes - 4))
    guard checked == UInt32(truncatingIfNeeded: word(bytes, at: slotBytes - 4, count: 4)) else {
      return .broken
    }
    if bytes[8] > version { return .later(version: Int(bytes[8])) }
    guard bytes[8] == version, let store = StoreID(bytes: bytes[24..<40]),
      let byte = Int(exactly: word(bytes, at: 72))
    else { return .broken }
    var state = AnchorState()
    state.store = store
    state.epoch = word(bytes, at: 40)
    state.generation = word(bytes, at: 48)
    state.allowance = word(bytes, at: 56)
    state.firstSegment = UInt32(truncatingIfNeeded: word(bytes, at: 64, count: 4))
    state.synced = JournalOffset(
      segment: UInt32(truncatingIfNeeded: word(bytes, at: 68, count: 4)), byte: byte)
    state.sequence = word(bytes, at: 80)
    return .valid(Slot(number: word(bytes, at: 16), state: state))
  }

  private static func word(_ bytes: [UInt8], at offset: Int, count: Int = 8) -> UInt64 {
    bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
