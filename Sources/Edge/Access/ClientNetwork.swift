import Platform

/// Whose an address is, as far as can be seen: limits by address are of networks.
package enum ClientNetwork {
  /// The network of IPv6 (the first 64 bits): whoever has one address of it has all (RFC 6177). Of other
  /// kinds each address is one, also those of IPv4 within IPv6.
  ///
  /// - Parameter text: As the system writes it; any text is one, and empty where there is none.
  package static func of(_ text: String) -> String {
    guard let address = IPAddress(text), !address.isVersion4 else { return text }
    return String(address.network, radix: 16) + "/64"
  }
}
