import Codecs
import Foundation
import Masking
import Records
import TestKit
import Testing

/// A text as all detectors leave it.
func redacted(_ text: String, _ detectors: Set<MaskingRules.Detector> = Set(MaskingRules.Detector.allCases))
  -> String
{
  var record = RecordMasking(makePlan { $0.detectors = detectors })
  return record.column("message", text)
}

struct DetectorTests {
  static let jwt =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
  static let secret40 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
  static let gitHub = "ghp_" + String(repeating: "aB3", count: 12)

  @Test(arguments: [
    // Addresses.
    ("bob@example.com", "****[email]"), ("mail to bob.o'hara+x@mail.example.co.uk.", "mail to ****[email]."),
    ("<a@b.cd>,c@d.ef", "<****[email]>,****[email]"), ("user=bob@x.io&y", "user=****[email]&y"),
    ("müller@exämple.de!", "****[email]!"),
    ("https://user:pa55@host.com/p", "https://****[userinfo]@host.com/p"),
    ("a@b.cd@e.fg", "****[email]@e.fg"),
    // Bearer tokens.
    ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ****[bearer]"),
    ("bearer=a1b2, next", "bearer=****[bearer], next"), ("BEARER \"zz9\"", "BEARER \"****[bearer]\""),
    ("Bearer \(jwt)", "Bearer ****[bearer]"),
    // Web tokens.
    (jwt, "****[jwt]"), ("t=\(jwt).", "t=****[jwt]."),
    ("(eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.)", "(****[jwt].)"),
    // Cards.
    ("4111111111111111", "****[card]"), ("card 4111 1111 1111 1111 12/27", "card ****[card] 12/27"),
    ("5500-0000-0000-0004;", "****[card];"), ("amex 3782 822463 10005", "amex ****[card]"),
    ("2025 4111111111111111", "2025 ****[card]"), ("6011000990139424.", "****[card]."),
    ("30569309025904", "****[card]"),
    ("3530111333300000", "****[card]"), ("4222222222222", "****[card]"),
    // Accounts.
    ("DE89370400440532013000", "****[iban]"), ("GB82 WEST 1234 5698 7654 32 is", "****[iban] is"),
    ("iban:fr1420041010050500013m02606", "iban:****[iban]"), ("NO9386011117947", "****[iban]"),
    // Cloud keys.
    ("AKIAIOSFODNN7EXAMPLE", "****[cloud_key]"),
    ("key AKIAIOSFODNN7EXAMPLE secret \(secret40) end", "key ****[cloud_key] secret ****[cloud_key] end"),
    ("ASIAIOSFODNN7EXAMPLE:\(secret40) a@b.cd", "****[cloud_key]:****[cloud_key] ****[email]"),
    ("AIza" + String(repeating: "x", count: 35), "****[cloud_key]"), ("t \(gitHub) t", "t ****[cloud_key] t"),
    ("github_pat_" + String(repeating: "a1_", count: 20), "****[cloud_key]"),
    ("xoxb-123456789012-abcdefghij", "****[cloud_key]"),
    // Side by side.
    ("a@b.cd 4111111111111111 \(jwt)", "****[email] ****[card] ****[jwt]"),
  ])
  func secretsAreReplaced(_ text: String, _ expected: String) {
    #expect(redacted(text) == expected)
    // What stands for a secret is none.
    #expect(redacted(expected) == expected)
    // Wherever it stands.
    for length in 0..<40 {
      let before = String(repeating: "ü ", count: length / 2) + String(repeating: " ", count: length % 2)
      #expect(redacted(before + text + " .") == before + expected + " .")
    }
  }

  @Test(arguments: [
    "", "@", "a@", "@b.cd", "a@b", "a@b.", "a@b.c", "lodash@4.17.21", "pkg@1.2", "user@localhost",
    "the bearer of it",
    "Bearer x", "bearerabc12345678", "forbearer abcdefghijkl", "eyJhbGciOi", "eyJ.eyJ.eyJ",
    "xeyJhbGciOi.abcdefgh.x",
    "4111111111111112", "1234567890123456", "1700000000000", "1700000000000000000", "x4111111111111111",
    "4111111111111111a", "0.4111111111111111", "41111111111111111111111", "2025-09-24T12:00:00.123456789Z",
    "4111  1111 1111 1111", "550e8400-e29b-41d4-a716-446655440000", "DE89370400440532013001",
    "DE8937040044053201300",
    "XX89370400440532013000", "SHA256 of it", "UTF8", "AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLEX",
    "akiaiosfodnn7example",
    "AIza123", "ghp_short", "ghx_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "xoxb-short", "xox", "github",
    "[2024] GET /a/b?x=1 200 15ms", secret40,
  ])
  func otherTextsStay(_ text: String) {
    #expect(redacted(text) == text)
    #expect(redacted("ü " + text) == "ü " + text)
  }

  @Test func eachDetectorCanBeLeftOut() {
    let samples: [(MaskingRules.Detector, String)] = [
      (.email, "bob@example.com"), (.bearer, "Bearer abcdefghijkl"), (.jwt, DetectorTests.jwt),
      (.card, "4111111111111111"), (.iban, "DE89370400440532013000"), (.cloudKey, DetectorTests.gitHub),
      (.secret, "password=hunter2"), (.userinfo, "redis://:hunter2@cache:6379/0"),
      (.privateKey, "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"),
    ]
    for (detector, sample) in samples {
      #expect(redacted(sample, [detector]) != sample)
      #expect(redacted(sample, Set(MaskingRules.Detector.allCases).subtracting([detector])) == sample)
    }
  }

  /// Users may be named by address and traces by number; tokens are hidden there too.
  @Test func identifiersAreLookedIntoLess() {
    let plan = MaskingPlan(MaskingRules(), for: Dataset.audit.schema)
    var record = RecordMasking(plan)
    #expect(record.column("user_id", "bob@example.com") == "bob@example.com")
    #expect(record.column("resource_id", "4111111111111111") == "4111111111111111")
    #expect(record.column("resource_id", DetectorTests.jwt) == "****[jwt]")
    #expect(record.column("user_agent", "bob@example.com") == "****[email]")
  }

  /// Texts made to be read again and again take as long as others.
  @Test(arguments: [
    "a", "@", "a@", "a@b.", "eyJ", "eyJ.", "eyJ-", "Bearer ", "4", "4111 ", "4111-", "DE89", "de89 ", "AKIA",
    "AKIAIOSFODNN7EXAMPLE ", "AKIAIOSFODNN7EXAMPLE/", "ghp_", "xoxb-", "github_pat_", "1",
    "41111111111111111", ".", "ü@", "ab12 ",
    "eyJa.abcdefgh.", "password", "password=", "password='", "password: ", "password=\\\"", "token: ",
    "token=a,",
    "token=a)", "://", "a://", "a://b:", "a://b@", "@tcp(", "a:@tcp(", ":a@tcp(", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "PRIVATE KEY-----", "Basic YTpi", "basic aaaa", "Cookie: a=b; ", "Cookie: ", "authorization: ",
    "authorization: digest ",
    "\"token\":", "\"token\",\"value\":", "sk-", "SK12", "key-0", "glpat-", "1:AA",
    "hooks.slack.com/services/", "by '",
    "identified by ", "<password>", "--token ", "token%3D", "secret", "api_key", "\\", "\\\"",
    "Set-Cookie: expires=",
  ])
  func hostileTextsAreReadInLinearTime(_ unit: String) {
    func ticks(_ count: Int) -> Int {
      let text = String(repeating: unit, count: count / unit.utf8.count)
      return (0..<3).map { _ in
        let start = clock()
        #expect(!redacted(text).isEmpty)
        return Int(clock() - start)
      }.min() ?? 0
    }
    // Processor time of this process, other tests' too: sixteen times as much text takes far less than 256
    // times as long.
    let few = ticks(4_000)
    let many = ticks(64_000)
    #expect(many < 80 * few + 20_000, "\(few) \(many)")
  }

  /// The filter in blocks against one that looks at each byte.
  @Test func candidatesAreThoseOfAPlainSearch() {
    var generator = SeededGenerator(seed: 5)
    let alphabet = Array("@bBaArReyJAKSIzgh_ixo0123456789 dE-.\u{0}é".utf8)
    for round in 0..<4_000 {
      let count = Int.random(in: 0..<90, using: &generator)
      let text = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      var at = 0
      while at < count {
        let next = TextCandidates.next(text.span, from: at)
        let expected = (at..<count).first { Self.isCandidate(text, $0) } ?? count
        #expect(next == expected, "round \(round) from \(at): \(text)")
        if next != expected { return }
        at = next + 1
      }
    }
  }

  static func isCandidate(_ text: [UInt8], _ at: Int) -> Bool {
    func byte(_ offset: Int) -> UInt8 { at + offset >= 0 && at + offset < text.count ? text[at + offset] : 0 }
    func isDigit(_ offset: Int) -> Bool { (0x30...0x39).contains(byte(offset)) }
    func isLetter(_ offset: Int) -> Bool { (0x61...0x7A).contains(byte(offset) | 0x20) }
    if byte(0) == UInt8(ascii: "@") { return true }
    if (0..<4).allSatisfy(isDigit), !isDigit(-1) { return true }
    if isDigit(-1) || isLetter(-1) { return false }
    return isLetter(0) && isLetter(1) && isDigit(2) && isDigit(3)
  }
}
