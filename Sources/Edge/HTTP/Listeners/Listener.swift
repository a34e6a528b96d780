import NIOCore
import Routing

/// A door of the server: where it listens, whether bytes are encrypted there, and what is spoken.
package struct Listener: Sendable {
  /// What is spoken behind a listener. Each has a folder beside this file with the one type that opens it.
  package enum Service: Sendable {
    /// HTTP/1.1 with WebSockets and Server-Sent Events.
    case http
    /// Messages over TCP, or over TLS.
    case messageStream(any MessageIntake)
    /// Messages over UDP.
    case messageDatagrams(any MessageIntake)
  }

  /// What is spoken.
  package let service: Service
  /// An address or a name of this machine.
  package let host: String
  /// 0: any free one.
  package let port: Int
  /// nil: bytes go as they are.
  package let tls: TLSCredentials?
  /// Who is believed about where requests come from.
  package let proxies: TrustedProxies

  /// A door that is not open yet: ``HTTPServer/listen(on:)`` opens it.
  package init(
    _ service: Service = .http, host: String, port: Int, tls: TLSCredentials? = nil,
    proxies: TrustedProxies = TrustedProxies()
  ) {
    self.proxies = proxies
    self.service = service
    self.host = host
    self.port = port
    self.tls = tls
  }
}

/// Opens listeners of one kind of service.
protocol ListenerService: Sendable {
  /// Binds; from then on what comes in is served until the channel is closed.
  ///
  /// - Throws: What the system says: the address is taken, or is not ours.
  func open(_ listener: Listener, on group: any EventLoopGroup) async throws -> any Channel
}
