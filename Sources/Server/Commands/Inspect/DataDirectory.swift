import Foundation
import Platform
import Records

/// What commands that look into a data directory share.
enum DataDirectory {
  /// Throws unless `path` looks like a data directory.
  static func require(_ path: String) throws(Failure) {
    guard FileManager.default.fileExists(atPath: path) else { throw Failure("there is no directory \(path)") }
    guard FileManager.default.fileExists(atPath: path + "/manifest") else {
      throw Failure("\(path) is no data directory: it has no manifest")
    }
  }

  /// Keeps a server from starting as long as the lock is held.
  static func lockOut(_ path: String) throws(Failure) -> FileLock {
    do throws(FileLockError) { return try FileLock(directory: path) } catch {
      switch error {
      case .held(_, let process):
        let who = process.map { " (process \($0))" } ?? ""
        throw Failure("\(path) is in use by a server\(who): stop it first")
      case .disk(let error): throw Failure("cannot lock \(path): \(error)")
      }
    }
  }

  /// Errors of the store in words for people.
  static func text(of error: StoreError) -> String {
    switch error {
    case .corrupt(let file, let offset, let reason): "\(file), byte \(offset): \(reason)"
    case .disk(let text), .diskFull(let text), .poisoned(let text), .memoryExhausted(let text),
      .exhausted(let text), .invalid(let text):
      text
    case .laterVersion(let file, let version):
      "\(file) was made by a later version of cordwood (format \(version)): nothing is wrong with it"
    case .headFull, .stopping, .idempotencyMismatch, .importElsewhere, .keysExhausted, .clockStepped,
      .cancelled, .deadlineExceeded, .invalidFilter:
      "\(error)"
    }
  }
}
