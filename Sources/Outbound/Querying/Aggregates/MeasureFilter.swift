import Codecs
import Matching
import Records

/// A measure's own filter, over the columns of a scan's batches.
///
/// Object columns are read member by member, as JSON, and put together again from the members the filter
/// needs, so that what it means is what the same filter means in `where`.
struct MeasureFilter: Sendable {
  private enum Source: Sendable {
    /// A column of the scan.
    case plain(Int)
    /// An object column of the scan.
    case whole(Int)
    /// JSON text `"name":` of each member, and its column.
    case members([(key: [UInt8], column: Int)])
  }

  let predicate: Predicate
  let compiled: CompiledPredicate
  private var sources: [(name: String, source: Source)] = []

  /// - Parameter index: Gives the index of a column among those the scan reads, adding it if need be.
  init(
    _ predicate: Predicate, schema: DatasetSchema, cancellation: CancellationToken?,
    index: (OutputColumn) -> Int
  ) throws(StoreError) {
    self.predicate = predicate
    compiled = try CompiledPredicate(predicate, schema: schema, cancellation: cancellation)
    for name in Set(compiled.paths.map(\.column)).sorted() {
      guard let type = schema.field(name)?.type else { continue }
      let members = Set(compiled.paths.filter { $0.column == name }.map { $0.members.first.map { Name($0) } })
      let column = OutputColumn(ColumnPath(name), type: type)
      if type != .json {
        sources.append((name, .plain(index(column))))
      } else if members.contains(nil) {
        sources.append((name, .whole(index(column))))
      } else {
        let columns = members.compactMap { $0 }.sorted().map { member in
          var writer = JSONWriter(capacity: 64)
          writer.appendString(member.text)
          writer.append(raw: ":")
          let output = OutputColumn(ColumnPath(name, members: [member.text]), type: .json)
          return (key: writer.takeBytes(), column: index(output))
        }
        sources.append((name, .members(columns)))
      }
    }
  }

  /// The rows of `batch` that pass.
  ///
  /// - Parameter cancellation: See ``EvaluationBatch/cancellation``.
  func evaluate(_ batch: RecordBatch, _ cancellation: CancellationToken?) -> Selection {
    var columns: [String: EvaluationColumn] = [:]
    for (name, source) in sources {
      switch source {
      case .plain(let index): columns[name] = .plain(batch.columns[index])
      case .whole(let index):
        columns[name] = .object(ObjectColumns(rest: batch.columns[index].plainText(), members: []))
      case .members(let members):
        let parts = members.map { ($0.key, batch.columns[$0.column].plainText()) }
        let rest = MeasureFilter.object(parts, rowCount: batch.rowCount)
        columns[name] = .object(ObjectColumns(rest: rest, members: []))
      }
    }
    var evaluation = EvaluationBatch(rowCount: batch.rowCount, columns: columns)
    evaluation.cancellation = cancellation
    return compiled.evaluate(evaluation)
  }

  /// Objects of some members; null without any.
  private static func object(_ members: [(key: [UInt8], values: Column)], rowCount: Int) -> Column {
    var builder = TextBuilder(capacity: rowCount)
    var isOpen = false
    for row in 0..<rowCount {
      isOpen = false
      for (key, values) in members where values.isValid(row) {
        builder.append(UInt8(ascii: isOpen ? "," : "{"))
        isOpen = true
        builder.append(contentsOf: key.span)
        values.withText { offsets, bytes in
          builder.append(contentsOf: bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
        }
      }
      if isOpen {
        builder.append(UInt8(ascii: "}"))
        builder.endRow()
      } else {
        builder.appendNull()
      }
    }
    return builder.finish(type: .json)
  }
}
