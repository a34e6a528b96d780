/// Looks for a word of which some letters have other cases beyond ASCII, between characters that are of no
/// word: character by character, in time linear in the text whatever both hold (Knuth, Morris and Pratt).
struct CharacterScan: Sendable {
  /// All cases of each character, ascending; the last repeated where there are fewer than four.
  private let letters: [SIMD4<UInt32>]
  /// failure[n]: the longest proper end of the first n letters that is also a beginning of the word.
  private let failure: [Int32]

  /// - Parameter word: Not empty.
  init(_ word: String) {
    let letters = word.unicodeScalars.map { scalar -> SIMD4<UInt32> in
      let cases = LetterCases.all(of: scalar.value).sorted()
      // One letter has at most four cases (scripts/unicode-tables tells).
      return SIMD4((0..<4).map { cases[min($0, cases.count - 1)] })
    }
    self.letters = letters
    failure = LongLiteral.failure(of: letters)
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    let characters = WordCharacters.shared
    // What is matched are the characters from `start` to `place`: neither ever goes back.
    var (matched, start, place) = (0, 0, 0)
    while place < text.count {
      let (scalar, byteCount) = CharacterScan.character(text, at: place)
      while matched > 0, !fits(scalar, matched) { shorten(&matched, &start, text) }
      place += byteCount
      if fits(scalar, matched) { matched += 1 } else { start = place }
      guard matched == letters.count else { continue }
      if characters.isBounded(start..<place, in: 0..<text.count, text) { return true }
      shorten(&matched, &start, text)
    }
    return false
  }

  private func fits(_ scalar: UInt32, _ index: Int) -> Bool {
    let cases = letters[index]
    return scalar == cases[0] || scalar == cases[1] || scalar == cases[2] || scalar == cases[3]
  }

  /// To the next shorter beginning of the word that is matched.
  private func shorten(_ matched: inout Int, _ start: inout Int, _ text: Span<UInt8>) {
    let kept = Int(failure[matched])
    for _ in kept..<matched { start += CharacterScan.character(text, at: start).byteCount }
    matched = kept
  }

  /// The character at `place`; a byte that begins none stands alone and is no scalar.
  private static func character(_ text: Span<UInt8>, at place: Int) -> (scalar: UInt32, byteCount: Int) {
    let lead = text[place]
    let count = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
    guard count > 0, count <= text.count - place else { return (.max, 1) }
    var scalar = UInt32(count == 1 ? lead : lead & (0x7F >> UInt8(count)))
    for next in place + 1..<place + count {
      guard text[next] & 0xC0 == 0x80 else { return (.max, 1) }
      scalar = scalar << 6 | UInt32(text[next] & 0x3F)
    }
    return (scalar, count)
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
