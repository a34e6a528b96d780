import Platform
import Records

/// A new file that takes an Arrow stream's bytes.
final class ArrowOutput {
  private let file: any File
  private var written = 0
  /// Why a write failed; nothing is written afterwards.
  private(set) var failure: DiskError?

  init(_ path: String) throws(DiskError) { file = try LocalFileSystem().create(path) }

  /// False when the disk refused.
  func write(_ bytes: Span<UInt8>) -> Bool {
    guard failure == nil else { return false }
    do throws(DiskError) {
      try file.write(bytes, at: written)
      written += bytes.count
    } catch { failure = error }
    return failure == nil
  }
}
