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
  /// Who writes numbers cannot know which meet.
  private let seed = UInt64.random(in: 0 ... .max)
  private var places: [Place] = []
  /// Different numbers.
  private(set) var count = 0

  /// - Parameter isInteger: Whether they are `int64`; else `float64`, of which 0 and -0 are one.
  init(isInteger: Bool) { self.isInteger = isInteger }

  var byteCount: Int { places.capacity * MemoryLayout<Place>.stride }

  /// How much it takes beside what it has when so many different numbers come to it.
  func growth(adding more: Int) -> Int {
    guard more > 0 else { return 0 }
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
    let input = MeasureInput(column: column, rowCount: column.rowCount, passing: nil)
    if isInteger {
      column.withInt64 { values in input.forEach { add(UInt64(bitPattern: values[$0]), 1) } }
    } else {
      column.withFloat64 { values in input.forEach { add((values[$0] + 0).bitPattern, 1) } }
    }
  }

  mutating func merge(_ other: NumberCounts) {
    if other.count > 0, places.isEmpty { grow() }
    for place in other.places where place.count > 0 { add(place.bits, place.count) }
  }

  @inline(__always)
  private mutating func add(_ bits: UInt64, _ rows: Int) {
    let mask = places.count - 1
    var at = Int(truncatingIfNeeded: DistinctState.mix(bits ^ seed)) & mask
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

  /// Parts of the table of so many places, which hold half as many numbers, about.
  func parts(ofPlaces count: Int) -> [Range<Int>] {
    stride(from: 0, to: places.count, by: count).map { $0..<min($0 + count, places.count) }
  }

  /// Bytes that ``texts(in:)`` takes at most: a spelling has up to 41 bytes, and what holds them grows.
  func textBytesMax(in part: Range<Int>) -> Int { places[part].count { $0.count > 0 } * 128 }

  /// The numbers of a part in their one spelling, and the rows of each.
  func texts(in part: Range<Int>) -> (column: Column, counts: [Int]) {
    var builder = TextBuilder(capacity: part.count / 2)
    var counts: [Int] = []
    var text = JSONWriter(capacity: 64)
    for place in places[part] where place.count > 0 {
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

  /// The most frequent numbers, of equal ones first those whose spelling comes first.
  func first(_ most: Int) -> [(text: [UInt8], count: Int)] {
    var one = JSONWriter(capacity: 64)
    var other = JSONWriter(capacity: 64)
    let first = TopGroups.first(min(most, count), of: places.count) { left, right in
      let (a, b) = (places[Int(left)], places[Int(right)])
      guard a.count == b.count, a.count > 0 else { return a.count > b.count }
      one.removeAll()
      other.removeAll()
      write(a.bits, to: &one)
      write(b.bits, to: &other)
      return one.withBytes { a in other.withBytes { b in NumberCounts.precedes(a, b) } }
    }
    return first.map { place in
      one.removeAll()
      write(places[Int(place)].bits, to: &one)
      return (one.takeBytes(), places[Int(place)].count)
    }
  }

  private static func precedes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    for index in 0..<min(left.count, right.count) where left[index] != right[index] {
      return left[index] < right[index]
    }
    return left.count < right.count
  }
}
