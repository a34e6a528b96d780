import Records
import Testing

@testable import Matching

/// Any case, of any letter.
@Suite struct LetterCaseTests {
  /// Letters of many scripts and of none, with odd cases among them, and what stands around letters.
  static let alphabet = "aAäÄéÉKK\u{212A}sSſßẞiıİσςΣжЖԱաǅǆǄⓐⒶ日Ａａµμ.- 1“e\u{301}"

  static func text(_ random: inout SeededRandom, _ lengthMax: Int) -> String {
    let scalars = Array(alphabet.unicodeScalars)
    var text = ""
    for _ in 0..<random.below(lengthMax + 1) { text.unicodeScalars.append(random.pick(scalars)) }
    return text
  }

  /// A piece of a text, each letter in some case of it.
  static func needle(of text: String, _ random: inout SeededRandom) -> String {
    let scalars = Array(text.unicodeScalars)
    guard !scalars.isEmpty else { return "ä" }
    let start = random.below(scalars.count)
    var needle = ""
    for scalar in scalars[start..<min(scalars.count, start + 1 + random.below(6))] {
      let others = alphabet.unicodeScalars.filter { UnicodeModel.folded($0) == UnicodeModel.folded(scalar) }
      needle.unicodeScalars.append(random.once(in: 2) ? scalar : random.pick(Array(others)))
    }
    return needle
  }

  /// Two scalars are one letter here if and only if they are by Swift's own database.
  @Test func theTableIsUnicodes() {
    var models: [UInt32: UInt32] = [:]
    var tables: [UInt32: UInt32] = [:]
    var letterCount = 0
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major <= 14 else {
        continue
      }
      let model = UnicodeModel.folded(scalar).value
      let table = LetterCases.folded(value)
      #expect(models[table, default: model] == model && tables[model, default: table] == table, "\(scalar)")
      models[table] = model
      tables[model] = table
      if LetterCases.all(of: value).count > 1 { letterCount += 1 }
    }
    #expect(letterCount > 2700)
  }

  @Test func rangesGetTheOtherCasesOfAllTheirLetters() {
    var random = SeededRandom(seed: 14)
    for low in [0, 0x42, 0x80] as [UInt32] {
      let most = ScalarSet([low...0x10FFFF])
      #expect(most.foldingCase() == (low == 0x42 ? ScalarSet([0x41...0x10FFFF]) : most))
    }
    var sets = [ScalarSet([0x41...0x41])]
    for _ in 0..<300 {
      let first = UInt32(random.below(random.pick([0x100, 0x600, 0x3000, 0x1F000])))
      sets.append(ScalarSet([first...first + UInt32(random.below(random.pick([1, 3, 40, 3000])))]))
    }
    for set in sets {
      var wanted: [ClosedRange<UInt32>] = []
      for range in set.ranges {
        for scalar in range { wanted += LetterCases.all(of: scalar).map { $0...$0 } }
      }
      #expect(set.foldingCase() == ScalarSet(wanted), "\(set)")
    }
  }

  @Test(arguments: [
    ("ändern", "Ändern"), ("éditer", "ÉDITER"), ("ЖУРНАЛ", "журнал"), ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς"),
    ("straße", "STRAẞE"),
    ("(?i)[à-ö]x", "ÄX"), ("(?i)[α-ω]{3}$", "ΣΣς"), ("(?i:ä)B", "ÄB"), ("\\Qä.ö\\E", "Ä.Ö"), ("\\x{e4}", "Ä"),
    ("ａｂ", "ＡＢ"), ("ǆ", "ǅ"),
  ])
  func anyCaseOfALetterIsFound(pattern: String, text: String) throws {
    #expect(try TextAutomaton(.regex(pattern, ignoreCase: true)).accepts(Array(text.utf8)))
  }

  /// Kelvin signs and the like are letters of their own: see ``LetterCases``. One letter is never two.
  @Test(arguments: [
    ("k", "\u{212A}"), ("ſ", "s"), ("i", "İ"), ("ı", "I"), ("ß", "SS"), ("e", "é"), ("(?-i)ä", "Ä"),
    ("[^ä]", "Ä"),
    ("[\\x{80}-\\x{10FFFF}]", "kK"),
  ])
  func otherLettersAreNot(pattern: String, text: String) throws {
    #expect(try !TextAutomaton(.regex(pattern, ignoreCase: true)).accepts(Array(text.utf8)))
  }

  /// By a scan of rows, one by one, by templates and by pages of an index.
  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func everyWayAgreesWithTheModel(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for round in 0..<25 {
      let lengthMax = random.pick([4, 12, 80])
      let texts = (0..<1 + random.below(80)).map { _ in Self.text(&random, lengthMax) }
      let indexed = try IndexedTexts(
        texts.map { Array($0.utf8) }, rowsPerPage: random.pick([1, 7, 64]), asDictionary: random.once(in: 3))
      for _ in 0..<10 {
        let needle = Self.needle(of: random.pick(texts), &random)
        let expected = texts.map { UnicodeModel.has(needle, in: Array($0.utf8)) }
        for pattern: TextPattern in [
          .contains(needle, ignoreCase: true), .regex("\\Q\(needle)\\E", ignoreCase: true),
          .regex("(?i)\\Q\(needle)\\E|\u{1}", ignoreCase: false),
        ] {
          let automaton = try TextAutomaton(pattern)
          let context: Comment = "seed \(seed) round \(round) \(pattern)"
          var found = Selection(rowCount: texts.count, all: true)
          textColumn(texts).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
          #expect(texts.indices.map { found[$0] } == expected, context)
          #expect(texts.map { automaton.accepts(Array($0.utf8)) } == expected, context)
          _ = try indexed.check(pattern, "seed \(seed) round \(round)")
        }
      }
    }
  }

  /// Needles of ASCII, whatever they search in, keep the literal search.
  @Test func needlesOfASCIIKeepTheirGrams() throws {
    #expect(try !TextAutomaton(.contains("kiss", ignoreCase: true)).grams.isEmpty)
    #expect(try !TextAutomaton(.regex("(?i)kiss ÄÖ", ignoreCase: false)).grams.isEmpty)
    #expect(try TextAutomaton(.contains("ÄÖÜ", ignoreCase: true)).grams.isEmpty)
    #expect(try TextAutomaton(.contains("x ab12 Ändern 5y x", ignoreCase: true)).requiredWords.count == 2)
  }

  @Test func longNeedlesOfOtherScriptsWork() throws {
    let needle = String(repeating: "ж", count: 3000)
    let automaton = try TextAutomaton(.contains(needle, ignoreCase: true))
    #expect(automaton.accepts(Array(needle.uppercased().utf8)))
    #expect(!automaton.accepts(Array(needle.dropLast().utf8)))
    let word = try TextAutomaton(.word(String(repeating: "x", count: 100) + "ж"))
    #expect(word.accepts(Array((" " + String(repeating: "X", count: 100) + "Ж").utf8)))
  }
}
