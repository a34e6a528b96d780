import NIOCore
import NIOSSL
import Synchronization

/// Why a certificate cannot be used.
package struct TLSError: Error, Sendable, Hashable {
  package let reason: String
}

/// The certificate and key that new connections use. May be replaced while the server runs; open connections
/// keep theirs.
package final class TLSCredentials: Sendable {
  private let current: Mutex<NIOSSLContext>

  /// - Parameters:
  ///   - certificate: PEM, with those of its issuers behind it.
  ///   - key: PEM.
  ///   - clientAuthorities: PEM: whose certificates clients must show; nil: they show none.
  package init(
    certificate: [UInt8], key: [UInt8], clientAuthorities: [UInt8]? = nil
  ) throws(TLSError) {
    current = Mutex(try TLSCredentials.context(certificate, key, clientAuthorities))
  }

  var context: NIOSSLContext { current.withLock { $0 } }

  /// - Throws: And changes nothing, if the two are broken or do not belong together.
  package func replace(
    certificate: [UInt8], key: [UInt8], clientAuthorities: [UInt8]? = nil
  ) throws(TLSError) {
    let next = try TLSCredentials.context(certificate, key, clientAuthorities)
    current.withLock { $0 = next }
  }

  /// Of TLS 1.2: those with a key of each connection's own, so that a stolen one opens no recorded traffic,
  /// and with authenticated encryption (RFC 9325, §4.2). All of TLS 1.3 are so.
  private static let ciphers: [NIOTLSCipher] = [
    .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    .TLS_AES_128_GCM_SHA256, .TLS_AES_256_GCM_SHA384, .TLS_CHACHA20_POLY1305_SHA256,
  ]

  private static func context(
    _ certificate: [UInt8], _ key: [UInt8], _ clientAuthorities: [UInt8]?
  ) throws(TLSError) -> NIOSSLContext {
    do {
      let chain = try NIOSSLCertificate.fromPEMBytes(certificate)
      guard !chain.isEmpty else { throw TLSError(reason: "the file has no certificate") }
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      configuration.cipherSuiteValues = TLSCredentials.ciphers
      // In our order: who knows both gets HTTP/1.1, which has WebSockets; gRPC knows HTTP/2 alone.
      configuration.applicationProtocols = ["http/1.1", "h2"]
      if let clientAuthorities {
        let authorities = try NIOSSLCertificate.fromPEMBytes(clientAuthorities)
        guard !authorities.isEmpty else { throw TLSError(reason: "the clients' file has no certificate") }
        configuration.trustRoots = .certificates(authorities)
        configuration.certificateVerification = .noHostnameVerification
      }
      // Many clients never answer our close; a server that stops does not wait for them.
      configuration.shutdownTimeout = .seconds(1)
      return try NIOSSLContext(configuration: configuration)
    } catch let error as TLSError {
      throw error
    } catch {
      throw TLSError(reason: "\(error)")
    }
  }
}
