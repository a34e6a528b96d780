/// How a text index splits texts into words.
enum WordSplit: Sendable {
  /// Version 1: maximal runs of ``ByteSet256/wordsAndHigh``. Whatever is beyond ASCII is of a word.
  case bytes
  /// Since version 2: maximal runs of ``WordCharacters``.
  case characters

  /// The words of `text` as ranges, in order; for queries.
  func words(of text: [UInt8]) -> [Range<Int>] {
    switch self {
    case .characters: return WordCharacters.shared.words(of: text.span)
    case .bytes:
      return text.indices.split { !ByteSet256.wordsAndHigh.contains(text[$0]) }.map {
        $0.startIndex..<$0.endIndex
      }
    }
  }
}
