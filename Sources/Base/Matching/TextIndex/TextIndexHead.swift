import Records

/// The head of an index, read and checked.
struct TextIndexHead: Sendable {
  /// How the writer split texts into words.
  let split: WordSplit
  let byteCount: Int
  let rowCount: Int
  let pageCount: Int
  let rowsPerPage: Int
  let nestedColumns: [String]
  /// Template i has id i + 2.
  let templates: [[TemplatePiece]]
  /// Where the directory starts in the index.
  let directoryStart: Int

  init(_ bytes: Span<UInt8>) throws(TextIndexError) {
    var reader = ByteCursor()
    guard reader.take(4, of: bytes) == TextIndexLayout.magic,
      let version = reader.integer(UInt8.self, in: bytes)
    else {
      throw .corrupt("not a text index")
    }
    guard (1...TextIndexLayout.version).contains(version) else { throw .version(version) }
    split = version < TextIndexLayout.characterVersion ? .bytes : .characters
    guard reader.take(3, of: bytes) == [0, 0, 0], let length = reader.integer(UInt64.self, in: bytes),
      let rows = reader.integer(UInt64.self, in: bytes), let pages = reader.integer(UInt32.self, in: bytes),
      let perPage = reader.integer(UInt32.self, in: bytes),
      let templateCount = reader.integer(UInt32.self, in: bytes),
      let nestedCount = reader.integer(UInt32.self, in: bytes)
    else { throw .corrupt("head: too short") }
    guard length <= UInt64(bytes.count), length >= UInt64(reader.position) + 8 else {
      throw .corrupt("head: length")
    }
    byteCount = Int(length)
    var sum = ByteCursor(position: byteCount - 8)
    guard sum.integer(UInt64.self, in: bytes) == TextIndexLayout.checksum(bytes.extracting(0..<byteCount - 8))
    else {
      throw .corrupt("head: checksum")
    }
    guard rows < 1 << 40, (1...65_535).contains(perPage),
      UInt64(pages) == (rows + UInt64(perPage) - 1) / UInt64(perPage),
      templateCount <= TextIndexLayout.templateCountMax
    else { throw .corrupt("head: counts") }
    rowCount = Int(rows)
    pageCount = Int(pages)
    rowsPerPage = Int(perPage)
    nestedColumns = try Self.names(&reader, bytes, count: Int(nestedCount))
    templates = try Self.templates(&reader, bytes, count: Int(templateCount))
    directoryStart = reader.position
    let sectionCount = TextIndexLayout.fixedSectionCount + nestedColumns.count
    guard
      directoryStart + sectionCount * pageCount * TextIndexLayout.directoryEntryByteCount + 8 == byteCount
    else { throw .corrupt("head: directory") }
  }

  private static func names(_ reader: inout ByteCursor, _ bytes: Span<UInt8>, count: Int)
    throws(TextIndexError) -> [String]
  {
    var names: [String] = []
    for _ in 0..<count {
      guard let length = reader.varint(in: bytes), let text = reader.take(length, of: bytes),
        let name = String(validating: text, as: UTF8.self)
      else { throw .corrupt("head: names") }
      names.append(name)
    }
    return names
  }

  private static func templates(
    _ reader: inout ByteCursor, _ bytes: Span<UInt8>, count: Int
  ) throws(TextIndexError) -> [[TemplatePiece]] {
    guard let setCount = reader.varint(in: bytes), setCount <= count else {
      throw .corrupt("head: slot sets")
    }
    var sets: [ByteSet256] = []
    for _ in 0..<setCount {
      guard let a = reader.integer(UInt64.self, in: bytes), let b = reader.integer(UInt64.self, in: bytes),
        let c = reader.integer(UInt64.self, in: bytes), let d = reader.integer(UInt64.self, in: bytes)
      else { throw .corrupt("head: slot sets") }
      sets.append(ByteSet256(bits: [a, b, c, d]))
    }
    var templates: [[TemplatePiece]] = []
    templates.reserveCapacity(count)
    for _ in 0..<count {
      guard let set = reader.varint(in: bytes), set < sets.count, let length = reader.varint(in: bytes),
        let skeleton = reader.take(length, of: bytes)
      else { throw .corrupt("head: templates") }
      templates.append(pieces(of: skeleton, slot: sets[set]))
    }
    return templates
  }

  private static func pieces(of skeleton: [UInt8], slot: ByteSet256) -> [TemplatePiece] {
    var pieces: [TemplatePiece] = []
    var start = 0
    for (position, byte) in skeleton.enumerated() where byte == TextScanner.marker {
      if start < position { pieces.append(.literal([UInt8](skeleton[start..<position]))) }
      pieces.append(.slot(slot))
      start = position + 1
    }
    if start < skeleton.count { pieces.append(.literal([UInt8](skeleton[start...]))) }
    return pieces
  }
}
