/// Looks for a needle too long for ``LiteralFinder``, in time linear in the text whatever both hold (Knuth,
/// Morris and Pratt).
struct LongLiteral: Sendable {
  /// Lower case if case is ignored.
  let needle: [UInt8]
  let ignoreCase: Bool
  /// Only hits between characters of no word (``WordCharacters``) or the text's ends count.
  let isWholeWord: Bool
  /// failure[n]: the longest proper end of the first n bytes that is also a beginning of the needle.
  private let failure: [Int32]

  init(_ needle: [UInt8], ignoreCase: Bool, isWholeWord: Bool) {
    let bytes = ignoreCase ? needle.map(\.asciiLowercased) : needle
    var failure = [Int32](repeating: 0, count: bytes.count + 1)
    var matched = 0
    for index in bytes.indices.dropFirst() {
      while matched > 0 && bytes[index] != bytes[matched] { matched = Int(failure[matched]) }
      if bytes[index] == bytes[matched] { matched += 1 }
      failure[index + 1] = Int32(matched)
    }
    self.needle = bytes
    self.ignoreCase = ignoreCase
    self.isWholeWord = isWholeWord
    self.failure = failure
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    var matched = 0
    for index in text.indices {
      let byte = ignoreCase ? text[index].asciiLowercased : text[index]
      while matched > 0 && needle[matched] != byte { matched = Int(failure[matched]) }
      if needle[matched] == byte { matched += 1 }
      guard matched == needle.count else { continue }
      if !isWholeWord || isBounded(index + 1 - matched..<index + 1, text) { return true }
      matched = Int(failure[matched])
    }
    return false
  }

  private func isBounded(_ hit: Range<Int>, _ text: Span<UInt8>) -> Bool {
    let characters = WordCharacters.shared
    return characters.isGap(before: hit.lowerBound, from: 0, text)
      && characters.isGap(at: hit.upperBound, before: text.count, text)
  }

  /// Drops the rows of `rows` without a hit. Offsets ascend and end within `bytes` (callers check).
  func filter(offsets: Span<Int32>, bytes: Span<UInt8>, rows: inout Selection) {
    var kept = rows
    rows.forEach { row in
      if !matches(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))) { kept.remove(row) }
    }
    rows = kept
  }
}
