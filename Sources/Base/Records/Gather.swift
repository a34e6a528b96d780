/// Consecutive rows of one of several sources.
package struct RowRun: Sendable, Hashable {
  package var source: Int
  package var start: Int
  package var count: Int
  package init(source: Int, start: Int, count: Int) {
    self.source = source
    self.start = start
    self.count = count
  }
}

extension RecordBatch {
  /// The rows that `runs` name, in their order, as one batch; a single run over all of a source shares its
  /// memory, anything else copies run by run. Sources have equal fields; dictionaries become plain text.
  ///
  /// About 5 ns a run and column beyond the copying itself, so runs of one row are fine.
  package static func gather(_ sources: [RecordBatch], runs: [RowRun]) -> RecordBatch {
    invariant(!sources.isEmpty, "something to gather from")
    if let run = runs.first, runs.count == 1, run.start == 0, run.count == sources[run.source].rowCount {
      return sources[run.source]
    }
    let rowCounts = sources.map(\.rowCount)
    var count = 0
    for run in runs {
      invariant(
        run.count >= 0 && run.start >= 0 && run.start + run.count <= rowCounts[run.source],
        "a run lies within its source")
      count += run.count
    }
    let fields = sources[0].fields
    let columns = fields.indices.map { index in
      Column.gather(sources.map { $0.columns[index] }, runs: runs, rowCount: count)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: count)
  }

  /// The rows `range`, copied.
  package func rows(_ range: Range<Int>) -> RecordBatch {
    RecordBatch.gather([self], runs: [RowRun(source: 0, start: range.lowerBound, count: range.count)])
  }
}

extension Column {
  /// The caller has checked that runs lie within their sources and that their counts add up to `rowCount`.
  static func gather(_ sources: [Column], runs: [RowRun], rowCount: Int) -> Column {
    let type = sources[0].type
    for source in sources { invariant(source.type == type, "sources of one type") }
    let validity = gatherBits(sources.map(\.validity), runs: runs, rowCount: rowCount)
    if type.isText { return gatherText(sources, runs: runs, rowCount: rowCount, validity: validity) }
    guard let width = type.fixedWidth else {
      let bits = gatherBits(sources.map(\.fixedBuffer), runs: runs, rowCount: rowCount)
      return Column(
        type: type, rowCount: rowCount, validity: validity,
        storage: .fixed(bits ?? Buffer(copying: [UInt8](repeating: 0xFF, count: (rowCount + 7) / 8))))
    }
    return Column(
      type: type, rowCount: rowCount, validity: validity,
      storage: .fixed(
        gatherFixed(sources.map(\.fixedBuffer), runs: runs, byteCount: rowCount * width, width: width)))
  }

  /// The caller has checked that each source holds the rows of its runs, `width` bytes each.
  static func gatherFixed(_ sources: [Buffer?], runs: [RowRun], byteCount: Int, width: Int) -> Buffer {
    let memory = HeapMemory(byteCount: byteCount)
    // Stay valid: `sources` holds the buffers.
    let starts = unsafe sources.map { unsafe $0.map { unsafe TextPlace.start($0) } }
    var at = unsafe memory.base
    for run in runs where run.count > 0 {
      guard let from = unsafe starts[run.source] else { continue }
      // Within bounds: the run lies within its source (checked by the caller), and the counts add up.
      if run.count == 1, width == 8 {
        unsafe at.storeBytes(
          of: from.loadUnaligned(fromByteOffset: run.start * 8, as: UInt64.self), as: UInt64.self)
      } else {
        unsafe at.copyMemory(from: from + run.start * width, byteCount: run.count * width)
      }
      unsafe at += run.count * width
    }
    withExtendedLifetime(sources) {}
    return Buffer(memory, byteCount: byteCount)
  }

  private var fixedBuffer: Buffer? {
    guard case .fixed(let values) = storage else { return nil }
    return values
  }

  /// Where a source's texts lie. `keys` is nil for plain text.
  @safe private struct TextPlace {
    var offsets: UnsafePointer<Int32>
    var bytes: UnsafeRawPointer
    var byteCount: Int
    var keys: UnsafePointer<Int32>?
    var validity: UnsafePointer<UInt8>?
    var valueCount: Int

    /// The column must outlive the place.
    @unsafe init(_ column: Column) {
      unsafe keys = nil
      unsafe validity = column.validity.map { unsafe TextPlace.start($0).assumingMemoryBound(to: UInt8.self) }
      valueCount = column.rowCount
      switch column.storage {
      case .fixed: bug("a text column")
      case .text(let offsets, let text):
        unsafe self.offsets = TextPlace.start(offsets).assumingMemoryBound(to: Int32.self)
        unsafe bytes = TextPlace.start(text)
        byteCount = text.byteCount
      case .dictionary(let indices, let offsets, let text, let values):
        unsafe self.offsets = TextPlace.start(offsets).assumingMemoryBound(to: Int32.self)
        unsafe bytes = TextPlace.start(text)
        byteCount = text.byteCount
        unsafe keys = UnsafePointer(TextPlace.start(indices).assumingMemoryBound(to: Int32.self))
        valueCount = values
      }
    }

    /// The bytes of a row of a dictionary; empty for null, whatever its index.
    @inline(__always)
    @unsafe func range(_ keys: UnsafePointer<Int32>, _ row: Int) -> Range<Int> {
      if let validity = unsafe validity, unsafe validity[row >> 3] & (1 << UInt8(row & 7)) == 0 {
        return 0..<0
      }
      let index = unsafe Int(keys[row])
      invariant(index >= 0 && index < valueCount, "an index into the dictionary")
      // Within bounds: there is one offset more than values. What they say is checked here.
      let start = unsafe Int(offsets[index])
      let end = unsafe Int(offsets[index + 1])
      invariant(start >= 0 && start <= end && end <= byteCount, "offsets lie within the text")
      return start..<end
    }

    static func start(_ buffer: Buffer) -> UnsafeRawPointer {
      unsafe buffer.withUnsafeBytes { bytes in
        unsafe bytes.baseAddress ?? UnsafeRawPointer(HeapMemory.nothing.base)
      }
    }
  }

  private static func gatherText(
    _ sources: [Column], runs: [RowRun], rowCount: Int, validity: Buffer?
  ) -> Column {
    // Stay valid: `sources` holds the buffers.
    let places = sources.map { unsafe TextPlace($0) }
    var total = 0
    for run in runs where run.count > 0 {
      let place = places[run.source]
      if let keys = unsafe place.keys {
        for row in run.start..<run.start + run.count { unsafe total += place.range(keys, row).count }
      } else {
        let start = unsafe Int(place.offsets[run.start])
        let end = unsafe Int(place.offsets[run.start + run.count])
        invariant(start >= 0 && start <= end, "offsets rise")
        invariant(end <= place.byteCount, "offsets lie within the text")
        total += end - start
      }
    }
    invariant(total < Int(Int32.max), "a text column holds less than 2 GiB")
    let offsetMemory = HeapMemory(byteCount: (rowCount + 1) * 4)
    let byteMemory = HeapMemory(byteCount: total)
    let offsets = unsafe offsetMemory.base.bindMemory(to: Int32.self, capacity: rowCount + 1)
    unsafe offsets[0] = 0
    var row = 0
    var used = 0
    for run in runs where run.count > 0 {
      let place = places[run.source]
      if let keys = unsafe place.keys {
        for index in run.start..<run.start + run.count {
          let range = unsafe place.range(keys, index)
          // Within bounds: `total` counted these bytes.
          unsafe (byteMemory.base + used).copyMemory(
            from: place.bytes + range.lowerBound, byteCount: range.count)
          used += range.count
          row += 1
          unsafe offsets[row] = Int32(truncatingIfNeeded: used)
        }
        continue
      }
      let start = unsafe Int(place.offsets[run.start])
      let byteCount = unsafe Int(place.offsets[run.start + run.count]) - start
      unsafe (byteMemory.base + used).copyMemory(from: place.bytes + start, byteCount: byteCount)
      let shift = Int32(truncatingIfNeeded: used - start)
      for index in 1...run.count {
        unsafe offsets[row + index] = place.offsets[run.start + index] &+ shift
      }
      row += run.count
      used += byteCount
    }
    withExtendedLifetime(sources) {}
    return Column(
      type: sources[0].type, rowCount: rowCount, validity: validity,
      storage: .text(
        offsets: Buffer(offsetMemory, byteCount: (rowCount + 1) * 4),
        bytes: Buffer(byteMemory, byteCount: used)))
  }

  /// nil when every bit is set; nil sources have every bit set.
  static func gatherBits(_ sources: [Buffer?], runs: [RowRun], rowCount: Int) -> Buffer? {
    if sources.allSatisfy({ $0 == nil }) { return nil }
    let byteCount = (rowCount + 7) / 8
    let memory = HeapMemory(byteCount: byteCount)
    let bits = unsafe memory.base.bindMemory(to: UInt8.self, capacity: max(byteCount, 8))
    unsafe bits.initialize(repeating: 0, count: byteCount)
    // Stay valid: `sources` holds the buffers.
    let starts = unsafe sources.map { source in
      unsafe source?.withUnsafeBytes { unsafe $0.baseAddress?.assumingMemoryBound(to: UInt8.self) }
    }
    var row = 0
    var setCount = 0
    for run in runs where run.count > 0 {
      // Within bounds: the run lies within its source, and the counts add up to `rowCount`.
      if let from = unsafe starts[run.source] ?? nil {
        for index in run.start..<run.start + run.count {
          let bit = unsafe (from[index >> 3] >> UInt8(index & 7)) & 1
          unsafe bits[row >> 3] |= bit << UInt8(row & 7)
          setCount += Int(bit)
          row += 1
        }
      } else {
        for _ in 0..<run.count {
          unsafe bits[row >> 3] |= 1 << UInt8(row & 7)
          row += 1
        }
        setCount += run.count
      }
    }
    withExtendedLifetime(sources) {}
    return setCount == rowCount ? nil : Buffer(memory, byteCount: byteCount)
  }

  /// A dictionary column as plain text; any other column as it is.
  package func plainText() -> Column {
    guard case .dictionary = storage else { return self }
    return Column.gather([self], runs: [RowRun(source: 0, start: 0, count: rowCount)], rowCount: rowCount)
  }

  /// The column without values of its dictionary that no row has, in the order of the rest; itself if there
  /// are none.
  ///
  /// Readers hand over a row group's whole dictionary whatever the rows: words of rows that were deleted, or
  /// that are somebody else's. What leaves the process or is written again goes through here. O(rows +
  /// values).
  package func withUsedValuesOnly() -> Column {
    guard case .dictionary(_, _, _, let valueCount) = storage else { return self }
    return withDictionary { keys, starts, text in
      withValidity { bits in
        var isUsed = [Bool](repeating: false, count: valueCount)
        for row in keys.indices {
          if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
          isUsed[Int(keys[row])] = true
        }
        if !isUsed.contains(false) { return self }
        return reordered(keys, starts, text, values: isUsed.indices.filter { isUsed[$0] })
      }
    }
  }
}
