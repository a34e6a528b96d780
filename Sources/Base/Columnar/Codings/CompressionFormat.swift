import CArrow

/// The formats that the C side streams.
enum CompressionFormat: Sendable {
  case gzip
  case zlib
  case rawDeflate
  case zstd

  /// As the C side numbers them.
  var number: Int32 {
    switch self {
    case .gzip: Int32(CW_GZIP)
    case .zlib: Int32(CW_ZLIB)
    case .rawDeflate: Int32(CW_RAW_DEFLATE)
    case .zstd: Int32(CW_ZSTD)
    }
  }

  /// Whether several may follow one another.
  var hasMembers: Bool {
    switch self {
    case .gzip, .zstd: true
    case .zlib, .rawDeflate: false
    }
  }

  /// Whether `bytes`, as far as there are any, may begin a member.
  func isStart(_ bytes: Span<UInt8>) -> Bool {
    switch self {
    case .gzip: CompressionFormat.begin(bytes, [0x1F, 0x8B])
    case .zstd:
      CompressionFormat.begin(bytes, [0x28, 0xB5, 0x2F, 0xFD])
        || bytes.count > 0 && bytes[0] & 0xF0 == 0x50
          && CompressionFormat.begin(bytes.extracting(1..<bytes.count), [0x2A, 0x4D, 0x18])
    case .zlib, .rawDeflate: true
    }
  }

  private static func begin(_ bytes: Span<UInt8>, _ magic: [UInt8]) -> Bool {
    for index in 0..<min(bytes.count, magic.count) where bytes[index] != magic[index] { return false }
    return true
  }
}
