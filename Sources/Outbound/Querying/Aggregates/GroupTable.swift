import Codecs
import Records

/// Numbers groups, a bucket of time and texts, from 0 in the order they first come.
///
/// Each part of a group, its bucket and its texts, becomes a small number first (a run of times at once, a
/// value of a dictionary once a batch); these are folded two at a time, so that a row costs one probe a part
/// beyond the first. Without parts all rows are of group 0, which always is.
struct GroupTable: Sendable {
  private let bucket: TimeBucket?
  private var buckets = PairTable()
  private var texts: [TextNumbers]
  /// Fold i numbers the pairs of what the parts up to i are folded to, and part i + 1.
  private var folds: [PairTable]

  init(bucket: TimeBucket?, columnCount: Int) {
    self.bucket = bucket
    texts = Array(repeating: TextNumbers(), count: columnCount)
    let partCount = columnCount + (bucket == nil ? 0 : 1)
    folds = Array(repeating: PairTable(), count: max(0, partCount - 1))
  }

  var count: Int {
    if let fold = folds.last { return fold.count }
    return bucket != nil ? buckets.count : texts.first?.count ?? 1
  }

  var byteCount: Int {
    texts.reduce(buckets.byteCount) { $0 + $1.byteCount } + folds.reduce(0) { $0 + $1.byteCount }
  }

  /// How much it takes beside what it has when the rows of `batch` come to it, each a group of its own.
  func growth(adding batch: RecordBatch) -> Int {
    let first = bucket == nil ? 0 : 1
    var bytes = bucket == nil ? 0 : buckets.growth(adding: batch.rowCount)
    for (index, text) in texts.enumerated() {
      let (count, textBytes) = batch.columns[first + index].textsAtMost
      bytes += text.growth(adding: count, textBytes: textBytes)
    }
    return folds.reduce(bytes) { $0 + $1.growth(adding: batch.rowCount) }
  }

  /// As ``growth(adding:)``, when the groups of `other` come to it; what merging takes meanwhile included.
  func growth(merging other: GroupTable) -> Int {
    var bytes = buckets.growth(adding: other.buckets.count) + other.count * 8
    for (text, more) in zip(texts, other.texts) {
      bytes += text.growth(adding: more.count, textBytes: more.textByteCount)
    }
    for (fold, more) in zip(folds, other.folds) { bytes += fold.growth(adding: more.count) }
    return bytes
  }

  // MARK: Numbering

  /// Sets `groups` to the group of each row of `batch`: `timestamp` first if there are buckets, then the
  /// columns as text. Further columns do not matter.
  mutating func number(_ batch: RecordBatch, into groups: inout [Int32]) {
    if groups.count != batch.rowCount { groups = [Int32](repeating: 0, count: batch.rowCount) }
    var partCount = 0
    if bucket != nil {
      number(times: batch.columns[0], into: &groups)
      partCount = 1
    }
    var part: [Int32] = []
    for index in texts.indices {
      let column = batch.columns[partCount]
      if partCount == 0 {
        texts[index].number(column, into: &groups)
      } else {
        if part.isEmpty { part = [Int32](repeating: 0, count: batch.rowCount) }
        texts[index].number(column, into: &part)
        folds[partCount - 1].fold(&groups, with: part)
      }
      partCount += 1
    }
  }

  /// Lets go of the columns whose dictionaries were met last.
  mutating func forgetDictionaries() {
    for index in texts.indices { texts[index].forgetDictionary() }
  }

  private mutating func number(times column: Column, into groups: inout [Int32]) {
    guard let bucket else { return }
    var (first, last, number) = (Int64.max, Int64.min, Int32(0))
    column.withInt64 { times in
      var groups = groups.mutableSpan
      for row in times.indices {
        let time = times[row]
        if time < first || time > last {
          let (key, range) = bucket.place(of: time)
          (first, last) = (range.lowerBound, range.upperBound)
          number = buckets.number(key, 0)
        }
        groups[row] = number
      }
    }
  }

  /// The number of a group that summaries counted.
  mutating func number(_ key: GroupKey) -> Int32 {
    var number: Int32?
    if let bucket { number = buckets.number(bucket.place(of: key.bucket).key, 0) }
    var at = 0
    for (index, text) in key.values.enumerated() {
      let part = text.map { texts[index].number(Array($0.utf8).span) } ?? texts[index].numberOfNull()
      if let before = number {
        number = folds[at].number(Int64(before), part)
        at += 1
      } else {
        number = part
      }
    }
    return number ?? 0
  }

  /// The number each group of `other` has here, new ones added.
  mutating func merge(_ other: GroupTable) -> [Int32] {
    var numbers: [Int32]?
    if bucket != nil { numbers = other.buckets.pairs.map { buckets.number($0.0, 0) } }
    var at = 0
    for index in texts.indices {
      let parts = texts[index].merge(other.texts[index])
      if let before = numbers {
        numbers = other.folds[at].pairs.map { pair in
          folds[at].number(Int64(before[Int(pair.0)]), parts[Int(pair.1)])
        }
        at += 1
      } else {
        numbers = parts
      }
    }
    return numbers ?? [0]
  }

  /// Only these groups, which are numbered anew in this order.
  mutating func keep(_ groups: [Int32]) {
    let keys = keys(isRanked: false)
    var kept = GroupTable(bucket: bucket, columnCount: texts.count)
    for group in groups {
      var number: Int32?
      if !keys.buckets.isEmpty { number = kept.buckets.number(keys.buckets[Int(group)], 0) }
      var at = 0
      for index in texts.indices {
        let part = kept.texts[index].number(keys.texts[index].numbers[Int(group)], of: texts[index])
        if let before = number {
          number = kept.folds[at].number(Int64(before), part)
          at += 1
        } else {
          number = part
        }
      }
    }
    self = kept
  }

  // MARK: Results

  /// What the groups are made of, a value a group.
  struct Keys {
    /// Starts of buckets, or local ones' keys; empty without them.
    var buckets: [Int64]
    /// A column each: numbers of texts, and, if asked for, the texts' ranks in the order of their bytes.
    var texts: [(numbers: [Int32], ranks: [Int32])]
  }

  /// Whether group `left` comes before group `right`: by bucket, then by texts, null first.
  func precedes(_ left: Int32, _ right: Int32, _ keys: Keys) -> Bool {
    let (left, right) = (Int(left), Int(right))
    if !keys.buckets.isEmpty, keys.buckets[left] != keys.buckets[right] {
      return keys.buckets[left] < keys.buckets[right]
    }
    for (index, text) in keys.texts.enumerated() {
      let (a, b) = (text.numbers[left], text.numbers[right])
      if a == b { continue }
      if text.ranks.isEmpty { return texts[index].compare(a, b) < 0 }
      return text.ranks[Int(a)] < text.ranks[Int(b)]
    }
    return false
  }

  /// - Parameter isRanked: Whether the texts' ranks are needed, which costs sorting them.
  func keys(isRanked: Bool = true) -> Keys {
    var numbers = (0..<count).map { Int32($0) }
    var parts: [[Int32]] = []
    for fold in folds.reversed() {
      parts.append(numbers.map { fold.pairs[Int($0)].1 })
      numbers = numbers.map { Int32(fold.pairs[Int($0)].0) }
    }
    parts.append(numbers)
    parts.reverse()
    let starts = bucket == nil ? [] : parts.removeFirst().map { buckets.pairs[Int($0)].0 }
    return Keys(buckets: starts, texts: zip(parts, texts).map { ($0, isRanked ? $1.ranks() : []) })
  }

  /// The texts of one column for some groups.
  func texts(of column: Int, keys: Keys, groups: ArraySlice<Int32>) -> Column {
    var builder = TextBuilder(capacity: groups.count)
    for group in groups {
      if let text = texts[column].text(Int(keys.texts[column].numbers[Int(group)])) {
        builder.append(contentsOf: text.span)
        builder.endRow()
      } else {
        builder.appendNull()
      }
    }
    return builder.finish()
  }

  /// Bytes of the group's texts.
  func textBytes(of group: Int, keys: Keys) -> Int {
    texts.indices.reduce(0) { $0 + texts[$1].byteCount(of: Int(keys.texts[$1].numbers[group])) }
  }
}

/// The order of a table's groups, for closures that compare them: a table itself they would copy each time.
final class GroupOrder {
  private let table: GroupTable
  private let keys: GroupTable.Keys

  init(_ table: GroupTable, _ keys: GroupTable.Keys) {
    self.table = table
    self.keys = keys
  }

  /// See ``GroupTable/precedes(_:_:_:)``.
  func precedes(_ left: Int32, _ right: Int32) -> Bool { table.precedes(left, right, keys) }
}

extension PairTable {
  /// Replaces each number by that of its pair with `part`.
  mutating func fold(_ numbers: inout [Int32], with part: [Int32]) {
    let part = part.span
    var numbers = numbers.mutableSpan
    for row in numbers.indices { numbers[row] = number(Int64(numbers[row]), part[row]) }
  }
}

extension Column {
  /// How many different texts the rows may have, and how many bytes these have, at most. O(1).
  fileprivate var textsAtMost: (count: Int, bytes: Int) {
    switch storage {
    case .fixed: (0, 0)
    case .text: (rowCount, textByteCount(0..<rowCount))
    case .dictionary(_, _, let bytes, let valueCount):
      // Null is one more.
      (min(rowCount, valueCount + 1), bytes.byteCount)
    }
  }
}
