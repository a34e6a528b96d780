import Matching
import Records

/// Texts in which words of many scripts stand beside each other and beside whatever is no part of words.
enum WordTexts {
  static let words = [
    "timeout", "Retry42", "deadbeef", "DEADBEEF", "größe", "Ähre", "日本語", "失敗", "e\u{301}te\u{301}",
    "été", "مرحبا", "नमस्ते", "१२३", "٤٢", "_x", "K", "\u{212A}", "Ⅷ", "x²", "a", "1", "\u{10428}\u{10400}",
    "\u{301}", "журнал7", "超時4711", "\u{AC00}", "ǅ",
  ]

  static let gaps = [
    " ", "-", "“", "”", "‘", "…", "—", "–", "«", "»", "\u{A0}", "\u{202F}", "\u{3000}", "、", "。", "，", "！",
    "😀", "👩\u{200D}💻", "→", "€", "\u{200B}", "\u{FEFF}", "\u{E000}", "\u{F0000}", "\u{378}", "\u{FFFD}", "·",
    "×", "¿", "\u{60C}", "।", "\u{2028}", "\u{4DC0}", ", ", " – ",
  ]

  /// Words and what is between them, at times nothing.
  static func text(_ random: inout SeededRandom, wordsMax: Int) -> String {
    var text = ""
    for _ in 0..<random.below(wordsMax + 1) {
      if !random.once(in: 3) { text += random.pick(gaps) }
      if !random.once(in: 5) { text += random.pick(words) }
    }
    if random.once(in: 2) { text += random.pick(gaps) }
    return text
  }

  /// A word, a piece of a text, or words that are put together; letters of some in the other case.
  static func needle(of text: String, _ random: inout SeededRandom) -> String {
    let scalars = Array(text.unicodeScalars)
    var needle = ""
    switch random.below(4) {
    case 0 where !scalars.isEmpty:
      let start = random.below(scalars.count)
      let end = min(scalars.count, start + 1 + random.below(9))
      needle.unicodeScalars.append(contentsOf: scalars[start..<end])
    case 1: needle = random.pick(words) + random.pick(gaps) + random.pick(words)
    default: needle = random.pick(words)
    }
    return random.once(in: 3) ? needle.uppercased() : random.once(in: 2) ? needle.lowercased() : needle
  }

  /// An object whose string values these are, at several depths.
  static func object(_ texts: [String]) -> String {
    var object = "\"n\":1"
    for (index, text) in texts.enumerated() {
      object += ",\"m\(index)\":" + (index % 2 == 0 ? "\"\(text)\"" : "{\"list\":[[\"\(text)\"],2]}")
    }
    return "{\(object)}"
  }
}
