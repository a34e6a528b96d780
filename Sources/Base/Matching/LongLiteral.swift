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
    self.needle = bytes
    self.ignoreCase = ignoreCase
    self.isWholeWord = isWholeWord
    failure = LongLiteral.failure(of: bytes)
  }

  /// By n: the longest proper end of the first n elements that is also a beginning of all.
  static func failure<Element: Equatable>(of needle: [Element]) -> [Int32] {
    var failure = [Int32](repeating: 0, count: needle.count + 1)
    var matched = 0
    for index in needle.indices.dropFirst() {
      while matched > 0 && needle[index] != needle[matched] { matched = Int(failure[matched]) }
      if needle[index] == needle[matched] { matched += 1 }
      failure[index + 1] = Int32(matched)
    }
    return failure
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    var matched = 0
    for index in text.indices {
      let byte = ignoreCase ? text[index].asciiLowercased : text[index]
      while matched > 0 && needle[matched] != byte { matched = Int(failure[matched]) }
      if needle[matched] == byte { matched += 1 }
      guard matched == needle.count else { continue }
      let hit = index + 1 - matched..<index + 1
      if !isWholeWord || WordCharacters.shared.isBounded(hit, in: 0..<text.count, text) { return true }
      matched = Int(failure[matched])
    }
    return false
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
