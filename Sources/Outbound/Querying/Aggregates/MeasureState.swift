import Codecs
import Matching
import Records

/// What one measure has gathered, a value a group: one worker's part.
///
/// Groups are numbers from 0. The order in which rows are added and parts are merged changes nothing.
protocol MeasureState: Sendable {
  /// Makes room for groups below `groupCount`.
  mutating func grow(to groupCount: Int)
  /// Adds rows; `groups` has the group of each row of the batch.
  mutating func add(_ input: MeasureInput, groups: [Int32])
  /// Adds another worker's part, whose group g is group `numbers[g]` here. A precondition: `other` is of the
  /// same type.
  mutating func merge(_ other: any MeasureState, numbers: [Int32])
  /// Only these groups, which are numbered anew in this order.
  mutating func keep(_ groups: [Int32])
  /// Lets go of what is kept of the last batch's dictionary for further batches that share it.
  mutating func forgetDictionary()
  /// Called once all rows are added, before the first value is asked for.
  mutating func finish()
  /// The measure's value for each group.
  func values(of function: Measure.Function) throws(StoreError) -> MeasureValues
  /// Bytes held, about. O(1).
  var byteCount: Int { get }
  /// How many groups there is room for before what is held is copied to grow.
  var groupCapacity: Int { get }
}

extension MeasureState {
  mutating func finish() {}
  mutating func forgetDictionary() {}
}

/// The rows a measure sees of a batch.
struct MeasureInput {
  /// nil for a count of rows.
  let column: Column?
  let rowCount: Int
  /// Rows that pass the measure's filter and have a value, ascending; nil: all.
  let rows: [Int32]?

  /// - Parameter passing: What the measure's filter lets through; nil: all.
  init(column: Column?, rowCount: Int, passing: Selection?) {
    self.column = column
    self.rowCount = rowCount
    guard let column, column.validity != nil else {
      rows = passing.map { $0.indices() }
      return
    }
    var selection = column.withValidity { Selection(rowCount: rowCount, validity: $0) }
    if let passing { selection.formIntersection(passing) }
    rows = selection.indices()
  }

  /// Calls `body` with each row.
  @inline(__always)
  func forEach(_ body: (Int) -> Void) {
    if let rows {
      let span = rows.span
      for index in span.indices { body(Int(span[index])) }
    } else {
      for row in 0..<rowCount { body(row) }
    }
  }
}

extension Column {
  /// Exact numbers as the nearest doubles, infinite beyond the largest; other columns as they are.
  func nearestDoubles(_ input: MeasureInput) -> Column {
    guard type == .utf8 || type == .int64 else { return self }
    var doubles = [Double](repeating: 0, count: rowCount)
    if type == .int64 {
      withInt64 { values in input.forEach { doubles[$0] = Double(values[$0]) } }
    } else {
      plainText().withText { offsets, bytes in
        input.forEach { row in
          doubles[row] = JSONNumber.nearest(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
        }
      }
    }
    return Column(
      type: .float64, rowCount: rowCount, validity: validity, storage: .fixed(Buffer(copying: doubles)))
  }
}

/// A measure's values, one a group; nil is null.
enum MeasureValues {
  case int64([Int64?])
  case float64([Double?])
  case text([[UInt8]?])
  /// Numbers that are not all of one of the types above.
  case numbers([DecimalNumber?])

  /// The type of the answer's column: the one that its measure declares, but for numbers that float64 does
  /// not say exactly.
  func type(declared: ColumnType) -> ColumnType {
    switch self {
    case .int64: declared == .float64 ? .int64 : declared
    case .float64, .text: declared
    case .numbers: .json
    }
  }

  /// The values of some groups as a column.
  func column(_ groups: ArraySlice<Int32>, type: ColumnType) -> Column {
    switch self {
    case .int64(let values):
      var builder = FixedBuilder<Int64>(capacity: groups.count)
      for group in groups {
        if let value = values[Int(group)] {
          builder.append(value)
        } else {
          builder.appendNull(placeholder: 0)
        }
      }
      return builder.finish(type: type)
    case .float64(let values):
      var builder = FixedBuilder<Double>(capacity: groups.count)
      for group in groups {
        if let value = values[Int(group)] {
          builder.append(value)
        } else {
          builder.appendNull(placeholder: 0)
        }
      }
      return builder.finish(type: type)
    case .text(let values): return MeasureValues.texts(groups.map { values[Int($0)] }, type)
    case .numbers(let values): return MeasureValues.texts(groups.map { values[Int($0)]?.bytes }, type)
    }
  }

  private static func texts(_ texts: [[UInt8]?], _ type: ColumnType) -> Column {
    var builder = TextBuilder(capacity: texts.count)
    for text in texts {
      if let text {
        builder.append(contentsOf: text.span)
        builder.endRow()
      } else {
        builder.appendNull()
      }
    }
    return builder.finish(type: type)
  }

  /// A group's value as a number, about; nil: null, or a text.
  func number(of group: Int) -> Double? {
    switch self {
    case .int64(let values): values[group].map { Double($0) }
    case .float64(let values): values[group]
    case .numbers(let values): values[group]?.nearest
    case .text: nil
    }
  }

  /// Bytes of a group's value that is a text, about; 0 for others.
  func textBytes(of group: Int) -> Int {
    switch self {
    case .text(let values): values[group]?.count ?? 0
    case .numbers(let values): (values[group]?.digits.count ?? 0) + DecimalNumber.textBytesBeside
    case .int64, .float64: 0
    }
  }

  /// How group `left` compares with group `right`: -1, 0 or 1, with null after everything in either
  /// direction.
  func compare(_ left: Int, _ right: Int, isDescending: Bool) -> Int {
    switch self {
    case .int64(let values):
      MeasureValues.compare(values[left], values[right], isDescending) { $0 < $1 }
    case .float64(let values):
      MeasureValues.compare(values[left], values[right], isDescending) { $0 < $1 }
    case .numbers(let values):
      MeasureValues.compare(values[left], values[right], isDescending) { $0 < $1 }
    case .text(let values):
      MeasureValues.compare(values[left], values[right], isDescending) { $0.lexicographicallyPrecedes($1) }
    }
  }

  @inline(__always)
  private static func compare<Value: Equatable>(
    _ left: Value?, _ right: Value?, _ isDescending: Bool, _ precedes: (Value, Value) -> Bool
  ) -> Int {
    guard let left else { return right == nil ? 0 : 1 }
    guard let right else { return -1 }
    if left == right { return 0 }
    return precedes(left, right) != isDescending ? -1 : 1
  }
}
