import Foundation
import Logging
import Platform
import Synchronization

/// Reads the configuration anew on SIGHUP and when its file changes, and hands on what may change while the
/// server runs.
final class ConfigurationReload: Sendable {
  private let path: String?
  private let read: @Sendable () throws -> (Configuration, [String])
  private let apply: @Sendable (Configuration) -> Void
  /// The file as it was looked at last; nil: not yet, so that a change between the start's reading and the
  /// first look is seen.
  private let seen = Mutex<Data?>(nil)
  private let current: Mutex<Configuration>

  /// - Parameters:
  ///   - path: The configuration's file; nil: there is none, and only the signal counts.
  ///   - read: Lays all sources over one another again.
  ///   - apply: Takes what may change.
  init(
    _ current: Configuration, path: String?,
    read: @escaping @Sendable () throws -> (Configuration, [String]),
    apply: @escaping @Sendable (Configuration) -> Void
  ) {
    self.path = path
    self.read = read
    self.apply = apply
    self.current = Mutex(current)
  }

  private static func contents(_ path: String?) -> Data? {
    guard let path else { return nil }
    // A file that is gone for a moment, as editors do it, is no news.
    return try? Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// Looks whether there is reason to read anew, and does. Blocks on the disk.
  ///
  /// - Parameter isAsked: Whether a signal asked for it.
  func run(isAsked: Bool, _ logger: Logger) {
    let contents = ConfigurationReload.contents(path)
    let (isNew, isFirst) = seen.withLock { seen in
      guard let contents, contents != seen else { return (false, false) }
      defer { seen = contents }
      return (true, seen == nil)
    }
    guard isNew || isAsked else { return }
    let source = path ?? "the environment"
    do {
      let (new, warnings) = try read()
      if isFirst, !isAsked, current.withLock({ $0.ingest == new.ingest }) { return }
      for warning in warnings { logger.warning("\(warning)") }
      let old = current.withLock { current in
        defer { current = new }
        return current
      }
      apply(new)
      logger.notice(
        "the configuration was read anew",
        metadata: [
          "source": "\(source)", "ingest_keys": "\(new.ingest.keys.count)",
          "changed": "\(old.ingest != new.ingest)",
        ])
    } catch {
      logger.error("\(error); the settings stay as they are", metadata: ["source": "\(source)"])
    }
  }
}
