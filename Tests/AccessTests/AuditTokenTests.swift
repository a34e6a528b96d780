import Access
import Codecs
import Foundation
import Records
import TestKit
import Testing

/// Claims, times, shapes and the memory of verified tokens.
@Suite struct AuditTokenTests {
  private func bench<Value>(
    leewaySeconds: Int = 0, _ body: (TokenBench) async throws -> Value
  ) async throws -> Value {
    let bench = try await TokenBench(leewaySeconds: leewaySeconds)
    defer { bench.remove() }
    return try await body(bench)
  }

  @Test func aTokenSaysWhoIsCalling() async throws {
    try await bench { bench throws in
      let token = try TokenBench.token(claims: ["role": "auditor"])
      let principal = try bench.credentials.authenticate(
        authorization: "Bearer " + token, queryToken: nil)
      #expect(principal.tenant == Tenant(realm: .audit, name: "acme"))
      #expect(principal.subject == "u1")
      #expect(principal.role == .auditor)
      #expect(principal.filter == .all)
      #expect(try bench.credentials.authenticate(authorization: nil, queryToken: token) == principal)
      let again = try TokenBench.token(claims: ["role": "auditor", "jti": "2"])
      #expect(try bench.outcome(again).get().credential == principal.credential, "one scope a caller")
      let other = try TokenBench.token(claims: ["sub": "u2"])
      #expect(try bench.outcome(other).get().credential != principal.credential)
    }
  }

  @Test func theHeaderWinsAndIsSpelledOneWay() async throws {
    try await bench { bench throws in
      let good = try TokenBench.token()
      func error(_ header: String?, _ query: String?) -> CredentialError? {
        do throws(CredentialError) {
          _ = try bench.credentials.authenticate(authorization: header, queryToken: query)
          return nil
        } catch { return error }
      }
      #expect(error(nil, nil) == .missing)
      #expect(error("Bearer " + good, "x") == nil)
      for header in [
        "", "Bearer", "Bearer ", "bearer " + good, "BEARER " + good, " Bearer " + good, "Bearer  " + good,
        "Basic abc", good, "Bearer\t" + good, "Bearer " + good + " ", "Bearer " + good + " x",
      ] {
        #expect(error(header, good) == .malformed, "\(header)")
      }
    }
  }

  @Test func whatIsNotThreePartsIsMalformed() async throws {
    try await bench { bench throws in
      let good = try TokenBench.token()
      let parts = good.split(separator: ".").map(String.init)
      var shapes = [
        "", ".", "..", "...", "a", "a.b", parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".",
        "." + parts[1] + "." + parts[2], parts[0] + ".." + parts[2], good + ".", good + ".x", "." + good,
        good + "=", parts[0] + "=." + parts[1] + "." + parts[2], good + "\n", "\u{FEFF}" + good,
        good.replacing(".", with: "\u{FF0E}"), good + "+", good + "/", good + "\u{0}",
      ]
      // 32 bytes are 43 characters, the last of which has two bits to spare; all spellings but one are
      // refused.
      shapes += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".compactMap { last in
        let text = String(good.dropLast()) + String(last)
        return "AEIMQUYcgkosw048".contains(last) ? nil : text
      }
      for shape in shapes {
        #expect(bench.outcome(shape) == .failure(.malformed), "\(shape)")
      }
      #expect(bench.holds(good))
    }
  }

  @Test func partsThatAreNoJSONObjectsAreUnknown() async throws {
    try await bench { bench throws in
      for payload in [
        "null", "[]", "1", "\"x\"", "{", "{\"tenant\":\"acme\"", "", "\u{0}",
        #"{"tenant":"acme","tenant":"acme","sub":"u1","aud":"logserver","iss":"issuer"}"#,
        #"{"tenant":"acme","sub":"u1","aud":"logserver","iss":"issuer"}x"#,
        #"{"tenant":"acme","sub":"u\u0000","aud":"logserver","iss":"issuer"}"#,
        String(repeating: "[", count: 9_000),
      ] where !payload.isEmpty {
        let token = try TokenBench.token(TokenBench.legacySigner, payload: Array(payload.utf8))
        #expect(bench.outcome(token) == .failure(.unknown), "\(payload.prefix(70))")
      }
      for head in ["null", "[]", "{", #"{"alg":"HS256","alg":"HS256"}"#, "{}", #"{"alg":1}"#] {
        let body = try TokenBench.token().split(separator: ".")[1]
        let signed = Base64URL.text(Array(head.utf8)) + "." + body
        let token = signed + "." + Base64URL.text(try TokenBench.legacySigner.signature(signed))
        #expect(bench.outcome(token) == .failure(.unknown), "\(head)")
      }
    }
  }

  @Test func claimsThatMustBeThere() async throws {
    try await bench { bench throws in
      let refused: [[String: Any]] = [
        ["sub": NSNull()], ["sub": ""], ["sub": 7], ["sub": ["u1"]], ["sub": true],
        ["tenant": NSNull()], ["tenant": ""], ["tenant": 7], ["tenant": ["acme"]],
        ["aud": NSNull()], ["aud": ""], ["aud": "other"], ["aud": "Logserver"], ["aud": [String]()],
        ["aud": ["other"]], ["aud": ["logserver", 1] as [Any]], ["aud": ["logserver": 1]],
        ["aud": "logserver "],
        ["iss": NSNull()], ["iss": ""], ["iss": "other"], ["iss": ["issuer"]], ["iss": 1],
      ]
      for claims in refused {
        #expect(try bench.outcome(TokenBench.token(claims: claims)) == .failure(.unknown), "\(claims)")
      }
      #expect(try bench.holds(TokenBench.token(claims: ["aud": ["logserver"]])))
      #expect(try bench.holds(TokenBench.token(claims: ["aud": ["x", "logserver"], "extra": ["a": [1]]])))
    }
  }

  @Test func tenantNamesBeyondWhatATenantMayBe() async throws {
    try await bench { bench throws in
      for (name, isTaken) in [
        (String(repeating: "t", count: 512), true), (String(repeating: "t", count: 513), false),
        ("Ünïcode tenant/..", true),
      ] {
        let token = try TokenBench.token(
          .secret(TokenBench.legacyKey(name)), ["tenant": name])
        #expect(bench.holds(token) == isTaken, "\(name.utf8.count)")
      }
    }
  }

  @Test func rolesAndWhatTheyMay() async throws {
    try await bench { bench throws in
      let roles: [(Any, Role)] = [
        ("admin", .admin), ("auditor", .auditor), ("viewer", .viewer), (NSNull(), .viewer), ("", .viewer),
        ("Admin", .viewer), ("root", .viewer), ("user", .viewer), ("writer", .viewer), (["admin"], .viewer),
        (1, .viewer),
      ]
      for (claim, role) in roles {
        #expect(try bench.outcome(TokenBench.token(claims: ["role": claim])).get().role == role, "\(claim)")
      }
      let table: [(Role, [Permission])] = [
        (.admin, [.read, .write, .export, .administer]), (.auditor, [.read, .write, .export]),
        (.viewer, [.read, .write]), (.user, [.read, .write, .export]), (.reader, [.read, .export]),
        (.writer, [.write]),
      ]
      #expect(table.count == Role.allCases.count)
      for (role, allowed) in table {
        for permission in [Permission.read, .write, .export, .administer] {
          #expect(role.allows(permission) == allowed.contains(permission), "\(role) \(permission)")
        }
      }
    }
  }

  @Test func timesAreHonouredToTheNanosecond() async throws {
    try await bench { bench throws in
      let now = TokenBench.now
      let held: [[String: Any]] = [
        ["exp": now + 1], ["nbf": now], ["iat": now], ["exp": Double(now) + 0.5], ["nbf": Double(now) - 0.5],
        ["exp": Int64.max], ["exp": 1e300], ["iat": -5], ["nbf": -1e300], ["iat": 0],
        ["nbf": now - 10, "iat": now - 10, "exp": now + 10],
      ]
      for claims in held { #expect(try bench.holds(TokenBench.token(claims: claims)), "\(claims)") }
      let refused: [[String: Any]] = [
        ["exp": now], ["exp": now - 1], ["exp": 0], ["exp": -1], ["exp": Int64.min], ["nbf": now + 1],
        ["iat": now + 1], ["nbf": Double(now) + 0.001], ["exp": "\(now + 10)"], ["exp": true], ["exp": [1]],
        ["nbf": "0"], ["iat": "0"], ["iat": false], ["nbf": Int64.max], ["nbf": 1e300],
      ]
      for claims in refused {
        #expect(try bench.outcome(TokenBench.token(claims: claims)) == .failure(.unknown), "\(claims)")
      }
      for raw in ["null", "1e999", "-1e999"] {
        let payload = #"{"tenant":"acme","sub":"u1","aud":"logserver","iss":"issuer","exp":\#(raw)}"#
        #expect(
          try !bench.holds(TokenBench.token(TokenBench.legacySigner, payload: Array(payload.utf8))), "\(raw)")
      }
    }
  }

  @Test func leewayHoldsOnBothSides() async throws {
    try await bench(leewaySeconds: 30) { bench throws in
      let now = TokenBench.now
      for claims in [["exp": now - 29], ["nbf": now + 30], ["iat": now + 30]] {
        #expect(try bench.holds(TokenBench.token(claims: claims)), "\(claims)")
      }
      for claims in [["exp": now - 30], ["nbf": now + 31], ["iat": now + 31]] {
        #expect(try !bench.holds(TokenBench.token(claims: claims)), "\(claims)")
      }
    }
  }

  @Test func theMemoryOfVerifiedTokensKnowsTheTime() async throws {
    try await bench { bench throws in
      let now = TokenBench.now
      let token = try TokenBench.token(claims: ["exp": now + 60, "nbf": now - 60])
      #expect(bench.holds(token))
      #expect(bench.credentials.verifiedCount == 1)
      bench.clock.advance(nanoseconds: 60_000_000_000 - 1)
      #expect(bench.holds(token))
      bench.clock.advance(nanoseconds: 1)
      #expect(bench.outcome(token) == .failure(.unknown), "expired in memory")
      #expect(bench.credentials.verifiedCount == 0)
      bench.clock.set((now - 60) * 1_000_000_000)
      #expect(bench.holds(token), "the clock was set back, the token holds by its own words")
      bench.clock.advance(nanoseconds: -1)
      #expect(bench.outcome(token) == .failure(.unknown), "not yet valid, though in memory")
      bench.clock.set(.max)
      #expect(!bench.holds(token))
      bench.clock.set(.min)
      #expect(!bench.holds(token))
    }
  }

  @Test func theMemoryIsBoundedAndHoldsNothingRefused() async throws {
    try await bench { bench throws in
      for index in 0..<50 {
        #expect(try !bench.holds(TokenBench.token(.secret("wrong"), ["sub": "u\(index)"])))
      }
      #expect(bench.credentials.verifiedCount == 0)
      for index in 0..<10_050 {
        #expect(try bench.holds(TokenBench.token(claims: ["sub": "u\(index)"])))
      }
      #expect(bench.credentials.verifiedCount == 50, "it started anew")
    }
  }

  @Test func hugeTokensAreRefused() async throws {
    try await bench { bench throws in
      func token(bytes count: Int) throws -> String {
        let empty = try TokenBench.token(claims: ["x": ""]).utf8.count
        let text = String(repeating: "x", count: (count - empty) * 3 / 4)
        return try TokenBench.token(claims: ["x": text])
      }
      let most = try token(bytes: 8_192)
      #expect(most.utf8.count <= 8_192 && most.utf8.count > 8_188)
      #expect(bench.holds(most))
      #expect(try bench.outcome(token(bytes: 8_200)) == .failure(.unknown))
      for shape in ["x", ".", "a.b.", "\u{1F4A3}"] {
        let huge = String(repeating: shape, count: 4_000_000)
        #expect(bench.outcome(huge) == .failure(.unknown), "\(shape)")
      }
    }
  }
}

extension TokenBench {
  static func token(claims: [String: Any]) throws -> String { try token(legacySigner, claims) }
}
