import Access
import Codecs
import Crypto
import CryptoExtras
import Foundation
import Platform
import TestKit

/// What signs a token in a test.
enum Signer {
  case secret(String)
  /// HMAC over the bytes, whatever they are.
  case bytes([UInt8])
  case rsa(_RSA.Signing.PrivateKey)
  case p256(P256.Signing.PrivateKey)
  /// These bytes, verbatim.
  case verbatim([UInt8])

  var algorithm: String {
    switch self {
    case .secret, .bytes, .verbatim: "HS256"
    case .rsa: "RS256"
    case .p256: "ES256"
    }
  }

  func signature(_ text: String) throws -> [UInt8] {
    let bytes = Array(text.utf8)
    switch self {
    case .secret(let secret): return try Signer.bytes(Array(secret.utf8)).signature(text)
    case .bytes(let key):
      return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    case .rsa(let key):
      let signature = try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5)
      return Array(signature.rawRepresentation)
    case .p256(let key): return Array(try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation)
    case .verbatim(let bytes): return bytes
    }
  }
}

/// Audit credentials over a control database in a folder that goes when the test ends.
final class TokenBench {
  let folder: String
  let clock = ManualClock(1_700_000_000_000_000_000)
  let database: ControlDatabase
  let tenants: TenantDirectory
  let credentials: AuditCredentials

  static let now: Int64 = 1_700_000_000
  /// Made once: RSA keys take their time.
  static let rsaKeys: [_RSA.Signing.PrivateKey] = (0..<2).compactMap { _ in
    try? _RSA.Signing.PrivateKey(keySize: .bits2048)
  }
  static let claims: [String: String] = ["tenant": "acme", "sub": "u1", "aud": "logserver", "iss": "issuer"]

  init(
    legacy: LegacyTenantKeys = LegacyTenantKeys(isOn: true), leewaySeconds: Int = 0,
    keys: [AuditKey] = [], folder: String? = nil, seal: SecretSeal? = nil,
    change: (inout AuditCredentials.Policy) -> Void = { _ in }
  ) async throws {
    let path = folder ?? NSTemporaryDirectory() + "cordwood-tokens-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    self.folder = path
    database = try ControlDatabase(path: path + "/control.sqlite")
    tenants = try await TenantDirectory(database, legacy: legacy, seal: seal, clock: clock)
    var policy = AuditCredentials.Policy()
    policy.legacy = legacy
    policy.leewaySeconds = leewaySeconds
    policy.keys = keys
    change(&policy)
    credentials = AuditCredentials(policy: policy, tenants: tenants, clock: clock)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// What becomes of a token.
  func outcome(_ token: String) -> Result<Principal, CredentialError> {
    do throws(CredentialError) {
      return .success(try credentials.authenticate(authorization: "Bearer " + token, queryToken: nil))
    } catch {
      return .failure(error)
    }
  }

  func holds(_ token: String) -> Bool { if case .success = outcome(token) { true } else { false } }

  static func legacyKey(_ tenant: String, secret: String = "secret") -> String {
    Insecure.MD5.hash(data: Data((tenant + secret).utf8)).map {
      ($0 < 16 ? "0" : "") + String($0, radix: 16)
    }
    .joined()
  }

  static let legacySigner = Signer.secret(legacyKey("acme"))

  /// A token; `claims` lie over the usual ones, NSNull takes one away.
  static func token(
    _ signer: Signer = legacySigner, _ claims: [String: Any] = [:], header: [String: Any] = [:]
  ) throws -> String {
    var all: [String: Any] = TokenBench.claims
    for (name, value) in claims { all[name] = value is NSNull ? nil : value }
    let payload = try JSONSerialization.data(withJSONObject: all, options: .sortedKeys)
    return try token(signer, payload: Array(payload), header: header)
  }

  static func token(_ signer: Signer, payload: [UInt8], header: [String: Any] = [:]) throws -> String {
    var head: [String: Any] = ["typ": "JWT", "alg": signer.algorithm]
    for (name, value) in header { head[name] = value is NSNull ? nil : value }
    let headText = try JSONSerialization.data(withJSONObject: head, options: .sortedKeys)
    let signed = Base64URL.text(Array(headText)) + "." + Base64URL.text(payload)
    return signed + "." + Base64URL.text(try signer.signature(signed))
  }

  static func jwk(_ key: _RSA.Signing.PublicKey, _ more: [String: Any] = [:]) throws -> [String: Any] {
    let primitives = try key.getKeyPrimitives()
    return [
      "kty": "RSA", "n": Base64URL.text(Array(primitives.modulus)),
      "e": Base64URL.text(Array(primitives.publicExponent)),
    ].merging(more) { $1 }
  }

  static func jwk(_ key: P256.Signing.PublicKey, _ more: [String: Any] = [:]) -> [String: Any] {
    let raw = Array(key.rawRepresentation)
    return [
      "kty": "EC", "crv": "P-256", "x": Base64URL.text(Array(raw[..<32])),
      "y": Base64URL.text(Array(raw[32...])),
    ].merging(more) { $1 }
  }

  static func keySet(_ keys: [[String: Any]]) throws -> KeySet {
    try KeySet(parsing: Array(try JSONSerialization.data(withJSONObject: ["keys": keys])))
  }
}
