import Access
import Foundation
import Logging
import Synchronization

/// The file with the public keys of the audit API's issuer: read at start, and anew when it changes.
final class KeySetFile: Sendable {
  private let path: String
  private let credentials: AuditCredentials
  private let seen: Mutex<Data>

  /// Gives `credentials` the file's keys. Blocks on the disk.
  init(_ path: String, for credentials: AuditCredentials) throws {
    self.path = path
    self.credentials = credentials
    let contents = try KeySetFile.read(path)
    do throws(KeySetError) { credentials.use(try KeySet(parsing: Array(contents))) } catch {
      throw StartError.store("\(path) is no JWK set: \(error.reason)")
    }
    seen = Mutex(contents)
  }

  private static func read(_ path: String) throws -> Data {
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw StartError.store("cannot read \(path)")
    }
  }

  /// Takes the keys as they are now if the file has changed. A broken one changes nothing; the log says why,
  /// once.
  func reload(_ logger: Logger) {
    do {
      let contents = try KeySetFile.read(path)
      let isNew = seen.withLock { seen in
        defer { seen = contents }
        return seen != contents
      }
      guard isNew else { return }
      let keys = try KeySet(parsing: Array(contents))
      credentials.use(keys)
      logger.notice("the audit API's public keys were read anew", metadata: ["count": "\(keys.count)"])
    } catch let error as KeySetError {
      logger.error("the new public keys are not used: \(error.reason)", metadata: ["file": "\(path)"])
    } catch {
      logger.error("\(error); the audit API's public keys stay as they are")
    }
  }
}
