import APIs
import Foundation
import HTTP
import Logging
import Routing
import Synchronization

/// The certificate's and the key's files: read at start, and anew when they change.
final class TLSFiles: Sendable {
  private struct Contents: Equatable {
    var certificate: Data
    var key: Data
    var clientAuthorities: Data?
  }

  let credentials: TLSCredentials
  private let certificatePath: String
  private let keyPath: String
  private let authoritiesPath: String?
  private let seen: Mutex<Contents>

  /// - Parameter clientAuthorities: Whose certificates clients must show; nil: none.
  init(certificate: String, key: String, clientAuthorities: String? = nil) throws {
    certificatePath = certificate
    keyPath = key
    authoritiesPath = clientAuthorities
    let contents = try TLSFiles.read(certificate, key, clientAuthorities)
    do {
      credentials = try TLSCredentials(
        certificate: Array(contents.certificate), key: Array(contents.key),
        clientAuthorities: contents.clientAuthorities.map(Array.init))
    } catch {
      throw StartError.store("\(certificate) and \(key) are no TLS certificate and its key: \(error.reason)")
    }
    seen = Mutex(contents)
  }

  private static func read(
    _ certificate: String, _ key: String, _ authorities: String?
  ) throws -> Contents {
    func bytes(_ path: String) throws -> Data {
      do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
        throw StartError.store("cannot read \(path)")
      }
    }
    return Contents(
      certificate: try bytes(certificate), key: try bytes(key),
      clientAuthorities: try authorities.map(bytes))
  }

  /// Takes the files as they are now if they have changed. Broken ones change nothing; the log says why.
  func reload(_ logger: Logger) {
    do {
      let contents = try TLSFiles.read(certificatePath, keyPath, authoritiesPath)
      let isNew = seen.withLock { seen in
        defer { seen = contents }
        return seen != contents
      }
      guard isNew else { return }
      try credentials.replace(
        certificate: Array(contents.certificate), key: Array(contents.key),
        clientAuthorities: contents.clientAuthorities.map(Array.init))
      logger.notice("the TLS certificate was read anew", metadata: ["certificate": "\(certificatePath)"])
    } catch let error as TLSError {
      logger.error(
        "the new TLS certificate is not used: \(error.reason)",
        metadata: ["certificate": "\(certificatePath)"])
    } catch {
      logger.error("\(error); the TLS certificate stays as it is")
    }
  }
}
