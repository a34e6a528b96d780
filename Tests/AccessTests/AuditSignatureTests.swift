import Access
import Codecs
import Crypto
import CryptoExtras
import Foundation
import Records
import Testing

/// Which key signs what, and nothing else does.
@Suite struct AuditSignatureTests {
  private static let legacyOff = LegacyTenantKeys(isOn: false)
  private static let longSecret = "a secret of thirty-two bytes or so"

  private func bench<Value>(
    legacy: LegacyTenantKeys = LegacyTenantKeys(isOn: true), keys: [AuditKey] = [],
    _ body: (TokenBench) async throws -> Value
  ) async throws -> Value {
    let bench = try await TokenBench(legacy: legacy, keys: keys)
    defer { bench.remove() }
    return try await body(bench)
  }

  // MARK: HS256

  @Test func theLegacyRuleHoldsForAnyTenantWhileItIsOn() async throws {
    let foreign =
      "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9.eyJ0ZW5hbnQiOiAiYWNtZSIsICJzdWIiOiAidTEiLCAiYXVkIjogImxvZ3NlcnZlciIsICJpc3MiOiAiaXNzdWVyIiwgInJvbGUiOiAiYXVkaXRvciJ9.5r1_YNOWzCObObd1PSySlEhqr5O5bfkoshGQtBGcTbY"
    try await bench { bench throws in
      #expect(try bench.outcome(foreign).get().role == .auditor, "made by another program")
      for tenant in ["acme", "other", "ACME", "a b", "é"] {
        let token = try TokenBench.token(.secret(TokenBench.legacyKey(tenant)), ["tenant": tenant])
        #expect(try bench.outcome(token).get().tenant.name == tenant)
        #expect(try !bench.holds(TokenBench.token(.secret(TokenBench.legacyKey(tenant)), ["tenant": "x"])))
      }
      let digest = Insecure.MD5.hash(data: Data("acmesecret".utf8))
      #expect(try !bench.holds(TokenBench.token(.bytes(Array(digest)))), "the digits sign, not the digest")
      #expect(try !bench.holds(TokenBench.token(.secret(TokenBench.legacyKey("acme").uppercased()))))
      #expect(try !bench.holds(TokenBench.token(.secret("secret"))))
    }
    try await bench(legacy: Self.legacyOff) { bench throws in
      #expect(bench.outcome(foreign) == .failure(.unknown))
    }
    try await bench(legacy: LegacyTenantKeys(isOn: true, secret: "s2")) { bench throws in
      #expect(bench.outcome(foreign) == .failure(.unknown))
      #expect(try bench.holds(TokenBench.token(.secret(TokenBench.legacyKey("acme", secret: "s2")))))
    }
  }

  @Test func aTenantsOwnSecretSignsForItAlone() async throws {
    let bench = try await TokenBench(legacy: Self.legacyOff)
    defer { bench.remove() }
    let acme = try await bench.tenants.create(name: "Acme", key: "acme")
    let other = try await bench.tenants.create(name: "Other", key: "other")
    #expect(acme.secret != other.secret)
    #expect(try bench.holds(TokenBench.token(.secret(acme.secret))))
    #expect(try bench.holds(TokenBench.token(.secret(other.secret), ["tenant": "other"])))
    #expect(try !bench.holds(TokenBench.token(.secret(other.secret))))
    #expect(try !bench.holds(TokenBench.token(.secret(acme.secret), ["tenant": "other"])))
    #expect(try !bench.holds(TokenBench.token(.secret(acme.secret), ["tenant": "Acme"])))
    #expect(try !bench.holds(TokenBench.token(.secret(acme.secret), ["tenant": "nobody"])))
    #expect(try !bench.holds(TokenBench.token(.secret(acme.secret), header: ["kid": "acme"])))
    #expect(try !bench.holds(TokenBench.token(.secret(""))))
  }

  @Test func configuredKeysSignForTheirTenants() async throws {
    let keys = [
      AuditKey(keyID: "all", secret: Self.longSecret, tenants: nil),
      AuditKey(keyID: "few", secret: Self.longSecret + "2", tenants: ["acme", "zeta"]),
    ]
    try await bench(legacy: Self.legacyOff, keys: keys) { bench throws in
      func holds(_ secret: String, _ tenant: String, _ keyID: Any? = nil) throws -> Bool {
        bench.holds(
          try TokenBench.token(
            .secret(secret), ["tenant": tenant], header: keyID.map { ["kid": $0] } ?? [:]))
      }
      let (all, few) = (Self.longSecret, Self.longSecret + "2")
      let held: [(String, String, Any?)] = [
        (all, "acme", nil), (all, "any", nil), (all, "any", "all"), (few, "acme", nil), (few, "zeta", "few"),
      ]
      for (secret, tenant, keyID) in held { #expect(try holds(secret, tenant, keyID), "\(tenant)") }
      let refused: [(String, String, Any?)] = [
        (few, "any", nil), (few, "any", "few"), (few, "Acme", nil), (all, "acme", "few"),
        (few, "acme", "all"), (all, "acme", "none"), (all, "acme", "ALL"), (all, "acme", ""),
        (all, "acme", 1),
        (all, "acme", ["all"]),
      ]
      for (secret, tenant, keyID) in refused { #expect(try !holds(secret, tenant, keyID), "\(tenant)") }
    }
  }

  // MARK: RS256 and ES256

  @Test func publicKeysVerify() async throws {
    let rsa = TokenBench.rsaKeys
    let p256 = [P256.Signing.PrivateKey(), P256.Signing.PrivateKey()]
    try await bench(legacy: Self.legacyOff) { bench throws in
      let token = try TokenBench.token(.rsa(rsa[0]), header: ["kid": "r0"])
      #expect(bench.outcome(token) == .failure(.unknown), "no key set yet")
      bench.credentials.use(
        try TokenBench.keySet([
          TokenBench.jwk(rsa[0].publicKey, ["kid": "r0", "use": "sig", "alg": "RS256"]),
          TokenBench.jwk(p256[0].publicKey, ["kid": "e0", "key_ops": ["verify"]]),
          TokenBench.jwk(p256[1].publicKey),
        ]))
      #expect(bench.holds(token))
      #expect(try bench.holds(TokenBench.token(.rsa(rsa[0]))), "without kid each key is tried")
      #expect(try bench.holds(TokenBench.token(.p256(p256[0]), header: ["kid": "e0"])))
      #expect(try bench.holds(TokenBench.token(.p256(p256[1]), ["role": "admin", "tenant": "any"])))
      #expect(try !bench.holds(TokenBench.token(.rsa(rsa[1]))))
      #expect(try !bench.holds(TokenBench.token(.rsa(rsa[1]), header: ["kid": "r0"])))
      for keyID in ["e0", "R0", "", "r0 ", "none"] {
        #expect(try !bench.holds(TokenBench.token(.rsa(rsa[0]), header: ["kid": keyID])), "\(keyID)")
      }
      #expect(try !bench.holds(TokenBench.token(.p256(p256[1]), header: ["kid": "e0"])))
      bench.credentials.use(try TokenBench.keySet([TokenBench.jwk(rsa[1].publicKey)]))
      #expect(bench.outcome(token) == .failure(.unknown), "its key is gone, though it was in memory")
      #expect(try bench.holds(TokenBench.token(.rsa(rsa[1]))))
    }
  }

  @Test func tokensOfAnotherProgramVerify() async throws {
    let set = try KeySet(
      parsing: Array(
        #"{"keys":[{"kty":"RSA","kid":"r1","e":"AQAB","n":"0sbVBYfC6PUHuw1I7-nToebb8asBz_px4I02Rs6_euwMJS1x_vItMaTd0SkOFTggU6_xT8-7sI3nFSR_I6ivhW6l9DuJ0t8_lyKJHHcaoAKVV1kppvSwWFkpusUfEktrAdQMKfwZVUajkdenHg6VhXs3OoDdGdQLGzG3j0fbBR835UHo92HG4zFg2ZcGegFLWNKTfIxGW3d9xGv3UjmvFYP25H3uGeQEwgVI8On6PMfu7IafDwiM6U7uclNl2ny5FhRaeIxRtNWO0tAh6TXFOfCW2UZSeIB-8_P1DaayzTZDQIJk0zNUwtwIVOZGqjxdP6aFvKheahauESMgMb1YTQ"},{"kty":"EC","crv":"P-256","kid":"e1","x":"I8MoDTwnAglJp7wI-ETsciGlg9xj95z5hZ9cvRP7C8c","y":"jOTFsxXRPZ-_9hTQPpF9jDTaYRo8wy-_xsVTPrgis9A"}]}"#
          .utf8))
    let payload =
      "eyJ0ZW5hbnQiOiAiYWNtZSIsICJzdWIiOiAidTEiLCAiYXVkIjogImxvZ3NlcnZlciIsICJpc3MiOiAiaXNzdWVyIiwgInJvbGUiOiAiYXVkaXRvciJ9"
    let rsa =
      "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzI1NiIsICJraWQiOiAicjEifQ.\(payload).ueDVRx9CWEpcTW-H8p1AvRFkm7fwMEe2kMyB9KBNhqAc-KUEl-9CxvCkuyH-Kvg0KO2Pp65ZhgOrCO0e8j6SDgSSxl-7GmNsI5AMdQeZycUUKUS7Uml8oTBIdIIhWUTVwNujqXGqjGdS5aVpWj_gozg6JGF2PikFSDqkiIIh0G-3-E6hK31dvvr9DSIcIOe0VtLJf_60AxJsf2UvKbgffirFNrRXRYFpMdrWQq9sr1LiLrt6gkT1Rn9lTbdEbx_16Xb0SSmnkvFc-trIC40KyBuG_i2eArRy2oKr6UPLBHQ3VX9o0aSlgbD1CVf8r6VqHHub0iApU9yw11fYiC00ng"
    let ec =
      "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJFUzI1NiIsICJraWQiOiAiZTEifQ.\(payload).qD76qt5LzCOMUpxgfKQxyx69oJFMVAB1-zFql8bPCI8l5zdxl4btagleyYBb0w1vQfDLgmBZIicz1KUL_TaBqw"
    try await bench(legacy: Self.legacyOff) { bench throws in
      bench.credentials.use(set)
      #expect(try bench.outcome(rsa).get().role == .auditor)
      #expect(try bench.outcome(ec).get().role == .auditor)
    }
  }

  // MARK: Forgeries

  @Test func theAlgorithmIsTheKeysNotTheTokens() async throws {
    let rsa = TokenBench.rsaKeys[0]
    let p256 = P256.Signing.PrivateKey()
    let modulus = try rsa.publicKey.getKeyPrimitives().modulus
    let set = [
      try TokenBench.jwk(rsa.publicKey, ["kid": "r"]), TokenBench.jwk(p256.publicKey, ["kid": "e"]),
    ]
    let jwks = try JSONSerialization.data(withJSONObject: ["keys": set])
    let publicForms: [[UInt8]] = [
      Array(rsa.publicKey.pemRepresentation.utf8), Array((rsa.publicKey.pemRepresentation + "\n").utf8),
      Array(rsa.publicKey.derRepresentation), Array(rsa.publicKey.pkcs1DERRepresentation),
      Array(rsa.publicKey.pkcs1PEMRepresentation.utf8), Array(modulus),
      Array(Base64URL.text(Array(modulus)).utf8), Array(p256.publicKey.pemRepresentation.utf8),
      Array(p256.publicKey.derRepresentation), Array(p256.publicKey.rawRepresentation),
      Array(p256.publicKey.x963Representation), Array(jwks), [], [0],
    ]
    try await bench { bench throws in
      bench.credentials.use(try KeySet(parsing: Array(jwks)))
      #expect(try bench.holds(TokenBench.token(.rsa(rsa), header: ["kid": "r"])))
      for form in publicForms {
        for header: [String: Any] in [[:], ["kid": "r"], ["kid": "e"]] {
          #expect(try !bench.holds(TokenBench.token(.bytes(form), header: header)))
        }
      }
      for (signer, algorithm) in [
        (Signer.rsa(rsa), "ES256"), (.rsa(rsa), "HS256"), (.rsa(rsa), "PS256"), (.rsa(rsa), "RS384"),
        (.p256(p256), "RS256"), (.p256(p256), "HS256"), (.p256(p256), "ES384"), (.p256(p256), "ES256K"),
      ] {
        #expect(try !bench.holds(TokenBench.token(signer, header: ["alg": algorithm])), "\(algorithm)")
      }
    }
  }

  @Test func noneAndOtherAlgorithmsAreRefused() async throws {
    try await bench { bench throws in
      for name in [
        "none", "None", "NONE", "nOnE", "", "HS384", "HS512", "hs256", "HS256 ", "HS256\u{0}", "RSA", "EdDSA",
      ] where !name.contains("\u{0}") {
        #expect(try !bench.holds(TokenBench.token(TokenBench.legacySigner, header: ["alg": name])), "\(name)")
        let unsigned = try TokenBench.token(.verbatim([]), header: ["alg": name])
        #expect(bench.outcome(unsigned) == .failure(.malformed))
        #expect(try !bench.holds(TokenBench.token(.verbatim([0]), header: ["alg": name])))
      }
      for algorithm: Any in [NSNull(), 1, ["HS256"], true] {
        #expect(try !bench.holds(TokenBench.token(TokenBench.legacySigner, header: ["alg": algorithm])))
      }
    }
  }

  @Test func criticalExtensionsAreRefused() async throws {
    try await bench { bench throws in
      for critical: Any in [["b64"], [String](), "exp", ["exp"], 1] {
        #expect(try !bench.holds(TokenBench.token(TokenBench.legacySigner, header: ["crit": critical])))
      }
      let harmless: [String: Any] = [
        "jku": "https://x", "x5c": ["x"], "cty": "JWT", "typ": 1, "jwk": ["k": "x"],
      ]
      #expect(try bench.holds(TokenBench.token(TokenBench.legacySigner, header: harmless)))
    }
  }

  @Test func everyBitOfATokenCounts() async throws {
    let p256 = P256.Signing.PrivateKey()
    let rsa = TokenBench.rsaKeys[0]
    try await bench { bench throws in
      bench.credentials.use(
        try TokenBench.keySet([TokenBench.jwk(rsa.publicKey), TokenBench.jwk(p256.publicKey)]))
      for signer in [TokenBench.legacySigner, .rsa(rsa), .p256(p256)] {
        let good = try TokenBench.token(signer)
        let parts = good.split(separator: ".").map(String.init)
        let signature = try #require(Base64URL.bytes(parts[2]))
        func changed(_ bytes: [UInt8]) -> String { parts[0] + "." + parts[1] + "." + Base64URL.text(bytes) }
        for index in signature.indices {
          for bit in 0..<8 {
            var bytes = signature
            bytes[index] ^= 1 << UInt8(bit)
            #expect(!bench.holds(changed(bytes)), "\(signer.algorithm), byte \(index), bit \(bit)")
          }
        }
        for count in 1..<signature.count { #expect(!bench.holds(changed(Array(signature[..<count])))) }
        for more: [UInt8] in [[0], [1], signature] { #expect(!bench.holds(changed(signature + more))) }
        #expect(!bench.holds(changed([0] + signature)) && !bench.holds(changed(signature.map { _ in 0 })))
        for part in 0..<2 {
          let bytes = try #require(Base64URL.bytes(parts[part]))
          for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            var texts = parts
            texts[part] = Base64URL.text(other)
            #expect(!bench.holds(texts.joined(separator: ".")), "part \(part), byte \(index)")
          }
        }
        #expect(bench.holds(good))
      }
    }
  }

  // MARK: Key sets

  @Test func keysForOtherUsesAreLeftOut() async throws {
    let rsa = TokenBench.rsaKeys[0].publicKey
    let p256 = P256.Signing.PrivateKey().publicKey
    let p384 = Array(P384.Signing.PrivateKey().publicKey.rawRepresentation)
    let others: [[String: Any]] = [
      try TokenBench.jwk(rsa, ["use": "enc"]), try TokenBench.jwk(rsa, ["alg": "PS256"]),
      try TokenBench.jwk(rsa, ["key_ops": ["encrypt"]]), TokenBench.jwk(p256, ["alg": "ECDH-ES"]),
      ["kty": "oct", "k": "c2VjcmV0"], ["kty": "OKP", "crv": "Ed25519", "x": "AAAA"], ["kty": "new"], [:],
      [
        "kty": "EC", "crv": "P-384", "x": Base64URL.text(Array(p384[..<48])),
        "y": Base64URL.text(Array(p384[48...])),
      ],
    ]
    #expect(try TokenBench.keySet(others + [TokenBench.jwk(p256)]).count == 1)
    #expect(try TokenBench.keySet([]).count == 0)
    #expect(throws: KeySetError.self) { try TokenBench.keySet(others) }
  }

  @Test func damagedKeySetsAreErrorsThatQuoteNothing() async throws {
    let rsa = TokenBench.rsaKeys[0]
    let p256 = P256.Signing.PrivateKey()
    let x = Base64URL.text(Array(p256.publicKey.rawRepresentation.prefix(32)))
    let bad: [[String: Any]] = [
      ["kty": "RSA", "e": "AQAB"], ["kty": "RSA", "n": "AQAB", "e": "AQAB"],
      try TokenBench.jwk(rsa.publicKey, ["n": "canary+="]), try TokenBench.jwk(rsa.publicKey, ["e": ""]),
      try TokenBench.jwk(rsa.publicKey, ["e": "AA"]), try TokenBench.jwk(rsa.publicKey, ["d": "canary"]),
      try TokenBench.jwk(rsa.publicKey, ["kid": 7]), TokenBench.jwk(p256.publicKey, ["y": x]),
      TokenBench.jwk(p256.publicKey, ["x": "AAAA"]), TokenBench.jwk(p256.publicKey, ["d": "canary"]),
      TokenBench.jwk(p256.publicKey, ["y": 1]), TokenBench.jwk(p256.publicKey, ["use": ["sig"]]),
    ]
    for key in bad {
      let error = #expect(throws: KeySetError.self, "\(key)") {
        try TokenBench.keySet([TokenBench.jwk(rsa.publicKey), key])
      }
      let reason = try #require(error?.reason)
      #expect(reason.contains("keys[1]") && !reason.contains("canary"), "\(reason)")
    }
    for text in ["", "canary", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[1]}"#, #"{"keys":[]} x"#] {
      let error = #expect(throws: KeySetError.self) { try KeySet(parsing: Array(text.utf8)) }
      #expect(error?.reason.contains("canary") == false)
    }
    let many = try (0..<33).map { try TokenBench.jwk(rsa.publicKey, ["kid": "\($0)"]) }
    #expect(throws: KeySetError.self) { try TokenBench.keySet(many) }
  }
}
