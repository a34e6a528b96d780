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
  package static func gather(_ sources: [RecordBatch], runs: [RowRun]) -> RecordBatch {
    precondition(!sources.isEmpty, "something to gather from")
    if let run = runs.first, runs.count == 1, run.start == 0, run.count == sources[run.source].rowCount {
      return sources[run.source]
    }
    let count = runs.reduce(0) { $0 + $1.count }
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
  static func gather(_ sources: [Column], runs: [RowRun], rowCount: Int) -> Column {
    for run in runs {
      precondition(
        run.count >= 0 && run.start >= 0 && run.start + run.count <= sources[run.source].rowCount,
        "a run lies within its source")
    }
    let type = sources[0].type
    let validity = gatherBits(sources.map(\.validity), runs: runs, rowCount: rowCount)
    if type.isText { return gatherText(sources, runs: runs, rowCount: rowCount, validity: validity) }
    guard let width = type.fixedWidth else {
      let bits = gatherBits(sources.map(\.fixedBuffer), runs: runs, rowCount: rowCount)
      return Column(
        type: type, rowCount: rowCount, validity: validity,
        storage: .fixed(bits ?? Buffer(copying: [UInt8](repeating: 0xFF, count: (rowCount + 7) / 8))))
    }
    let memory = HeapMemory(byteCount: rowCount * width)
    var at = 0
    for run in runs {
      guard let values = sources[run.source].fixedBuffer, run.count > 0 else { continue }
      // Within bounds: the run lies within its source (checked above), and the counts add up to rowCount.
      unsafe values.withUnsafeBytes { bytes in
        guard let from = bytes.baseAddress else { return }
        unsafe (memory.base + at).copyMemory(from: from + run.start * width, byteCount: run.count * width)
      }
      at += run.count * width
    }
    return Column(
      type: type, rowCount: rowCount, validity: validity,
      storage: .fixed(Buffer(memory, byteCount: rowCount * width)))
  }

  private var fixedBuffer: Buffer? {
    guard case .fixed(let values) = storage else { return nil }
    return values
  }

  private static func gatherText(
    _ sources: [Column], runs: [RowRun], rowCount: Int, validity: Buffer?
  ) -> Column {
    var builder = TextBuilder(capacity: rowCount, byteCapacity: 1 << 16)
    for run in runs {
      let source = sources[run.source]
      switch source.storage {
      case .fixed: preconditionFailure("a text column")
      case .text:
        source.withText { offsets, bytes in
          let start = Int(offsets[run.start])
          let end = Int(offsets[run.start + run.count])
          builder.appendRows(
            bytes.extracting(start..<end), offsets: offsets.extracting(run.start..<run.start + run.count + 1))
        }
      case .dictionary:
        source.withDictionary { keys, offsets, bytes in
          for row in run.start..<run.start + run.count {
            let key = Int(keys[row])
            if offsets.count > key + 1 {
              builder.append(contentsOf: bytes.extracting(Int(offsets[key])..<Int(offsets[key + 1])))
            }
            builder.endRow()
          }
        }
      }
    }
    let plain = builder.finish(type: sources[0].type)
    return Column(type: plain.type, rowCount: rowCount, validity: validity, storage: plain.storage)
  }

  /// nil when every bit is set; nil sources have every bit set.
  private static func gatherBits(_ sources: [Buffer?], runs: [RowRun], rowCount: Int) -> Buffer? {
    if runs.allSatisfy({ sources[$0.source] == nil }) { return nil }
    var builder = BitBuilder()
    for run in runs {
      guard let source = sources[run.source] else {
        for _ in 0..<run.count { builder.append(true) }
        continue
      }
      source.withSpan(of: UInt8.self) { bits in
        for row in run.start..<run.start + run.count {
          builder.append(bits[row >> 3] & (1 << UInt8(row & 7)) != 0)
        }
      }
    }
    return builder.finishValidity()
  }

  /// A dictionary column as plain text; any other column as it is.
  package func plainText() -> Column {
    guard case .dictionary = storage else { return self }
    return Column.gather([self], runs: [RowRun(source: 0, start: 0, count: rowCount)], rowCount: rowCount)
  }
}
