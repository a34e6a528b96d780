/// Finds the rule for a member's name. Rules are numbered from 1, those that leave something of a text
/// first. A name that equals a rule goes first, then rules that leave nothing, the lowest of those that
/// fit.
struct KeyMatcher: Sendable {
  /// Rules by the first byte of their name: 256 lists of rule indices, ascending.
  private let byFirstByte: [[Int]]
  private let rules: [[UInt8]]
  private let exact: [[UInt8]: UInt16]
  /// The first so many rules leave something.
  private let partialCount: Int
  /// Whole words, with the rule of each.
  private let words: [[UInt8]: UInt16]
  private let isEmpty: Bool

  /// - Parameters:
  ///   - rules: Folded names, looked for anywhere in a key; distinct, not empty.
  ///   - partialCount: How many of them, from the first on, leave something of a text.
  ///   - words: Folded words, numbered on from the rules.
  init(rules: [String], partialCount: Int = 0, words: [String]) {
    self.partialCount = partialCount
    let names = rules.map { Array($0.utf8) }
    var byFirstByte = [[Int]](repeating: [], count: 256)
    for (index, name) in names.enumerated() { byFirstByte[Int(name[0])].append(index) }
    self.byFirstByte = byFirstByte
    self.rules = names
    exact = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, UInt16($0 + 1)) })
    self.words = Dictionary(
      uniqueKeysWithValues: words.enumerated().map { (Array($1.utf8), UInt16(names.count + $0 + 1)) })
    isEmpty = rules.isEmpty && words.isEmpty
  }

  /// How names are compared: in lower case, letters that only look different as what they look like.
  static func folded(_ name: String) -> String {
    String(decoding: lowercased(readable(Array(name.utf8).span).span), as: UTF8.self)
  }

  /// The rule for `key`, 0 for none. Costs bytes times the rules that share a first byte: remember the
  /// answer.
  func rule(for key: Span<UInt8>) -> UInt16 {
    guard !isEmpty, !key.isEmpty else { return 0 }
    let readable = KeyMatcher.readable(key)
    let folded = KeyMatcher.lowercased(readable.span)
    if let rule = exact[folded] { return rule }
    let (partial, full) = contained(in: folded)
    if let full { return full }
    let word = words.isEmpty ? 0 : wordRule(readable.span)
    return word != 0 ? word : partial ?? 0
  }

  /// The lowest rules that leave something, and nothing, among those whose names are in `folded`.
  private func contained(in folded: [UInt8]) -> (partial: UInt16?, full: UInt16?) {
    var partial = Int.max
    var full = Int.max
    for start in folded.indices {
      for index in byFirstByte[Int(folded[start])] {
        if index >= full || index < partialCount && index >= partial { continue }
        let name = rules[index]
        guard start + name.count <= folded.count, folded[start...].starts(with: name) else { continue }
        if index < partialCount { partial = index } else { full = index }
      }
    }
    return (
      partial == .max ? nil : UInt16(partial + 1), full == .max ? nil : UInt16(full + 1)
    )
  }

  /// `key` as it is, or as it is read if it holds other characters than ASCII's visible ones:
  /// `p\u{430}ssword` is `password`.
  private static func readable(_ key: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(key.count)
    var isPlain = true
    for index in key.indices {
      isPlain = isPlain && key[index] >= 0x20 && key[index] < 0x7F
      bytes.append(key[index])
    }
    return isPlain ? bytes : LookAlikes.folded(bytes)
  }

  private static func lowercased(_ key: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(key.count)
    var isASCII = true
    for index in key.indices {
      let byte = key[index]
      isASCII = isASCII && byte < 0x80
      bytes.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
    }
    return isASCII ? bytes : Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8)
  }

  // MARK: Words

  private enum Kind { case lower, upper, digit, other }

  private static func kind(_ byte: UInt8) -> Kind {
    switch byte {
    case 0x61...0x7A, 0x80...0xFF: .lower
    case 0x41...0x5A: .upper
    case 0x30...0x39: .digit
    default: .other
    }
  }

  private func wordRule(_ key: Span<UInt8>) -> UInt16 {
    var best = UInt16.max
    var start = 0
    while start < key.count {
      let end = KeyMatcher.wordEnd(key, start)
      if end > start, let rule = words[KeyMatcher.lowercased(key.extracting(start..<end))] {
        best = min(best, rule)
      }
      start = max(end, start + 1)
    }
    return best == .max ? 0 : best
  }

  /// Behind the word that starts at `start`: letters of one case, a capital and small letters, capitals up to
  /// the one that begins the next word (`API` in `APIKey`), or digits.
  private static func wordEnd(_ key: Span<UInt8>, _ start: Int) -> Int {
    let first = kind(key[start])
    if first == .other { return start }
    var end = start + 1
    if first == .upper, end < key.count, kind(key[end]) == .upper {
      while end < key.count, kind(key[end]) == .upper { end += 1 }
      if end < key.count, kind(key[end]) == .lower { end -= 1 }
      return end
    }
    let rest: Kind = first == .upper ? .lower : first
    while end < key.count, kind(key[end]) == rest { end += 1 }
    return end
  }
}
