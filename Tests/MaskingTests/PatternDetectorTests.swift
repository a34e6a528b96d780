import Codecs
import Decoding
import Masking
import Records
import Testing

/// Detectors of the operator's own.
struct PatternDetectorTests {
  static func detectors(_ definitions: [(String, String)]) throws -> PatternDetectors {
    try PatternDetectors(definitions.map { PatternDetectors.Definition(name: $0.0, pattern: $0.1) })
  }

  static func plan(
    _ definitions: [(String, String)], _ built: Set<MaskingRules.Detector> = [], operationsMax: Int = 1_000,
    for dataset: Dataset = .logs
  ) throws -> MaskingPlan {
    let own = try detectors(definitions)
    let rules = rules {
      $0.ownDetectors = own
      $0.detectors = built
      $0.operationsMax = operationsMax
    }
    return MaskingPlan(rules, for: dataset.schema)
  }

  static func redacted(
    _ text: String, _ definitions: [(String, String)], _ built: Set<MaskingRules.Detector> = []
  ) throws -> String {
    var record = RecordMasking(try plan(definitions, built))
    return record.column("message", text)
  }

  static let employee = ("employee", "EMP-([0-9]{6})")

  @Test(arguments: [
    ("EMP-([0-9]{6})", "EMP-123456, EMP-1 and EMP-654321", "EMP-****[x], EMP-1 and EMP-****[x]"),
    ("EMP-[0-9]{6}", "by EMP-123456.", "by ****[x]."), ("(?i)emp-[a-f]+", "Emp-AbX", "****[x]X"),
    ("^(\\S+) ", "secret here", "****[x] here"),
    ("room (?:none|([0-9]+))", "room none, room 12", "room none, room ****[x]"),
    ("[а-яё]{3,}", "это тест", "****[x] ****[x]"), ("«(.+?)»", "«a» «ü»", "«****[x]» «****[x]»"),
    ("\"badge\":\"([^\"]+)\"", #"{"badge":"7g","n":1}"#, #"{"badge":"****[x]","n":1}"#),
    ("^[0-9]{4}$", "1234", "****[x]"), ("7", "7", "****[x]"), ("id=(\\w*)", "id= id=q", "id= id=****[x]"),
  ])
  func whatTheyFindIsMasked(_ pattern: String, _ text: String, _ expected: String) throws {
    #expect(try PatternDetectorTests.redacted(text, [("x", pattern)]) == expected)
    // What was masked stays.
    #expect(try PatternDetectorTests.redacted(expected, [("x", pattern)]) == expected)
  }

  /// All look at the text as it came; where they meet nothing is left between.
  @Test(
    arguments: [
      ([("who", "mail [a-z]+")], "mail bob@example.com!", "****[who]!"),
      ([("late", "example\\.[a-z]+ now")], "bob@example.com now.", "****[email]."),
      ([("name", "([a-z]+)@example\\.com")], "bob@example.com", "****[email]"),
      ([("all", ".+")], "a bob@example.com b", "****[all]"),
      ([("tail", "[0-9]{4}-([A-Z]+)")], "card 4111 1111 1111 1111-ABC", "card ****[card]-****[tail]"),
      ([("a", "abc"), ("b", "cde"), ("c", "efg")], "xabcdefgx", "x****[a]x"),
      ([("a", "abc"), ("b", "def")], "abcdef", "****[a]****[b]"),
      ([("b", "bc"), ("a", "abcd")], "xabcdx", "x****[a]x"),
      ([("a", "a@b")], "mail a@b.cd", "mail ****[email]"),
    ] as [([(String, String)], String, String)])
  func placesThatOverlapAreOneMask(
    _ definitions: [(String, String)], _ text: String, _ expected: String
  ) throws {
    #expect(try PatternDetectorTests.redacted(text, definitions, [.email, .card]) == expected)
  }

  /// A detector may match what stands for a secret, or a part of it.
  @Test(arguments: [
    ("word", "[a-z]{4,}", "some bob@example.com text", "****[word] ****[email] ****[word]"),
    ("id", "id=(\\S+)", "id=bob@example.com id=x", "id=****[email] id=****[id]"),
    ("num", "[0-9]+", "1 ****[26 chars] 2", "****[num] ****[26 chars] ****[num]"),
    ("stars", "\\*+", "**** ** *****", "**** ****[stars] *****"),
    ("edge", "[a-z]+\\] [0-9]+", "****[email] 12", "****[edge]"),
    ("pin", "pin (\\S+)", "pin ****", "pin ****"), ("pin", "pin (\\S+)", "pin ab****", "pin ****[pin]"),
  ])
  func maskingTwiceChangesNothing(
    _ name: String, _ pattern: String, _ text: String, _ expected: String
  ) throws {
    #expect(try PatternDetectorTests.redacted(text, [(name, pattern)], [.email]) == expected)
    #expect(try PatternDetectorTests.redacted(expected, [(name, pattern)], [.email]) == expected)
  }

  /// Stars and brackets around a secret keep nobody from finding it.
  @Test func whatOnlyLooksMaskedIsLookedInto() throws {
    let own = [("p", "[a-z]+[0-9]+")]
    #expect(try PatternDetectorTests.redacted("****hunter22", own) == "********[p]")
    #expect(try PatternDetectorTests.redacted("****[hunter22]", own) == "****[****[p]]")
    #expect(try PatternDetectorTests.redacted("****[ab12 chars]", own) == "****[****[p] chars]")
  }

  @Test func theyLookIntoMembersAndIdentifiersToo() throws {
    let plan = try PatternDetectorTests.plan([PatternDetectorTests.employee], for: .audit)
    var record = RecordMasking(plan)
    for column in ["message", "user_id", "resource_id", "action"] {
      #expect(record.column(column, "EMP-123456") == "EMP-****[employee]")
    }
    let sample =
      #"{"a":{"b":["EMP-123456",{"c":"x EMP-000000"}]},"n":123456,"EMP-111111":"{\"id\":\"EMP-222222\"}"}"#
    let report = try plan.apply(toJSON: Array(sample.utf8))
    let members = #"{"a":{"b":["EMP-****[employee]",{"c":"x EMP-****[employee]"}]},"n":123456,"#
    #expect(report.text == members + #""EMP-111111":"{\"id\":\"EMP-****[employee]\"}"}"#)
    #expect(report.findings.map(\.rule) == ["value:employee", "value:employee", "value:employee"])
    #expect(report.findings.map(\.path) == ["/a/b/0", "/a/b/1/c", "/EMP-111111"])
  }

  @Test func eachIsCountedUnderItsName() throws {
    let plan = try PatternDetectorTests.plan([("one", "1"), ("two", "2+")], [.email])
    var record = RecordMasking(plan)
    #expect(record.column("message", "1 a@b.cd 22 1") == "****[one] ****[email] ****[two] ****[one]")
    #expect(
      record.applied.map { plan.ruleNames[Int($0) - 1] }
        == ["value:one", "value:email", "value:two", "value:one"])
  }

  /// With none of them nothing asks for them.
  @Test func noneCostsNothing() throws {
    #expect(MaskingPlan(MaskingRules(), for: Dataset.logs.schema).memberDetectors & (1 << 9) == 0)
    let none = try PatternDetectors([])
    #expect(none == .none)
    #expect(try PatternDetectorTests.plan([], []).memberDetectors == 0)
    #expect(try PatternDetectorTests.plan([PatternDetectorTests.employee], []).memberDetectors == 1 << 9)
  }

  @Test func longTextsAreMaskedThroughout() throws {
    let piece = "EMP-123456 " + String(repeating: "x", count: 1_013)
    let text = String(repeating: piece, count: 1_024)
    let plan = try PatternDetectorTests.plan([PatternDetectorTests.employee], operationsMax: 2_000)
    var record = RecordMasking(plan)
    let masked = record.column("message", text)
    #expect(record.applied.count == 1_024 && !record.isOverBound)
    #expect(masked == text.replacing("123456", with: "****[employee]"))
    var tight = RecordMasking(try PatternDetectorTests.plan([PatternDetectorTests.employee]))
    _ = tight.column("message", text)
    #expect(tight.isOverBound)
  }

  @Test(arguments: [
    ("", "a", "its name must be 1 to 24 of the characters A-Z, a-z, 0-9 and _"),
    (
      String(repeating: "n", count: 25), "a", "its name must be 1 to 24 of the characters A-Z, a-z, 0-9 and _"
    ),
    ("a b", "a", "its name must be"), ("a]", "a", "its name must be"), ("\u{212A}", "a", "its name must be"),
    ("é", "a", "its name must be"), ("email", "a", "a built-in detector has this name"),
    ("first", "a", "another one has this name"), ("x", "a*", "matches the empty text"),
    ("x", "(a)(b)", "second capture group"), ("x", "(?<=a)b", "look-around"), ("x", "[", "not closed"),
  ])
  func mistakesAreNamed(_ name: String, _ pattern: String, _ reason: String) {
    #expect {
      try PatternDetectorTests.detectors([("first", "1"), (name, pattern)])
    } throws: { error in
      guard let failure = error as? PatternDetectors.Failure else { return false }
      return failure.index == 1 && failure.reason.contains(reason)
    }
  }

  @Test func theirNumberAndSizeAreBounded() throws {
    let names = (0..<33).map { "d\($0)" }
    #expect(try PatternDetectorTests.detectors(names.dropLast().map { ($0, "a") }) != .none)
    #expect {
      try PatternDetectorTests.detectors(names.map { ($0, "a") })
    } throws: { error in
      (error as? PatternDetectors.Failure)?.reason == "there are more than 32"
    }
    #expect {
      try PatternDetectorTests.detectors(names.prefix(3).map { ($0, "(?s).{400}") })
    } throws: { error in
      (error as? PatternDetectors.Failure)?.reason.contains("states together, more than 10000") ?? false
    }
  }

  @Test func equalDefinitionsAreEqual() throws {
    let one = try PatternDetectorTests.detectors([("a", "x"), ("b", "é")])
    #expect(try one == PatternDetectorTests.detectors([("a", "x"), ("b", "é")]))
    #expect(try one != PatternDetectorTests.detectors([("a", "x"), ("b", "e\u{301}")]))
    #expect(try one != PatternDetectorTests.detectors([("b", "x"), ("a", "é")]))
  }
}
