import Codecs
import Records

/// Counts rows by columns and time bucket, batch by batch: one worker's part of a grouped count.
///
/// Values become small numbers first (a dictionary column's distinct values once a batch), then rows are counted by
/// number. Bounded by ``groupsMax`` groups.
struct GroupCounter {
  /// Groups a query may have; a million short groups answer in about 100 MB.
  static let groupsMax = 1_000_000

  private let bucketNanoseconds: Int64?
  private var texts: [TextTable]
  private var folds: [PairTable]
  private var counts: [Int] = []

  init(groupColumnCount: Int, bucketNanoseconds: Int64?) {
    self.bucketNanoseconds = bucketNanoseconds
    texts = Array(repeating: TextTable(), count: groupColumnCount)
    folds = Array(repeating: PairTable(), count: max(groupColumnCount, 1))
  }

  /// Adds the rows of `batch`: `timestamp` first if there are buckets, then the group's columns as text.
  mutating func add(_ batch: RecordBatch) throws(StoreError) {
    var groups = [Int64](repeating: 0, count: batch.rowCount)
    var first = 0
    if let width = bucketNanoseconds {
      batch.columns[0].withInt64 { times in
        for row in times.indices { groups[row] = GroupCounter.bucketStart(times[row], width: width) }
      }
      first = 1
    }
    if texts.isEmpty {
      for row in groups.indices { groups[row] = Int64(folds[0].number(groups[row], 0)) }
    }
    for index in texts.indices {
      let values = numbers(of: batch.columns[first + index], table: index)
      for row in groups.indices { groups[row] = Int64(folds[index].number(groups[row], values[row])) }
    }
    let total = folds[folds.count - 1].count
    guard total <= GroupCounter.groupsMax else {
      throw .invalid("more than \(GroupCounter.groupsMax) groups: narrow the filter or widen the bucket")
    }
    if counts.count < total { counts += [Int](repeating: 0, count: total - counts.count) }
    for group in groups { counts[Int(group)] += 1 }
  }

  /// The start of the bucket `time` lies in; buckets are aligned to 1970.
  static func bucketStart(_ time: Int64, width: Int64) -> Int64 {
    let rest = time % width
    let start = rest >= 0 ? time - rest : time.subtractingReportingOverflow(rest + width).partialValue
    return start > time ? Int64.min : start
  }

  private mutating func numbers(of column: Column, table: Int) -> [Int32] {
    var numbers = [Int32](repeating: 0, count: column.rowCount)
    switch column.storage {
    case .fixed: preconditionFailure("group columns are read as text")
    case .dictionary:
      column.withDictionary { keys, offsets, bytes in
        let ofKey = (0..<offsets.count - 1).map { key in
          texts[table].number((Int(offsets[key])..<Int(offsets[key + 1])).map { bytes[$0] })
        }
        if !ofKey.isEmpty { for row in keys.indices { numbers[row] = ofKey[Int(keys[row])] } }
      }
    case .text:
      column.withText { offsets, bytes in
        for row in numbers.indices {
          numbers[row] = texts[table].number((Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] })
        }
      }
    }
    column.withValidity { bits in
      guard let bits else { return }
      for row in numbers.indices where bits[row >> 3] & (1 << UInt8(row & 7)) == 0 {
        numbers[row] = texts[table].nullText()
      }
    }
    return numbers
  }

  /// The counts so far by group.
  func results() -> [GroupKey: Int] {
    var results: [GroupKey: Int] = [:]
    results.reserveCapacity(counts.count)
    for (group, count) in counts.enumerated() where count > 0 {
      results[key(of: group), default: 0] += count
    }
    return results
  }

  private func key(of group: Int) -> GroupKey {
    var values: [String?] = []
    var pair = folds[folds.count - 1].pairs[group]
    for index in texts.indices.reversed() {
      values.append(texts[index].texts[Int(pair.1)].map { String(decoding: $0, as: UTF8.self) })
      if index > 0 { pair = folds[index - 1].pairs[Int(pair.0)] }
    }
    return GroupKey(bucket: bucketNanoseconds == nil ? 0 : pair.0, values: values.reversed())
  }
}
