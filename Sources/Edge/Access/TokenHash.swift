import Codecs
import Crypto

/// What holds for some time; nanoseconds since 1970.
package protocol Expiring {
  var issuedAt: Int64 { get }
  /// The first moment at which it does not hold any more.
  var expiresAt: Int64 { get }
}

extension Expiring {
  /// Whether it holds now: not expired, and not made by a clock that has since been set back by more than its
  /// lifetime.
  package func isValid(at now: Int64) -> Bool {
    now < expiresAt && now >= issuedAt - (expiresAt - issuedAt)
  }
}

/// SHA-256 of a token: all that is kept of it.
package struct TokenHash: Sendable, Hashable {
  private let words: SIMD4<UInt64>

  /// The hash of a token. About a microsecond.
  package init(of token: String) {
    var digest = SHA256()
    digest.update(data: Array(token.utf8))
    self.init(bytes: Array(digest.finalize()))
  }

  /// The hash whose hexadecimal ``text`` it is.
  package init?(_ text: String) {
    guard let bytes = Hex.bytes(text), bytes.count == 32 else { return nil }
    self.init(bytes: bytes)
  }

  private init(bytes: [UInt8]) {
    var words = SIMD4<UInt64>()
    for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
    self.words = words
  }

  /// 64 hexadecimal digits.
  package var text: String {
    Hex.text(
      (0..<4).flatMap { index in
        (0..<8).map { UInt8(truncatingIfNeeded: words[index] >> UInt64(56 - $0 * 8)) }
      })
  }
}
