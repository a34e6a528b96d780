import Codecs
import Crypto

/// The hashes of the query-log API (HMAC-SHA-256, RFC 2104), in hexadecimal.
///
/// The fields are joined by `|` and not escaped, so `a|b`, `c` and `a`, `b|c` hash alike: the formula is the
/// API's, and its clients compute it too.
package struct QuerySeal: Sendable {
  /// The secret of an API that was never configured: everybody knows it.
  package static let defaultSecret = "your-super-secret-jwt-key-change-in-production"

  private let key: SymmetricKey

  /// A seal by a secret of any length.
  package init(secret: String) { key = SymmetricKey(data: Array(secret.utf8)) }

  /// An entry's hash: over `user|query|status|timestamp`.
  ///
  /// - Parameter timestamp: With `+00:00` and six digits of a second, or none if they are zero.
  package func hash(user: [UInt8], query: [UInt8], status: [UInt8], timestamp: [UInt8]) -> String {
    code([user, query, status, timestamp])
  }

  /// What a verified entry is answered with: over `id|hash`.
  package func token(id: String, hash: [UInt8]) -> String { code([Array(id.utf8), hash]) }

  private func code(_ parts: [[UInt8]]) -> String {
    var mac = HMAC<SHA256>(key: key)
    for (index, part) in parts.enumerated() {
      if index > 0 { mac.update(data: [UInt8(ascii: "|")]) }
      mac.update(data: part)
    }
    return Hex.text(Array(mac.finalize()))
  }
}
