import Records

/// Gives the distinct values of text columns numbers.
package enum DictionaryEncoder {
  /// `column` in dictionary layout, values in the order they appear; as it is if it has more than `valuesMax`
  /// of them or is a dictionary already. A column of nulls stays plain. Null rows have index 0. About 15 ns a
  /// row.
  package static func encode(_ column: Column, valuesMax: Int) -> Column {
    guard case .text = column.storage else { return column }
    return column.withText { offsets, bytes in
      column.withValidity { validity in
        unsafe encode(column, offsets, bytes, validity, valuesMax: min(valuesMax, 1 << 20))
      }
    }
  }

  @unsafe
  private static func encode(
    _ column: Column, _ offsets: Span<Int32>, _ bytes: Span<UInt8>, _ validity: Span<UInt8>?, valuesMax: Int
  ) -> Column {
    let rowCount = column.rowCount
    let indexMemory = HeapMemory(byteCount: rowCount * 4)
    let indices = unsafe indexMemory.base.bindMemory(to: Int32.self, capacity: max(rowCount, 2))
    var tableSize = 1024
    var table = [Int32](repeating: -1, count: tableSize)
    var (hashes, starts): ([UInt64], [Int32]) = ([], [0])
    var values = JSONWriter(capacity: 4096)
    let isWhole = unsafe bytes.withUnsafeBufferPointer { text -> Bool in
      let base =
        unsafe text.baseAddress ?? UnsafePointer(HeapMemory.nothing.base.assumingMemoryBound(to: UInt8.self))
      var last = 0
      for row in 0..<rowCount {
        // Within bounds: an index a row.
        if let validity, validity[row >> 3] & (1 << UInt8(row & 7)) == 0 {
          unsafe indices[row] = 0
          continue
        }
        let start = Int(offsets[row])
        let count = Int(offsets[row + 1]) - start
        invariant(start >= 0 && count >= 0 && start + count <= text.count, "offsets lie within the text")
        let value = unsafe base + start
        if unsafe last < hashes.count && values.equals(starts, last, value, count) {
          unsafe indices[row] = Int32(truncatingIfNeeded: last)
          continue
        }
        let hash = unsafe KeyTable.hash(value, count)
        var place = Int(truncatingIfNeeded: hash) & (tableSize - 1)
        while true {
          let index = Int(table[place])
          if index < 0 {
            if hashes.count == valuesMax { return false }
            last = hashes.count
            table[place] = Int32(truncatingIfNeeded: last)
            hashes.append(hash)
            unsafe values.append(raw: UnsafeBufferPointer(start: value, count: count))
            starts.append(Int32(truncatingIfNeeded: values.byteCount))
            if hashes.count * 2 > tableSize {
              tableSize *= 4
              table = rebuilt(hashes, size: tableSize)
            }
            break
          }
          if unsafe hashes[index] == hash && values.equals(starts, index, value, count) {
            last = index
            break
          }
          place = (place + 1) & (tableSize - 1)
        }
        unsafe indices[row] = Int32(truncatingIfNeeded: last)
      }
      return true
    }
    guard isWhole, !hashes.isEmpty else { return column }
    return dictionary(
      column, Buffer(indexMemory, byteCount: rowCount * 4), Buffer(copying: starts),
      Buffer(values.memory, byteCount: values.byteCount), valueCount: hashes.count)
  }

  private static func dictionary(
    _ column: Column, _ indices: Buffer, _ offsets: Buffer, _ bytes: Buffer, valueCount: Int
  ) -> Column {
    Column(
      type: column.type, rowCount: column.rowCount, validity: column.validity,
      storage: .dictionary(indices: indices, offsets: offsets, bytes: bytes, valueCount: valueCount))
  }

  private static func rebuilt(_ hashes: [UInt64], size: Int) -> [Int32] {
    var table = [Int32](repeating: -1, count: size)
    for (index, hash) in hashes.enumerated() {
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      while table[place] >= 0 { place = (place + 1) & (size - 1) }
      table[place] = Int32(truncatingIfNeeded: index)
    }
    return table
  }
}

extension JSONWriter {
  /// Whether the bytes `starts[index] ..< starts[index + 1]` written before are the `count` bytes at `value`.
  @inline(__always)
  @unsafe
  fileprivate func equals(_ starts: [Int32], _ index: Int, _ value: UnsafePointer<UInt8>, _ count: Int)
    -> Bool
  {
    let start = Int(starts[index])
    guard Int(starts[index + 1]) - start == count else { return false }
    var at = 0
    // Within bounds: both have `count` bytes.
    while at &+ 8 <= count {
      let a = unsafe UnsafeRawPointer(bytes + start + at).loadUnaligned(as: UInt64.self)
      let b = unsafe UnsafeRawPointer(value + at).loadUnaligned(as: UInt64.self)
      if a != b { return false }
      at &+= 8
    }
    while at < count {
      if unsafe bytes[start + at] != value[at] { return false }
      at &+= 1
    }
    return true
  }
}
