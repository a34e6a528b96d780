/// Which blocks are known to be of the format that is written now: each that was there at the start is looked
/// into once. Not shared between threads.
struct FormatUpgrade {
  /// How many blocks are looked into whenever a partition has nothing else to do: an open and a footer each.
  static let lookedIntoAtOnce = 16

  private let firstOwnID: UInt64
  private var checked: Set<UInt64> = []

  /// - Parameter firstOwnID: Blocks from this id on are written by this process.
  init(firstOwnID: UInt64) { self.firstOwnID = firstOwnID }

  /// Whether nobody has looked into the block yet.
  func isOpen(_ id: UInt64) -> Bool { id < firstOwnID && !checked.contains(id) }

  /// The block is of the format, or cannot be written anew.
  mutating func close(_ id: UInt64) { checked.insert(id) }
}
