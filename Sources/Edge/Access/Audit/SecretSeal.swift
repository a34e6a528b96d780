import Codecs
import Crypto
import Records

/// Encrypts secrets that must be known as they are, so that a copy of the control database alone tells none
/// (AES-256-GCM, NIST SP 800-38D). What a secret is of is bound in: it opens for nobody else.
///
/// Decision: Docs/decisions/0031-secrets-at-rest.md.
package struct SecretSeal: Sendable {
  /// The first seals; all open.
  private let keys: [SymmetricKey]
  /// Begins a sealed text; a secret of before has only digits of the base 16.
  private static let mark = "sealed:1:"

  /// - Parameter keys: Of 32 bytes each, at least one: the one to seal with, then those of before.
  package init(keys: [[UInt8]]) {
    precondition(!keys.isEmpty && keys.allSatisfy { $0.count == 32 }, "keys of AES-256")
    self.keys = keys.map { SymmetricKey(data: $0) }
  }

  /// The keys in a key file: lines of 64 hexadecimal digits (`openssl rand -hex 32`). Blank lines do not
  /// count; nil: there is none, or something else.
  package static func keys(in text: String) -> [[UInt8]]? {
    let lines = text.parts(at: "\n").map { String($0.trimmed) }.map {
      $0.utf8.last == UInt8(ascii: "\r") ? String(decoding: $0.utf8.dropLast(), as: UTF8.self) : $0
    }.filter { !$0.isEmpty }
    let keys = lines.compactMap { $0.utf8.count == 64 ? Hex.bytes($0) : nil }
    return keys.isEmpty || keys.count < lines.count ? nil : keys
  }

  static func isSealed(_ text: String) -> Bool { text.hasBytes(from: mark) }

  /// - Parameter owner: Whose secret it is.
  func seal(_ secret: String, of owner: String) -> String {
    do {
      let box = try AES.GCM.seal(Array(secret.utf8), using: keys[0], authenticating: Array(owner.utf8))
      guard let bytes = box.combined else { bug("nonces of 12 bytes") }
      return SecretSeal.mark + Base64URL.text(Array(bytes))
    } catch { bug("a key of 32 bytes seals") }
  }

  /// The secret, and whether it should be sealed anew: it was sealed with a key of before, or not at all.
  /// nil: it was sealed with none of these keys, for somebody else, or is damaged.
  func open(_ text: String, of owner: String) -> (secret: String, isOld: Bool)? {
    guard SecretSeal.isSealed(text) else { return (text, true) }
    let coded = String(decoding: text.utf8.dropFirst(SecretSeal.mark.utf8.count), as: UTF8.self)
    // Too few bytes are no sealed text.
    guard let bytes = Base64URL.bytes(coded), let box = try? AES.GCM.SealedBox(combined: bytes) else {
      return nil
    }
    for (index, key) in keys.enumerated() {
      // What does not open is not of this key.
      if let secret = try? AES.GCM.open(box, using: key, authenticating: Array(owner.utf8)) {
        return (String(decoding: secret, as: UTF8.self), index > 0)
      }
    }
    return nil
  }
}
