import Codecs

/// The buckets that numbers of a column with many values are counted in: a digit times a power of ten, from
/// 10^-6 to 9 * 10^18, its negative, and 0 are edges. Each edge is a bucket of its own, and so is what lies
/// between two edges: ranges that end at an edge, on either side of it, are unions of buckets.
enum NumberBuckets {
  private static let exponents = -6...18

  /// The edges above 0, ascending; exactly the doubles whose shortest texts they are.
  private static let edges: [Double] = exponents.flatMap { exponent in
    (1...9).map { Double("\($0)e\(exponent)") ?? 0 }
  }

  /// Buckets: as many edges below 0 as above, 0, and what lies between and beyond.
  static let count = 4 * edges.count + 3
  /// The bucket of 0.
  static let zero = 2 * edges.count + 1

  /// By the upper sixteen bits of a double that is not below 0, how many edges are not above the least of
  /// these. Sixteen of them make a power of two, so that at most one more edge lies within.
  private static let steps: [Int16] = {
    var found = 0
    return (0..<0x7FF0).map { high in
      let least = Double(bitPattern: UInt64(high) << 48)
      while found < edges.count, edges[found] <= least { found += 1 }
      return Int16(found)
    }
  }()

  /// Numbers the buckets of finite doubles: a copy of what that takes, for many of them.
  struct Finder {
    private let edges = NumberBuckets.edges
    private let steps = NumberBuckets.steps

    @inline(__always)
    func bucket(of value: Double) -> Int {
      let size = value.magnitude
      var below = Int(steps[Int(size.bitPattern >> 48)])
      while below < edges.count, edges[below] <= size { below += 1 }
      let isEdge = below > 0 && edges[below - 1] == size
      // As many buckets beyond 0, two an edge.
      let distance = size == 0 ? 0 : 2 * below + (isEdge ? 0 : 1)
      return value < 0 ? NumberBuckets.zero - distance : NumberBuckets.zero + distance
    }
  }

  /// The doubles of a bucket, both ends included.
  static func doubles(of bucket: Int) -> ClosedRange<Double> {
    if bucket < zero {
      let mirrored = doubles(of: 2 * zero - bucket)
      return -mirrored.upperBound ... -mirrored.lowerBound
    }
    let distance = bucket - zero
    if distance == 0 { return 0...0 }
    if distance & 1 == 0 { return edges[distance / 2 - 1]...edges[distance / 2 - 1] }
    let below = distance / 2
    let low = below == 0 ? Double.leastNonzeroMagnitude : edges[below - 1].nextUp
    return low...(below < edges.count ? edges[below].nextDown : .greatestFiniteMagnitude)
  }
}
