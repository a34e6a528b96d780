import Codecs
import Columnar
import Matching
import Platform
import Records

/// Reads every byte of a block and checks what can be checked, for `cordwood check`.
package enum BlockChecker {
  /// What is wrong with the block, each problem naming file and byte; empty: sound. Reads and decodes all
  /// pages: about a second a million rows.
  package static func problems(
    of facts: BlockFacts, path: String, fileSystem: any FileSystem
  ) -> [BlockError] {
    do throws(BlockError) {
      let reader = try BlockReader(facts, path: path, fileSystem: fileSystem)
      // What the disk does not give is one problem, whatever the zeros in its place looked like.
      return try reader.mapping.reading { () throws(BlockError) in
        problems(of: reader, try reader.contents())
      }
    } catch { return [error] }
  }

  /// As ``problems(of:path:fileSystem:)``, by the checksums of the file's bytes alone: they cover all of it,
  /// and nothing is decoded. About 5 GB/s.
  package static func checksumProblems(
    of facts: BlockFacts, path: String, fileSystem: any FileSystem
  ) -> [BlockError] {
    do throws(BlockError) {
      let reader = try BlockReader(facts, path: path, fileSystem: fileSystem)
      return try reader.mapping.reading { () throws(BlockError) in
        let contents = try reader.contents()
        return sectionProblems(contents) + fileProblems(reader, contents)
      }
    } catch { return [error] }
  }

  private static func problems(of reader: BlockReader, _ contents: BlockContents) -> [BlockError] {
    var found = sectionProblems(contents)
    do throws(BlockError) {
      let text = try contents.text()
      do throws(TextIndexError) { try text.verify() } catch { found.append(contents.failure(error)) }
    } catch { found.append(error) }
    do throws(BlockError) {
      let grams = try contents.grams()
      do throws(TextIndexError) { try grams?.verify() } catch {
        found.append(contents.failure(error, in: .grams))
      }
    } catch { found.append(error) }
    found += fileProblems(reader, contents)
    do throws(ColumnarError) { try contents.parquet.verify() } catch {
      found.append(BlockContents.failure(error, contents.path, offset: 0))
    }
    // What is damaged already needs no second complaint.
    guard found.isEmpty else { return found }
    do throws(BlockError) { try checkRows(reader, contents) } catch { found.append(error) }
    return found
  }

  private static func sectionProblems(_ contents: BlockContents) -> [BlockError] {
    var found: [BlockError] = []
    for entry in contents.index.entries {
      do throws(IndexError) { try contents.index.check(entry) } catch {
        found.append(BlockContents.failure(error, contents.path, indexOffset: contents.indexOffset))
      }
    }
    return found
  }

  private static func fileProblems(_ reader: BlockReader, _ contents: BlockContents) -> [BlockError] {
    var found = damagedPieces(reader, contents)
    if !isTailSound(reader, contents) {
      found.append(contents.corrupt(at: contents.indexOffset, "checksum of the bytes from the index on"))
    }
    return found
  }

  /// Stretches before the index whose bytes changed; page headers have no checksum of their own.
  private static func damagedPieces(_ reader: BlockReader, _ contents: BlockContents) -> [BlockError] {
    do throws(IndexError) {
      guard let section = try contents.index.section(.pieces) else { return [] }
      var start = 0
      var found: [BlockError] = []
      for piece in try FilePiece.decode(section) {
        guard piece.end <= contents.indexOffset else {
          throw IndexError(offsetBytes: 0, reason: "a piece behind the row groups")
        }
        let checksum = reader.file.slice(start..<piece.end).withSpan(of: UInt8.self) { CRC32C.checksum($0) }
        if checksum != piece.checksum {
          found.append(contents.corrupt(at: start, "checksum of the bytes from here on"))
        }
        start = piece.end
      }
      return found
    } catch { return [BlockContents.failure(error, contents.path, indexOffset: contents.indexOffset)] }
  }

  /// Whether index and footer are as they were written. Blocks from before there were lists of ids have no
  /// such checksum.
  private static func isTailSound(_ reader: BlockReader, _ contents: BlockContents) -> Bool {
    guard let value = contents.parquet.metadata[TailChecksum.key] else {
      return !contents.index.entries.contains { $0.kind == BlockIndex.Section.ids.rawValue }
    }
    return reader.file.slice(contents.indexOffset..<reader.file.byteCount).withSpan(of: UInt8.self) {
      TailChecksum.isSound($0, value: value)
    }
  }

  /// Order, bounds and counts.
  private static func checkRows(_ reader: BlockReader, _ contents: BlockContents) throws(BlockError) {
    let schema = contents.schema
    let rows = try BlockRows(reader, deletions: [])
    var minutes = MinuteTally()
    var pages = PageBounds()
    var pageKeys = PageKeys()
    let known = try contents.ids()
    var ids = known.map { IDBounds(rowsPerDataPage: $0.rowsPerDataPage) }
    var previous: (keys: SortKeys, row: Int)?
    var ingested: (low: Int64, high: Int64) = (.max, .min)
    var count = 0
    while let batch = try rows.next() {
      let keys = SortKeys(batch, schema: schema)
      for row in 0..<batch.rowCount {
        if let last = previous, !last.keys.precedes(last.row, keys, row) {
          throw contents.corrupt(at: 0, "row \(count + row) is not in sort order")
        }
        previous = (keys, row)
      }
      minutes.add(batch.existing("timestamp"))
      pages.add(
        timestamps: batch.existing("timestamp"), positions: batch.existing("position"),
        rowsPerPage: contents.rowsPerPage)
      if contents.keys != nil {
        pageKeys.add(batch, sortKey: schema.sortKey, rowsPerPage: contents.rowsPerPage)
      }
      ids?.add(batch.existing("id"))
      for time in batch.existing("ingested_at").int64Values {
        ingested = (min(ingested.low, time), max(ingested.high, time))
      }
      count += batch.rowCount
    }
    guard count == contents.facts.rowCount else {
      throw contents.corrupt(at: contents.indexOffset, "\(count) rows, and the index says otherwise")
    }
    let bounds = pages.union(pages.pages.indices)
    let facts = contents.facts
    guard pages == contents.pages, bounds == facts.bounds,
      ingested == (facts.ingestedMin, facts.ingestedMax)
    else { throw contents.corrupt(at: contents.indexOffset, "bounds that are not those of the rows") }
    guard contents.keys == nil || contents.keys == pageKeys else {
      throw contents.corrupt(at: contents.indexOffset, "sort keys that are not those of the pages")
    }
    guard known == ids else {
      throw contents.corrupt(at: contents.indexOffset, "ids that are not those of the data pages")
    }
    try checkSummary(contents, minutes)
    try checkNumbers(contents)
    try checkFrequent(contents)
  }

  /// Whether section 14 is of the rows.
  private static func checkNumbers(_ contents: BlockContents) throws(BlockError) {
    guard let section = try contents.numbers() else { return }
    let fields = contents.parquet.fields
    let wrong = contents.corrupt(at: contents.indexOffset, "numbers that are not those of the rows")
    var tally = NumberTally(section, pageRows: contents.pages.pages.indices.map(contents.rowCount(ofPage:)))
    let timestamp = contents.columns.index(of: "timestamp")
    for group in 0..<contents.groupCount {
      let rows = [0..<contents.parquet.rowGroups[group].rowCount]
      let times = try contents.read(timestamp, group: group, rows: rows, asDictionary: false)
      var columns: [Column] = []
      for known in section.columns {
        let index = fields.firstIndex { $0.name.hasBytes(of: known.name) && $0.type == known.type }
        guard let index else { throw wrong }
        columns.append(try contents.read(index, group: group, rows: rows, asDictionary: false))
      }
      guard tally.add(times, columns) else { throw wrong }
    }
    guard tally.isThatOfSection else { throw wrong }
  }

  /// Whether section 15 is of the rows.
  private static func checkFrequent(_ contents: BlockContents) throws(BlockError) {
    guard let section = try contents.frequent() else { return }
    let wrong = contents.corrupt(at: contents.indexOffset, "frequent values that are not those of the rows")
    for known in section.columns {
      let index = contents.parquet.fields.firstIndex { $0.name.hasBytes(of: known.name) && $0.type == .utf8 }
      guard let index else { throw wrong }
      var rows: [Name?: Int] = [:]
      for group in 0..<contents.groupCount {
        let all = [0..<contents.parquet.rowGroups[group].rowCount]
        let column = try contents.read(index, group: group, rows: all, asDictionary: true)
        for (value, count) in column.rowsByValue { rows[value, default: 0] += count }
      }
      let nulls = rows.removeValue(forKey: nil) ?? 0
      for value in known.values {
        guard rows.removeValue(forKey: Name(value.text)) == value.rows else { throw wrong }
      }
      // Rows of long values are counted together there.
      guard nulls == known.nulls, rows.values.allSatisfy({ $0 <= known.othersMax }) else { throw wrong }
    }
  }

  private static func checkSummary(
    _ contents: BlockContents, _ counted: MinuteTally
  ) throws(BlockError) {
    guard let summary = try contents.summary() else { return }
    let perMinute = summary.columns.allSatisfy { column in
      summary.minutes.indices.allSatisfy { minute in
        column.cells[column.starts[minute]..<column.starts[minute + 1]].reduce(0) { $0 + $1.rows }
          == summary.totals[minute]
      }
    }
    let perPair = summary.pairs.allSatisfy { pair in
      pair.cells.reduce(0) { $0 + $1.rows } == contents.facts.rowCount
    }
    guard counted.isThat(of: summary), perMinute, perPair else {
      throw contents.corrupt(at: contents.indexOffset, "counts by minute that are not those of the rows")
    }
  }
}
