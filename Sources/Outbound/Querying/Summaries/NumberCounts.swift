import Codecs
import Records

/// How many rows have which number, told apart by their bits: an open-addressing table whose places hold
/// both, so that a row costs one look at memory.
struct NumberCounts: Sendable {
  private struct Place: Sendable {
    var bits: UInt64 = 0
    /// 0: nothing is here.
    var count = 0
  }

  private static let placesMin = 64

  private let isInteger: Bool
  private var places: [Place] = []
  /// Different numbers.
  private(set) var count = 0

  /// - Parameter isInteger: Whether they are `int64`; else `float64`, of which 0 and -0 are one.
  init(isInteger: Bool) { self.isInteger = isInteger }

  var byteCount: Int { places.capacity * MemoryLayout<Place>.stride }

  /// How much it takes beside what it has when so many different numbers come to it.
  func growth(adding more: Int) -> Int {
    let need = NumberCounts.placeCount(for: count + more)
    return need > places.count ? need * MemoryLayout<Place>.stride : 0
  }

  /// Places of which at most half are taken.
  private static func placeCount(for count: Int) -> Int {
    var places = placesMin
    while places < count * 2 { places *= 2 }
    return places
  }

  /// Adds a row for each value of a column of the type.
  mutating func add(_ column: Column) {
    if places.isEmpty { grow() }
    let isInteger = isInteger
    column.withValidity { valid in
      if isInteger {
        column.withInt64 { values in
          for row in values.indices where NumberCounts.isSet(valid, row) {
            add(UInt64(bitPattern: values[row]), 1)
          }
        }
      } else {
        column.withFloat64 { values in
          for row in values.indices where NumberCounts.isSet(valid, row) {
            add((values[row] + 0).bitPattern, 1)
          }
        }
      }
    }
  }

  @inline(__always)
  private static func isSet(_ bits: Span<UInt8>?, _ row: Int) -> Bool {
    guard let bits else { return true }
    return bits[row >> 3] & (1 << UInt8(row & 7)) != 0
  }

  mutating func merge(_ other: NumberCounts) {
    if places.isEmpty { grow() }
    for place in other.places where place.count > 0 { add(place.bits, place.count) }
  }

  @inline(__always)
  private mutating func add(_ bits: UInt64, _ rows: Int) {
    let mask = places.count - 1
    var at = Int(truncatingIfNeeded: DistinctState.mix(bits)) & mask
    while places[at].count > 0, places[at].bits != bits { at = (at + 1) & mask }
    guard places[at].count == 0 else {
      places[at].count += rows
      return
    }
    places[at] = Place(bits: bits, count: rows)
    count += 1
    if count * 2 > places.count { grow() }
  }

  private mutating func grow() {
    let old = places
    places = [Place](repeating: Place(), count: max(NumberCounts.placesMin, old.count * 2))
    count = 0
    for place in old where place.count > 0 { add(place.bits, place.count) }
  }

  /// Bytes that ``texts()`` makes at most.
  var textBytesMax: Int { count * 32 }

  /// The numbers in their one spelling, and the rows of each.
  func texts() -> (column: Column, counts: [Int]) {
    var builder = TextBuilder(capacity: count)
    var counts: [Int] = []
    counts.reserveCapacity(count)
    var text = JSONWriter(capacity: 32)
    for place in places where place.count > 0 {
      text.removeAll()
      write(place.bits, to: &text)
      text.withBytes { builder.append(contentsOf: $0) }
      builder.endRow()
      counts.append(place.count)
    }
    return (builder.finish(), counts)
  }

  private func write(_ bits: UInt64, to text: inout JSONWriter) {
    if isInteger {
      text.appendInt64(Int64(bitPattern: bits))
    } else {
      JSONNumber.appendKey(of: Double(bitPattern: bits), to: &text)
    }
  }

  private func text(_ bits: UInt64) -> [UInt8] {
    var text = JSONWriter(capacity: 32)
    write(bits, to: &text)
    return text.takeBytes()
  }

  /// The most frequent numbers, of equal ones first those whose spelling comes first.
  func first(_ most: Int) -> [(text: [UInt8], count: Int)] {
    let all = places.filter { $0.count > 0 }
    let first = TopGroups.first(min(most, all.count), of: all.count) { left, right in
      let (a, b) = (all[Int(left)], all[Int(right)])
      return a.count == b.count ? text(a.bits).lexicographicallyPrecedes(text(b.bits)) : a.count > b.count
    }
    return first.map { (text(all[Int($0)].bits), all[Int($0)].count) }
  }
}
