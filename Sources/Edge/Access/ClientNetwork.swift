import Records

/// Whose an address is, as far as can be seen: limits by address are of networks.
package enum ClientNetwork {
  /// The network of IPv6 (the first 64 bits): whoever has one address of it has all (RFC 6177). What is left
  /// out in it is written out; of other kinds each address is one, also those of IPv4 within IPv6.
  ///
  /// - Parameter address: As the system writes it; any text is one, and empty where there is none.
  package static func of(_ address: String) -> String {
    guard address.utf8.contains(UInt8(ascii: ":")), !address.utf8.contains(UInt8(ascii: ".")) else {
      return address
    }
    let groups = address.parts(at: ":")
    var network: [Substring] = []
    for group in groups {
      // `::` stands for all that is missing to eight groups.
      if group.isEmpty, !network.isEmpty || address.hasBytes(from: "::") {
        network += Array(repeating: "0", count: max(0, 8 - groups.count { !$0.isEmpty }))
        break
      }
      network.append(group)
    }
    return network.prefix(4).joined(separator: ":")
  }
}
