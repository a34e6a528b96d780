/// A set of Unicode scalars as sorted, disjoint, non-adjacent ranges of code points. Surrogates may be inside
/// a range; ``utf8Sequences(_:)`` leaves them out.
struct ScalarSet: Sendable, Hashable {
  private(set) var ranges: [ClosedRange<UInt32>]

  static let scalarMax: UInt32 = 0x10FFFF

  init() { ranges = [] }

  init(_ ranges: [ClosedRange<UInt32>]) {
    self.ranges = ScalarSet.normalised(ranges)
  }

  /// Digits, ASCII only as in RE2.
  static let digits = ScalarSet([0x30...0x39])
  static let wordCharacters = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  /// Tab, line feed, form feed, carriage return, space.
  static let spaces = ScalarSet([0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
  static let everything = ScalarSet([0...scalarMax])
  static let notLineFeed = ScalarSet([0...0x09, 0x0B...scalarMax])

  /// The class named `name` in `[[:name:]]`, or nil.
  static func posix(_ name: String) -> ScalarSet? {
    switch name {
    case "alnum": ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A])
    case "alpha": ScalarSet([0x41...0x5A, 0x61...0x7A])
    case "ascii": ScalarSet([0...0x7F])
    case "blank": ScalarSet([0x09...0x09, 0x20...0x20])
    case "cntrl": ScalarSet([0...0x1F, 0x7F...0x7F])
    case "digit": digits
    case "graph": ScalarSet([0x21...0x7E])
    case "lower": ScalarSet([0x61...0x7A])
    case "print": ScalarSet([0x20...0x7E])
    case "punct": ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    case "space": ScalarSet([0x09...0x0D, 0x20...0x20])
    case "upper": ScalarSet([0x41...0x5A])
    case "word": wordCharacters
    case "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    default: nil
    }
  }

  private static func normalised(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound &+ 1 {
        result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  mutating func formUnion(_ other: ScalarSet) {
    ranges = ScalarSet.normalised(ranges + other.ranges)
  }

  func inverted() -> ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= ScalarSet.scalarMax { result.append(next...ScalarSet.scalarMax) }
    return ScalarSet(result)
  }

  /// With the other cases of every letter (``LetterCases``).
  func foldingCase() -> ScalarSet {
    var set = self
    // A letter has four scalars at most, and each time the next one comes in.
    while true {
      let larger = ScalarSet(set.ranges + set.ranges.flatMap(LetterCases.following))
      if larger == set { return set }
      set = larger
    }
  }

  /// The only scalar of the set, or nil.
  var single: UInt32? {
    guard ranges.count == 1, let range = ranges.first, range.lowerBound == range.upperBound else {
      return nil
    }
    return range.lowerBound
  }

  /// Calls `body` with sequences of byte ranges that together make up the UTF-8 of exactly the set's scalars.
  ///
  /// Stored text is valid UTF-8, so a set of all characters from U+0080 on (as in `.` and most negated
  /// classes) needs only to tell lengths apart: a third of the states.
  func utf8Sequences(_ body: ([ClosedRange<UInt8>]) -> Void) {
    var ranges = ranges
    if let last = ranges.last, last.lowerBound <= 0x80, last.upperBound == ScalarSet.scalarMax {
      ranges.removeLast()
      if last.lowerBound < 0x80 { ranges.append(last.lowerBound...0x7F) }
      body([0xC2...0xDF, 0x80...0xBF])
      body([0xE0...0xEF, 0x80...0xBF, 0x80...0xBF])
      body([0xF0...0xF4, 0x80...0xBF, 0x80...0xBF, 0x80...0xBF])
    }
    for range in ranges {
      // Surrogates have no UTF-8.
      if range.lowerBound < 0xD800 {
        ScalarSet.split(range.lowerBound, min(range.upperBound, 0xD7FF), body)
      }
      if range.upperBound > 0xDFFF {
        ScalarSet.split(max(range.lowerBound, 0xE000), range.upperBound, body)
      }
    }
  }

  /// Cuts until all scalars of a part have equal length and differ in trailing whole bytes only.
  private static func split(_ low: UInt32, _ high: UInt32, _ body: ([ClosedRange<UInt8>]) -> Void) {
    for lengthMax in [0x7F, 0x7FF, 0xFFFF] as [UInt32] where low <= lengthMax && lengthMax < high {
      split(low, lengthMax, body)
      split(lengthMax + 1, high, body)
      return
    }
    if high > 0x7F {
      for trailing in 1..<4 as Range<UInt32> {
        let mask: UInt32 = (1 << (6 * trailing)) - 1
        guard low & ~mask != high & ~mask else { continue }
        if low & mask != 0 {
          split(low, low | mask, body)
          split((low | mask) + 1, high, body)
          return
        }
        if high & mask != mask {
          split(low, (high & ~mask) - 1, body)
          split(high & ~mask, high, body)
          return
        }
      }
    }
    body(zip(utf8(low), utf8(high)).map { $0...$1 })
  }

  /// The UTF-8 of a scalar that is no surrogate.
  static func utf8(_ scalar: UInt32) -> [UInt8] {
    func byte(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value) }
    func tail(_ shift: UInt32) -> UInt8 { byte(0x80 | (scalar >> shift) & 0x3F) }
    switch scalar {
    case 0..<0x80: return [byte(scalar)]
    case 0x80..<0x800: return [byte(0xC0 | scalar >> 6), tail(0)]
    case 0x800..<0x10000: return [byte(0xE0 | scalar >> 12), tail(6), tail(0)]
    default: return [byte(0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
    }
  }
}
