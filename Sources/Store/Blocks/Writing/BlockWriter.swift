import Columnar
import Matching
import Platform
import Records

/// Writes block files (Docs/formats/block.md).
package enum BlockWriter {
  /// Writes the rows under the temporary name, syncs, renames, syncs the directory. Blocking: on a thread of
  /// its own.
  ///
  /// - Parameter shouldStop: Asked once a row group; true ends the writing with nil and no file.
  /// - Returns: What to put into the manifest; nil (and no file) if there was no row or `shouldStop` said so.
  /// - Throws: After any error the block does not count: the temporary file was removed if that was possible,
  ///   the final name may exist (an orphan). Nothing else changed.
  package static func write(
    _ rows: any BlockRowSource, to place: BlockPlace, fileSystem: any FileSystem,
    layout: BlockLayout = BlockLayout(), shouldStop: () -> Bool = { false }
  ) throws(BlockError) -> BlockFacts? {
    invariant(
      (1...65_535).contains(layout.rowsPerPage) && layout.rowsPerGroup > 0
        && layout.rowsPerGroup % layout.rowsPerPage == 0, "row groups of whole pages")
    invariant(rows.partition == place.partition, "rows of the block's partition")
    let census = try rows.census(sampleRowCount: layout.sampleRowCount)
    let shape = BlockShape(
      schema: place.partition.dataset.schema, census: census, layout: layout,
      positionSpan: rows.positionSpan, timeGapMax: try rows.timeGapMax())
    var layout = layout.fitting(bytesPerRow: rows.bytesPerRow)
    while true {
      switch try attempt(rows, to: place, fileSystem, layout, shape, shouldStop) {
      case .written(let facts): return facts
      case .nothing: return nil
      case .pageTooLarge(let byteCount):
        layout = layout.shrunk(pageBytes: byteCount)
        rows.restart()
      }
    }
  }

  private enum Outcome {
    case written(BlockFacts)
    /// No row, or stopped.
    case nothing
    case pageTooLarge(byteCount: Int)
  }

  /// Writes the block unless a page of it turns out to be larger than a row group may be; then no file is
  /// left.
  private static func attempt(
    _ rows: any BlockRowSource, to place: BlockPlace, _ fileSystem: any FileSystem, _ layout: BlockLayout,
    _ shape: BlockShape, _ shouldStop: () -> Bool
  ) throws(BlockError) -> Outcome {
    let cut = GroupCut(
      rowsPerPage: layout.rowsPerPage, rowsMax: layout.rowsPerGroup, bytesMax: layout.bytesPerGroup)
    var next = try rows.next(cut)
    if case .end = next { return .nothing }
    let work: BlockWork
    do throws(DiskError) {
      let file = try BlockFileWriter(place.temporaryPath, fileSystem: fileSystem)
      work = BlockWork(place: place, layout: layout, file: file, shape: shape)
    } catch { throw .disk(error) }
    do throws(BlockError) {
      while case .rows(let batch) = next {
        if shouldStop() {
          discard(place, fileSystem)
          return .nothing
        }
        // Let go before the next ones are gathered.
        next = .end
        try work.add(batch)
        next = try rows.next(cut)
      }
      if case .pageTooLarge(let byteCount) = next {
        discard(place, fileSystem)
        return .pageTooLarge(byteCount: byteCount)
      }
      let facts = try work.finish()
      try publish(place, fileSystem)
      return .written(facts)
    } catch {
      discard(place, fileSystem)
      throw error
    }
  }

  private static func publish(
    _ place: BlockPlace, _ fileSystem: any FileSystem
  ) throws(BlockError) {
    do throws(DiskError) {
      try fileSystem.rename(place.temporaryPath, to: place.path)
      try fileSystem.syncDirectory(place.directory)
    } catch { throw .disk(error) }
  }

  /// Removes what was written. If that fails too, whoever asked for the block tries again, or the next start:
  /// no edit names it.
  private static func discard(_ place: BlockPlace, _ fileSystem: any FileSystem) {
    do throws(DiskError) { try fileSystem.remove(place.temporaryPath) } catch {}
  }
}

/// A block that is being written.
private final class BlockWork {
  private let place: BlockPlace
  private let schema: DatasetSchema
  private let layout: BlockLayout
  private let file: BlockFileWriter
  private var shape: BlockShape
  private var parquet: ParquetWriter?
  private var text: TextIndexBuilder
  private var grams: GramIndexBuilder
  private var summary: SummaryBuilder
  private var numbers: NumberBuilder
  private var frequent: FrequentBuilder
  private var pages = PageBounds()
  private var keys = PageKeys()
  private var ids: IDBounds
  private var rowCount = 0
  private var ingested: ClosedRange<Int64>?

  init(
    place: BlockPlace, layout: BlockLayout, file: BlockFileWriter, shape: BlockShape
  ) {
    self.place = place
    self.layout = layout
    self.file = file
    schema = place.partition.dataset.schema
    self.shape = shape
    text = TextIndexBuilder(rowsPerPage: layout.rowsPerPage)
    grams = GramIndexBuilder(rowsPerPage: layout.rowsPerPage)
    ids = IDBounds(rowsPerDataPage: layout.rowsPerDataPage(of: place.partition.dataset))
    summary = SummaryBuilder(columns: schema.summaryColumns, layout: layout)
    numbers = NumberBuilder(fields: shape.fields, schema: schema, rowsPerPage: layout.rowsPerPage)
    frequent = FrequentBuilder(fields: shape.fields, schema: schema)
  }

  /// Adds a row group.
  func add(_ rows: RecordBatch) throws(BlockError) {
    let group = shape.group(rows)
    let parquet = try writer(first: group.batch)
    do throws(ColumnarError) { try parquet.writeRowGroup(group.batch) } catch { throw failure(error) }
    text.add(
      text: schema.primaryText.map { rows.existing($0) }, nested: nested(group), rowCount: rows.rowCount)
    grams.add(searched(group), rowCount: rows.rowCount)
    summary.add(
      timestamps: rows.existing("timestamp"),
      columns: schema.summaryColumns.map { group.batch.existing($0) })
    numbers.add(timestamps: rows.existing("timestamp"), group.batch)
    frequent.add(group.batch)
    pages.add(
      timestamps: rows.existing("timestamp"), positions: rows.existing("position"),
      rowsPerPage: layout.rowsPerPage)
    if PageKeys.areKept(for: schema) {
      keys.add(rows, sortKey: schema.sortKey, rowsPerPage: layout.rowsPerPage)
    }
    ids.add(rows.existing("id"))
    rows.existing("ingested_at").withInt64 { times in
      var low = ingested?.lowerBound ?? times[0]
      var high = ingested?.upperBound ?? times[0]
      for row in times.indices {
        low = min(low, times[row])
        high = max(high, times[row])
      }
      ingested = low...high
    }
    rowCount += rows.rowCount
  }

  /// Object columns, then columns with Bloom filters: their words are kept by page too.
  private func nested(_ group: BlockShape.Group) -> [NestedText] {
    group.objects.map { NestedText(column: $0.name, members: $0.members, rest: $0.rest) }
      + schema.bloomColumns.map {
        NestedText(column: $0, members: [group.batch.existing($0)], rest: nil)
      }
  }

  /// Objects and all text columns but the primary text, whose templates tell more: their grams are kept by
  /// page.
  private func searched(_ group: BlockShape.Group) -> [NestedText] {
    group.objects.map { NestedText(column: $0.name, members: $0.members, rest: $0.rest) }
      + schema.fields.filter { $0.type == .utf8 && $0.name != schema.primaryText }.map {
        NestedText(column: $0.name, members: [group.batch.existing($0.name)], rest: nil)
      }
  }

  private func writer(first: RecordBatch) throws(BlockError) -> ParquetWriter {
    if let parquet { return parquet }
    let file = file
    do throws(ColumnarError) {
      let made = try ParquetWriter(
        fields: shape.fields, options: shape.options(first: first), sortedBy: shape.sortColumns,
        rowsPerPage: ids.rowsPerDataPage, sink: { file.append($0) })
      parquet = made
      return made
    } catch { throw failure(error) }
  }

  /// Writes index and footer and makes the file durable.
  func finish() throws(BlockError) -> BlockFacts {
    guard let parquet, let ingested else { bug("a block has rows") }
    var facts = BlockFacts(
      id: place.id, partition: place.partition, rowCount: rowCount,
      bounds: pages.union(pages.pages.indices), ingested: ingested, deletionsApplied: place.deletionsApplied)
    file.flush()
    let index = BlockIndex.encode(sections(facts))
    let offset: Int
    do throws(ColumnarError) {
      offset = try parquet.embed(index)
      try parquet.finish(metadata: [
        (BlockIndex.versionKey, "\(BlockIndex.openForms)"), (BlockIndex.placeKey, "\(offset),\(index.count)"),
        (BlockIndex.datasetKey, place.partition.dataset.name), (TailChecksum.key, TailChecksum.placeholder),
      ])
    } catch { throw failure(error) }
    facts.byteCount = file.byteCount
    do throws(DiskError) { try file.finish(tailOffset: offset) } catch { throw .disk(error) }
    return facts
  }

  private func sections(_ facts: BlockFacts) -> [(kind: BlockIndex.Section, bytes: [UInt8])] {
    let section = FactsSection(
      facts, rowsPerGroup: layout.rowsPerGroup, rowsPerPage: layout.rowsPerPage)
    var sections: [(kind: BlockIndex.Section, bytes: [UInt8])] = [
      (.facts, section.encoded()), (.members, MemberColumn.encode(shape.members)), (.pages, pages.encoded()),
    ]
    if let summary = summary.finish() {
      sections.append((BlockSummary.section(of: facts.bounds), summary.encodedMinutes()))
      sections.append((.pairs, summary.encodedPairs()))
      sections.append((.counting, [BlockSummary.byBytes]))
    }
    if let bytes = numbers.finish() { sections.append((.numbers, bytes)) }
    sections.append((.frequent, frequent.finish()))
    var builder = TextIndexBuilder(rowsPerPage: layout.rowsPerPage)
    swap(&builder, &text)
    sections.append((.text, builder.finish()))
    var grams = GramIndexBuilder(rowsPerPage: layout.rowsPerPage)
    swap(&grams, &self.grams)
    if let bytes = grams.finish() { sections.append((.grams, bytes)) }
    if !keys.keys.isEmpty { sections.append((.keys, keys.encoded())) }
    sections.append((.ids, ids.encoded()))
    if let origin = place.origin { sections.append((.origin, origin.encoded())) }
    sections.append((.pieces, FilePiece.encode(file.pieces)))
    return sections
  }

  /// The disk's error if it is the cause.
  private func failure(_ error: ColumnarError) -> BlockError {
    if let failure = file.failure { return .disk(failure) }
    return .unsupported(file: place.temporaryPath, reason: "could not be written: \(error)")
  }
}
