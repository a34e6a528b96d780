/// Orders rows by 64-bit keys, rows with equal keys staying as they were.
package enum StableOrder {
  private static let digitBits: UInt64 = 11
  private static let digitCount = 1 << 11

  /// The rows in ascending order of their keys; nil if they are in order already. At most 2^32 - 1 rows.
  ///
  /// A radix sort by the bits in which keys differ: some 4 ns a row for each 11 of them. Memory while it
  /// runs: 16 bytes a row where those bits and a row's number fit 64 bits, else 32.
  package static func rows(by keys: consuming [UInt64]) -> [UInt32]? {
    invariant(keys.count < Int(UInt32.max), "rows have 32-bit numbers")
    guard var low = keys.first else { return nil }
    var high = low
    var previous = low
    var isSorted = true
    for row in keys.indices {
      let key = keys[row]
      if key < previous { isSorted = false }
      previous = key
      low = min(low, key)
      high = max(high, key)
    }
    if isSorted { return nil }
    let keyBits = UInt64(64 - (high - low).leadingZeroBitCount)
    let rowBits = UInt64(64 - UInt64(keys.count).leadingZeroBitCount)
    if keyBits + rowBits > 64 { return unsafe sorted(keys, low: low, bitCount: keyBits) }
    for row in keys.indices { keys[row] = (keys[row] &- low) << rowBits | UInt64(row) }
    return unsafe sortedPacked(keys, rowBits: rowBits, keyBits: keyBits)
  }

  /// Sorts entries that hold a key above the number of its row.
  @unsafe
  private static func sortedPacked(
    _ entries: consuming [UInt64], rowBits: UInt64, keyBits: UInt64
  ) -> [UInt32] {
    let count = entries.count
    var other = [UInt64](repeating: 0, count: count)
    var starts = [Int](repeating: 0, count: digitCount)
    let mask: UInt64 = (1 << rowBits) - 1
    for shift in stride(from: rowBits, to: rowBits + keyBits, by: Int(digitBits)) {
      unsafe starts.withUnsafeMutableBufferPointer { starts in
        unsafe entries.withUnsafeBufferPointer { from in
          unsafe other.withUnsafeMutableBufferPointer { to in
            // Within bounds: both hold `count` entries, and the starts add up to it.
            for digit in 0..<digitCount { unsafe starts[digit] = 0 }
            for row in 0..<count { unsafe starts[digit(from[row], shift)] += 1 }
            var total = 0
            for digit in 0..<digitCount {
              let size = unsafe starts[digit]
              unsafe starts[digit] = total
              total += size
            }
            for row in 0..<count {
              let entry = unsafe from[row]
              let place = digit(entry, shift)
              unsafe to[starts[place]] = entry
              unsafe starts[place] += 1
            }
          }
        }
      }
      swap(&entries, &other)
    }
    return entries.map { UInt32(truncatingIfNeeded: $0 & mask) }
  }

  private struct Entry {
    var key: UInt64
    var row: UInt32
  }

  @unsafe
  private static func sorted(_ keys: [UInt64], low: UInt64, bitCount: UInt64) -> [UInt32] {
    let count = keys.count
    let memory = HeapMemory(byteCount: count * MemoryLayout<Entry>.stride)
    let other = HeapMemory(byteCount: count * MemoryLayout<Entry>.stride)
    var from = unsafe memory.base.bindMemory(to: Entry.self, capacity: count)
    var to = unsafe other.base.bindMemory(to: Entry.self, capacity: count)
    // Within bounds: both hold `count` entries, and the starts add up to it.
    for row in 0..<count {
      unsafe from[row] = Entry(key: keys[row] &- low, row: UInt32(truncatingIfNeeded: row))
    }
    var starts = [Int](repeating: 0, count: digitCount)
    unsafe starts.withUnsafeMutableBufferPointer { starts in
      for shift in stride(from: 0, to: bitCount, by: Int(digitBits)) {
        for digit in 0..<digitCount { unsafe starts[digit] = 0 }
        for row in 0..<count { unsafe starts[digit(from[row].key, shift)] += 1 }
        var total = 0
        for digit in 0..<digitCount {
          let size = unsafe starts[digit]
          unsafe starts[digit] = total
          total += size
        }
        for row in 0..<count {
          let entry = unsafe from[row]
          let place = digit(entry.key, shift)
          unsafe to[starts[place]] = entry
          unsafe starts[place] += 1
        }
        unsafe swap(&from, &to)
      }
    }
    let order = unsafe [UInt32](unsafeUninitializedCapacity: count) { rows, filled in
      for place in 0..<count { unsafe rows[place] = from[place].row }
      filled = count
    }
    // The pointers are used up to here.
    withExtendedLifetime((memory, other)) {}
    return order
  }

  @inline(__always)
  private static func digit(_ key: UInt64, _ shift: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &>> shift) & UInt64(digitCount - 1))
  }
}
