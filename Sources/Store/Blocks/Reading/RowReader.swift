import Codecs
import Matching
import Records

/// Columns of some rows of a row group, each read at most once: as a predicate or an answer wants them.
final class RowReader {
  let contents: BlockContents
  let group: Int
  /// Rows of the row group, ascending and disjoint.
  let rows: [Range<Int>]
  let rowCount: Int
  private var columns: [Int: Column] = [:]
  /// Times rounded down to microseconds.
  private var rounded: [Int: Column] = [:]
  private let cancellation: CancellationToken?
  private let readsDisk: Bool

  /// - Parameters:
  ///   - cancellation: Looked at before each column is read.
  ///   - readsDisk: Whether nothing is taken from the page cache, nor put there.
  init(
    _ contents: BlockContents, group: Int, rows: [Range<Int>], cancellation: CancellationToken? = nil,
    readsDisk: Bool = false
  ) {
    self.contents = contents
    self.cancellation = cancellation
    self.readsDisk = readsDisk
    self.group = group
    self.rows = rows
    rowCount = rows.reduce(0) { $0 + $1.count }
  }

  /// Rows of what `scan` reads.
  convenience init(_ scan: BlockScan, group: Int, rows: [Range<Int>]) {
    self.init(
      scan.contents, group: group, rows: rows, cancellation: scan.request.cancellation,
      readsDisk: scan.request.readsDisk)
  }

  private func read(_ index: Int, asDictionary: Bool, isRounded: Bool) throws(BlockError) -> Column {
    cancellation?.meter.note(bytes: contents.bytes(ofColumn: index, group: group, rowCount: rowCount))
    if readsDisk {
      return try contents.read(
        index, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded)
    }
    return try contents.cached(
      index, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded,
      for: cancellation?.number ?? 0)
  }

  /// A column of the file; text as dictionary where it is stored so.
  private func physical(_ index: Int) throws(BlockError) -> Column {
    if let known = columns[index] { return known }
    try cancellation.check()
    let column = try read(index, asDictionary: true, isRounded: false)
    columns[index] = column
    return column
  }

  /// As ``physical(_:)``, times rounded down to microseconds where that takes less to read.
  private func roundedTimes(_ index: Int) throws(BlockError) -> Column {
    if columns[index] != nil || !contents.columns.canBeRounded(index) { return try physical(index) }
    if let known = rounded[index] { return known }
    try cancellation.check()
    let column = try read(index, asDictionary: false, isRounded: true)
    rounded[index] = column
    return column
  }

  // MARK: Predicates

  /// The columns that `paths` need.
  func evaluationBatch(_ paths: [ColumnPath]) throws(BlockError) -> EvaluationBatch {
    var result: [String: EvaluationColumn] = [:]
    for name in Set(paths.map(\.column)) {
      guard contents.schema.field(name)?.type == .json else {
        result[name] = .plain(try physical(contents.columns.index(of: name)))
        continue
      }
      result[name] = .object(try object(name, paths.filter { $0.column == name }))
    }
    var batch = EvaluationBatch(rowCount: rowCount, columns: result)
    batch.cancellation = cancellation
    return batch
  }

  /// The parts of an object that paths into it need: a rest that cannot hold any of the names is left unread.
  private func object(_ name: String, _ paths: [ColumnPath]) throws(BlockError) -> ObjectColumns {
    let isWhole = paths.contains { $0.members.isEmpty }
    let names = paths.compactMap(\.members.first)
    var members: [ObjectColumns.Member] = []
    // Of a whole object only texts are asked for.
    for member in contents.columns.members[name] ?? []
    where isWhole && member.type == .utf8 || names.contains(member.name) {
      members.append(ObjectColumns.Member(name: member.name, column: try physical(member.index)))
    }
    let needsRest =
      isWhole
      || paths.contains {
        $0.members.count > 1 || contents.columns.member($0.members[0], of: name).mayBeInRest
      }
    let rest =
      needsRest
      ? try physical(contents.columns.index(of: name)) : Column.nulls(type: .json, rowCount: rowCount)
    return ObjectColumns(rest: rest, members: members)
  }

  // MARK: Answers

  /// Whether the output's column was read already, or takes a few bytes a row.
  func hasAtHand(_ output: OutputColumn) -> Bool {
    guard output.path.members.isEmpty, let field = contents.schema.field(output.path.column),
      field.type != .json
    else { return false }
    return field.type.fixedWidth != nil || columns[contents.columns.index(of: field.name)] != nil
  }

  func batch(_ outputs: [OutputColumn]) throws(BlockError) -> RecordBatch {
    var columns: [Column] = []
    for output in outputs { columns.append(try column(output)) }
    return RecordBatch(outputs: outputs, columns: columns, rowCount: rowCount)
  }

  /// All columns of the schema, objects put together.
  func batch(schema: DatasetSchema) throws(BlockError) -> RecordBatch {
    var columns: [Column] = []
    for field in schema.fields {
      columns.append(try column(OutputColumn(ColumnPath(field.name), type: field.type)))
    }
    return RecordBatch(fields: schema.fields, columns: columns, rowCount: rowCount)
  }

  private func column(_ output: OutputColumn) throws(BlockError) -> Column {
    let name = output.path.column
    guard contents.schema.field(name)?.type == .json else {
      let index = contents.columns.index(of: name)
      return output.isRounded ? try roundedTimes(index) : try physical(index)
    }
    guard let member = output.path.members.first else {
      var members: [ObjectAssembler.Member] = []
      for part in contents.columns.members[name] ?? [] {
        members.append(ObjectAssembler.Member(name: part.name, column: try physical(part.index)))
      }
      return ObjectAssembler.assemble(
        rest: try physical(contents.columns.index(of: name)), members: members)
    }
    var parts: [Column] = []
    let isNested = output.path.members.count > 1
    let found = contents.columns.member(member, of: name)
    if !isNested { for part in found.columns { parts.append(try physical(part.index)) } }
    let rest =
      isNested || found.mayBeInRest ? try physical(contents.columns.index(of: name)) : nil
    return MemberValues.column(
      output, parts: parts, rest: rest, rowCount: rowCount)
  }
}
