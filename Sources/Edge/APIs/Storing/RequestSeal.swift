import Codecs
import Crypto
import Records

/// Makes of an idempotency key and a body what the journal keeps of them: nothing that is masked can be
/// guessed from it without the server's secret.
package struct RequestSeal: Sendable {
  private let bodies: SymmetricKey
  private let marks: SymmetricKey
  private static let codeBytes = 16

  /// - Parameter key: 32 random bytes, the same over restarts.
  package init(key: [UInt8]) {
    let secret = SymmetricKey(data: key)
    func derived(_ purpose: String) -> SymmetricKey {
      SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(purpose.utf8), using: secret))
    }
    bodies = derived("cordwood bodies")
    marks = derived("cordwood requests")
  }

  /// 22 characters that stand for a client's key.
  package func key(_ key: String) -> String { Base64URL.text(code([0] + Array(key.utf8))) }

  /// 16 bytes over the body as sent and over what else decides what is stored.
  ///
  /// An HMAC over a short sum that nobody can compute without the secret: with SHA-256 over the body itself a
  /// large request would cost half as much again. See Docs/decisions/0005-idempotency-hash.md.
  package func body(_ body: [UInt8], salt: UInt64) -> [UInt8] {
    code([1] + (0..<8).map { UInt8(truncatingIfNeeded: salt >> (8 * $0)) } + sum(body))
  }

  /// GMAC under a nonce that never changes: for equal bodies the same. Never shown to anybody as it is, since
  /// two sums of known bodies would tell its key.
  private func sum(_ body: [UInt8]) -> [UInt8] {
    do {
      let nonce = try AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))
      return Array(try AES.GCM.seal([UInt8](), using: bodies, nonce: nonce, authenticating: body).tag)
    } catch {
      bug("12 bytes are a nonce and 32 a key: \(error)")
    }
  }

  private func code(_ bytes: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: bytes, using: marks).prefix(RequestSeal.codeBytes))
  }
}
