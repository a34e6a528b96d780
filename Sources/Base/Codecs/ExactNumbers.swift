import Records

/// The numbers of a column's rows as they are met, exactly, in the plainest layout that holds all of them.
package struct ExactNumbers {
  private enum Kind: UInt8 { case none, int64, float64, text }

  private var kinds: [Kind]
  /// Integers, and the bit patterns of doubles.
  private var values: [Int64]
  /// By row, those that are neither.
  private var texts: [Int: [UInt8]] = [:]
  private var hasDoubles = false
  private var hasLargeIntegers = false

  /// No row has a number yet.
  package init(rowCount: Int) {
    kinds = [Kind](repeating: .none, count: rowCount)
    values = [Int64](repeating: 0, count: rowCount)
  }

  /// Whether the row has a number.
  package func hasNumber(_ row: Int) -> Bool { kinds[row] != .none }

  /// Sets a row's number.
  package mutating func set(_ row: Int, _ value: Int64) {
    kinds[row] = .int64
    values[row] = value
    if value.magnitude > 1 << 53 { hasLargeIntegers = true }
  }

  /// Sets a row's number to what the shortest text of `value`, which is finite, says.
  package mutating func set(_ row: Int, _ value: Double) {
    kinds[row] = .float64
    values[row] = Int64(bitPattern: value.bitPattern)
    hasDoubles = true
  }

  /// Sets a row's number to one that is written as JSON.
  package mutating func set(_ row: Int, text: Span<UInt8>) {
    switch JSONNumber.classify(text) {
    case .int64(let value): set(row, value)
    case .float64(let value): set(row, value)
    case .other:
      guard let number = DecimalNumber(text) else { return }
      if case .int64(let value, isExact: true) = number.floor { return set(row, value) }
      kinds[row] = .text
      texts[row] = number.bytes
    }
  }

  /// `int64` if all are whole and within it, else `float64` if every one is a double, else `utf8` in the one
  /// spelling; null where a row has none.
  package func finish() -> Column {
    let validity = Buffer(validRows: kinds.map { $0 != .none })
    guard texts.isEmpty, !(hasDoubles && hasLargeIntegers) else { return asText() }
    guard hasDoubles else {
      return Column(
        type: .int64, rowCount: values.count, validity: validity, storage: .fixed(Buffer(copying: values)))
    }
    let doubles = values.indices.map { row in
      kinds[row] == .int64
        ? Double(values[row]) : Double(bitPattern: UInt64(bitPattern: values[row]))
    }
    return Column(
      type: .float64, rowCount: values.count, validity: validity, storage: .fixed(Buffer(copying: doubles)))
  }

  private func asText() -> Column {
    var builder = TextBuilder(capacity: kinds.count)
    var writer = JSONWriter(capacity: 64)
    for (row, kind) in kinds.enumerated() {
      switch kind {
      case .none:
        builder.appendNull()
        continue
      case .int64: writer.appendInt64(values[row])
      case .float64:
        JSONNumber.appendKey(of: Double(bitPattern: UInt64(bitPattern: values[row])), to: &writer)
      case .text: writer.append(raw: texts[row] ?? [])
      }
      writer.withBytes { builder.append(contentsOf: $0) }
      writer.removeAll()
      builder.endRow()
    }
    return builder.finish()
  }
}

extension Buffer {
  /// A validity bitmap; nil when all bits are set.
  package init?(validRows: [Bool]) {
    if validRows.allSatisfy({ $0 }) { return nil }
    var bytes = [UInt8](repeating: 0, count: (validRows.count + 7) / 8)
    for (row, isValid) in validRows.enumerated() where isValid { bytes[row >> 3] |= 1 << UInt8(row & 7) }
    self.init(copying: bytes)
  }
}
