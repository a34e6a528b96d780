/// Finds the rule for a member's name. Rules are numbered from 1; of several that fit the lowest holds, but a
/// name that equals a rule goes first.
struct KeyMatcher: Sendable {
  /// Rules by the first byte of their name: 256 lists of rule indices, ascending.
  private let byFirstByte: [[Int]]
  private let rules: [[UInt8]]
  private let exact: [[UInt8]: UInt16]
  /// Whole words, with the rule of each.
  private let words: [[UInt8]: UInt16]
  private let isEmpty: Bool

  /// - Parameters:
  ///   - rules: Folded names, looked for anywhere in a key; distinct, not empty.
  ///   - words: Folded words, numbered on from the rules.
  init(rules: [String], words: [String]) {
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

  /// `name` in lower case: how names are compared.
  static func folded(_ name: String) -> String { name.lowercased() }

  /// The rule for `key`, 0 for none. Costs bytes times the rules that share a first byte: remember the
  /// answer.
  func rule(for key: Span<UInt8>) -> UInt16 {
    guard !isEmpty, !key.isEmpty else { return 0 }
    let folded = KeyMatcher.folded(key)
    if let rule = exact[folded] { return rule }
    var best = Int.max
    for start in folded.indices {
      for index in byFirstByte[Int(folded[start])] where index < best {
        let name = rules[index]
        if start + name.count <= folded.count, folded[start...].starts(with: name) { best = index }
      }
    }
    if best < Int.max { return UInt16(best + 1) }
    return words.isEmpty ? 0 : wordRule(key)
  }

  private static func folded(_ key: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(key.count)
    var isASCII = true
    for index in key.indices {
      let byte = key[index]
      isASCII = isASCII && byte < 0x80
      bytes.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
    }
    // Other letters that fold into ASCII, such as the Kelvin sign, must not hide a name.
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
      if end > start, let rule = words[KeyMatcher.folded(key.extracting(start..<end))] {
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
