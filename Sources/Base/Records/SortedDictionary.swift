extension Column {
  /// The column with the values of its dictionary about in the order of their bytes, which compresses better
  /// than the order rows have them in; as it is if it has no dictionary, or one of at most `valueCountMin`
  /// values. Values that differ only behind the eight bytes after what all begin with stay as they were. Some
  /// 60 ns a value and 1 ns a row.
  package func withSortedDictionary(above valueCountMin: Int) -> Column {
    guard case .dictionary(_, _, _, let valueCount) = storage, valueCount > valueCountMin else { return self }
    return withDictionary { keys, starts, text in
      let prefixes = Column.prefixes(starts, text, behind: Column.sharedByteCount(starts, text))
      guard let order = StableOrder.rows(by: prefixes) else { return self }
      return reordered(keys, starts, text, values: order.map { Int($0) })
    }
  }

  /// The column with the values of its dictionary that `values` names, each at most once and all that rows
  /// have, in that order; the rest is gone. O(rows + values).
  func reordered(_ keys: Span<Int32>, _ starts: Span<Int32>, _ text: Span<UInt8>, values: [Int]) -> Column {
    var numbers = [Int32](repeating: 0, count: starts.count - 1)
    var offsets: [Int32] = [0]
    var bytes: [UInt8] = []
    offsets.reserveCapacity(values.count + 1)
    bytes.reserveCapacity(text.count)
    for (place, value) in values.enumerated() {
      numbers[value] = Int32(truncatingIfNeeded: place)
      for index in Int(starts[value])..<Int(starts[value + 1]) { bytes.append(text[index]) }
      offsets.append(Int32(truncatingIfNeeded: bytes.count))
    }
    var indices: [Int32] = []
    indices.reserveCapacity(rowCount)
    // The index of a null row may be any number.
    for row in keys.indices {
      let key = Int(keys[row])
      indices.append(numbers.indices.contains(key) ? numbers[key] : 0)
    }
    return Column(
      type: type, rowCount: rowCount, validity: validity,
      storage: .dictionary(
        indices: Buffer(copying: indices), offsets: Buffer(copying: offsets),
        bytes: Buffer(copying: bytes), valueCount: values.count))
  }

  /// How many bytes all values begin with alike.
  private static func sharedByteCount(_ starts: Span<Int32>, _ text: Span<UInt8>) -> Int {
    var shared = Int(starts[1] - starts[0])
    for value in 1..<starts.count - 1 {
      let start = Int(starts[value])
      shared = min(shared, Int(starts[value + 1]) - start)
      var same = 0
      while same < shared, text[start + same] == text[Int(starts[0]) + same] { same += 1 }
      shared = same
    }
    return shared
  }

  /// The eight bytes behind the first `skipped` of each value, as a number whose order is theirs.
  private static func prefixes(_ starts: Span<Int32>, _ text: Span<UInt8>, behind skipped: Int) -> [UInt64] {
    var prefixes: [UInt64] = []
    prefixes.reserveCapacity(starts.count - 1)
    for value in 0..<starts.count - 1 {
      let start = Int(starts[value]) + skipped
      let end = min(Int(starts[value + 1]), start + 8)
      var prefix: UInt64 = 0
      for index in start..<max(start, end) { prefix = prefix << 8 | UInt64(text[index]) }
      prefixes.append(prefix << UInt64(8 * (8 - max(0, end - start))))
    }
    return prefixes
  }
}
