import Platform
import Records

/// Why a block could not be written or read.
package enum BlockError: Error, Sendable, Equatable {
  /// The disk refused. Nothing that was there before changed; retrying may help.
  case disk(DiskError)
  /// The bytes are not those that were written. Retrying cannot help; the block must be restored or removed.
  case corrupt(file: String, offsetBytes: Int, reason: String)
  /// The block was written by a version this one does not read, or memory ran out. The block is as it was.
  case unsupported(file: String, reason: String)
  /// A later version wrote the block. Nothing is wrong with it.
  case laterVersion(file: String, version: Int)
  /// Whoever asked does not want the rest, or has no time left: what ``CancellationToken/check()`` threw. Or
  /// what a ``HeadPart`` threw.
  case ended(StoreError)

  /// The error as the seams know it.
  package var storeError: StoreError {
    switch self {
    case .disk(.full(let operation, let path)): .diskFull("\(operation) \(path): no room")
    case .disk(.notFound(let path)): .disk("\(path) is missing")
    case .disk(.failed(let operation, let path, let offset, let code)):
      .disk("\(operation) \(path) at byte \(offset): errno \(code)")
    case .corrupt(let file, let offset, let reason):
      .corrupt(file: file, offsetBytes: offset, reason: reason)
    case .laterVersion(let file, let version): .laterVersion(file: file, version: version)
    case .ended(let error): error
    case .unsupported(let file, let reason): .disk("\(file): \(reason)")
    }
  }
}
