import Masking
import Records
import TestKit
import Testing

/// Names of secrets, however they are written.
struct NameTests {
  static let plan = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)

  @Test(arguments: [
    "session_id", "sessionId", "SESSION-ID", "user_session_id", "jwt", "JWT", "idTokenJwt", "otp", "otpCode",
    "pin", "card_pin", "PIN", "dsn", "sentry_dsn", "connection_string", "ConnectionString", "cvc", "iban",
    "totp",
    "passcode", "db.dsn",
  ])
  func secretsHaveManyNames(_ name: String) { #expect(NameTests.plan.rule(forKey: name) != 0, "\(name)") }

  @Test(arguments: [
    "spinning", "shipping", "opinion", "pinned", "option", "optional", "footprint", "session", "sessions",
    "session_count", "dsns", "connection", "string", "mapping", "ping", "id", "idle", "hotpath", "message",
  ])
  func partsOfOtherWordsAreNone(_ name: String) {
    #expect(NameTests.plan.rule(forKey: name) == 0, "\(name)")
    #expect(NameTests.substrings.rule(forKey: name) == 0, "\(name)")
  }

  static let substrings: MaskingPlan = {
    var rules = MaskingRules()
    rules.heuristics = .substring
    return MaskingPlan(rules, for: Dataset.logs.schema)
  }()

  /// Full width, mathematical, encircled, small capitals, with marks, with what is not seen, and of other
  /// alphabets.
  @Test(arguments: [
    "ｐａｓｓｗｏｒｄ", "ＰＡＳＳＷＯＲＤ", "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝", "𝓹𝓪𝓼𝓼𝔀𝓸𝓻𝓭", "𝚙𝚊𝚜𝚜𝚠𝚘𝚛𝚍", "ⓟⓐⓢⓢⓦⓞⓡⓓ", "🄿🄰🅂🅂🅆🄾🅁🄳", "ᴘᴀssᴡᴏʀᴅ",
    "pa\u{200B}ssword", "pass\u{00AD}word", "\u{FEFF}password", "p\u{0332}a\u{0332}ssword",
    "pa\u{E0061}ssword",
    "pass\u{0}word", "p\u{430}ssword", "раѕѕwоrd", "pαssword", "ρasswοrd", "pässword", "passw\u{F8}rd",
    "paſſword",
    "ｓecret", "ѕесrеt", "to\u{212A}en", "ａｐｉ＿ｋｅｙ", "apі_key", "аuthorization", "ｏｔｐ", "рin", "jԝt", "ｄｓｎ",
    "session\u{2060}_id", "ｓｅｓｓｉｏｎ＿ｉｄ", "connection\u{FF3F}string", "api\u{2011}key", "ﬁ_secret", "ｐwd",
  ])
  func noSpellingHidesAName(_ name: String) { #expect(NameTests.plan.rule(forKey: name) != 0, "\(name)") }

  @Test(arguments: [
    "имя", "сообщение", "名前", "größe", "naïve", "μs", "λ", "日志", "Straße", "ｍｅｓｓａｇｅ", "🙂", "п", "°C",
  ])
  func otherNamesInOtherAlphabetsStay(_ name: String) {
    #expect(NameTests.plan.rule(forKey: name) == 0, "\(name)")
  }

  /// A name of any length and any characters ends, and is found at its start.
  @Test func longNamesAreRead() {
    let marks = String(repeating: "\u{0301}", count: 100_000)
    #expect(NameTests.plan.rule(forKey: "password" + marks) != 0)
    #expect(NameTests.plan.rule(forKey: "p\u{0301}assword" + marks) != 0)
  }
}
