import Codecs
import Masking
import Records
import TestKit
import Testing

/// The filter in front of the detectors: where it says no, none may find anything.
struct SignsTests {
  static let detectors = MaskingRules.Detector.allCases

  /// The bit of a detector, as its own plan has it.
  static func bit(_ detector: MaskingRules.Detector) -> UInt16 {
    makePlan { $0.detectors = [detector] }.memberDetectors
  }

  /// Secrets of every kind, `#` for a random digit, `a` for a random letter.
  static let secrets = [
    "a@a.aa", "aaa.a##@mail-#.a#.aaa", "ü@ö.aä", "bearer a#", "BEARER: aa##aa##a", "Bearer=\"aaaaaaaa",
    "eyJ.aaaa",
    "eyJaaa##.eyJa#aa.a#_-", "4111111111111111", "4222222222222", "4111 1111 1111 1111", "3782-822463-10005",
    "4111 1 1 1 1 1 1 1 1 1 1 1 1", "6011000990139424", "DE89370400440532013000",
    "gb82 WEST 1234 5698 7654 32",
    "NO9386011117947", "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AIzaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ghp_aaaaaaaa##aaaaaaaaaa", "ghs_AAAAAAAA##AAAAAAAAAA",
    "github_pat_##aaaaaaaaaaaaaaaa_aaaa", "xoxb-#-#aaaaaaaa", "xoxp-#-#aaaaaaaa",
    "password=aaa#", "API_KEY: aaaaaaaaaaa#", "\"token\":\"aaaaaaa#\"", "http://aaa:a#@aaa.aa",
    "a:a#@tcp(aaa)/a",
    "-----BEGIN PRIVATE KEY-----\nMIIa#aaaa", "-----BEGIN RSA PRIVATE KEY-----MIIa#aaaa",
    "glpat-aaaaaaaaaaaaaaaaaaa#",
    "AGE-SECRET-KEY-1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "########:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Authorization: Basic YTpi", "basic YTpiYw==",
  ]

  static func text(of secret: String, _ generator: inout SeededGenerator) -> [UInt8] {
    secret.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "#"): UInt8.random(in: 0x30...0x39, using: &generator)
      case UInt8(ascii: "a") where Bool.random(using: &generator):
        UInt8.random(in: 0x61...0x7A, using: &generator)
      default: byte
      }
    }
  }

  static func isFound(_ text: [UInt8], _ plan: MaskingPlan) -> Bool {
    var output: [UInt8] = []
    var found: [UInt16] = []
    return plan.appendRedacted(
      text.span, detectors: plan.memberDetectors, to: &output, found: &found)
  }

  /// Wherever a secret lies in blocks of 16 bytes, whatever stands around it.
  @Test func noSecretIsPassedOver() {
    var generator = SeededGenerator(seed: 11)
    let plans = SignsTests.detectors.map { detector in (detector, makePlan { $0.detectors = [detector] }) }
    let fillers = [" ", ".", "-", "a", "7", "ü", "\u{0}", "@", "b"].map { Array($0.utf8) }
    var foundCounts = [Int](repeating: 0, count: plans.count)
    for secret in SignsTests.secrets {
      for before in 0...70 {
        let filler = fillers.randomElement(using: &generator) ?? []
        var text: [UInt8] = []
        while text.count + filler.count < before { text += filler }
        if text.count < before { text += [UInt8](repeating: 0x20, count: before - text.count) }
        text += SignsTests.text(of: secret, &generator)
        let after = fillers.randomElement(using: &generator) ?? []
        for _ in 0..<[0, 0, 1, 2, 15, 16, 17, 40][before & 7] { text += after }
        let signs = TextCandidates.signs(text.span)
        for (index, (detector, plan)) in plans.enumerated() where SignsTests.isFound(text, plan) {
          foundCounts[index] += 1
          #expect(
            signs & plan.memberDetectors == plan.memberDetectors,
            "\(detector): \(String(decoding: text, as: UTF8.self))")
        }
      }
    }
    // The samples are such that each detector had much to find.
    for (count, (detector, _)) in zip(foundCounts, plans) { #expect(count > 100, "\(detector)") }
  }

  /// Random texts of the bytes that matter, at lengths around those of blocks: what all detectors find
  /// together is what those find that the filter names.
  @Test func detectorsFindNothingElse() {
    var generator = SeededGenerator(seed: 12)
    let all = makePlan { $0.detectors = Set(SignsTests.detectors) }
    let pieces =
      [
        "@", ".", " ", "-", "_", "Bearer ", "bearer:", "eyJ", "41", "4111", "1111 ", "DE89", "AKIA", "AIza",
        "ghp_", "xoxb-", "password", "=", "://", "u:p", "token", "\"", "\\", "-----BEGIN PRIVATE KEY-----",
        "sk-",
        "Cookie: ", "Basic ", ":AA", ";", ",",
      ]
      .map { Array($0.utf8) }
      + ["a", "b", "e", "z", "A", "7", "0", "1", "é", "日", "\u{0}"].map { Array($0.utf8) }
    for round in 0..<30_000 {
      let count = [6, 7, 8, 14, 15, 16, 17, 18, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 96, 130][round % 20]
      var text: [UInt8] = []
      while text.count < count {
        text +=
          round % 3 == 0
          ? SignsTests.text(of: SignsTests.secrets.randomElement(using: &generator) ?? "", &generator)
          : pieces.randomElement(using: &generator) ?? []
      }
      // Secrets that are cut off, at either end.
      text = Array(round % 2 == 0 ? text.prefix(count) : text.suffix(count))
      let signs = TextCandidates.signs(text.span)
      var plain: ([UInt8], [UInt16]) = ([], [])
      var quick: ([UInt8], [UInt16]) = ([], [])
      let isPlainFound = all.appendRedacted(
        text.span, detectors: all.memberDetectors, to: &plain.0, found: &plain.1)
      let isQuickFound = all.appendRedacted(
        text.span, detectors: all.memberDetectors & signs, to: &quick.0, found: &quick.1)
      let isSame = isPlainFound == isQuickFound && plain == quick
      #expect(isSame, "round \(round): \(String(decoding: text, as: UTF8.self))")
      if !isSame { return }
    }
  }

  /// The filter in blocks against its definition read byte by byte: no more and no less.
  @Test func signsAreThoseOfAPlainSearch() {
    var generator = SeededGenerator(seed: 13)
    let alphabet = Array("@bBeEaAyJIzh_xo0123456789 -.dé\u{0}sw:=/pktn\"".utf8)
    for round in 0..<60_000 {
      let count = round % 150
      // Few kinds of bytes in a text, so that each sign is also missing often.
      let kinds = (0..<(round % 7 + 2)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      let text = (0..<count).map { _ in kinds.randomElement(using: &generator) ?? 0 }
      let signs = TextCandidates.signs(text.span)
      let expected = SignsTests.signs(text)
      #expect(signs == expected, "round \(round): \(text)")
      if signs != expected { return }
    }
  }

  static func signs(_ text: [UInt8]) -> UInt16 {
    func byte(_ index: Int) -> UInt8 { index >= 0 && index < text.count ? text[index] : 0 }
    func isDigit(_ index: Int) -> Bool { (0x30...0x39).contains(byte(index)) }
    func isLetter(_ index: Int) -> Bool { (0x61...0x7A).contains(byte(index) | 0x20) }
    guard text.count >= TextCandidates.bytesMin else { return 0 }
    var signs: UInt16 = 0
    if text.contains(UInt8(ascii: "@")) { signs |= bit(.email) | bit(.userinfo) }
    let rows = text.split { !Array("0123456789 -".utf8).contains($0) }
    if text.indices.filter(isDigit).count >= 13, rows.contains(where: { $0.count >= 13 }) {
      signs |= bit(.card)
    }
    var anchor = TextCandidates.anchorPlainly(text.span, from: 0)
    while let seen = anchor {
      if seen.kind != .url {
        for detector: MaskingRules.Detector in [.bearer, .jwt, .cloudKey, .secret, .privateKey] {
          signs |= bit(detector)
        }
      }
      anchor = TextCandidates.anchorPlainly(text.span, from: seen.at + 1)
    }
    for index in text.indices {
      if text.count >= 15, isLetter(index), isLetter(index + 1), isDigit(index + 2), isDigit(index + 3),
        !isLetter(index - 1), !isDigit(index - 1)
      {
        signs |= bit(.iban)
      }
    }
    return signs
  }
}
