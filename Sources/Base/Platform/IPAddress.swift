import Glibc

/// An address of the Internet Protocol, of either version. One of version 4 is the same as the one of version
/// 6 that holds it (`::ffff:192.0.2.1`; RFC 4291, §2.5.5.2).
package struct IPAddress: Sendable, Hashable {
  /// The first 64 bits of 128: the network (RFC 6177), and 0 for version 4.
  package let network: UInt64
  /// The other 64.
  package let host: UInt64

  /// Reads what the system writes, or a person: `192.0.2.1`, `2001:db8::1`. nil for anything else, such as a
  /// name, an address with a zone, or one with a port.
  package init?(_ text: String) {
    // The longest takes 45 bytes: no text of a stranger's is looked at beyond.
    guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
    var four = in_addr()
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
      self.init(network: 0, host: 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: four.s_addr)))
      return
    }
    var six: (UInt64, UInt64) = (0, 0)
    guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    self.init(network: UInt64(bigEndian: six.0), host: UInt64(bigEndian: six.1))
  }

  package init(network: UInt64, host: UInt64) {
    self.network = network
    self.host = host
  }

  /// Whether it is one of version 4.
  package var isVersion4: Bool { network == 0 && host >> 32 == 0xFFFF }
}

/// Addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or one address.
package struct IPNetwork: Sendable, Hashable {
  private let first: IPAddress
  /// How many of an address's 128 bits are the network's: 0 to 128.
  private let bitCount: Int

  /// Reads an address, or one with the count of its bits that count behind `/` (RFC 4632). nil for anything
  /// else, also where bits behind the count are set: then the count, or the address, is a slip.
  package init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = String(parts[0]).flatMap({ IPAddress($0) }) else { return nil }
    let width = address.isVersion4 ? 32 : 128
    var count = width
    if parts.count == 2 {
      guard parts[1].count <= 3, let number = String(parts[1]).flatMap({ Int($0) }), (0...width) ~= number
      else { return nil }
      count = number
    }
    bitCount = count + 128 - width
    first = address
    guard IPNetwork.cut(address, to: bitCount) == address else { return nil }
  }

  package func contains(_ address: IPAddress) -> Bool { IPNetwork.cut(address, to: bitCount) == first }

  private static func cut(_ address: IPAddress, to bitCount: Int) -> IPAddress {
    func mask(_ count: Int) -> UInt64 { count <= 0 ? 0 : count >= 64 ? .max : ~(.max >> UInt64(count)) }
    return IPAddress(
      network: address.network & mask(bitCount), host: address.host & mask(bitCount - 64))
  }
}
