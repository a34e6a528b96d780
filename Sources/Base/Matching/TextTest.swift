import Records

/// A condition on strings by their bytes.
enum TextTest: Sendable, Hashable {
  case compare(Comparison, [UInt8])
  /// One of these, sorted.
  case oneOf([[UInt8]])

  func passes(_ text: Span<UInt8>) -> Bool {
    switch self {
    case .compare(.equal, let wanted): text.count == wanted.count && TextTest.order(text, wanted) == 0
    case .compare(.notEqual, let wanted): text.count != wanted.count || TextTest.order(text, wanted) != 0
    case .compare(.less, let wanted): TextTest.order(text, wanted) < 0
    case .compare(.lessOrEqual, let wanted): TextTest.order(text, wanted) <= 0
    case .compare(.greater, let wanted): TextTest.order(text, wanted) > 0
    case .compare(.greaterOrEqual, let wanted): TextTest.order(text, wanted) >= 0
    case .oneOf(let choices): TextTest.contains(choices, text)
    }
  }

  private static func contains(_ choices: [[UInt8]], _ text: Span<UInt8>) -> Bool {
    var low = 0
    var high = choices.count
    while low < high {
      let middle = (low + high) / 2
      let order = order(text, choices[middle])
      if order == 0 { return true }
      if order > 0 { low = middle + 1 } else { high = middle }
    }
    return false
  }

  /// Negative, zero or positive as `text` comes before, is, or comes after `other`.
  static func order(_ text: Span<UInt8>, _ other: [UInt8]) -> Int {
    let shared = min(text.count, other.count)
    for index in 0..<shared where text[index] != other[index] {
      return text[index] < other[index] ? -1 : 1
    }
    return text.count - other.count
  }

  /// Drops the rows of `rows` whose text does not pass. Row r is bytes offsets[r] ..< offsets[r + 1].
  func filter(offsets: Span<Int32>, bytes: Span<UInt8>, rows: inout Selection) {
    var kept = rows
    if case .compare(.equal, let wanted) = self {
      // Most rows differ in length or in the first byte.
      rows.forEach { row in
        let start = Int(offsets[row])
        var isEqual = Int(offsets[row + 1]) - start == wanted.count
        var index = 0
        while isEqual && index < wanted.count {
          isEqual = bytes[start + index] == wanted[index]
          index += 1
        }
        if !isEqual { kept.remove(row) }
      }
    } else {
      rows.forEach { row in
        if !passes(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))) { kept.remove(row) }
      }
    }
    rows = kept
  }
}
