import Codecs
import Masking
import Records
import TestKit
import Testing

/// Rules with nothing in them but what `change` adds.
func rules(_ change: (inout MaskingRules) -> Void) -> MaskingRules {
  var rules = MaskingRules()
  rules.baselineKeys = []
  rules.partialRules = []
  rules.heuristics = .off
  rules.detectors = []
  change(&rules)
  return rules
}

func makePlan(caller: String? = nil, _ change: (inout MaskingRules) -> Void) -> MaskingPlan {
  MaskingPlan(rules(change), for: Dataset.logs.schema, caller: caller)
}

/// The JSON text `sample` as `plan` leaves it.
func masked(_ sample: String, _ plan: MaskingPlan) throws -> String {
  try plan.apply(toJSON: Array(sample.utf8)).text
}

struct KeyTests {
  @Test(arguments: [
    "user_phone", "authToken", "apiKey", "API_KEY", "APIKey", "XMLAuthHeader", "auth", "Auth", "key2",
    "oauth2_token",
    "x-api-key", "secret.value", "smsPhone", "SSN", "credit card", "to\u{212A}en", "pass", "éKey",
  ])
  func wordsAreFound(_ key: String) {
    #expect(makePlan { $0.heuristics = .words }.rule(forKey: key) != 0)
  }

  @Test(arguments: [
    "author", "monkey", "passenger", "authority", "keyboard", "tokenizer", "socialist", "phonetic",
    "cardinal", "",
    "_", "id", "message", "compass", "éclat",
  ])
  func otherWordsAreNot(_ key: String) {
    #expect(makePlan { $0.heuristics = .words }.rule(forKey: key) == 0)
  }

  @Test func substringsAreFoundWhenAskedFor() {
    for key in ["author", "monkey", "passenger", "social_media", "AUTHOR"] {
      #expect(makePlan { $0.heuristics = .substring }.rule(forKey: key) != 0)
      #expect(makePlan { $0.heuristics = .off }.rule(forKey: key) == 0)
    }
  }

  @Test func baselineKeysAreSubstringsOfAnyCase() {
    let plan = makePlan { $0.baselineKeys = ["Order_ID", "straße"] }
    for key in ["order_id", "ORDER_ID", "my_order_id_2", "HauptSTRASSE", "STRAßE"] {
      #expect((plan.rule(forKey: key) != 0) == (key != "HauptSTRASSE"), "\(key)")
    }
    #expect(plan.rule(forKey: "order-id") == 0)
  }

  @Test func overridesHoldForTheirCallerOnly() {
    let change: (inout MaskingRules) -> Void = { $0.overrides = ["web": ["basket"]] }
    #expect(makePlan(caller: "web", change).rule(forKey: "Basket") != 0)
    #expect(makePlan(caller: "shop", change).rule(forKey: "basket") == 0)
    #expect(makePlan(change).rule(forKey: "basket") == 0)
  }

  /// The matcher against a plain search, for random short names of few letters.
  @Test func matchesAreThoseOfAPlainSearch() {
    var generator = SeededGenerator(seed: 11)
    func name(_ most: Int) -> String {
      String(
        (0..<Int.random(in: 1...most, using: &generator)).map { _ in
          "abAB_".randomElement(using: &generator) ?? "a"
        })
    }
    for _ in 0..<300 {
      let keys = (0..<4).map { _ in name(3) }
      let plan = makePlan { $0.baselineKeys = keys }
      for _ in 0..<20 {
        let key = name(8)
        let expected = keys.contains { key.lowercased().contains($0.lowercased()) }
        #expect((plan.rule(forKey: key) != 0) == expected, "\(key) \(keys)")
      }
    }
  }
}

struct ValueTests {
  @Test(arguments: [
    ("", "****"), ("x", "****"), ("xxxxxxxxxxxxxxxx", "****"), ("xxxxxxxxxxxxxxxxx", "****[17 chars]"),
    ("üüüüüüüüüüüüüüüüüüüü", "****[20 chars]"), ("üüüüüüüüüüüüüüüü", "****"),
    ("😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "****[17 chars]"),
  ])
  func textsShowTheirLength(_ text: String, _ expected: String) throws {
    #expect(
      try masked(#"{"k":"\#(text)"}"#, makePlan { $0.baselineKeys = ["k"] }) == #"{"k":"\#(expected)"}"#)
  }

  @Test(arguments: [
    (MaskingRules.Partial.keepPrefix(5), "Bearer abcdefghijklm", "Beare****"),
    (.keepPrefix(5), "Bearer abcdefghijkl", "Bear****"), (.keepPrefix(5), "hunter2", "h****"),
    (.keepPrefix(5), "abc", "****"), (.keepPrefix(2), "üöäüöäüö", "üö****"), (.keepPrefix(0), "abc", "****"),
    (.keepPrefix(-3), "abc", "****"),
    (.keepSuffix(4), "4111111111111111", "****1111"), (.keepSuffix(4), "1111", "****1"),
    (.keepSuffix(1), "abcü", "****ü"), (.keepSuffix(9), "hunter2pw", "****pw"),
    (.keepSuffix(3), "", "****"), (.maskEmail, "example@email.com", "e*****e@email.com"),
    (.maskEmail, "abc@x.io", "a*c@x.io"), (.maskEmail, "jo@x.io", "****@x.io"),
    (.maskEmail, "@x.io", "****@x.io"),
    (.maskEmail, "not-an-email", "****"), (.maskEmail, "", "****"), (.maskEmail, "üxö@x.io", "ü*ö@x.io"),
    (.maskEmail, "averyverylongname@x.io", "a*****e@x.io"), (.maskEmail, "a@b@c.de", "a*b@c.de"),
    (.maskEmail, "bob@x.io hunter2", "****"), (.maskEmail, "bob@", "****"),
  ])
  func partialRules(_ partial: MaskingRules.Partial, _ text: String, _ expected: String) throws {
    let plan = makePlan { $0.partialRules = [.init("k", partial)] }
    #expect(try masked(#"{"k":"\#(text)"}"#, plan) == #"{"k":"\#(expected)"}"#)
  }

  /// As the original left its probe, but for texts made of objects and words that only look like secrets.
  @Test func theOriginalsProbe() throws {
    var rules = MaskingRules()
    rules.baselineKeys = ["password", "token", "api_key", "secret", "auth_header"]
    let plan = MaskingPlan(rules, for: Dataset.logs.schema)
    let sample = #"""
      {"password":"hunter2","password_hash":"a-much-longer-secret-value","token":null,"authorization":"Bearer abcdefghijkl","Authorization2":"abc","auth_header":"Bearer abcdefghijkl","api_key":"sk_live_dangerous_key","card_number":4111111111111111,"email":"example@email.com","user_email":"jo@x.io","contact_email":"abc@x.io","bad_email":"not-an-email","email_list":["a@b.c"],"secret":{"a":1},"nested":{"list":[{"pwd":"x","ok":1}],"monkey":"m","author":"h","passenger":"p","order_id":"fine"},"phone":"+1 555","ssn":"1","social_media":"x","private":true,"username":"kept","data":"kept","empty_secret":"","seventeen_secret":"xxxxxxxxxxxxxxxxx","unicode_secret":"üüüüüüüüüüüüüüüüüüüü","float_key":1.5}
      """#
    let expected = #"""
      {"password":"****","password_hash":"****[26 chars]","token":"****","authorization":"Bear****","Authorization2":"****","auth_header":"****[19 chars]","api_key":"****[21 chars]","card_number":"****","email":"e*****e@email.com","user_email":"****@x.io","contact_email":"a*c@x.io","bad_email":"****","email_list":"****","secret":"****","nested":{"list":[{"pwd":"****","ok":1}],"monkey":"m","author":"h","passenger":"p","order_id":"fine"},"phone":"****","ssn":"****","social_media":"****","private":"****","username":"kept","data":"kept","empty_secret":"****","seventeen_secret":"****[17 chars]","unicode_secret":"****[20 chars]","float_key":"****"}
      """#
    #expect(try masked(sample, plan) == expected)
  }

  @Test func anEqualPartialRuleGoesBeforeAContainedOne() throws {
    let plan = makePlan { $0.partialRules = [.init("mail", .keepPrefix(1)), .init("email", .keepPrefix(2))] }
    #expect(
      try masked(#"{"email":"abcdefgh","emails":"abcdefgh"}"#, plan)
        == #"{"email":"ab****","emails":"a****"}"#)
  }

  /// What is left by one rule another may hide.
  @Test func aFullRuleGoesBeforeAPartialOne() throws {
    let plan = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
    let samples = [
      ("authorization_password", "hunter2pw", "****"),
      ("passwordAuthorization", "hunter2pw", "****"),
      ("email_secret", "ab@cd.ef", "****"),
      ("user_email", "anna@cd.ef", "a**a@cd.ef"),
      ("authorization", "hunter2pw", "hu****"),
      ("pin_email", "anna@cd.ef", "****"),
      ("http_authorization", "Basic aHVudGVyMg==", "Basi****"),
    ]
    for (name, value, expected) in samples {
      #expect(try masked(#"{"\#(name)":"\#(value)"}"#, plan) == #"{"\#(name)":"\#(expected)"}"#)
    }
  }
}

struct DryRunTests {
  @Test func reportsPlacesAndRulesWithoutValues() throws {
    let plan = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
    let sample =
      #"{"timestamp":"2026-01-01T00:00:00Z","message":"mail bob@example.com","metadata":{"a/b":[{"pass":"hunter2"}],"n":1},"pass\u0077ord":"x"}"#
    let report = try plan.apply(toJSON: Array(sample.utf8))
    #expect(
      report.text
        == #"{"timestamp":"2026-01-01T00:00:00Z","message":"mail ****[email]","metadata":{"a/b":[{"pass":"****"}],"n":1},"password":"****"}"#
    )
    #expect(report.findings.map(\.path) == ["/message", "/metadata/a~1b/0/pass", "/password"])
    #expect(report.findings.map(\.rule) == ["value:email", "pass", "password"])
    #expect(!report.isCut && !report.isOverBound)
  }

  @Test func offMeansOff() throws {
    let sample = #"{"password":"x","m":"bob@example.com"}"#
    #expect(try masked(sample, .none) == sample)
    #expect(MaskingPlan.none.isEmpty && MaskingPlan(.off, for: Dataset.audit.schema).isEmpty)
  }

  @Test func findingsAreBounded() throws {
    let plan = makePlan { $0.baselineKeys = ["k"] }
    let sample = "[" + (0..<3_000).map { _ in #"{"k":1}"# }.joined(separator: ",") + "]"
    let report = try plan.apply(toJSON: Array(sample.utf8))
    #expect(report.findings.count == MaskingReport.findingsMax && report.isCut && report.isOverBound)
  }

  @Test(arguments: ["", "{", "nope", #"{"a":}"#, String(repeating: "[", count: 1_000)])
  func brokenSamplesAreErrors(_ sample: String) {
    #expect(throws: JSONTree.SyntaxError.self) { try masked(sample, .none) }
  }
}
