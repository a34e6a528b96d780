/// A JSON object of flags, as short control requests have: `{"archive": true}`.
enum FlagObject {
  /// The flags; an empty body has none; nil for anything that is no such object.
  static func parse(_ body: [UInt8]) -> [String: Bool]? {
    var words: [Substring] = []
    guard let text = String(validating: body, as: UTF8.self), body.count <= 4096 else { return nil }
    var rest = Substring(text)
    while let first = rest.first {
      switch first {
      case " ", "\t", "\n", "\r", "\r\n": rest.removeFirst()
      case "{", "}", ":", ",":
        words.append(rest.prefix(1))
        rest.removeFirst()
      case "\"":
        guard let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
        words.append(rest[...end])
        rest = rest[rest.index(after: end)...]
      default:
        let word = rest.prefix { $0.isLetter }
        guard word == "true" || word == "false" else { return nil }
        words.append(word)
        rest = rest[word.endIndex...]
      }
    }
    return words.isEmpty ? [:] : flags(words)
  }

  private static func flags(_ words: [Substring]) -> [String: Bool]? {
    guard words.first == "{", words.last == "}", words.count >= 2 else { return nil }
    let inner = words.dropFirst().dropLast()
    var flags: [String: Bool] = [:]
    var at = inner.startIndex
    while at < inner.endIndex {
      guard inner.endIndex - at >= 3, inner[at].hasPrefix("\""), inner[at + 1] == ":",
        ["true", "false"].contains(inner[at + 2])
      else { return nil }
      flags[String(inner[at].dropFirst().dropLast())] = inner[at + 2] == "true"
      at += 3
      guard at < inner.endIndex else { break }
      guard inner[at] == ",", at + 1 < inner.endIndex else { return nil }
      at += 1
    }
    return flags
  }
}
