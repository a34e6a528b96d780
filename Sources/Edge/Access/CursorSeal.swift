import Codecs
import Crypto
import Records

/// Signs page cursors (HMAC-SHA256, RFC 2104), so that only those we gave come back, and only from whom they
/// were given to.
package struct CursorSeal: Sendable {
  private let key: SymmetricKey
  private static let codeBytes = 16

  /// - Parameter key: 32 random bytes, the same over restarts.
  package init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

  /// `cursor` with its code; `scope` is whom and what it was given for.
  package func seal(_ cursor: String, scope: String) -> String {
    cursor + "." + Base64URL.text(code(cursor, scope))
  }

  /// The cursor of a sealed text; nil if it is none of ours, or of another scope.
  package func open(_ sealed: String, scope: String) -> String? {
    let parts = sealed.parts(at: ".")
    guard parts.count == 2, let given = Base64URL.bytes(String(parts[1])) else { return nil }
    let cursor = String(parts[0])
    return given.isSecretly(code(cursor, scope)) ? cursor : nil
  }

  private func code(_ cursor: String, _ scope: String) -> [UInt8] {
    var mac = HMAC<SHA256>(key: key)
    mac.update(data: Array(cursor.utf8))
    mac.update(data: [0])
    mac.update(data: Array(scope.utf8))
    return Array(mac.finalize().prefix(CursorSeal.codeBytes))
  }
}
