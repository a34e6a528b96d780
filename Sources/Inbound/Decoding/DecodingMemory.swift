import Codecs

/// What reading entries as trees may take of the memory that all requests share.
package struct DecodingMemory: Sendable {
  /// All there is.
  let bytesMax: Int
  private let taking: @Sendable (Int) -> Bool
  private let giving: @Sendable (Int) -> Void

  /// - Parameters:
  ///   - take: Takes so many bytes; false, and nothing taken, when there are not so many left.
  ///   - give: Gives back what was taken.
  package init(
    bytesMax: Int, take: @escaping @Sendable (Int) -> Bool, give: @escaping @Sendable (Int) -> Void
  ) {
    self.bytesMax = bytesMax
    taking = take
    giving = give
  }

  /// For bodies whose size is bound enough.
  package static let unbounded = DecodingMemory(bytesMax: .max, take: { _ in true }, give: { _ in })

  /// None: only what is plain is read.
  package static let exhausted = DecodingMemory(bytesMax: 0, take: { _ in false }, give: { _ in })

  /// Takes `count` bytes, which the caller gives back; throws what hinders, and nothing is taken then.
  package func take(_ count: Int) throws(EntryHindrance) {
    guard count <= bytesMax else { throw .shortage(.lasting) }
    guard taking(count) else { throw .shortage(.momentary) }
  }

  /// Gives back what was taken.
  package func give(_ count: Int) { giving(count) }
}

/// There is not the memory to read an entry.
package enum MemoryShortage: Sendable, Hashable {
  /// Others have it now: the same may be taken a moment later.
  case momentary
  /// The entry alone would take more than there is.
  case lasting
}

/// Why a body cannot be read to its end.
package enum EntryHindrance: Error, Sendable, Hashable {
  case syntax(JSONTree.SyntaxError)
  case shortage(MemoryShortage)
}
