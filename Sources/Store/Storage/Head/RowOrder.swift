import Matching
import Records

/// A row of one of several chunks or batches, packed: source << 32 | row.
typealias RowReference = UInt64

/// Puts selected rows of chunks in the order of a block.
enum RowOrder {
  /// The selected rows, chunk by chunk.
  static func references(_ selections: [Selection]) -> [RowReference] {
    var references: [RowReference] = []
    references.reserveCapacity(selections.reduce(0) { $0 + $1.count })
    for (index, selection) in selections.enumerated() {
      let base = UInt64(index) << 32
      selection.forEach { references.append(base | UInt64($0)) }
    }
    return references
  }

  /// The selected rows by sort key, then position; chunks come in order of their positions.
  static func sorted(
    _ chunks: [HeadChunk], _ selections: [Selection], schema: DatasetSchema
  ) throws(StoreError) -> [RowReference] {
    var references = references(selections)
    var keys =
      schema.sortKey == ["timestamp"]
      ? try times(chunks, selections, count: references.count)
      : try ranks(chunks, selections, columns: schema.sortKey, count: references.count)
    if !isSorted(keys) { sort(&references, by: &keys) }
    return references
  }

  /// Rows in consecutive places of one source as runs.
  static func runs(_ references: ArraySlice<RowReference>) -> [(source: Int, start: Int, count: Int)] {
    var runs: [(source: Int, start: Int, count: Int)] = []
    var last: RowReference = .max - 1
    for reference in references {
      if reference == last + 1, !runs.isEmpty {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((Int(reference >> 32), Int(reference & 0xFFFF_FFFF), 1))
      }
      last = reference
    }
    return runs
  }

  private static func times(
    _ chunks: [HeadChunk], _ selections: [Selection], count: Int
  ) throws(StoreError) -> [Int64] {
    var keys: [Int64] = []
    keys.reserveCapacity(count)
    for (chunk, selection) in zip(chunks, selections) where !selection.isEmpty {
      try chunk.batch(columns: ["timestamp"]).columns[0].withInt64 { times in
        selection.forEach { keys.append(times[$0]) }
      }
    }
    return keys
  }

  /// For each selected row the rank of its text tuple among the distinct ones, in the order of their bytes.
  private static func ranks(
    _ chunks: [HeadChunk], _ selections: [Selection], columns: [String], count: Int
  ) throws(StoreError) -> [Int64] {
    var numbers: [[UInt8]: Int64] = [:]
    var keys: [Int64] = []
    keys.reserveCapacity(count)
    for (chunk, selection) in zip(chunks, selections) where !selection.isEmpty {
      let batch = try chunk.batch(columns: columns)
      selection.forEach { row in
        let key = SortKeyText.key(batch.columns, row: row)
        let number = numbers[key] ?? Int64(numbers.count)
        numbers[key] = number
        keys.append(number)
      }
    }
    var rankOfNumber = [Int64](repeating: 0, count: numbers.count)
    let distinct = numbers.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (rank, entry) in distinct.enumerated() { rankOfNumber[Int(entry.value)] = Int64(rank) }
    for index in keys.indices { keys[index] = rankOfNumber[Int(keys[index])] }
    return keys
  }

  private static func isSorted(_ keys: [Int64]) -> Bool {
    var index = 1
    while index < keys.count {
      if keys[index] < keys[index - 1] { return false }
      index += 1
    }
    return true
  }

  /// Stable: equal keys keep their order. Radix of 11 bits over the bits in which keys differ: a million rows
  /// within a minute take 4 passes.
  static func sort(_ references: inout [RowReference], by keys: inout [Int64]) {
    guard let low = keys.min(), let high = keys.max() else { return }
    // What is above the lowest fits UInt64 whatever the keys are, and comes out by two's complement.
    let bits = 64 - high.nanoseconds(since: low).leadingZeroBitCount
    let base = UInt64(bitPattern: low)
    var fromKeys = keys.map { UInt64(bitPattern: $0) &- base }
    var from = references
    var toKeys = fromKeys
    var to = from
    var shift: UInt64 = 0
    while shift < bits {
      var starts = [Int](repeating: 0, count: 2049)
      for key in fromKeys { starts[Int(key >> shift & 2047) + 1] += 1 }
      for digit in 1..<2049 { starts[digit] += starts[digit - 1] }
      for index in fromKeys.indices {
        let digit = Int(fromKeys[index] >> shift & 2047)
        toKeys[starts[digit]] = fromKeys[index]
        to[starts[digit]] = from[index]
        starts[digit] += 1
      }
      swap(&fromKeys, &toKeys)
      swap(&from, &to)
      shift += 11
    }
    references = from
    for index in keys.indices { keys[index] = Int64(bitPattern: fromKeys[index] &+ base) }
  }
}

/// Sort keys made of texts as one byte string that compares like them.
enum SortKeyText {
  /// The texts of `row`, a NUL between them: texts hold no NUL, so a shorter one comes first.
  static func key(_ columns: [Column], row: Int) -> [UInt8] {
    var key: [UInt8] = []
    for (index, column) in columns.enumerated() {
      if index > 0 { key.append(0) }
      column.withText { offsets, bytes in
        for place in Int(offsets[row])..<Int(offsets[row + 1]) { key.append(bytes[place]) }
      }
    }
    return key
  }
}
