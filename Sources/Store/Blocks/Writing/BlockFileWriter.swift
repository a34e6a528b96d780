import Codecs
import Platform
import Records

/// A new file that bytes are written to in order, in pieces of a megabyte.
final class BlockFileWriter {
  private static let pieceByteCount = 1 << 20

  private let file: any File
  private let buffer = WriteBuffer(capacity: BlockFileWriter.pieceByteCount)
  private var written = 0
  /// The file so far in pieces: where each ends, and its checksum.
  private(set) var pieces: [FilePiece] = []
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
    if buffer.count >= BlockFileWriter.pieceByteCount { flush() }
    return failure == nil
  }

  /// Writes what is buffered, so that ``pieces`` cover all bytes so far.
  func flush() {
    guard failure == nil, buffer.count > 0 else { return }
    let checksum = buffer.withSpan(0..<buffer.count) { CRC32C.checksum($0) }
    pieces.append(FilePiece(end: written + buffer.count, checksum: checksum))
    do throws(DiskError) {
      try buffer.withSpan(0..<buffer.count) { (bytes) throws(DiskError) in
        try file.write(bytes, at: written)
      }
      written += buffer.count
      buffer.removeAll(keeping: 2 * BlockFileWriter.pieceByteCount)
    } catch { failure = error }
  }

  /// Writes what is left, puts the checksum of what lies behind `tailOffset` into its place, and makes all of
  /// it durable.
  func finish(tailOffset: Int) throws(DiskError) {
    flush()
    if let failure { throw failure }
    let sealed = try file.map(tailOffset..<written).withSpan(of: UInt8.self) { TailChecksum.digits(for: $0) }
    guard let sealed else { bug("the footer has a place for its checksum") }
    try file.write(sealed.digits.span, at: tailOffset + sealed.offset)
    try file.sync()
  }
}

/// A stretch of a file, from the end of the one before it.
struct FilePiece: Sendable, Equatable {
  let end: Int
  /// CRC-32C.
  let checksum: UInt32

  static func encode(_ pieces: [FilePiece]) -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: pieces.count)
    for piece in pieces {
      writer.append(count: piece.end)
      writer.append(littleEndian: piece.checksum)
    }
    return writer.bytes
  }

  static func decode(_ bytes: Buffer) throws(IndexError) -> [FilePiece] {
    var reader = IndexReader(bytes)
    var pieces: [FilePiece] = []
    for _ in 0..<(try reader.count(max: 1 << 30)) {
      let end = try reader.count()
      guard end > pieces.last?.end ?? 0 else { throw reader.error("pieces out of order") }
      pieces.append(FilePiece(end: end, checksum: try reader.integer(UInt32.self)))
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the pieces") }
    return pieces
  }
}
