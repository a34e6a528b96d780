/// What is hidden in records: a plain value, made from settings, compiled by ``MaskingPlan``.
///
/// Keys and names are compared with ASCII and Unicode case ignored.
package struct MaskingRules: Sendable, Hashable {
  /// How the list ``MaskingRules/heuristicWords`` is looked for in a member's name.
  package enum Heuristics: String, Sendable, Hashable, CaseIterable {
    /// As whole words: `user_phone`, `authToken` and `apiKey`, not `author`, `monkey` or `passenger`.
    case words
    /// Anywhere in the name.
    case substring
    case off
  }

  /// What is left of a text that a partial rule hides. Lengths count Unicode scalars.
  package enum Partial: Sendable, Hashable {
    /// The first `n`, but at most a quarter of the text, and `****`.
    case keepPrefix(Int)
    /// `****` and the last `n`, but at most a quarter of the text.
    case keepSuffix(Int)
    /// `e*****e@email.com`: the first and last of the part before the last `@`, up to five stars between.
    /// `****@…` where that part has one or two, `****` without an `@` or with something else than a domain
    /// behind it.
    case maskEmail
  }

  /// A rule for members whose name is, or else holds, `name`. Such members are hidden even where no other
  /// list names them.
  package struct PartialRule: Sendable, Hashable {
    package var name: String
    package var partial: Partial

    package init(_ name: String, _ partial: Partial) {
      self.name = name
      self.partial = partial
    }
  }

  /// What is looked for inside texts, whatever the member is called.
  package enum Detector: String, Sendable, Hashable, CaseIterable {
    case email, bearer, jwt, card, iban
    case cloudKey = "cloud_key"
    /// The value behind a secret's name: `password=…`, `"token": "…"`, `Authorization: …`.
    case secret
    /// User and password in a URL or DSN.
    case userinfo
    case privateKey = "private_key"
  }

  /// False: nothing is masked.
  package var isOn = true
  /// Members whose name holds one of these are hidden.
  package var baselineKeys: [String] = MaskingRules.baselineKeysDefault
  /// The first whose name equals a hidden member's, else the first whose name it holds, says what is left of
  /// a text; nothing is left if the member's name holds one of the other lists' too.
  package var partialRules: [PartialRule] = MaskingRules.partialRulesDefault
  /// Further keys for one caller: lists by the name of the API key.
  package var overrides: [String: [String]] = [:]
  package var heuristics: Heuristics = .words
  package var detectors: Set<Detector> = Set(Detector.allCases)
  /// What is looked for inside texts besides.
  package var ownDetectors = PatternDetectors.none
  /// The most values hidden in one record; a record with more keeps only `{"error":"masking_failed",…}`.
  package var operationsMax = 1_000

  package init() {}

  /// The most names of all lists together that a plan takes: settings with more are to be refused.
  package static let keysMax = 10_000

  /// Nothing is masked.
  package static let off: MaskingRules = {
    var rules = MaskingRules()
    rules.isOn = false
    return rules
  }()

  /// What is hidden by default beside the heuristic words.
  package static let baselineKeysDefault = [
    "password", "passwd", "passphrase", "token", "authorization", "api_key", "apikey", "api-key",
    "access_key", "secret", "card_number", "cvv", "credential", "private_key", "cookie", "session_id",
    "sessionid", "session-id", "connection_string", "connectionstring", "connection-string",
  ]

  package static let partialRulesDefault = [
    PartialRule("authorization", .keepPrefix(5)), PartialRule("email", .maskEmail),
  ]

  package static let heuristicWords = [
    "card", "credit", "ssn", "social", "phone", "email", "pass", "pwd", "key", "token", "auth", "secret",
    "private", "confidential", "sensitive",
  ]

  /// Likewise, but as whole words always: they are parts of too many others.
  package static let shortWords = ["jwt", "otp", "totp", "pin", "dsn", "cvc", "iban", "passcode", "passwort"]
}

/// How often a rule hid a value.
package struct MaskedCount: Sendable, Hashable {
  /// A key or word of the rules, or `value:` and a detector's name: never text of a request.
  package let rule: String
  package let count: Int

  package init(rule: String, count: Int) {
    self.rule = rule
    self.count = count
  }
}
