import Codecs
import Foundation
import TestKit
import Testing

@testable import Access

/// What a copy of the control database tells of secrets.
@Suite struct SecretSealTests {
  private static let first = [UInt8](repeating: 1, count: 32)
  private static let second = [UInt8](repeating: 2, count: 32)
  private static let off = LegacyTenantKeys(isOn: false)

  @Test func whatIsSealedOpensForItsOwnerAlone() throws {
    let seal = SecretSeal(keys: [Self.first])
    let text = seal.seal("a secret", of: "acme")
    #expect(text != seal.seal("a secret", of: "acme"), "each time anew")
    #expect(try #require(seal.open(text, of: "acme")) == ("a secret", false))
    #expect(seal.open(text, of: "acm") == nil)
    #expect(SecretSeal(keys: [Self.second]).open(text, of: "acme") == nil)
    #expect(
      try #require(SecretSeal(keys: [Self.second, Self.first]).open(text, of: "acme")) == ("a secret", true))
    #expect(try #require(seal.open("0123abcd", of: "acme")) == ("0123abcd", true), "of a version before")
    for text in ["sealed:1:", "sealed:1:AAAA", "sealed:1:!", "sealed:1:" + String(repeating: "A", count: 90)]
    {
      #expect(seal.open(text, of: "acme") == nil, "\(text)")
    }
    for place in text.utf8.indices.dropFirst(9) {
      var damaged = Array(text.utf8)
      damaged[text.utf8.distance(from: text.utf8.startIndex, to: place)] ^= 1
      #expect(seal.open(String(decoding: damaged, as: UTF8.self), of: "acme") == nil)
    }
  }

  @Test func keyFilesAreLinesOfDigits() {
    let (one, two) = (Hex.text(Self.first), Hex.text(Self.second))
    #expect(SecretSeal.keys(in: one) == [Self.first])
    #expect(SecretSeal.keys(in: "\n \(one)\r\n\n\(two) \n") == [Self.first, Self.second])
    for text in [
      "", "\n", "key", String(one.dropLast()), one + "00", one + "\n#", one + "\u{301}", one + one,
    ] {
      #expect(SecretSeal.keys(in: text) == nil, "\(text)")
    }
  }

  private static func bytes(_ folder: String) throws -> Data {
    try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: Data()) { bytes, name in
      bytes += try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
    }
  }

  /// Neither in the database nor in its log, also of tenants that a version before has made.
  @Test func noFileHasASecret() async throws {
    let plain = try await TokenBench(legacy: Self.off)
    defer { plain.remove() }
    let old = try await plain.tenants.create(name: "Old", key: "old")
    #expect(try Self.bytes(plain.folder).range(of: Data(old.secret.utf8)) != nil, "the test can find one")
    try plain.database.close()

    let sealed = try await TokenBench(
      legacy: Self.off, folder: plain.folder, seal: SecretSeal(keys: [Self.first]))
    let new = try await sealed.tenants.create(name: "New", key: "new")
    for secret in [old.secret, new.secret] {
      #expect(try Self.bytes(plain.folder).range(of: Data(secret.utf8)) == nil)
    }
    #expect(sealed.tenants.tenants() == [old, new] && sealed.tenants.sealingFailure == nil)
    #expect(sealed.tenants.secret(of: "old") == old.secret && sealed.tenants.secret(of: "new") == new.secret)
    try sealed.database.close()

    // Another key first: then it alone is needed.
    for keys in [[Self.second, Self.first], [Self.second]] {
      let next = try await TokenBench(legacy: Self.off, folder: plain.folder, seal: SecretSeal(keys: keys))
      #expect(next.tenants.tenants() == [old, new])
      try next.database.close()
    }
    await #expect(throws: AccessError.sealedSecret(tenant: "old")) {
      _ = try await TokenBench(legacy: Self.off, folder: plain.folder, seal: SecretSeal(keys: [Self.first]))
    }
    // A tool without a key sees who there is, and no secret.
    let tool = try await TokenBench(legacy: Self.off, folder: plain.folder)
    #expect(tool.tenants.tenants().map(\.key) == ["old", "new"])
    #expect(tool.tenants.secret(of: "old") == nil && tool.tenants.tenants()[0].secret == "")
  }
}
