import Platform
import Records

/// A new file that bytes are written to in order, in pieces of a megabyte.
final class BlockFile {
  private static let pieceByteCount = 1 << 20

  private let file: any File
  private let buffer = WriteBuffer(capacity: BlockFile.pieceByteCount)
  private var written = 0
  /// Why a write failed; nothing is written afterwards.
  private(set) var failure: DiskError?

  init(_ path: String, fileSystem: any FileSystem) throws(DiskError) {
    if try fileSystem.exists(path) { try fileSystem.remove(path) }
    file = try fileSystem.create(path)
  }

  var byteCount: Int { written + buffer.count }

  /// Takes bytes; false once a write failed.
  func append(_ bytes: Span<UInt8>) -> Bool {
    guard failure == nil else { return false }
    buffer.append(bytes)
    if buffer.count >= BlockFile.pieceByteCount { flush() }
    return failure == nil
  }

  private func flush() {
    do throws(DiskError) {
      try buffer.withSpan(0..<buffer.count) { (bytes) throws(DiskError) in
        try file.write(bytes, at: written)
      }
      written += buffer.count
      buffer.removeAll(keeping: 2 * BlockFile.pieceByteCount)
    } catch { failure = error }
  }

  /// Writes what is left and makes all of it durable.
  func finish() throws(DiskError) {
    if failure == nil, buffer.count > 0 { flush() }
    if let failure { throw failure }
    try file.sync()
  }
}
