import Platform
import Records

/// Proxies that are believed about where a request comes from (`server.trusted_proxies`).
///
/// Each proxy on the way appends to `X-Forwarded-For` the address it was asked by, so the field is read from
/// its end, as long as what is read is a proxy's: the first that is not is the client's. What stands before
/// it anybody may have written.
package struct TrustedProxies: Sendable {
  private let networks: [IPNetwork]

  /// None: who connects is the client.
  package init() { networks = [] }

  /// - Parameter texts: Addresses and networks (``IPNetwork``).
  /// - Returns: nil where one is neither.
  package init?(_ texts: [String]) {
    let networks = texts.compactMap(IPNetwork.init)
    guard networks.count == texts.count else { return nil }
    self.networks = networks
  }

  /// Whether who connects from `peer` speaks for others.
  package func contains(_ peer: String) -> Bool {
    guard !networks.isEmpty, let address = IPAddress(peer) else { return false }
    return contains(address)
  }

  private func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

  /// So many proxies stand in a row at most; what is before them is not looked at.
  private static let hopsMax = 16

  /// Where a request that came from the proxy at `peer` comes from: the client's address, or where a proxy
  /// did not write one, that proxy's.
  package func client(of head: RequestHead, from peer: String) -> String {
    var client = peer
    for hop in head.headers[list: "X-Forwarded-For"].reversed().prefix(TrustedProxies.hopsMax) {
      let text = TrustedProxies.withoutPort(String(hop))
      guard let address = IPAddress(text) else { break }
      client = text
      guard contains(address) else { break }
    }
    return client
  }

  /// Some write `192.0.2.1:4711` and `[2001:db8::1]:4711`.
  private static func withoutPort(_ text: String) -> String {
    if text.hasBytes(from: "["), let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) {
      return String(text[text.utf8.index(after: text.utf8.startIndex)..<end])
    }
    let parts = text.parts(at: ":")
    return parts.count == 2 ? String(parts[0]) : text
  }
}
