import Codecs
import TestKit
import Testing

/// The search for anchors against a plain one over what it looks for.
struct AnchorTests {
  struct Found: Hashable {
    let at: Int
    let start: Int
    let kind: TextCandidates.Anchor.Kind

    init(_ at: Int, _ start: Int, _ kind: TextCandidates.Anchor.Kind) {
      self.at = at
      self.start = start
      self.kind = kind
    }
  }

  /// `?` is anything but zero and bytes of other letters, `=` what ends a name, `#` a digit, `%` a
  /// hexadecimal digit, `a` before `_` a letter: as the list beside the kernel has them.
  static let names = [
    "oken", "ooki", "pi_k", "pi-k", "pike", "onid", "on_i", "on-i", "ecre", "uth=", "pwd=", "jwt=", "otp=",
    "pin=",
    "cvv=", "cvc=", "ssn=", "ass=", "assc", "assw", "assp", "riza", "key=", "eden",
  ]
  static let exactNames = ["sig=", "sid=", "by '", "by \"", "by \\"]
  static let words = ["bear", "basi"]
  static let tokens = [
    "aiza", "xapp", "pypi", "xkey", "dapi", "sk-?", "sg.?", "sntr", "sk%%", "hvb.", "tske", "shpa", "shps",
    "shpp",
    "shpc", "whse", "r8_?", "figd", "pmak", "dop_", "doo_", "nrak", "ntn_", "npm_", "key-", "dckr", "gsk_",
    "psca",
    "ya29", "sbp_", "gh@_", "gocs", "lin_", "akia", "age-", "eyj?", "xox@", "sq0?", "asia", "eaaa", "tatt",
    "atat",
    "gldt", "glrt", "glcb", "glpt", "glft", "glso", "glc_", "glsa", "hvs.", "hf_?",
  ]
  static let laterTokens = [("ooks", 1), ("k_li", 1), ("k_te", 1), ("lpat", 1), ("b_pa", 5)]

  static func isWelcome(_ want: UInt8, _ byte: UInt8, endsName: Bool) -> Bool {
    let isDigit = (0x30...0x39).contains(byte)
    let isLetter = (0x61...0x7A).contains(byte | 0x20)
    switch want {
    case UInt8(ascii: "?"): return byte > 0 && byte < 0x80
    case UInt8(ascii: "=") where endsName: return "=:\"'\\]>".utf8.contains(byte)
    case UInt8(ascii: "%"): return isDigit || isLetter && byte | 0x20 <= 0x66
    case UInt8(ascii: "#"): return isDigit
    case UInt8(ascii: "@"): return isLetter
    default: return byte < 0x80 && byte | 0x20 == want | 0x20
    }
  }

  static func fits(_ text: [UInt8], _ at: Int, _ pattern: String, endsName: Bool = false) -> Bool {
    let bytes = Array(pattern.utf8)
    guard at + 4 <= text.count, text.count >= 8 else { return false }
    return (0..<4).allSatisfy { isWelcome(bytes[$0], text[at + $0], endsName: endsName) }
  }

  static func isFree(_ text: [UInt8], _ start: Int) -> Bool {
    guard start >= 0 else { return false }
    guard start > 0 else { return true }
    let byte = text[start - 1]
    return !((0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20))
  }

  static func kinds(_ text: [UInt8], _ at: Int) -> Set<Found> {
    var found: Set<Found> = []
    func add(_ kind: TextCandidates.Anchor.Kind, back: Int = 0) {
      found.insert(Found(at, at - back, kind))
    }
    if names.contains(where: { fits(text, at, $0, endsName: true) })
      || exactNames.contains(where: { fits(text, at, $0) })
    {
      add(.name)
    }
    if words.contains(where: { fits(text, at, $0) }), isFree(text, at) { add(.word) }
    if tokens.contains(where: { fits(text, at, $0) }), isFree(text, at) { add(.token) }
    if fits(text, at, "#:aa") { add(.token) }
    for (pattern, back) in laterTokens where fits(text, at, pattern) && isFree(text, at - back) {
      add(.token, back: back)
    }
    if fits(text, at, "://?") { add(.url) }
    if fits(text, at, "-beg") { add(.block) }
    return found
  }

  @Test func anchorsAreThoseOfAPlainSearch() {
    var generator = SeededGenerator(seed: 21)
    let all = AnchorTests.names + AnchorTests.exactNames + AnchorTests.words + AnchorTests.tokens
    let pieces = (all + AnchorTests.laterTokens.map(\.0) + ["#:aa", "://?", "-beg"]).map { Array($0.utf8) }
    let fillers = Array("aZ09 =:\"'\\-_./@é\u{0}\n".utf8)
    var counts: [TextCandidates.Anchor.Kind: Int] = [:]
    for round in 0..<60_000 {
      var text: [UInt8] = []
      let count = round % 70
      while text.count < count {
        let piece = pieces.randomElement(using: &generator) ?? []
        for byte in piece {
          switch byte {
          case UInt8(ascii: "?"), UInt8(ascii: "@"), UInt8(ascii: "%"): text.append(UInt8(ascii: "b"))
          case UInt8(ascii: "#"): text.append(UInt8(ascii: "7"))
          default:
            let isLetter = (0x61...0x7A).contains(byte)
            text.append(isLetter && Bool.random(using: &generator) ? byte & 0xDF : byte)
          }
        }
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
          text.append(fillers.randomElement(using: &generator) ?? 0)
        }
      }
      text = Array(round % 2 == 0 ? text.prefix(count) : text.suffix(count))
      var at = 0
      while at < count {
        let anchor = TextCandidates.anchor(text.span, from: at)
        let expected = (at..<count).first { !AnchorTests.kinds(text, $0).isEmpty }
        let isRight =
          anchor.map {
            $0.at == expected && AnchorTests.kinds(text, $0.at).contains(Found($0.at, $0.start, $0.kind))
          } ?? (expected == nil)
        #expect(
          isRight,
          "round \(round) from \(at): \(text) \(String(describing: anchor)) \(expected ?? -1)"
        )
        #expect(TextCandidates.anchorPlainly(text.span, from: at) == anchor)
        guard isRight, let anchor else { break }
        counts[anchor.kind, default: 0] += 1
        at = anchor.at + 1
      }
    }
    #expect(counts.count == 5 && counts.values.allSatisfy { $0 > 1_000 }, "\(counts)")
  }
}
