import Codecs
import Columnar
import Matching
import Records
import Synchronization

/// Footer and index of a block, read and checked once.
final class BlockContents: Sendable {
  let path: String
  /// Whether it is of an older version of the format than is written now.
  let isOfOlderFormat: Bool
  let mapping: BlockMapping
  let schema: DatasetSchema
  let parquet: ParquetReader
  let columns: BlockColumns
  /// As the index has them: without the length of the file.
  let facts: BlockFacts
  let rowsPerGroup: Int
  let rowsPerPage: Int
  let pages: PageBounds
  /// The first page of each row group, and the number of all pages.
  private let groupPages: [Int]
  /// nil: the block has none.
  let keys: PageKeys?
  let index: BlockIndex
  /// Where the index starts in the file.
  let indexOffset: Int
  /// Where decoded parts may be kept; nil: nowhere.
  let decoded: BlockPages?
  private let lazy = Mutex(Lazy())
  private let memory = Atomic(0)

  /// What is read when it is first needed. Of what a block may lack, nil: not asked for yet, a nil within:
  /// there is none.
  private struct Lazy {
    var text: TextIndex?
    var summary: BlockSummary??
    var grams: GramIndex??
    var ids: IDBounds??
    var numbers: NumberSection??
    var frequent: FrequentSection??
  }

  init(
    _ file: Buffer, path: String, facts expected: BlockFacts, pages decoded: BlockPages? = nil
  ) throws(BlockError) {
    self.path = path
    self.decoded = decoded
    mapping = BlockMapping(file, path: path)
    schema = expected.partition.dataset.schema
    do throws(ColumnarError) { parquet = try ParquetReader(file, verifyChecksums: true) } catch {
      throw BlockContents.failure(error, path, offset: 0)
    }
    try BlockIndex.requireKnownVersion(parquet.metadata, path: path)
    let known = BlockIndex.equalGroups...BlockIndex.openForms
    guard let version = parquet.metadata[BlockIndex.versionKey].flatMap({ Int($0) }), known.contains(version)
    else {
      throw .unsupported(
        file: path, reason: "not a block of version \(known.lowerBound) to \(known.upperBound)")
    }
    guard let place = BlockIndex.place(parquet.metadata, fileBytes: file.byteCount) else {
      throw .corrupt(file: path, offsetBytes: 0, reason: "the place of the index")
    }
    indexOffset = place.lowerBound
    do throws(IndexError) {
      index = try BlockIndex(file.slice(place))
      isOfOlderFormat = version < BlockIndex.openForms || !index.has(.frequent)
      let section = try FactsSection(try index.required(.facts), of: expected.partition)
      (facts, rowsPerGroup, rowsPerPage) = (section.facts, section.rowsPerGroup, section.rowsPerPage)
      let pageCount = (facts.rowCount + rowsPerPage - 1) / rowsPerPage
      pages = try PageBounds(try index.required(.pages), pageCount: pageCount)
      let bytes = try index.section(.keys)
      keys = if let bytes { try PageKeys(bytes, pageCount: pageCount) } else { nil }
      let members = try MemberColumn.decode(try index.required(.members))
      guard let columns = BlockColumns(parquet, schema: schema, members: members, version: version)
      else {
        throw IndexError(offsetBytes: 0, reason: "columns that are not in the file")
      }
      self.columns = columns
    } catch { throw BlockContents.failure(error, path, indexOffset: place.lowerBound) }
    var groupPages = [0]
    for group in parquet.rowGroups {
      groupPages.append(groupPages[groupPages.count - 1] + (group.rowCount + rowsPerPage - 1) / rowsPerPage)
    }
    self.groupPages = groupPages
    memory.store(baseMemoryBytes, ordering: .relaxed)
    try check(against: expected, isCut: version != BlockIndex.equalGroups)
  }

  private func check(against known: BlockFacts, isCut: Bool) throws(BlockError) {
    var expected = known
    expected.byteCount = 0
    // The manifest may know of more deletions than the file.
    expected.deletionsApplied = facts.deletionsApplied
    guard facts == expected, facts.deletionsApplied <= known.deletionsApplied else {
      throw corrupt(at: indexOffset, "facts that are not the manifest's")
    }
    let groups = parquet.rowGroups.map(\.rowCount)
    let isWhole = groups.dropLast().allSatisfy {
      isCut ? $0 > 0 && $0 <= rowsPerGroup && $0 % rowsPerPage == 0 : $0 == rowsPerGroup
    }
    guard isWhole, let last = groups.last, last > 0, last <= rowsPerGroup,
      parquet.rowCount == known.rowCount
    else { throw corrupt(at: 0, "row groups that are not those of the index") }
  }

  // MARK: Pages

  var groupCount: Int { parquet.rowGroups.count }

  /// The block, for counting.
  var object: StoredObject { StoredObject(name: path) }

  /// Notes that the block is asked.
  func note(in meter: ScanMeter?) { meter?.note(block: object, pageCount: pages.pages.count) }

  /// Bytes that so many rows of a row group's column take uncompressed, about.
  func bytes(ofColumn column: Int, group: Int, rowCount: Int) -> Int {
    let info = parquet.rowGroups[group]
    // What a damaged footer says must not overflow.
    let bytes = min(max(0, info.columns[column].uncompressedBytes), 1 << 50)
    return Int(Double(bytes) * min(1, Double(rowCount) / Double(max(1, info.rowCount))))
  }

  /// Pages of a row group, numbered in the block.
  func pages(of group: Int) -> Range<Int> { groupPages[group]..<groupPages[group + 1] }

  func rowCount(ofPage page: Int) -> Int {
    min(rowsPerPage, facts.rowCount - page * rowsPerPage)
  }

  /// The rows of a page, numbered in the block.
  func rows(ofPage page: Int) -> Range<Int> {
    page * rowsPerPage..<page * rowsPerPage + rowCount(ofPage: page)
  }

  // MARK: Parts read later

  /// The text index; checks its head at the first call.
  func text() throws(BlockError) -> TextIndex {
    if let known = lazy.withLock({ $0.text }) { return known }
    let entry = index.entries.first { $0.kind == BlockIndex.Section.text.rawValue }
    guard let entry else { throw corrupt(at: indexOffset, "no text index") }
    do throws(TextIndexError) {
      let text = try TextIndex(index.bytes.slice(entry.range))
      guard text.rowCount == facts.rowCount, text.rowsPerPage == rowsPerPage else {
        throw .corrupt("rows that are not the block's")
      }
      keep(headBytes: text.memoryBytes) { $0.text = text }
      return text
    } catch { throw failure(error) }
  }

  /// The gram filters; nil if the block has none, as those written before there were any.
  func grams() throws(BlockError) -> GramIndex? {
    try part(.grams, at: \.grams) { section throws(BlockError) in
      do throws(TextIndexError) { return try GramIndex(section, pageCount: pages.pages.count) } catch {
        throw failure(error, in: .grams)
      }
    }
  }

  /// Bounds of the data pages' ids; nil if the block has none, as those written before there were any.
  func ids() throws(BlockError) -> IDBounds? {
    try part(.ids, at: \.ids) { section throws(BlockError) in
      do throws(IndexError) {
        return try IDBounds(section, rowCount: facts.rowCount, rowsPerPage: rowsPerPage)
      } catch { throw BlockContents.failure(error, path, indexOffset: indexOffset) }
    }
  }

  /// The counts by minute; nil if the block has none that can be believed.
  func summary() throws(BlockError) -> BlockSummary? {
    try part(BlockSummary.section(of: facts.bounds), at: \.summary) { minutes throws(BlockError) in
      do throws(IndexError) {
        var summary = try BlockSummary(minutes: minutes, pairs: try index.section(.pairs))
        guard summary.totals.reduce(0, +) == facts.rowCount else {
          throw IndexError(offsetBytes: 0, reason: "minutes that do not add up to the block's rows")
        }
        // Written before values were told apart by their bytes.
        if try index.section(.counting) == nil { summary.dropMergedValues() }
        return summary
      } catch { throw BlockContents.failure(error, path, indexOffset: indexOffset) }
    }
  }

  /// What is known of numbers; nil if the block has no such section.
  func numbers() throws(BlockError) -> NumberSection? {
    try part(.numbers, at: \.numbers) { section throws(BlockError) in
      do throws(IndexError) {
        let pageRows = pages.pages.indices.map { rowCount(ofPage: $0) }
        return try NumberSection(section, rowCount: facts.rowCount, pageRows: pageRows)
      } catch { throw BlockContents.failure(error, path, indexOffset: indexOffset) }
    }
  }

  /// The most frequent values; nil if the block has no such section.
  func frequent() throws(BlockError) -> FrequentSection? {
    try part(.frequent, at: \.frequent) { section throws(BlockError) in
      do throws(IndexError) { return try FrequentSection(section, rowCount: facts.rowCount) } catch {
        throw BlockContents.failure(error, path, indexOffset: indexOffset)
      }
    }
  }

  /// A part that a block may lack: read at the first call and kept.
  @inline(__always)
  private func part<Part: Sendable>(
    _ kind: BlockIndex.Section, at place: WritableKeyPath<Lazy, Part??>,
    read: (Buffer) throws(BlockError) -> Part
  ) throws(BlockError) -> Part? {
    if let known = lazy.withLock({ $0[keyPath: place] }) { return known }
    let section: Buffer?
    do throws(IndexError) { section = try index.section(kind) } catch {
      throw BlockContents.failure(error, path, indexOffset: indexOffset)
    }
    let part: Part? = if let section { try read(section) } else { nil }
    // Decoded, a section takes about so many times its bytes.
    keep(headBytes: (section?.byteCount ?? 0) * (kind == .grams ? 1 : 6)) { $0[keyPath: place] = .some(part) }
    return part
  }

  // MARK: Memory

  /// Bytes held beside the mapped file, about.
  var memoryBytes: Int { memory.load(ordering: .relaxed) }

  /// What footer and directory take, read: measured, 1.9 KiB a column chunk, and 1.3 once its pages
  /// are looked up.
  private var baseMemoryBytes: Int {
    groupCount * (parquet.fields.count + 1) * 3_072 + pages.pages.count * 32
      + (keys?.keys.reduce(0) { $0 + $1.count + 32 } ?? 0) + 16_384
  }

  /// Two threads may read a part at once: then it is counted twice.
  private func keep(headBytes: Int, _ store: (inout Lazy) -> Void) {
    lazy.withLock { store(&$0) }
    memory.add(headBytes, ordering: .relaxed)
  }

  // MARK: Errors

  func corrupt(at offset: Int, _ reason: String) -> BlockError {
    .corrupt(file: path, offsetBytes: offset, reason: reason)
  }

  func failure(_ error: TextIndexError, in section: BlockIndex.Section = .text) -> BlockError {
    let entry = index.entries.first { $0.kind == section.rawValue }
    let offset = indexOffset + (entry?.range.lowerBound ?? 0)
    switch error {
    case .corrupt(let reason): return corrupt(at: offset, "text index: " + reason)
    case .version(let version): return .unsupported(file: path, reason: "text index of version \(version)")
    }
  }

  static func failure(_ error: IndexError, _ path: String, indexOffset: Int) -> BlockError {
    .corrupt(file: path, offsetBytes: indexOffset + error.offsetBytes, reason: "index: " + error.reason)
  }

  static func failure(_ error: ColumnarError, _ path: String, offset: Int) -> BlockError {
    switch error {
    case .corrupt(let reason): .corrupt(file: path, offsetBytes: offset, reason: reason)
    case .unsupported(let reason): .unsupported(file: path, reason: reason)
    case .sink: bug("reading has no sink")
    }
  }

  /// Rows `rows` (ascending, disjoint, within the row group) of a column of the file, ids and times as what
  /// they stand for; decoded anew. See ``cached(_:group:rows:asDictionary:isRounded:)``.
  ///
  /// - Parameter isRounded: See ``OutputColumn/isRounded``.
  func read(
    _ column: Int, group: Int, rows: [Range<Int>], asDictionary: Bool, isRounded: Bool = false
  ) throws(BlockError) -> Column {
    let stored = try readStored(column, group: group, rows: rows, asDictionary: asDictionary)
    switch columns.form(of: column) {
    case nil: return stored
    case .id:
      if let ids = UUIDTexts.ids(of: stored) { return ids }
      let chunk = parquet.rowGroups[group].columns[column]
      throw corrupt(at: chunk.fileRange.lowerBound, "an id that is none")
    case .time(let place):
      // Most clocks tell microseconds at best: then the bounds say that nothing is left.
      guard let place, !isRounded, hasRests(place, group) else {
        return StoredForm.times(stored, rests: nil)
      }
      let rests = try readStored(place, group: group, rows: rows, asDictionary: false)
      return StoredForm.times(stored, rests: rests)
    }
  }

  /// Whether times read rounded are others than those read exactly.
  func isRoundedOtherwise(_ column: Int, group: Int) -> Bool {
    if case .time(let place?) = columns.form(of: column) { hasRests(place, group) } else { false }
  }

  private func hasRests(_ column: Int, _ group: Int) -> Bool {
    parquet.rowGroups[group].columns[column].int64Bounds != 0...0
  }

  /// Bounds of a column of the file in a row group, in terms of what reading it gives.
  func int64Bounds(_ column: Int, group: Int) -> ClosedRange<Int64>? {
    let bounds = parquet.rowGroups[group].columns[column].int64Bounds
    if case .time = columns.form(of: column) { return bounds.map(StoredForm.bounds(ofMicroseconds:)) }
    return bounds
  }

  /// See ``ParquetReader/codes(rowGroup:column:rows:)``.
  func codes(_ column: Int, group: Int, rows: Range<Int>) throws(BlockError) -> TextCodes {
    try decoding(column, group) { () throws(ColumnarError) in
      let codes = try parquet.codes(rowGroup: group, column: column, rows: [rows])
      guard codes.rowCount == rows.count else {
        throw .corrupt("a column with other rows than its group")
      }
      return codes
    }
  }

  /// See ``ParquetReader/dictionary(rowGroup:column:)``.
  func dictionary(_ column: Int, group: Int) throws(BlockError) -> Column {
    try decoding(column, group) { () throws(ColumnarError) in
      try parquet.dictionary(rowGroup: group, column: column)
    }
  }

  /// See ``ParquetReader/page(rowGroup:column:row:)``.
  func dataPage(_ column: Int, group: Int, row: Int) throws(BlockError) -> Range<Int> {
    try decoding(column, group) { () throws(ColumnarError) in
      try parquet.page(rowGroup: group, column: column, row: row)
    }
  }

  private func readStored(
    _ column: Int, group: Int, rows: [Range<Int>], asDictionary: Bool
  ) throws(BlockError) -> Column {
    try decoding(column, group) { () throws(ColumnarError) in
      let found = try parquet.read(
        rowGroup: group, columns: [column], rows: rows, asDictionary: asDictionary)
      // Headers of pages have no checksum, and say how many values follow.
      guard let column = found.first, column.rowCount == rows.reduce(0, { $0 + $1.count }) else {
        throw .corrupt("a column with other rows than its group")
      }
      return column
    }
  }

  private func decoding<Value>(
    _ column: Int, _ group: Int, _ body: () throws(ColumnarError) -> Value
  ) throws(BlockError) -> Value {
    do throws(ColumnarError) { return try body() } catch {
      let chunk = parquet.rowGroups[group].columns[column]
      throw BlockContents.failure(error, path, offset: chunk.fileRange.lowerBound)
    }
  }
}
