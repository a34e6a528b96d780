import Access
import Foundation
import Records

/// Which secrets are refused where others than the server's owner could try them.
enum SecretStrength {
  /// OWASP ASVS 5, 11.5: what cannot be guessed has 128 bits.
  static let bitsMin = 128.0
  /// A text of fewer different characters was not made by a generator.
  private static let differentMin = 8

  /// Secrets that the documentation of this server or of those it replaces shows: everybody knows them.
  static let published: Set<Name> = [
    "logstack_1a2b3c4d5e6f7890abcdef12", "logstack_9f8e7d6c5b4a3210fedcba98",
    "logstack_admin123456789abcdef0123", "test_key_123", "test_key_456", "secret", "admin",
    "your-super-secret-jwt-key-change-in-production",
  ]

  /// At most so many bits are in it: its length times those of the smallest usual alphabet that has its
  /// characters, if they are many enough.
  static func bits(of secret: String) -> Double {
    let bytes = Array(secret.utf8)
    guard Set(bytes).count >= differentMin else { return 0 }
    let hexadecimal = bytes.allSatisfy { byte in
      byte &- 0x30 < 10 || byte &- 0x61 < 6 || byte &- 0x41 < 6
    }
    var size = 0
    if bytes.contains(where: { $0 &- 0x30 < 10 }) { size += 10 }
    if bytes.contains(where: { $0 &- 0x61 < 26 }) { size += 26 }
    if bytes.contains(where: { $0 &- 0x41 < 26 }) { size += 26 }
    if bytes.contains(where: { !($0 &- 0x30 < 10 || $0 &- 0x61 < 26 || $0 &- 0x41 < 26) }) { size += 33 }
    return Double(bytes.count) * log2(Double(hexadecimal ? 16 : size))
  }

  /// - Parameter what: Where the secret is set, the sentence's beginning; the secret is not in it.
  static func check(_ secret: String, _ what: @autoclosure () -> String) throws(ConfigurationError) {
    guard !published.contains(Name(secret)) else {
      throw .refused("\(what()) is one that everybody knows from a documentation: make another")
    }
    guard bits(of: secret) >= bitsMin else {
      throw .refused(
        "\(what()) has less than 128 bits: make one of 32 hexadecimal digits or more (`openssl rand -hex 32`)"
      )
    }
  }
}

extension Configuration {
  /// In production, and on other addresses than loopback.
  ///
  /// - Throws: `refused`: a secret that could be guessed, or is known.
  func refuseWeakSecrets() throws(ConfigurationError) {
    for key in apiKeys { try SecretStrength.check(key.key, "the key of the native key \(key.name)") }
    for (key, client) in workflowKeys {
      try SecretStrength.check(key, "a key of the workflow client \(client.name)")
    }
    for key in ingest.keys where key.isActive {
      try SecretStrength.check(key.token, "the token of the ingest key \(key.name)")
    }
    if let token = ingest.adminToken { try SecretStrength.check(token, "ingest.admin_token") }
    if let secret = querySecret { try SecretStrength.check(secret, "querylog.secret") }
    if audit.legacy.isOn { try SecretStrength.check(audit.legacy.secret, "audit.secret") }
    for key in audit.keys {
      try SecretStrength.check(key.secretText, "the secret of the audit key \(key.keyID)")
    }
  }
}
