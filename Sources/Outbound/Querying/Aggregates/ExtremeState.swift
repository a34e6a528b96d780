import Records

/// Numbers as columns hold them.
protocol FixedValue: Comparable, Sendable, BitwiseCopyable {
  static var zero: Self { get }
  static func withValues(of column: Column, _ body: (Span<Self>) -> Void)
  static func values(_ values: [Self?]) -> MeasureValues
}

extension Int64: FixedValue {
  static func withValues(of column: Column, _ body: (Span<Int64>) -> Void) { column.withInt64(body) }
  static func values(_ values: [Int64?]) -> MeasureValues { .int64(values) }
}

extension Double: FixedValue {
  static func withValues(of column: Column, _ body: (Span<Double>) -> Void) { column.withFloat64(body) }
  static func values(_ values: [Double?]) -> MeasureValues { .float64(values) }
}

/// The least or greatest number or time of each group.
struct ExtremeState<Value: FixedValue>: MeasureState {
  let isMax: Bool
  private var extremes: [Value] = []
  private var isSet: [Bool] = []

  init(isMax: Bool) { self.isMax = isMax }

  var byteCount: Int { extremes.capacity * 8 + isSet.capacity }
  var groupCapacity: Int { min(extremes.capacity, isSet.capacity) }

  mutating func keep(_ groups: [Int32]) {
    extremes = groups.map { extremes[Int($0)] }
    isSet = groups.map { isSet[Int($0)] }
  }

  mutating func grow(to groupCount: Int) {
    guard extremes.count < groupCount else { return }
    extremes += repeatElement(.zero, count: groupCount - extremes.count)
    isSet += repeatElement(false, count: groupCount - isSet.count)
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column else { bug("an extreme has a column") }
    let groups = groups.span
    Value.withValues(of: column) { values in
      input.forEach { row in add(values[row], to: Int(groups[row])) }
    }
  }

  @inline(__always)
  mutating func add(_ value: Value, to group: Int) {
    if !isSet[group] || (isMax ? value > extremes[group] : value < extremes[group]) {
      extremes[group] = value
      isSet[group] = true
    }
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? Self else { bug("parts of one measure") }
    for (group, value) in other.extremes.enumerated() where other.isSet[group] {
      add(value, to: Int(numbers[group]))
    }
  }

  func values(of function: Measure.Function) -> MeasureValues {
    Value.values(zip(extremes, isSet).map { $1 ? $0 : nil })
  }
}

/// The least or greatest text of each group, by its UTF-8 bytes.
struct TextExtremeState: MeasureState {
  private let isMax: Bool
  private var extremes: [[UInt8]?] = []
  private var textBytes = 0

  init(isMax: Bool) { self.isMax = isMax }

  /// An array's header has 32 bytes.
  var byteCount: Int { extremes.capacity * 40 + textBytes }
  var groupCapacity: Int { extremes.capacity }

  mutating func keep(_ groups: [Int32]) {
    extremes = groups.map { extremes[Int($0)] }
    textBytes = extremes.reduce(0) { $0 + ($1?.count ?? 0) }
  }

  mutating func grow(to groupCount: Int) {
    if extremes.count < groupCount { extremes += repeatElement(nil, count: groupCount - extremes.count) }
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column else { bug("an extreme has a column") }
    let groups = groups.span
    switch column.storage {
    case .fixed: bug("a text column")
    case .text:
      column.withText { offsets, bytes in
        input.forEach { row in
          add(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])), to: Int(groups[row]))
        }
      }
    case .dictionary:
      column.withDictionary { keys, offsets, bytes in
        input.forEach { row in
          let key = Int(keys[row])
          add(bytes.extracting(Int(offsets[key])..<Int(offsets[key + 1])), to: Int(groups[row]))
        }
      }
    }
  }

  private mutating func add(_ text: Span<UInt8>, to group: Int) {
    if let extreme = extremes[group] {
      let order = TextExtremeState.compare(text, extreme.span)
      guard isMax ? order > 0 : order < 0 else { return }
      textBytes -= extreme.count
    }
    textBytes += text.count
    extremes[group] = text.indices.map { text[$0] }
  }

  private static func compare(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    for index in 0..<Swift.min(left.count, right.count) where left[index] != right[index] {
      return left[index] < right[index] ? -1 : 1
    }
    return left.count - right.count
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? TextExtremeState else { bug("parts of one measure") }
    for (group, text) in other.extremes.enumerated() {
      if let text { add(text.span, to: Int(numbers[group])) }
    }
  }

  func values(of function: Measure.Function) -> MeasureValues { .text(extremes) }
}
