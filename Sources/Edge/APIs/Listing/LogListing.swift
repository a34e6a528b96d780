import Access
import Codecs
import Decoding
import Querying
import Records
import Routing

/// Which page of a listing.
struct PageRequest: Sendable, Hashable {
  let page: Int
  let size: Int

  var offset: Int {
    let (rows, isOver) = (page - 1).multipliedReportingOverflow(by: size)
    return isOver ? .max : rows
  }

  /// How many pages `total` rows fill.
  func pageCount(of total: Int) -> Int { (total + size - 1) / size }

  init(_ items: QueryItems, sizeName: String, _ faults: inout ValidationFaults) {
    page = PageRequest.number(items, "page", fallback: 1, 1...Int.max, &faults)
    size = PageRequest.number(items, sizeName, fallback: 50, 1...100, &faults)
  }

  /// A whole number of the query within a range; notes an error otherwise.
  static func number(
    _ items: QueryItems, _ name: String, fallback: Int, _ range: ClosedRange<Int>,
    _ faults: inout ValidationFaults
  ) -> Int {
    guard let text = items[name] else { return fallback }
    let place: [ValidationPlace] = [.name("query"), .name(name)]
    guard let number = Int(text) else {
      faults.add(
        place, "int_parsing", "Input should be a valid integer, unable to parse string as an integer")
      return fallback
    }
    if number < range.lowerBound {
      faults.add(
        place, "greater_than_equal", "Input should be greater than or equal to \(range.lowerBound)")
    } else if number > range.upperBound {
      faults.add(place, "less_than_equal", "Input should be less than or equal to \(range.upperBound)")
    }
    return number
  }

  /// The times that answers show as a time of the query, in nanoseconds since 1970; a date alone is its
  /// first, or with `isEnd` its last, microsecond.
  static func time(
    _ items: QueryItems, _ name: String, isEnd: Bool = false, _ faults: inout ValidationFaults
  ) -> ClosedRange<Int64>? {
    guard let text = items[name], !text.isEmpty else { return nil }
    // A plus that was not escaped came as a space.
    guard let time = shown(text) ?? shown(text.replacing(" ", with: "+")) else {
      let reason = text.utf8.count < 10 ? "input is too short" : "invalid character in year"
      faults.add(
        [.name("query"), .name(name)], "datetime_parsing", "Input should be a valid datetime, \(reason)")
      return nil
    }
    return isEnd && FlexibleTime.isDate(text)
      ? time.lowerBound...time.lowerBound.addingClamped(86_399_999_999_999) : time
  }

  /// Records are kept to the nanosecond and shown to the microsecond.
  private static func shown(_ text: String) -> ClosedRange<Int64>? { FlexibleTime.range(text, of: 1_000) }
}

/// What a page may take that is made before it is known who reads it.
struct PageBounds {
  let bytesMax: Int
  let memory: MemoryReservation
}

/// Records of a dataset as the audit and the workflow API list them: newest first, a page at a time, with a
/// total.
struct LogListing {
  let engine: any QueryAnswering
  let dataset: Dataset
  /// What a record's object has, in order; `timestamp` may have another name.
  let columns: [ColumnPath]
  let writer: RecordWriter

  init(
    engine: any QueryAnswering, dataset: Dataset, columns: [String], names: [String: String],
    style: RecordStyle
  ) {
    self.engine = engine
    self.dataset = dataset
    self.columns = columns.map { ColumnPath($0) }
    let fields = columns.compactMap { dataset.schema.field($0) }
    writer = RecordWriter(
      fields: fields.map { Field(names[$0.name] ?? $0.name, $0.type, isNullable: true) }, style: style)
  }

  /// The records' objects, separated by commas, and how many match in all.
  func page(
    _ page: PageRequest, _ predicate: Predicate, start: Int64?, end: Int64?, for tenant: Tenant
  ) async throws(StoreError) -> (objects: [UInt8], total: Int) {
    let request = rows(page, predicate, start: start, end: end)
    if page.offset == 0 {
      let (objects, rowCount) = try await objects(of: engine.run(request, for: tenant))
      // A page that is not full is all there is: what matches seldom is looked for once, not twice.
      if rowCount < page.size { return (objects, rowCount) }
      return (
        objects, try await engine.count(predicate, in: dataset, start: start, end: end, for: tenant)
      )
    }
    let total = try await engine.count(predicate, in: dataset, start: start, end: end, for: tenant)
    guard page.offset < total else { return ([], total) }
    return (try await objects(of: engine.run(request, from: page.offset, for: tenant)).objects, total)
  }

  /// The objects of at most `limit` records, newest first, without the newest `offset`, and how many they
  /// are.
  ///
  /// - Parameter bounds: The record that reaches the bytes is the last; twice what they are is held.
  func newest(
    _ limit: Int, from offset: Int, _ predicate: Predicate, within bounds: PageBounds, for tenant: Tenant
  ) async throws(StoreError) -> (objects: [UInt8], rowCount: Int) {
    let request = QueryRequest(
      dataset: dataset, predicate: predicate, answer: .rows(columns: columns), limit: limit,
      isDescending: true)
    return try await objects(of: engine.run(request, from: offset, for: tenant), within: bounds)
  }

  /// The queries that ``page(_:_:start:end:for:)`` makes: the count, what is passed, the rows.
  func queries(_ page: PageRequest, _ predicate: Predicate, start: Int64?, end: Int64?) -> [QueryRequest] {
    let request = rows(page, predicate, start: start, end: end)
    let passed = page.offset > 0 ? [request.passing(page.offset)] : []
    return [.count(predicate, in: dataset, start: start, end: end)] + passed + [request]
  }

  private func rows(
    _ page: PageRequest, _ predicate: Predicate, start: Int64?, end: Int64?
  ) -> QueryRequest {
    QueryRequest(
      dataset: dataset, predicate: predicate, answer: .rows(columns: columns), start: start, end: end,
      limit: page.size, isDescending: true)
  }

  /// The record with this id; nil if the tenant has none.
  private func record(_ id: [UInt8], filter: Predicate, for tenant: Tenant) async throws(StoreError)
    -> [UInt8]?
  {
    let request = QueryRequest(
      dataset: dataset, predicate: .both(.compare(ColumnPath("id"), .equal, .uuid(id)), filter),
      answer: .rows(columns: columns), limit: 1)
    let (object, rowCount) = try await objects(of: engine.run(request, for: tenant))
    return rowCount == 0 ? nil : object
  }

  /// The record whose id is `text`, in any of a UUID's forms.
  ///
  /// - Throws: 404: the tenant has none, or it is no id.
  func record(named text: String, _ principal: Principal) async throws(Problem) -> [UInt8] {
    let object: [UInt8]?
    do throws(StoreError) {
      object =
        if let id = UUIDv7.flexible(text) {
          try await record(id, filter: principal.filter, for: principal.tenant)
        } else { nil }
    } catch {
      throw Problem(error)
    }
    guard let object else { throw Problem(404, "Log not found") }
    return object
  }

  private func objects(
    of answer: QueryAnswer, within bounds: PageBounds? = nil
  ) async throws(StoreError) -> (objects: [UInt8], rowCount: Int) {
    var json = JSONWriter(capacity: 1 << 12)
    var rowCount = 0
    while let batch = try await answer.next() {
      guard let bounds else {
        append(batch, after: rowCount, to: &json)
        rowCount += batch.rowCount
        try answer.hold(json.byteCount)
        continue
      }
      for row in 0..<batch.rowCount where json.byteCount < bounds.bytesMax {
        let before = json.byteCount
        append(batch.rows(row..<row + 1), after: rowCount, to: &json)
        rowCount += 1
        // Once more where it becomes a message.
        try bounds.memory.take((json.byteCount - before) * 2)
      }
      if json.byteCount >= bounds.bytesMax { break }
    }
    return (json.takeBytes(), rowCount)
  }

  private func append(_ batch: RecordBatch, after rowCount: Int, to json: inout JSONWriter) {
    writer.appendObjects(
      batch, separator: UInt8(ascii: ","), isFirst: rowCount == 0, terminator: nil, to: &json)
  }

  /// The rows of a count by one column.
  static func counts(_ batch: RecordBatch) -> [(String?, Int)] {
    let names = batch.columns[0].plainText()
    return batch.columns[1].withInt64 { counts in
      names.withText { offsets, bytes in
        (0..<batch.rowCount).map { row in
          let range = Int(offsets[row])..<Int(offsets[row + 1])
          let name = names.isValid(row) ? String(decoding: range.map { bytes[$0] }, as: UTF8.self) : nil
          return (name, Int(counts[row]))
        }
      }
    }
  }

  /// The objects of a batch that was just stored, in its order.
  func objects(of batch: RecordBatch, _ receipt: AppendReceipt) -> [UInt8] {
    var all: [Column] = []
    for path in columns {
      switch path.column {
      case "id": all.append(receipt.ids)
      case "ingested_at":
        all.append(Column(timestamps: Array(repeating: receipt.ingestedAt, count: batch.rowCount)))
      default: all.append(batch.column(path.column) ?? Column.nulls(type: .utf8, rowCount: batch.rowCount))
      }
    }
    let fields = columns.compactMap { dataset.schema.field($0.column) }
    var json = JSONWriter(capacity: 1 << 12)
    writer.appendObjects(
      RecordBatch(fields: fields, columns: all, rowCount: batch.rowCount), separator: UInt8(ascii: ","),
      isFirst: true, terminator: nil, to: &json)
    return json.takeBytes()
  }
}

extension UUIDv7 {
  /// A UUID in any of its forms: dashed, undashed, either case; nil for anything else.
  static func flexible(_ text: String) -> [UInt8]? {
    let digits = text.filter { $0 != "-" }
    guard digits.utf8.count == 32, let bytes = Hex.bytes(digits) else { return nil }
    let dashed = text.utf8.count == 36 && UUIDv7.parse(text.lowercased()) != nil
    return dashed || text.utf8.count == 32 ? bytes : nil
  }
}
