import Columnar
import Records

/// Reading columns of a block from the page cache, and into it.
extension BlockContents {
  /// As ``read(_:group:rows:asDictionary:isRounded:)``, with what is kept decoded.
  ///
  /// Whoever wants rows of most pages of a column gets the whole column of the row group decoded and kept, if
  /// it is of numbers or dictionary indices; whoever wants a few pages gets these decoded and kept. Where
  /// only some rows of what would be decoded are wanted, that is done the second time: what is looked up once
  /// costs what it did. Long texts that hardly come twice are kept by page, and where more than some rows of
  /// it are wanted when another query asks: a scan over more than there is room for keeps none of them.
  ///
  /// - Parameter query: Who asks (``CancellationToken/number``); 0: nobody known.
  func cached(
    _ column: Int, group: Int, rows: [Range<Int>], asDictionary: Bool, isRounded: Bool = false,
    for query: UInt64 = 0
  ) throws(BlockError) -> Column {
    guard let decoded, !rows.isEmpty else {
      return try read(column, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded)
    }
    var chunk = CachedChunk(self, decoded, group: group, column: column, isRounded: isRounded)
    let wanted = rows.reduce(0) { $0 + $1.count }
    let wantsDictionary = asDictionary && wanted >= CachedChunk.fewRows
    if let whole = try chunk.found(nil) { return chunk.rows(rows, of: whole, asDictionary: wantsDictionary) }
    let rowCount = parquet.rowGroups[group].rowCount
    let touched = try chunk.pages(of: rows)
    let touchedRows = touched.reduce(0) { $0 + $1.count }
    // Whoever wants all that is decoded pays nothing for keeping it; others do when it is wanted again.
    let isDense = wanted * 2 > touchedRows
    var isScan = false
    if chunk.isLongText {
      isScan = wanted * 8 > touchedRows
    } else if touchedRows * 2 > rowCount {
      if isDense || chunk.isWantedAgain([nil]) {
        let whole = try chunk.decodeWhole(of: rowCount)
        return chunk.rows(rows, of: whole, asDictionary: wantsDictionary)
      }
      return try read(column, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded)
    }
    var parts: [Column?] = []
    for page in touched { parts.append(try chunk.found(page)) }
    let missing = touched.indices.filter { parts[$0] == nil }
    if isScan || !isDense, !chunk.isWantedAgain(missing.map { touched[$0] }, scan: isScan ? query : 0) {
      return try read(column, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded)
    }
    let made = try chunk.decode(missing.map { touched[$0] })
    for (index, part) in zip(missing, made) { parts[index] = part }
    return chunk.rows(rows, of: parts.compactMap(\.self), at: touched, asDictionary: wantsDictionary)
  }
}

/// A column of a row group, as the cache has it.
private struct CachedChunk {
  /// Fewer rows come plain: a dictionary is more than their values.
  static let fewRows = 16

  let contents: BlockContents
  let pages: BlockPages
  let group: Int
  let column: Int
  let isRounded: Bool
  /// Text of which every page holds indices.
  let hasCodes: Bool
  /// Text, ids among it, of which some page does not.
  let isLongText: Bool
  private var dictionary: Column?

  init(_ contents: BlockContents, _ pages: BlockPages, group: Int, column: Int, isRounded: Bool) {
    self.contents = contents
    self.pages = pages
    self.group = group
    self.column = column
    self.isRounded = isRounded && contents.isRoundedOtherwise(column, group: group)
    let isText = contents.parquet.fields[column].type.isText
    hasCodes =
      isText && contents.columns.form(of: column) == nil
      && contents.parquet.rowGroups[group].columns[column].isDictionary
    isLongText = isText && !hasCodes
  }

  // MARK: Parts

  /// - Parameter page: nil: all rows of the row group.
  private func key(_ page: Range<Int>?) -> PageKey {
    key(hasCodes ? .codes : isRounded ? .rounded : .values, page)
  }

  private func key(_ part: PageKey.Part, _ page: Range<Int>?) -> PageKey {
    PageKey(block: pages.block, group: group, column: column, firstRow: page?.lowerBound, part: part)
  }

  /// A page, or the whole column (nil), if it is kept.
  mutating func found(_ page: Range<Int>?) throws(BlockError) -> Column? {
    switch pages.cache.find(key(page)) {
    case nil: return nil
    case .column(let column): return column
    case .codes(let codes): return try joined(codes)
    }
  }

  /// Whether all of these parts, which are not kept, were wanted not long ago; from now on they were.
  ///
  /// - Parameter scan: See ``PageCache/remember(_:bytes:scan:)``.
  func isWantedAgain(_ parts: [Range<Int>?], scan: UInt64 = 0) -> Bool {
    let chunk = contents.parquet.rowGroups[group]
    let bytesPerRow = chunk.columns[column].uncompressedBytes / max(1, chunk.rowCount) + 1
    return parts.reduce(true) { known, page in
      let bytes = (page?.count ?? chunk.rowCount) * bytesPerRow
      return pages.cache.remember(key(page), bytes: bytes, scan: scan) && known
    }
  }

  /// Decodes the whole column and keeps it.
  mutating func decodeWhole(of rowCount: Int) throws(BlockError) -> Column {
    if hasCodes { return try decodeCodes(0..<rowCount, as: nil) }
    let values = try contents.read(
      column, group: group, rows: [0..<rowCount], asDictionary: false, isRounded: isRounded)
    try keep(.column(values), as: key(nil))
    return values
  }

  /// Decodes pages, and their dictionary once, and keeps them.
  mutating func decode(_ missing: [Range<Int>]) throws(BlockError) -> [Column] {
    if missing.isEmpty { return [] }
    var made: [Column] = []
    if hasCodes {
      for page in missing { made.append(try decodeCodes(page, as: page)) }
      return made
    }
    let all = try contents.read(
      column, group: group, rows: missing, asDictionary: false, isRounded: isRounded)
    var start = 0
    for page in missing {
      // A copy, so that each goes by itself.
      let values =
        missing.count == 1
        ? all : Column.gather([all], runs: [RowRun(source: 0, start: start, count: page.count)])
      start += page.count
      try keep(.column(values), as: key(page))
      made.append(values)
    }
    return made
  }

  private mutating func decodeCodes(_ rows: Range<Int>, as page: Range<Int>?) throws(BlockError) -> Column {
    let codes = try contents.codes(column, group: group, rows: rows)
    let whole = try joined(codes)
    try keep(.codes(codes), as: key(page))
    return whole
  }

  /// Codes and the dictionary they are numbers in.
  private mutating func joined(_ codes: TextCodes) throws(BlockError) -> Column {
    let values: Column
    if let dictionary { values = dictionary } else { values = try foundDictionary() }
    dictionary = values
    guard codes.valuesNeeded <= values.rowCount, case .text(let offsets, let bytes) = values.storage else {
      throw contents.corrupt(
        at: contents.parquet.rowGroups[group].columns[column].fileRange.lowerBound,
        "an index outside its dictionary")
    }
    return Column(
      type: values.type, rowCount: codes.rowCount, validity: codes.validity,
      storage: .dictionary(
        indices: codes.indices, offsets: offsets, bytes: bytes, valueCount: values.rowCount))
  }

  private func foundDictionary() throws(BlockError) -> Column {
    let key = key(.dictionary, nil)
    if case .column(let known)? = pages.cache.find(key) { return known }
    let values = try contents.dictionary(column, group: group)
    try keep(.column(values), as: key)
    return values
  }

  /// Zeros in place of what the disk does not give are never kept.
  private func keep(_ part: DecodedPart, as key: PageKey) throws(BlockError) {
    try contents.mapping.requireReadable()
    pages.cache.keep(part, as: key, while: pages.life)
  }

  /// The pages that hold any of `rows`.
  func pages(of rows: [Range<Int>]) throws(BlockError) -> [Range<Int>] {
    var found: [Range<Int>] = []
    for run in rows {
      var row = max(run.lowerBound, found.last?.upperBound ?? 0)
      while row < run.upperBound {
        let page = try contents.dataPage(column, group: group, row: row)
        found.append(page)
        row = page.upperBound
      }
    }
    return found
  }

  // MARK: Rows

  /// Rows of the whole column.
  func rows(_ rows: [Range<Int>], of whole: Column, asDictionary: Bool) -> Column {
    self.rows(rows, of: [whole], at: [0..<whole.rowCount], asDictionary: asDictionary)
  }

  /// Rows of `parts`, which hold the rows `places` of the row group.
  func rows(
    _ rows: [Range<Int>], of parts: [Column], at places: [Range<Int>], asDictionary: Bool
  ) -> Column {
    if rows.count == 1, parts.count == 1, !hasCodes || asDictionary {
      let first = places[0].lowerBound
      if let part = parts[0].shared(rows[0].lowerBound - first..<rows[0].upperBound - first) { return part }
    }
    var runs: [RowRun] = []
    var source = 0
    for run in rows {
      var row = run.lowerBound
      while row < run.upperBound {
        while places[source].upperBound <= row { source += 1 }
        let end = min(run.upperBound, places[source].upperBound)
        runs.append(RowRun(source: source, start: row - places[source].lowerBound, count: end - row))
        row = end
      }
    }
    return hasCodes && asDictionary ? Column.gatherCodes(parts, runs: runs) : Column.gather(parts, runs: runs)
  }
}
