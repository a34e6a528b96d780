/// The identity of a store: 128 random bits, drawn once. What it writes carries it, so that files of another
/// store are told from its own.
package struct StoreID: Sendable, Hashable {
  /// How many bytes it takes in files.
  package static let byteCount = 16
  /// Stands where a store has none yet.
  package static let none = StoreID(high: 0, low: 0)

  private let high: UInt64
  private let low: UInt64

  /// An identity of random words; at least one bit must be set for it to be one.
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// From its 16 bytes, little endian; nil if there are more or fewer.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == StoreID.byteCount else { return nil }
    let words = [bytes.prefix(8), bytes.dropFirst(8)].map { half in
      Array(half).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    self.init(high: words[0], low: words[1])
  }

  /// Its 16 bytes, little endian.
  package var bytes: [UInt8] {
    [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }

  /// Whether both have an identity, and another one.
  package func contradicts(_ other: StoreID) -> Bool {
    self != .none && other != .none && self != other
  }
}
