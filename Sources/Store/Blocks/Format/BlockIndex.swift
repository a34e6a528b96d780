import Codecs
import Records

/// The index embedded in a block (Docs/formats/block.md).
struct BlockIndex: Sendable {
  enum Section: UInt32 {
    case facts = 1
    case members = 2
    case pages = 3
    case minutes = 4
    case pairs = 5
    case text = 6
    case pieces = 7
    case keys = 8
    case grams = 9
    case ids = 10
    case origin = 11
    case counting = 12
    case wideMinutes = 13
    case numbers = 14
    case frequent = 15
  }

  static let magic = [UInt8]("CWBI".utf8)
  static let version: UInt8 = 1
  static let versionKey = "cordwood.version"
  /// Row groups of equal numbers of rows.
  static let equalGroups = 1
  /// Row groups cut by bytes, of whole pages, as version 2 has them; ids and times in the forms of
  /// ``StoredForm``, names of members that say the type. What is written.
  static let openForms = 3
  static let placeKey = "cordwood.index"
  static let datasetKey = "cordwood.dataset"

  /// Where a section lies in the index, and its checksum.
  struct Entry: Sendable {
    let kind: UInt32
    let checksum: UInt32
    let range: Range<Int>
  }

  let bytes: Buffer
  let entries: [Entry]

  /// The index of these sections as bytes.
  static func encode(_ sections: [(kind: Section, bytes: [UInt8])]) -> [UInt8] {
    var head = IndexWriter()
    head.append(raw: magic)
    head.append(raw: [version, 0, 0, 0])
    head.append(littleEndian: UInt32(sections.count))
    head.append(littleEndian: UInt32(0))
    var offset = headByteCount(sections.count)
    for section in sections {
      head.append(littleEndian: section.kind.rawValue)
      head.append(littleEndian: CRC32C.checksum(section.bytes))
      head.append(littleEndian: UInt64(offset))
      head.append(littleEndian: UInt64(section.bytes.count))
      offset = (offset + section.bytes.count + 7) & ~7
    }
    head.append(littleEndian: CRC32C.checksum(head.bytes))
    for section in sections {
      head.pad8()
      head.append(raw: section.bytes)
    }
    head.pad8()
    return head.bytes
  }

  private static func headByteCount(_ sectionCount: Int) -> Int { (16 + sectionCount * 24 + 4 + 7) & ~7 }

  /// Reads and checks the directory; sections are checked when they are asked for.
  init(_ bytes: Buffer) throws(IndexError) {
    self.bytes = bytes
    var reader = IndexReader(bytes)
    guard try reader.raw(4) == BlockIndex.magic else { throw reader.error("not the index of a block") }
    let version = try reader.byte()
    guard version == BlockIndex.version else { throw reader.error("index of version \(version)") }
    guard try reader.raw(3) == [0, 0, 0] else { throw reader.error("bytes that must be 0") }
    let count = try reader.integer(UInt32.self)
    guard try reader.integer(UInt32.self) == 0, count <= 1024 else { throw reader.error("section count") }
    var entries: [Entry] = []
    for _ in 0..<count {
      let kind = try reader.integer(UInt32.self)
      let checksum = try reader.integer(UInt32.self)
      let offset = try reader.integer(UInt64.self)
      let length = try reader.integer(UInt64.self)
      guard offset <= bytes.byteCount, length <= UInt64(bytes.byteCount) - offset, offset % 8 == 0 else {
        throw reader.error("a section outside the index")
      }
      entries.append(Entry(kind: kind, checksum: checksum, range: Int(offset)..<Int(offset + length)))
    }
    let end = reader.offset
    let checksum = bytes.slice(0..<end).withSpan(of: UInt8.self) { CRC32C.checksum($0) }
    guard try reader.integer(UInt32.self) == checksum else {
      throw IndexError(offsetBytes: 0, reason: "checksum of the directory")
    }
    self.entries = entries
  }

  /// The bytes of a section; nil if there is none.
  ///
  /// - Parameter verifies: Whether its checksum is compared, which touches all of it.
  func section(_ kind: Section, verifies: Bool = true) throws(IndexError) -> Buffer? {
    guard let entry = entries.first(where: { $0.kind == kind.rawValue }) else { return nil }
    let part = bytes.slice(entry.range)
    if verifies { try check(entry) }
    return part
  }

  /// Whether there is such a section.
  func has(_ kind: Section) -> Bool { entries.contains { $0.kind == kind.rawValue } }

  /// A section that must be there.
  func required(_ kind: Section) throws(IndexError) -> Buffer {
    guard let part = try section(kind) else {
      throw IndexError(offsetBytes: 0, reason: "no section \(kind)")
    }
    return part
  }

  func check(_ entry: Entry) throws(IndexError) {
    let checksum = bytes.slice(entry.range).withSpan(of: UInt8.self) { CRC32C.checksum($0) }
    guard checksum == entry.checksum else {
      throw IndexError(
        offsetBytes: entry.range.lowerBound, reason: "checksum of section \(entry.kind)")
    }
  }
}

/// The facts of a block as its index has them.
struct FactsSection: Sendable, Equatable {
  /// `byteCount` is 0: the file does not know its own length.
  var facts: BlockFacts
  var rowsPerGroup: Int
  var rowsPerPage: Int

  func encoded() -> [UInt8] {
    var writer = IndexWriter()
    writer.append(unsigned: facts.id)
    writer.append(facts.partition.tenant.realm.code)
    writer.append(facts.partition.dataset.code)
    writer.append(text: facts.partition.tenant.name)
    for count in [facts.rowCount, rowsPerGroup, rowsPerPage] { writer.append(count: count) }
    for range in [facts.positions, facts.timestamps, facts.ingested] {
      writer.append(signed: range.lowerBound)
      writer.append(signed: range.upperBound)
    }
    writer.append(unsigned: facts.deletionsApplied)
    return writer.bytes
  }

  init(_ facts: BlockFacts, rowsPerGroup: Int, rowsPerPage: Int) {
    self.facts = facts
    self.facts.byteCount = 0
    self.rowsPerGroup = rowsPerGroup
    self.rowsPerPage = rowsPerPage
  }

  /// - Parameter partition: Whose block it is, as the manifest says.
  init(_ bytes: Buffer, of partition: Partition) throws(IndexError) {
    var reader = IndexReader(bytes)
    let id = try reader.unsigned()
    guard try reader.byte() == partition.tenant.realm.code else { throw reader.error("another realm") }
    guard try reader.byte() == partition.dataset.code else { throw reader.error("another dataset") }
    guard try reader.text() == partition.tenant.name else { throw reader.error("another tenant") }
    let rowCount = try reader.count()
    rowsPerGroup = try reader.count()
    rowsPerPage = try reader.count(max: 65_535)
    guard rowCount > 0, rowsPerPage > 0, rowsPerGroup > 0, rowsPerGroup % rowsPerPage == 0 else {
      throw reader.error("impossible row counts")
    }
    var ranges: [ClosedRange<Int64>] = []
    for _ in 0..<3 {
      let low = try reader.signed()
      let high = try reader.signed()
      guard low <= high else { throw reader.error("bounds the wrong way round") }
      ranges.append(low...high)
    }
    let deletionsApplied = try reader.unsigned()
    guard reader.isAtEnd else { throw reader.error("bytes behind the facts") }
    let bounds = KeyBounds(
      timestampMin: ranges[1].lowerBound, timestampMax: ranges[1].upperBound,
      positionMin: ranges[0].lowerBound, positionMax: ranges[0].upperBound)
    facts = BlockFacts(
      id: id, partition: partition, rowCount: rowCount, bounds: bounds, ingested: ranges[2],
      deletionsApplied: deletionsApplied)
  }
}

extension MemberColumn {
  static func encode(_ columns: [MemberColumn]) -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: columns.count)
    for column in columns {
      writer.append(text: column.field)
      writer.append(text: column.member)
      writer.append(column.type.rawValue)
      writer.append(text: column.physicalName)
      writer.append(count: column.restCount)
    }
    return writer.bytes
  }

  static func decode(_ bytes: Buffer) throws(IndexError) -> [MemberColumn] {
    var reader = IndexReader(bytes)
    let count = try reader.count(max: 1 << 20)
    var columns: [MemberColumn] = []
    for _ in 0..<count {
      let field = try reader.text()
      let member = try reader.text()
      guard let type = ColumnType(rawValue: try reader.byte()), MemberCensus.types.contains(type) else {
        throw reader.error("an impossible type of a member")
      }
      columns.append(
        MemberColumn(
          field: field, member: member, type: type, physicalName: try reader.text(),
          restCount: try reader.count()))
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the members") }
    return columns
  }
}

/// Smallest and largest timestamp and position of each page of a block.
struct PageBounds: Sendable, Equatable {
  private(set) var pages: [KeyBounds] = []

  init() {}

  /// Adds the pages of a row group.
  mutating func add(timestamps: Column, positions: Column, rowsPerPage: Int) {
    timestamps.withInt64 { times in
      positions.withInt64 { numbers in
        for start in stride(from: 0, to: times.count, by: rowsPerPage) {
          var bounds = KeyBounds(
            timestampMin: .max, timestampMax: .min, positionMin: .max, positionMax: .min)
          for row in start..<min(start + rowsPerPage, times.count) {
            bounds.timestampMin = min(bounds.timestampMin, times[row])
            bounds.timestampMax = max(bounds.timestampMax, times[row])
            bounds.positionMin = min(bounds.positionMin, numbers[row])
            bounds.positionMax = max(bounds.positionMax, numbers[row])
          }
          pages.append(bounds)
        }
      }
    }
  }

  func encoded() -> [UInt8] {
    var writer = IndexWriter()
    for page in pages {
      for value in [page.timestampMin, page.timestampMax, page.positionMin, page.positionMax] {
        writer.append(littleEndian: value)
      }
    }
    return writer.bytes
  }

  init(_ bytes: Buffer, pageCount: Int) throws(IndexError) {
    var reader = IndexReader(bytes)
    guard bytes.byteCount == pageCount * 32 else { throw reader.error("a page more or less") }
    let values = try reader.integers(pageCount * 4)
    for page in 0..<pageCount {
      let at = page * 4
      guard values[at] <= values[at + 1], values[at + 2] <= values[at + 3] else {
        throw IndexError(offsetBytes: at * 8, reason: "bounds the wrong way round")
      }
      pages.append(
        KeyBounds(
          timestampMin: values[at], timestampMax: values[at + 1], positionMin: values[at + 2],
          positionMax: values[at + 3]))
    }
  }

  /// The bounds over some pages, at least one.
  func union(_ range: some Sequence<Int>) -> KeyBounds {
    var result = KeyBounds(timestampMin: .max, timestampMax: .min, positionMin: .max, positionMax: .min)
    for page in range { result.formUnion(pages[page]) }
    return result
  }
}
