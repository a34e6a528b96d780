import Codecs
import Matching
import Records

/// What fields records have.
package struct FieldCatalog: Sendable {
  /// What values a field has.
  package enum Kind: String, Sendable {
    case text, time, int64, float64, boolean, object, number, id
    /// Of several kinds.
    case mixed
  }

  /// A column of the schema, or a member of an object column.
  package struct Entry: Sendable {
    package let path: ColumnPath
    package let kind: Kind
    /// How many of the records looked at have a value, 0 to 1; nil: none was looked at.
    package let share: Double?
  }

  /// The schema's columns in its order, then members by their names' bytes.
  package let entries: [Entry]

  /// Records that are looked at for members and shares: the newest.
  package static let sampleRows = 1_000
  /// Members that are told.
  package static let membersMax = 5_000
}

extension QueryEngine {
  /// See ``QueryAnswering``.
  package func fields(
    of dataset: Dataset, matching predicate: Predicate, start: Int64?, end: Int64?, for tenant: Tenant
  ) async throws(StoreError) -> FieldCatalog {
    let run = begin(for: tenant)
    let source = source
    // Blocks do not say whose records have a member.
    let isAll = predicate == .all
    let stored = try await run.work.run { () throws(StoreError) -> Set<StoredMember> in
      guard isAll else { return [] }
      let snapshot = try await source.snapshot(of: Partition(tenant: tenant, dataset: dataset))
      return try await run.workers.perform { () throws(StoreError) in
        try snapshot.members(start: start, end: end)
      }
    }
    var sample = FieldSample(dataset.schema)
    let answer = try await self.run(
      QueryRequest(
        dataset: dataset, predicate: predicate,
        answer: .rows(columns: dataset.schema.fields.map { ColumnPath($0.name) }), start: start, end: end,
        limit: FieldCatalog.sampleRows),
      for: tenant)
    while let batch = try await answer.next() { sample.add(batch) }
    return sample.catalog(stored)
  }
}

/// What the newest records have.
private struct FieldSample {
  private struct Seen {
    var rowCount = 0
    var kinds: Set<FieldCatalog.Kind> = []
  }

  private let schema: DatasetSchema
  private var rowCount = 0
  private var columns: [Name: Int] = [:]
  private var members: [ColumnPath: Seen] = [:]

  init(_ schema: DatasetSchema) { self.schema = schema }

  mutating func add(_ batch: RecordBatch) {
    rowCount += batch.rowCount
    for (field, column) in zip(batch.fields, batch.columns) {
      columns[Name(field.name), default: 0] += column.rowCount - column.missingCount
      guard field.type == .json else { continue }
      let texts = column.plainText()
      for row in 0..<batch.rowCount {
        if let bytes = texts.textBytes(at: row) { add(bytes, of: field.name) }
      }
    }
  }

  private mutating func add(_ object: [UInt8], of field: String) {
    // What is stored is JSON: if it is not, there is no member to tell of.
    guard let tree = try? JSONTree(parsing: object), case .object(let all) = tree else { return }
    for member in all {
      guard let kind = FieldSample.kind(of: member.value) else { continue }
      let path = ColumnPath(field, members: [member.name])
      guard members.count < FieldCatalog.membersMax || members[path] != nil else { continue }
      members[path, default: Seen()].rowCount += 1
      members[path, default: Seen()].kinds.insert(kind)
    }
  }

  private static func kind(of value: JSONTree) -> FieldCatalog.Kind? {
    switch value {
    case .null: nil
    case .bool: .boolean
    case .int64, .float64, .number: .number
    case .string: .text
    case .array, .object: .object
    }
  }

  private static func kind(of type: ColumnType, isMember: Bool) -> FieldCatalog.Kind {
    switch type {
    case .utf8: .text
    case .int64: isMember ? .number : .int64
    case .float64: isMember ? .number : .float64
    case .bool: .boolean
    case .timestamp: .time
    case .uuid: .id
    case .json: .object
    }
  }

  func catalog(_ stored: Set<StoredMember>) -> FieldCatalog {
    func share(_ count: Int) -> Double? { rowCount == 0 ? nil : Double(count) / Double(rowCount) }
    var all = members
    for member in stored where all.count < FieldCatalog.membersMax {
      all[member.path, default: Seen()].kinds.insert(FieldSample.kind(of: member.type, isMember: true))
    }
    var entries: [FieldCatalog.Entry] = []
    for field in schema.fields {
      entries.append(
        FieldCatalog.Entry(
          path: ColumnPath(field.name), kind: FieldSample.kind(of: field.type, isMember: false),
          share: share(columns[Name(field.name)] ?? 0)))
    }
    var named: [Name: ColumnPath] = [:]
    for path in all.keys { named[Name(path.description)] = path }
    for (_, path) in named.sorted(by: { $0.key < $1.key }) {
      guard let seen = all[path] else { continue }
      let kind = seen.kinds.count == 1 ? seen.kinds.first ?? .mixed : .mixed
      entries.append(FieldCatalog.Entry(path: path, kind: kind, share: share(seen.rowCount)))
    }
    return FieldCatalog(entries: entries)
  }
}
