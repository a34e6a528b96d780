import Records

extension KeyBounds {
  /// The smallest bounds that hold all of `bounds`, of which there is at least one.
  package static func union(_ bounds: [KeyBounds]) -> KeyBounds {
    guard var all = bounds.first else { bug("bounds of something") }
    for other in bounds.dropFirst() { all.formUnion(other) }
    return all
  }

  /// Whether a row within the bounds may lie within the others.
  package func meets(start: Int64?, end: Int64?, positions: Range<Int64>) -> Bool {
    timestampMax >= start ?? .min && (end.map { timestampMin < $0 } ?? true)
      && positionMax >= positions.lowerBound && positionMin < positions.upperBound
  }

  /// Widens the bounds so that they hold the others too.
  package mutating func formUnion(_ other: KeyBounds) {
    timestampMin = min(timestampMin, other.timestampMin)
    timestampMax = max(timestampMax, other.timestampMax)
    positionMin = min(positionMin, other.positionMin)
    positionMax = max(positionMax, other.positionMax)
  }
}
