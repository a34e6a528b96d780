import Codecs
import Crypto
import CryptoExtras
import Records

/// Why a text is no set of public keys. Nothing of the text is in it but the key's number.
package struct KeySetError: Error, Sendable, Hashable {
  /// A sentence's end, for the operator.
  package let reason: String
}

/// Public keys that verify tokens: a JWK set (RFC 7517).
///
/// Keys for other uses, of other types and for other algorithms than RS256 and ES256 are left out, as RFC
/// 7517 §5 asks for; a key of those that is damaged is an error, so that nobody wonders why a token does not
/// hold.
package struct KeySet: Sendable {
  /// What a key can do is part of it: an RSA key never meets another algorithm than RS256.
  enum Key: Sendable {
    case rsa(_RSA.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)

    func isValid(_ signature: [UInt8], of signed: [UInt8], _ algorithm: SignedToken.Algorithm) -> Bool {
      switch (self, algorithm) {
      case (.rsa(let key), .rs256):
        return key.isValidSignature(
          _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: signed),
          padding: .insecurePKCS1v1_5)
      case (.p256(let key), .es256):
        // Anything but 64 bytes is no signature.
        guard let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else {
          return false
        }
        return key.isValidSignature(parsed, for: SHA256.hash(data: signed))
      case (.rsa, .hs256), (.rsa, .es256), (.p256, .hs256), (.p256, .rs256): return false
      }
    }
  }

  private struct Entry: Sendable {
    let id: String?
    let key: Key
  }

  private var entries: [Entry] = []

  /// A token without `kid` is tried with each.
  package static let keyCountMax = 32
  /// Bytes of a set's text.
  package static let textBytesMax = 1 << 20

  /// No keys.
  package init() {}

  /// How many keys it has.
  package var count: Int { entries.count }

  /// - Parameter text: `{"keys":[…]}`.
  package init(parsing text: [UInt8]) throws(KeySetError) {
    guard text.count <= KeySet.textBytesMax else { throw KeySetError(reason: "longer than a mebibyte") }
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: text) } catch {
      throw KeySetError(reason: "not JSON: \(error.reason), at byte \(error.offsetBytes)")
    }
    guard case .array(let keys)? = tree["keys"] else {
      throw KeySetError(reason: "a key set is an object with a list \"keys\"")
    }
    for (index, key) in keys.enumerated() {
      do throws(KeySetError) {
        if let entry = try KeySet.entry(key) { entries.append(entry) }
      } catch {
        throw KeySetError(reason: "keys[\(index)]: \(error.reason)")
      }
    }
    guard !entries.isEmpty || keys.isEmpty else {
      throw KeySetError(reason: "none of the keys verifies RS256 or ES256")
    }
    guard entries.count <= KeySet.keyCountMax else {
      throw KeySetError(reason: "more than \(KeySet.keyCountMax) keys")
    }
  }

  /// Whether one of the keys signed; with `keyID` only those of that name are asked.
  func isValid(
    _ signature: [UInt8], of signed: [UInt8], _ algorithm: SignedToken.Algorithm, keyID: String?
  ) -> Bool {
    entries.contains { entry in
      if let keyID {
        guard let id = entry.id, id.hasBytes(of: keyID) else { return false }
      }
      return entry.key.isValid(signature, of: signed, algorithm)
    }
  }

  private static func entry(_ tree: JSONTree) throws(KeySetError) -> Entry? {
    guard case .object = tree else { throw KeySetError(reason: "not an object") }
    func text(_ name: String) throws(KeySetError) -> String? {
      switch tree[name] {
      case nil: return nil
      case .string(let text): return text
      default: throw KeySetError(reason: "\(name) is not a text")
      }
    }
    func bytes(_ name: String) throws(KeySetError) -> [UInt8] {
      guard let text = try text(name), let bytes = Base64URL.bytes(text), !bytes.isEmpty else {
        throw KeySetError(reason: "\(name) is not base64url")
      }
      return bytes
    }
    let use = try text("use")
    let algorithm = try text("alg")
    guard use == nil || use == "sig" else { return nil }
    if case .array(let operations)? = tree["key_ops"], !operations.contains(.string("verify")) { return nil }
    switch (try text("kty"), try text("crv")) {
    case ("RSA", _) where algorithm == nil || algorithm == "RS256":
      try refusePrivate(tree)
      return Entry(id: try text("kid"), key: .rsa(try rsa(modulus: bytes("n"), exponent: bytes("e"))))
    case ("EC", "P-256") where algorithm == nil || algorithm == "ES256":
      try refusePrivate(tree)
      return Entry(id: try text("kid"), key: .p256(try p256(x: bytes("x"), y: bytes("y"))))
    default: return nil
    }
  }

  private static func refusePrivate(_ tree: JSONTree) throws(KeySetError) {
    guard tree["d"] == nil else {
      throw KeySetError(reason: "this is a private key, which belongs to the issuer alone")
    }
  }

  private static func rsa(
    modulus: [UInt8], exponent: [UInt8]
  ) throws(KeySetError) -> _RSA.Signing.PublicKey {
    do { return try _RSA.Signing.PublicKey(n: modulus, e: exponent) } catch {
      throw KeySetError(reason: "not an RSA key of 2048 bits or more")
    }
  }

  private static func p256(x: [UInt8], y: [UInt8]) throws(KeySetError) -> P256.Signing.PublicKey {
    guard x.count == 32, y.count == 32 else { throw KeySetError(reason: "x and y have 32 bytes each") }
    do { return try P256.Signing.PublicKey(rawRepresentation: x + y) } catch {
      throw KeySetError(reason: "x and y are no point of P-256")
    }
  }
}
