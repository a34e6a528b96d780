import AsyncHTTPClient
import NIOCore
import NIOPosix
import Platform

extension ServerClient {
  /// Network errors in words for people. What may pass is ``Unreachable``.
  static func explained(_ error: any Error, url: String) -> any Error {
    if let error = error as? HTTPClientError {
      switch error {
      case .connectTimeout: return Unreachable(url: url, reason: "nobody answers")
      case .deadlineExceeded, .readTimeout:
        return Unreachable(url: url, reason: "the answer did not come in time")
      case .remoteConnectionClosed: return Unreachable(url: url, reason: "the server closed the connection")
      case .tlsHandshakeTimeout: return Unreachable(url: url, reason: "the TLS handshake takes too long")
      default: return Failure("\(url): \(error.shortDescription)")
      }
    }
    if let error = error as? NIOConnectionError {
      guard let first = error.connectionErrors.first else {
        return Unreachable(url: url, reason: "no address is known of the host \(error.host)")
      }
      return explained(first.error, url: url)
    }
    if let error = error as? IOError { return Unreachable(url: url, reason: reason(error)) }
    let name = String(reflecting: type(of: error))
    if name.hasPrefix("NIOSSL.") { return Failure("\(url): \(tlsReason("\(error)"))") }
    return Failure("\(url): the connection failed (\(name))")
  }

  private static func reason(_ error: IOError) -> String {
    let words = SystemError.words(error.errnoCode)
    return words.isEmpty ? "the connection broke" : words.prefix(1).lowercased() + words.dropFirst()
  }

  /// Why a TLS connection was not made, by the library's word for it.
  private static func tlsReason(_ text: String) -> String {
    let reasons = [
      ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not trusted on this machine"),
      ("HOSTNAME", "the server's certificate is for another name"),
      ("ostname", "the server's certificate is for another name"),
      ("WRONG_VERSION_NUMBER", "no TLS is spoken there; is it http://?"),
      ("HTTP_REQUEST", "no TLS is spoken there; is it http://?"),
      ("UNSUPPORTED_PROTOCOL", "the server speaks no version of TLS that is known here"),
      ("PROTOCOL_VERSION", "the server speaks no version of TLS that is known here"),
      ("HANDSHAKE_FAILURE", "the server and this program have no TLS cipher in common"),
      ("uncleanShutdown", "the connection was cut"),
    ]
    return reasons.first { text.contains($0.0) }?.1 ?? "no TLS connection could be made"
  }
}
