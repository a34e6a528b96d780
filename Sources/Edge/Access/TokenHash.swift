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
    let (lifetime, isLong) = expiresAt.subtractingReportingOverflow(issuedAt)
    let (earliest, isEarly) = issuedAt.subtractingReportingOverflow(lifetime)
    // Times so far apart are not ours.
    return now < expiresAt && !isLong && !isEarly && now >= earliest
  }
}

/// SHA-256 of a token: all that is kept of it.
///
/// Four words and no SIMD vector, which is aligned to 32 bytes: the compiler (6.3.1) reserves too little for
/// values aligned so that live over a suspension, which ends an optimised process ("freed pointer was not the
/// last allocation").
package struct TokenHash: Sendable, Hashable {
  private let first: UInt64
  private let second: UInt64
  private let third: UInt64
  private let fourth: UInt64

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
    func word(_ index: Int) -> UInt64 {
      bytes[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
  }

  /// 64 hexadecimal digits.
  package var text: String {
    Hex.text(
      [first, second, third, fourth].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - $0 * 8)) }
      })
  }
}
