import NIOCore
import Routing

/// Who is at the other end of a connection.
struct ConnectionPeer: Sendable {
  /// Empty if it has none.
  let address: String
  /// Those in whose name it speaks are told by header fields; nil: it speaks for itself.
  private let proxies: TrustedProxies?

  init(_ channel: any Channel, proxies: TrustedProxies) {
    address = channel.remoteAddress?.ipAddress ?? ""
    self.proxies = proxies.contains(address) ? proxies : nil
  }

  /// Whose share the connection is taken of: nobody's, where it is one for many clients.
  var holders: [ShareHolder] { proxies == nil ? [.address(address)] : [] }

  /// Where a request that came by the connection comes from.
  func client(of head: RequestHead) -> String { proxies?.client(of: head, from: address) ?? address }
}
