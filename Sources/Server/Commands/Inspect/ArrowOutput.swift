import Foundation
import Records

/// A file that takes an Arrow stream's bytes.
struct ArrowOutput {
  private let handle: FileHandle

  init(_ handle: FileHandle) { self.handle = handle }

  /// False when the disk refused.
  func write(_ bytes: Span<UInt8>) -> Bool {
    do {
      try handle.write(contentsOf: Data(bytes.indices.map { bytes[$0] }))
      return true
    } catch {
      return false
    }
  }
}
