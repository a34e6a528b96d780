import Access
import Records

/// What keeps other sites' pages away from a server that lets this machine's owner in without a credential: a
/// browser on the machine sends whatever a page asks for, to loopback too.
extension RequestHead {
  /// Whether `Host` names loopback, or is missing. Another name that leads here is an attacker's (DNS
  /// rebinding): to the browser its pages and this server are one site.
  package var isForLoopback: Bool { headers.allSatisfy(name: "Host") { RequestHead.isLoopback($0[...]) } }

  /// Whether a page of another machine asks (`Origin`, RFC 6454 §7); also a page without an origin of its own
  /// (`null`).
  package var isFromForeignPage: Bool {
    guard let origin = headers.first(name: "Origin") else { return false }
    guard let scheme = origin.firstRange(of: "://") else { return true }
    return !RequestHead.isLoopback(origin[scheme.upperBound...])
  }

  /// For requests that are let in without a credential.
  ///
  /// - Throws: 403: a foreign page asks; `event` says so too.
  package func checkIsOwners(_ event: inout AccessEvent) throws(Problem) {
    guard isFromForeignPage else { return }
    event.outcome = .refused("origin")
    throw Problem(403, "Pages of other sites need a credential, in development too.")
  }

  private static func isLoopback(_ authority: Substring) -> Bool {
    if authority.hasBytes(from: "[") { return authority.part(before: "]").hasBytes(of: "[::1") }
    let name = authority.part(before: ":").asciiLowercased
    let end = ".localhost".utf8
    if name.hasBytes(of: "localhost") || name.utf8.suffix(end.count).elementsEqual(end) { return true }
    let parts = name.parts(at: ".")
    return parts.count == 4 && parts[0].hasBytes(of: "127") && parts.allSatisfy { UInt8($0) != nil }
  }
}
