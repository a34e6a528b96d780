import Codecs
import Records

/// The least or greatest number that a member has in each group, exactly.
///
/// Batches give numbers as the plainest type that says all of theirs. Where two are of different types they
/// are compared as decimals, which is rare: a group's extreme soon stays what it is.
struct NumberExtremeState: MeasureState {
  private enum Kind: UInt8 { case none, int64, float64, other }

  let isMax: Bool
  private var kinds: [Kind] = []
  /// Integers, and the bit patterns of doubles.
  private var values: [Int64] = []
  /// By group, those that are neither.
  private var others: [Int: DecimalNumber] = [:]
  private var otherBytes = 0

  init(isMax: Bool) { self.isMax = isMax }

  var byteCount: Int { values.capacity * 8 + kinds.capacity + others.capacity * 64 + otherBytes }
  var groupCapacity: Int { min(values.capacity, kinds.capacity) }

  mutating func keep(_ groups: [Int32]) {
    var kept = NumberExtremeState(isMax: isMax)
    kept.kinds = groups.map { kinds[Int($0)] }
    kept.values = groups.map { values[Int($0)] }
    for (place, group) in groups.enumerated() {
      if let other = others[Int(group)] { kept.setOther(other, of: place) }
    }
    self = kept
  }

  mutating func grow(to groupCount: Int) {
    guard values.count < groupCount else { return }
    values += repeatElement(0, count: groupCount - values.count)
    kinds += repeatElement(.none, count: groupCount - kinds.count)
  }

  // MARK: Gathering

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column else { bug("an extreme has a column") }
    let groups = groups.span
    switch column.type {
    case .int64:
      column.withInt64 { numbers in
        input.forEach { row in add(numbers[row], to: Int(groups[row])) }
      }
    case .float64:
      column.withFloat64 { numbers in
        input.forEach { row in add(numbers[row], to: Int(groups[row])) }
      }
    case .utf8:
      column.plainText().withText { offsets, bytes in
        input.forEach { row in
          let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
          if let number = DecimalNumber(text) { add(number, to: Int(groups[row])) }
        }
      }
    case .bool, .uuid, .json, .timestamp: bug("a column of exact numbers")
    }
  }

  @inline(__always)
  mutating func add(_ value: Int64, to group: Int) {
    if kinds[group] == .int64 {
      if isMax ? value > values[group] : value < values[group] { values[group] = value }
    } else if kinds[group] == .none {
      set(value, .int64, group)
    } else if kinds[group] == .float64, value.magnitude <= 1 << 53 {
      // A double, and its shortest text is the number: doubles are in the order of their texts.
      add(Double(value), to: group)
    } else if isBetter(DecimalNumber(value), group) {
      set(value, .int64, group)
    }
  }

  @inline(__always)
  mutating func add(_ value: Double, to group: Int) {
    if kinds[group] == .int64, values[group].magnitude <= 1 << 53 {
      set(Int64(bitPattern: Double(values[group]).bitPattern), .float64, group)
    }
    if kinds[group] == .float64 {
      let own = double(of: group)
      if isMax ? value > own : value < own { values[group] = Int64(bitPattern: value.bitPattern) }
    } else if kinds[group] == .none || (DecimalNumber(value).map { isBetter($0, group) } ?? false) {
      set(Int64(bitPattern: value.bitPattern), .float64, group)
    }
  }

  private mutating func add(_ number: DecimalNumber, to group: Int) {
    guard isBetter(number, group) else { return }
    set(0, .other, group)
    setOther(number, of: group)
  }

  private func double(of group: Int) -> Double { Double(bitPattern: UInt64(bitPattern: values[group])) }

  private func isBetter(_ number: DecimalNumber, _ group: Int) -> Bool {
    guard let own = self.number(of: group) else { return true }
    return isMax ? own < number : number < own
  }

  private mutating func set(_ value: Int64, _ kind: Kind, _ group: Int) {
    if kinds[group] == .other, let other = others.removeValue(forKey: group) {
      otherBytes -= other.digits.count
    }
    values[group] = value
    kinds[group] = kind
  }

  private mutating func setOther(_ number: DecimalNumber, of group: Int) {
    others[group] = number
    otherBytes += number.digits.count
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? NumberExtremeState else { bug("parts of one measure") }
    for group in other.kinds.indices {
      let number = Int(numbers[group])
      switch other.kinds[group] {
      case .none: continue
      case .int64: add(other.values[group], to: number)
      case .float64: add(other.double(of: group), to: number)
      case .other: if let extreme = other.others[group] { add(extreme, to: number) }
      }
    }
  }

  // MARK: Answering

  private func number(of group: Int) -> DecimalNumber? {
    switch kinds[group] {
    case .none: nil
    case .int64: DecimalNumber(values[group])
    case .float64: DecimalNumber(double(of: group))
    case .other: others[group]
    }
  }

  /// As float64 if every group's number is one, else as int64 if every one is, else as they are: by their
  /// values alone, not by how they were written or stored.
  func values(of function: Measure.Function) -> MeasureValues {
    if let doubles = all(asDouble) { return .float64(doubles) }
    if let integers = all(asInteger) { return .int64(integers) }
    return .numbers(kinds.indices.map { number(of: $0) })
  }

  /// nil: one of the groups' numbers is none of these.
  private func all<Value>(_ value: (Int) -> Value?) -> [Value?]? {
    var found: [Value?] = []
    found.reserveCapacity(kinds.count)
    for group in kinds.indices {
      guard kinds[group] != .none else {
        found.append(nil)
        continue
      }
      guard let value = value(group) else { return nil }
      found.append(value)
    }
    return found
  }

  private func asDouble(_ group: Int) -> Double? {
    if kinds[group] == .float64 { return double(of: group) }
    if kinds[group] == .int64, values[group].magnitude <= 1 << 53 { return Double(values[group]) }
    guard let number = number(of: group), DecimalNumber(number.nearest) == number else { return nil }
    return number.nearest
  }

  private func asInteger(_ group: Int) -> Int64? {
    if kinds[group] == .int64 { return values[group] }
    guard case .int64(let value, isExact: true)? = number(of: group)?.floor else { return nil }
    return value
  }
}
