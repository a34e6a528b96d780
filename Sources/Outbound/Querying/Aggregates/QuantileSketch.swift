/// A multiset of numbers that answers quantiles: exact for few, a sketch for many.
///
/// **The rule**: up to ``exactMax`` numbers are kept as they are, and answers are exact. With more they are
/// counted in bins instead, and an answer is within ``relativeError`` of the number that is the exact answer.
/// Which of the two it is depends on how many numbers there are and nothing else, and so does the answer on
/// the numbers alone: neither on their order nor on how parts were merged.
///
/// The sketch is DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
/// relative-error guarantees", VLDB 2019) with linearly interpolated logarithms: a bin is a 64th of a power
/// of two, so that a number's bin is the first 17 bits of its float64 behind the sign. A logarithm would need
/// half as many bins and ten times the time. Bins are kept by octave, 512 bytes each; measurements of a
/// service span some twenty. Numbers nearer to 0 than the least normal float64 (2.2e-308) may be taken for 0.
struct QuantileSketch: Sendable {
  /// Numbers kept as they are: 32 KB a group.
  static let exactMax = 4_096
  /// Half of a bin's width: 1 / 129.
  static let relativeError = 1.0 / 129

  private static let binsPerOctave = 64

  private(set) var count = 0
  private var exact: [Double] = []
  private var least = Double.infinity
  private var greatest = -Double.infinity
  /// The first octave `pages` has.
  private var octaveBase = 0
  /// Where each octave's bins lie in `bins`, in pages; -1: nowhere.
  private var pages: [Int32] = []
  private var bins: [Int] = []

  /// Whether none of the numbers is beyond float64.
  var isFinite: Bool { count == 0 || least.isFinite && greatest.isFinite }

  private var isExact: Bool { count <= QuantileSketch.exactMax }

  /// Bytes beyond the struct itself.
  var heapBytes: Int { exact.capacity * 8 + pages.capacity * 4 + bins.capacity * 8 }

  // MARK: Adding

  /// Adds a number; returns by how many bytes it grew.
  @inline(__always)
  mutating func add(_ value: Double) -> Int {
    count &+= 1
    guard count > QuantileSketch.exactMax + 1 else { return addExact(value) }
    least = min(least, value)
    greatest = max(greatest, value)
    let bin = QuantileSketch.bin(of: value)
    let octave = bin >> 6 - octaveBase
    guard octave >= 0, octave < pages.count, pages[octave] >= 0 else { return addSlowly(1, to: bin) }
    bins[Int(pages[octave]) << 6 | bin & 63] &+= 1
    return 0
  }

  private mutating func addExact(_ value: Double) -> Int {
    let before = heapBytes
    least = min(least, value)
    greatest = max(greatest, value)
    exact.append(value)
    if !isExact { spill() }
    return heapBytes - before
  }

  /// Counts the exact numbers in bins.
  private mutating func spill() {
    for value in exact { _ = addSlowly(1, to: QuantileSketch.bin(of: value)) }
    exact = []
  }

  private mutating func addSlowly(_ number: Int, to bin: Int) -> Int {
    let before = heapBytes
    let octave = bin >> 6
    if pages.isEmpty {
      octaveBase = octave
      pages = [-1]
    }
    if octave < octaveBase {
      pages.insert(contentsOf: repeatElement(-1, count: octaveBase - octave), at: 0)
      octaveBase = octave
    }
    let index = octave - octaveBase
    if index >= pages.count { pages += repeatElement(-1, count: index + 1 - pages.count) }
    if pages[index] < 0 {
      pages[index] = Int32(bins.count >> 6)
      bins += repeatElement(0, count: QuantileSketch.binsPerOctave)
    }
    bins[Int(pages[index]) << 6 | bin & 63] += number
    return heapBytes - before
  }

  /// Bins rise with their numbers: from 0 on for what is not negative, from -1 down for the rest.
  @inline(__always)
  private static func bin(of value: Double) -> Int {
    let bits = Int(bitPattern: UInt(truncatingIfNeeded: value.bitPattern))
    let magnitude = (bits & Int.max) >> 46
    return bits >= 0 ? magnitude : -1 - magnitude
  }

  /// The number that is as far, relatively, from one end of a bin as from the other.
  private static func middle(of bin: Int) -> Double {
    let magnitude = UInt64(bin >= 0 ? bin : -1 - bin)
    let low = Double(bitPattern: magnitude << 46)
    // Of numbers beyond float64.
    guard low.isFinite else { return bin >= 0 ? low : -low }
    let high = Double(bitPattern: (magnitude + 1) << 46)
    let middle = low * (2 / (low / high + 1))
    return bin >= 0 ? middle : -middle
  }

  /// Adds the numbers of `other`.
  mutating func merge(_ other: QuantileSketch) {
    guard other.count > 0 else { return }
    let wasExact = isExact
    count += other.count
    least = min(least, other.least)
    greatest = max(greatest, other.greatest)
    if isExact {
      exact += other.exact
      return
    }
    if wasExact { spill() }
    for value in other.exact { _ = addSlowly(1, to: QuantileSketch.bin(of: value)) }
    other.forEachBin { bin, number in _ = addSlowly(number, to: bin) }
  }

  /// Calls `body` with each bin that has numbers, from the least on.
  private func forEachBin(_ body: (Int, Int) -> Void) {
    for (index, page) in pages.enumerated() where page >= 0 {
      for place in 0..<QuantileSketch.binsPerOctave {
        let number = bins[Int(page) << 6 | place]
        if number > 0 { body((octaveBase + index) << 6 | place, number) }
      }
    }
  }

  // MARK: Answers

  /// Makes answering several quantiles cost little more than one: what is sorted is sorted again in one pass.
  mutating func sort() { exact.sort() }

  /// The least number that at least `share` of all are not above (SQL's `percentile_disc`); nil of none.
  func quantiles(_ shares: [Double]) -> [Double?] {
    guard count > 0 else { return shares.map { _ in nil } }
    if isExact {
      let sorted = exact.sorted()
      return shares.map { sorted[rank(of: $0)] }
    }
    var ends: [(end: Int, bin: Int)] = []
    var end = 0
    forEachBin { bin, number in
      end += number
      ends.append((end, bin))
    }
    return shares.map { share in
      let rank = rank(of: share)
      let bin = ends.first { $0.end > rank }.map { QuantileSketch.middle(of: $0.bin) } ?? greatest
      return min(max(bin, least), greatest)
    }
  }

  /// From 0. The factor takes back what rounding the product may have added: 0.07 of 100 is rank 7, not 8.
  private func rank(of share: Double) -> Int {
    let place = (share * Double(count) * (1 - 0x1p-51)).rounded(.up)
    return min(max(Int(place), 1), count) - 1
  }
}
