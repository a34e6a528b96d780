import Records

/// Names with values as somebody sent them, in the order the names first came; of equal names (byte by byte)
/// the last one's value. Bounded: names beyond the most there may be are passed over, which ``isCut`` tells.
/// In the module of those who use it, where it is compiled for each kind of value.
struct NamedValues<Value> {
  /// Above it a table is faster than looking at all.
  private static var listedMax: Int { 16 }

  /// The names and their values.
  private(set) var pairs: [(name: String, value: Value)] = []
  /// Whether there were more names than there may be.
  private(set) var isCut = false
  private let countMax: Int
  /// Of all names, once there are many.
  private var places: [Name: Int] = [:]

  /// - Parameter countMax: Names that are kept.
  init(countMax: Int) { self.countMax = countMax }

  /// Sets the value of a name.
  mutating func set(_ name: String, _ value: Value) {
    if let place = place(of: name) {
      pairs[place].value = value
      return
    }
    guard pairs.count < countMax else {
      isCut = true
      return
    }
    pairs.append((name, value))
    if pairs.count == Self.listedMax + 1 {
      for (place, pair) in pairs.enumerated() { places[Name(pair.name)] = place }
    } else if pairs.count > Self.listedMax {
      places[Name(name)] = pairs.count - 1
    }
  }

  /// Whether the name is there.
  func has(_ name: String) -> Bool { place(of: name) != nil }

  /// The value of a name.
  subscript(name: String) -> Value? { place(of: name).map { pairs[$0].value } }

  private func place(of name: String) -> Int? {
    guard pairs.count > Self.listedMax else { return pairs.firstIndex { $0.name.hasBytes(of: name) } }
    return places[Name(name)]
  }
}

extension NamedValues: Sendable where Value: Sendable {}
