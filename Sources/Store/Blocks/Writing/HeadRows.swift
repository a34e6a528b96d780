import Records

/// Rows of the head, sorted: what archiving hands to ``BlockWriter``.
///
/// Memory: 8 bytes a row for their order and 4 for their sizes (``HeadSurvey``), and the gathered columns of
/// one row group. Parts are read three times (once for the survey, the objects for the census, once for their
/// row group), and again for each further row group that has rows of them, until that gets too much.
package final class HeadRows: BlockRowSource {
  /// Of all the parts.
  package let partition: Partition
  package let rowCountMax: Int
  private let parts: [HeadPart]
  private let columns: [String]
  private let survey: HeadSurvey
  /// Parts that are not let go any more: see ``read(_:)``.
  private var kept: [Int: RecordBatch] = [:]
  private var readCount = 0
  private var at = 0

  /// See ``BlockRowSource``.
  package var positionSpan: UInt64 { survey.positionSpan }

  /// See ``BlockRowSource``.
  package func timeGapMax() -> UInt64? { survey.timeGapMax }

  /// - Parameters:
  ///   - parts: Sorting is fastest when positions rise from part to part.
  ///   - deletions: Rows they hide are left out.
  /// - Throws: What a part said.
  package init(
    parts: [HeadPart], partition: Partition, deletions: [PendingDeletion] = []
  ) throws(BlockError) {
    self.partition = partition
    self.parts = parts
    let schema = partition.dataset.schema
    columns = schema.fields.map(\.name)
    survey = try HeadSurvey(parts, columns: columns, schema: schema, deletions: deletions)
    rowCountMax = survey.order?.count ?? survey.sizes.count
  }

  /// Of batches in memory, with all columns of the schema each.
  package convenience init(
    _ batches: [RecordBatch], partition: Partition, deletions: [PendingDeletion] = []
  ) {
    do throws(BlockError) {
      try self.init(parts: batches.map { HeadPart($0) }, partition: partition, deletions: deletions)
    } catch { bug("what is in memory can be read") }
  }

  /// See ``BlockRowSource``.
  package func census(sampleRowCount: Int) throws(BlockError) -> [String: MemberCensus] {
    let step = max(1, rowCountMax / max(sampleRowCount, 1))
    let objects = partition.dataset.schema.fields.filter { $0.type == .json }
    guard rowCountMax > 0, !objects.isEmpty else { return [:] }
    var sample = CensusSample(objects)
    // Rows that are passed over until the next one of the sample.
    var left = 0
    var held = HeldParts()
    defer { held.letGo() }
    for (index, part) in parts.enumerated() {
      var row = 0
      var runs: [RowRun] = []
      while row < part.rowCount {
        let number = survey.starts[index] + row
        if !survey.isHidden.isEmpty, survey.isHidden[number] {
          row += 1
        } else if left > 0 {
          let passed = survey.isHidden.isEmpty ? min(left, part.rowCount - row) : 1
          left -= passed
          row += passed
        } else {
          runs.append(RowRun(source: 0, start: row, count: 1))
          sample.byteCount += Int(survey.sizes[number])
          left = step - 1
          row += 1
        }
      }
      if runs.isEmpty { continue }
      sample.add(RecordBatch.gather([try part.batch(columns: objects.map(\.name))], runs: runs))
      held.add(part)
    }
    return sample.finish()
  }

  /// See ``BlockRowSource``.
  package var bytesPerRow: Int {
    survey.sizes.reduce(0) { $0 + Int($1) } / max(survey.sizes.count, 1) + 1
  }

  /// See ``BlockRowSource``.
  package func restart() { at = 0 }

  /// See ``BlockRowSource``.
  package func next(_ cut: GroupCut) throws(BlockError) -> NextRows {
    var end = at
    var bytes = 0
    while end < min(at + cut.rowsMax, rowCountMax) {
      let page = end..<min(end + cut.rowsPerPage, rowCountMax)
      let pageBytes = byteCount(of: page)
      if end > at, bytes + pageBytes > cut.bytesMax { break }
      if end == at, pageBytes > cut.bytesMax, cut.rowsPerPage > 1 {
        return .pageTooLarge(byteCount: pageBytes)
      }
      bytes += pageBytes
      end = page.upperBound
    }
    guard at < end else { return .end }
    let rows = try gather(runs(at..<end))
    at = end
    return .rows(rows)
  }

  /// Bytes of text of the rows at these places in sort order.
  private func byteCount(of places: Range<Int>) -> Int {
    guard let order = survey.order else { return places.reduce(0) { $0 + Int(survey.sizes[$1]) } }
    return places.reduce(0) { $0 + Int(survey.sizes[Int(order[$1])]) }
  }

  /// The rows at these places in sort order.
  private func runs(_ places: Range<Int>) -> [RowRun] {
    var runs: [RowRun] = []
    guard let order = survey.order else {
      for (index, part) in parts.enumerated() {
        let first = max(places.lowerBound, survey.starts[index])
        let count = min(places.upperBound, survey.starts[index] + part.rowCount) - first
        guard count > 0 else { continue }
        runs.append(RowRun(source: index, start: first - survey.starts[index], count: count))
      }
      return runs
    }
    for place in places {
      let row = Int(order[place])
      let part = Int(survey.partOfRow[row])
      let inPart = row - survey.starts[part]
      if let last = runs.last, last.source == part, last.start + last.count == inPart {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(RowRun(source: part, start: inPart, count: 1))
      }
    }
    return runs
  }

  /// Gathers from the parts that are named, so that few are looked at where many exist.
  private func gather(_ runs: [RowRun]) throws(BlockError) -> RecordBatch {
    var places = [Int32](repeating: -1, count: parts.count)
    var used: [Int] = []
    var sources: [RecordBatch] = []
    var local = runs
    for index in local.indices {
      let part = local[index].source
      if places[part] < 0 {
        places[part] = Int32(sources.count)
        used.append(part)
        sources.append(try read(part))
      }
      local[index].source = Int(places[part])
    }
    defer { for part in used { parts[part].letGo() } }
    return RecordBatch.gather(sources, runs: local)
  }

  /// Where rows are so far out of order that each row group has some of every part, parts are kept once each
  /// was read three times for it: reading one costs 15 ns a row, and a block may have many row groups.
  private func read(_ part: Int) throws(BlockError) -> RecordBatch {
    if let batch = kept[part] { return batch }
    let batch = try parts[part].batch(columns: columns)
    readCount += 1
    if readCount > 3 * parts.count { kept[part] = batch }
    return batch
  }
}

/// A sample of the objects, counted before it gets large.
private struct CensusSample {
  /// Text of the sample that is held at once.
  private static let bytesMax = 32 << 20

  private let objects: [Field]
  private var batches: [RecordBatch] = []
  /// One an object column; none before something was counted.
  private var censuses: [MemberCensus] = []
  var byteCount = 0

  init(_ objects: [Field]) { self.objects = objects }

  mutating func add(_ batch: RecordBatch) {
    batches.append(batch)
    if byteCount > CensusSample.bytesMax { count() }
  }

  mutating func finish() -> [String: MemberCensus] {
    count()
    return Dictionary(uniqueKeysWithValues: zip(objects.map(\.name), censuses))
  }

  private mutating func count() {
    defer { (batches, byteCount) = ([], 0) }
    guard !batches.isEmpty else { return }
    let runs = batches.indices.map { RowRun(source: $0, start: 0, count: batches[$0].rowCount) }
    let sample = RecordBatch.gather(batches, runs: runs)
    if censuses.isEmpty { censuses = objects.map { _ in MemberCensus() } }
    for index in objects.indices { censuses[index].add(sample.columns[index]) }
  }
}

extension RecordBatch {
  /// The column of a name that is there by contract.
  func existing(_ name: String) -> Column {
    guard let column = column(name) else { bug("a batch with all columns of its schema") }
    return column
  }
}
