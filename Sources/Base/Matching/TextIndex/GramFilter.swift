/// A page's set of grams.
///
/// ```
/// classes   u8   bit 0: every gram of digits may be there; bit 1: every gram of hexadecimal digits may
/// filter    a word filter (``WordFilter``) of the hashes of the other grams
/// ```
///
/// Numbers and ids soon have nearly all grams of their class, thousands a page, and tell nothing by them: one
/// bit stands for them then. What is left are the letters, and the places where numbers meet something else.
enum GramFilter {
  static let digits: UInt8 = 1
  static let hexadecimal: UInt8 = 2
  /// Grams of digits, and of hexadecimal digits, that there are.
  private static let digitGrams = 10 * 10 * 10
  private static let hexadecimalGrams = 16 * 16 * 16

  /// The filter of `grams`, the same bytes for the same set; no filter if it would take more than
  /// `byteCountMax` bytes.
  static func encode(_ grams: GramSet, scratch words: WordSet, byteCountMax: Int) -> [UInt8] {
    if grams.isFull { return [0, WordFilter.unknown] }
    var counts = (digits: 0, hexadecimal: 0)
    for gram in grams.grams {
      if isHexadecimal(gram) { counts.hexadecimal += 1 }
      if isDigits(gram) { counts.digits += 1 }
    }
    var classes: UInt8 = 0
    if counts.digits * 2 > digitGrams { classes |= digits }
    if counts.hexadecimal * 2 > hexadecimalGrams { classes |= digits | hexadecimal }
    words.removeAll()
    for gram in grams.grams.filter({ !isCovered($0, by: classes) }).sorted() {
      words.insert(WordHash.hash([UInt8(gram >> 16), UInt8(gram >> 8 & 0xFF), UInt8(gram & 0xFF)]))
    }
    return [classes] + WordFilter.encode(words, byteCountMax: byteCountMax)
  }

  private static func isCovered(_ gram: UInt32, by classes: UInt8) -> Bool {
    classes & digits != 0 && isDigits(gram) || classes & hexadecimal != 0 && isHexadecimal(gram)
  }

  private static func isDigits(_ gram: UInt32) -> Bool {
    isDigit(gram >> 16) && isDigit(gram >> 8 & 0xFF) && isDigit(gram & 0xFF)
  }

  private static func isHexadecimal(_ gram: UInt32) -> Bool {
    [gram >> 16, gram >> 8 & 0xFF, gram & 0xFF].allSatisfy { isDigit($0) || $0 >= 0x61 && $0 <= 0x66 }
  }

  private static func isDigit(_ byte: UInt32) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// Whether a text the query is of may be among those whose grams the filter holds; nil if the bytes are no
  /// filter.
  static func passes(_ query: GramQuery, _ bytes: Span<UInt8>) -> Bool? {
    guard bytes.count > 1, bytes[0] < 4 else { return nil }
    let classes = bytes[0]
    let filter = bytes.extracting(1..<bytes.count)
    var isWhole = true
    let passes = query.passes { gram in
      if classes & digits != 0, gram.isDigits { return true }
      if classes & hexadecimal != 0, gram.isHexadecimal { return true }
      guard let may = WordFilter.mayContain(gram.hash, in: filter) else {
        isWhole = false
        return true
      }
      return may
    }
    return isWhole ? passes : nil
  }

  /// Whether the bytes are a filter.
  static func isSound(_ bytes: Span<UInt8>) -> Bool {
    bytes.count > 1 && bytes[0] < 4
      && WordFilter.mayContain(1, in: bytes.extracting(1..<bytes.count)) != nil
  }
}
