import Codecs
import Records

/// A JSON Web Token (RFC 7519) in its compact form, taken apart; nothing of it is verified.
struct SignedToken {
  /// What may be signed with: names of JWA (RFC 7518).
  enum Algorithm: String, CaseIterable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
  }

  /// What the signature is over: the text up to the second dot.
  let signed: [UInt8]
  let signature: [UInt8]
  let algorithm: Algorithm
  /// Which key signed, if the token says so.
  let keyID: String?
  let claims: JSONTree

  /// - Throws: `malformed` unless it is three parts of base64url; `unknown` if they are no token we could
  ///   verify.
  init(_ text: String) throws(CredentialError) {
    let bytes = Array(text.utf8)
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { throw .malformed }
    let decoded = parts.compactMap { Base64URL.bytes(String(decoding: $0, as: UTF8.self)) }
    guard decoded.count == 3 else { throw .malformed }
    signed = Array(bytes[..<parts[1].endIndex])
    signature = decoded[2]
    let header = try SignedToken.object(decoded[0])
    // `crit` names what must be understood to verify; nothing that may stand in it is understood here.
    guard header["crit"] == nil, case .string(let name)? = header["alg"],
      let algorithm = Algorithm(word: name)
    else { throw .unknown }
    self.algorithm = algorithm
    switch header["kid"] {
    case nil: keyID = nil
    case .string(let text): keyID = text
    default: throw .unknown
    }
    claims = try SignedToken.object(decoded[1])
  }

  private static func object(_ text: [UInt8]) throws(CredentialError) -> JSONTree {
    do throws(JSONTree.SyntaxError) {
      let tree = try JSONTree(parsing: text)
      if case .object = tree { return tree }
    } catch {}
    throw .unknown
  }
}
