import Matching
import Records

/// Answers grouped counts from a block's summaries (sections 4 and 5 of Docs/formats/block.md).
struct BlockCounts {
  private let summary: BlockSummary
  private let request: GroupedCountRequest
  /// The group's columns.
  private let columns: [String]
  /// Values the predicate allows, by column; nil stands for no condition.
  private let wanted: [Name: Set<Name>]

  /// nil if the summaries say nothing about such a request.
  init?(_ summary: BlockSummary, _ request: GroupedCountRequest) {
    guard BlockCounts.isPossible(request), let wanted = BlockCounts.wanted(request.predicate) else {
      return nil
    }
    self.summary = summary
    self.request = request
    self.wanted = wanted
    columns = request.groupBy.map(\.column)
    guard involved.count <= 2, involved.allSatisfy({ summary.column($0) != nil }) else { return nil }
    if involved.count == 2, summary.pair(involved[0], involved[1]) == nil { return nil }
  }

  /// Whether some block's summaries may say anything about such a request.
  static func isPossible(_ request: GroupedCountRequest) -> Bool {
    request.groupBy.allSatisfy { $0.members.isEmpty }
      && request.bucketNanoseconds.map { $0 % BlockSummary.minuteNanoseconds == 0 } ?? true
      && wanted(request.predicate) != nil
  }

  /// The columns whose counts are needed, without repeats.
  private var involved: [String] { Set(columns.map { Name($0) } + wanted.keys).sorted().map(\.text) }
  /// Whether counts are only known over the whole block.
  var needsWholeBlock: Bool { involved.count == 2 }

  /// The values that a conjunction of equalities allows; nil for any other predicate.
  private static func wanted(_ predicate: Predicate) -> [Name: Set<Name>]? {
    var wanted: [Name: Set<Name>] = [:]
    for part in predicate.conjunction {
      var values: Set<Name> = []
      let path: ColumnPath
      switch part {
      case .all: continue
      case .compare(let own, .equal, .string(let value)):
        path = own
        values.insert(Name(value))
      case .isIn(let own, let literals):
        path = own
        for literal in literals {
          guard case .string(let value) = literal else { return nil }
          values.insert(Name(value))
        }
      case .none, .and, .or, .not, .compare, .contains, .word, .regex, .prefix, .exists: return nil
      }
      guard path.members.isEmpty else { return nil }
      wanted[Name(path.column)] = wanted[Name(path.column)]?.intersection(values) ?? values
    }
    return wanted
  }

  /// Whether all rows of these times lie in one bucket.
  func isOneBucket(_ times: ClosedRange<Int64>) -> Bool {
    bucket(of: BlockSummary.minute(of: times.lowerBound))
      == bucket(of: BlockSummary.minute(of: times.upperBound))
  }

  private func bucket(of minute: Int64) -> Int64 {
    guard let width = request.bucketNanoseconds else { return 0 }
    let (time, isOverflow) = minute.multipliedReportingOverflow(by: BlockSummary.minuteNanoseconds)
    // The first minute there is begins before the first nanosecond.
    if isOverflow { return Int64.min }
    return time.flooredTime(by: width)
  }

  /// The counts of the minutes in `range`; all of them if the pair's counts are used.
  func counts(minutes range: ClosedRange<Int64>) -> [GroupKey: Int] {
    var result: [GroupKey: Int] = [:]
    if needsWholeBlock {
      countPairs(&result)
      return result
    }
    let column = involved.first.flatMap { summary.place(of: $0) }
    forEachBucket(of: places(of: range)) { bucket, minutes in
      guard let column else {
        let rows = summary.totals[minutes].reduce(0, &+)
        result[GroupKey(bucket: bucket, values: []), default: 0] += rows
        return
      }
      let values = summary.columns[column].values
      for (index, rows) in summary.rows(of: column, minutes: minutes).enumerated() where rows > 0 {
        let value = values[index]
        if let wanted = wanted[Name(summary.columns[column].name)],
          !(value.map { wanted.contains(Name($0)) } ?? false)
        {
          continue
        }
        result[GroupKey(bucket: bucket, values: columns.map { _ in value }), default: 0] += rows
      }
    }
    return result
  }

  /// The places of the minutes in `range`.
  private func places(of range: ClosedRange<Int64>) -> Range<Int> {
    let minutes = summary.minutes
    func first(_ isReached: (Int64) -> Bool) -> Int {
      var (low, high) = (0, minutes.count)
      while low < high {
        let middle = (low + high) / 2
        if isReached(minutes[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
    return first { $0 >= range.lowerBound }..<first { $0 > range.upperBound }
  }

  /// Calls `body` with each bucket and the places of its minutes, which follow each other: minutes ascend.
  private func forEachBucket(of places: Range<Int>, _ body: (Int64, Range<Int>) -> Void) {
    guard request.bucketNanoseconds != nil else {
      if !places.isEmpty { body(0, places) }
      return
    }
    var start = places.lowerBound
    while start < places.upperBound {
      let bucket = bucket(of: summary.minutes[start])
      var end = start + 1
      while end < places.upperBound, self.bucket(of: summary.minutes[end]) == bucket { end += 1 }
      body(bucket, start..<end)
      start = end
    }
  }

  private func countPairs(_ result: inout [GroupKey: Int]) {
    let names = involved
    guard let pair = summary.pair(names[0], names[1]), let minute = summary.minutes.first else {
      return
    }
    let bucket = bucket(of: minute)
    let (left, right) = (summary.columns[pair.left], summary.columns[pair.right])
    let (passesLeft, passesRight) = (passing(left), passing(right))
    let cells = pair.cells.filter { passesLeft[Int($0.left)] && passesRight[Int($0.right)] }
    let isLeft = columns.map { $0.hasBytes(of: left.name) }
    func add(_ rows: Int, _ a: Int, _ b: Int) {
      guard rows > 0 else { return }
      let values = isLeft.map { $0 ? left.values[a] : right.values[b] }
      result[GroupKey(bucket: bucket, values: values), default: 0] += rows
    }
    if isLeft.contains(true), isLeft.contains(false) {
      for cell in cells { add(cell.rows, Int(cell.left), Int(cell.right)) }
      return
    }
    // Groups of one column, or none: added up by its numbers first.
    let isByLeft = isLeft.first ?? true
    var rows = [Int](repeating: 0, count: isByLeft ? left.values.count : right.values.count)
    for cell in cells { rows[Int(isByLeft ? cell.left : cell.right)] += cell.rows }
    for (value, rows) in rows.enumerated() { add(rows, isByLeft ? value : 0, isByLeft ? 0 : value) }
  }

  /// By value of the column, whether the predicate lets it pass.
  private func passing(_ column: BlockSummary.ColumnCounts) -> [Bool] {
    guard let wanted = wanted[Name(column.name)] else {
      return [Bool](repeating: true, count: column.values.count)
    }
    return column.values.map { $0.map { wanted.contains(Name($0)) } ?? false }
  }
}
