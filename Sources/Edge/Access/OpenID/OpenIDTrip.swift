import Codecs
import Crypto
import Platform
import Records

/// One way to the provider and back. All that ties its parts together (state, nonce and the verifier of PKCE,
/// RFC 7636) follows from a secret that the browser keeps in a cookie, and from a key that we keep: nothing
/// is remembered here of those who never come back.
package struct OpenIDTrip: Sendable {
  /// When it began, 8 bytes, and 24 random ones.
  private let secret: [UInt8]
  /// Where the person goes afterwards: a path of the page.
  package let target: String
  private let key: SymmetricKey

  /// How long the way may take.
  package static let seconds: Int64 = 600
  private static let secretBytes = 32
  private static let targetBytesMax = 1_024
  private static let home = "/ui/"

  /// - Parameter target: Anything but a path of the page becomes the page's first.
  init(to target: String, key: SymmetricKey, now: Int64, entropy: any EntropySource) {
    let time = UInt64(bitPattern: now)
    secret = (0..<8).map { UInt8(truncatingIfNeeded: time >> UInt64(56 - 8 * $0)) } + entropy.bytes(24)
    self.target = OpenIDTrip.isPath(target) ? target : OpenIDTrip.home
    self.key = key
  }

  /// - Parameter cookie: As ``cookie`` was.
  /// - Throws: `expired`.
  init(cookie: String, key: SymmetricKey, now: Int64) throws(OpenIDFailure) {
    let parts = cookie.parts(at: ".")
    guard parts.count == 2, let secret = Base64URL.bytes(String(parts[0])),
      secret.count == OpenIDTrip.secretBytes, let target = Base64URL.bytes(String(parts[1]))
    else { throw .expired }
    let time = Int64(bitPattern: secret.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    let (age, overflow) = now.subtractingReportingOverflow(time)
    guard !overflow, (0...OpenIDTrip.seconds * 1_000_000_000).contains(age) else { throw .expired }
    let text = String(decoding: target, as: UTF8.self)
    self.secret = secret
    self.target = OpenIDTrip.isPath(text) ? text : OpenIDTrip.home
    self.key = key
  }

  /// For the browser; says nothing to anybody without the key.
  package var cookie: String { Base64URL.text(secret) + "." + Base64URL.text(Array(target.utf8)) }

  var state: String { derived("state") }
  var nonce: String { derived("nonce") }
  /// 43 characters, as PKCE wants.
  var verifier: String { derived("verifier") }
  var challenge: String { Base64URL.text(Array(SHA256.hash(data: Array(verifier.utf8)))) }

  /// Whether it is the state that was sent along.
  func isState(_ text: String) -> Bool { Array(text.utf8).isSecretly(Array(state.utf8)) }

  private func derived(_ label: String) -> String {
    var mac = HMAC<SHA256>(key: key)
    mac.update(data: Array(label.utf8) + [0])
    mac.update(data: secret)
    return Base64URL.text(Array(mac.finalize()))
  }

  /// A path of the page, and no way to another host: browsers take `\` for `/`.
  private static func isPath(_ target: String) -> Bool {
    target.utf8.count <= targetBytesMax && target.hasBytes(from: home)
      && target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
      && !target.utf8.dropFirst().starts(with: "/".utf8)
  }
}
