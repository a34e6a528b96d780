/// Which scalars are the same letter in any case: Unicode's simple case folding, one scalar to one.
///
/// ASCII letters are the same as each other alone: with U+212A (Kelvin) as a `k` and U+017F (long s) as an
/// `s` every needle of ASCII would lose its literal search and its grams.
enum LetterCases {
  private struct Range {
    let first: UInt32
    let last: UInt32
    /// How far the next scalar of the same letter is; 0: each two of the range are one letter.
    let distance: Int32

    func next(_ scalar: UInt32) -> UInt32 {
      if distance == 0 { return (scalar - first) & 1 == 0 ? scalar + 1 : scalar - 1 }
      return UInt32(truncatingIfNeeded: Int64(scalar) + Int64(distance))
    }
  }

  /// Beyond ASCII, ascending, disjoint.
  private static let ranges: [Range] = {
    let numbers = UnicodeTables.numbers(UnicodeTables.cases)
    var ranges: [Range] = []
    var last: UInt32 = 0
    for index in stride(from: 0, to: numbers.count - 2, by: 3) {
      let first = last + UInt32(numbers[index])
      last = first + UInt32(numbers[index + 1])
      ranges.append(Range(first: first, last: last, distance: numbers[index + 2]))
    }
    return ranges
  }()

  /// The first range that ends at or behind `scalar`.
  private static func place(of scalar: UInt32) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].last < scalar { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func isASCIILetter(_ scalar: UInt32) -> Bool {
    (0x61...0x7A).contains(scalar | 0x20) && scalar < 0x80
  }

  /// Another scalar of the same letter, by which all of them are come by; itself if there is no other.
  private static func next(_ scalar: UInt32) -> UInt32 {
    if scalar < 0x80 { return isASCIILetter(scalar) ? scalar ^ 0x20 : scalar }
    let place = place(of: scalar)
    guard place < ranges.count, ranges[place].first <= scalar else { return scalar }
    return ranges[place].next(scalar)
  }

  /// The scalars of the same letter, itself the first: one to four.
  static func all(of scalar: UInt32) -> [UInt32] {
    var result = [scalar]
    var other = next(scalar)
    while other != scalar {
      result.append(other)
      other = next(other)
    }
    return result
  }

  /// The same for all scalars of a letter, and for no others.
  static func folded(_ scalar: UInt32) -> UInt32 {
    if scalar < 0x80 { return isASCIILetter(scalar) ? scalar | 0x20 : scalar }
    var least = scalar
    var other = next(scalar)
    while other != scalar {
      least = min(least, other)
      other = next(other)
    }
    return least
  }

  /// The next scalars of all in `range` that are letters with cases.
  static func following(_ range: ClosedRange<UInt32>) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    for (letters, shift) in [(0x41...0x5A as ClosedRange<UInt32>, 32 as Int32), (0x61...0x7A, -32)]
    where letters.overlaps(range) {
      result.append(moved(letters.clamped(to: range), by: shift))
    }
    // All others stay among themselves: a range of nearly everything needs no look at each.
    if let last = ranges.last?.last, range.lowerBound <= 0x80, range.upperBound >= last { return result }
    var place = place(of: max(range.lowerBound, 0x80))
    while place < ranges.count, ranges[place].first <= range.upperBound {
      let letters = ranges[place]
      let part = (letters.first...letters.last).clamped(to: range)
      if letters.distance != 0 {
        result.append(moved(part, by: letters.distance))
      } else {
        // Whole pairs, from the first of one to the second of one.
        let low = part.lowerBound - (part.lowerBound - letters.first) & 1
        result.append(low...part.upperBound + (part.upperBound - letters.first + 1) & 1)
      }
      place += 1
    }
    return result
  }

  private static func moved(_ range: ClosedRange<UInt32>, by distance: Int32) -> ClosedRange<UInt32> {
    func moved(_ scalar: UInt32) -> UInt32 { UInt32(truncatingIfNeeded: Int64(scalar) + Int64(distance)) }
    return moved(range.lowerBound)...moved(range.upperBound)
  }
}

extension UnicodeTables {
  /// The numbers of a table, in their order.
  static func numbers(_ table: String) -> [Int32] {
    var numbers: [Int32] = []
    for word in table.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }) {
      var value: Int32 = 0
      let isNegative = word.first == UInt8(ascii: "-")
      for digit in word where digit != UInt8(ascii: "-") {
        value = value * 36 + Int32(digit) - (digit < 0x40 ? 0x30 : 0x57)
      }
      numbers.append(isNegative ? -value : value)
    }
    return numbers
  }
}
