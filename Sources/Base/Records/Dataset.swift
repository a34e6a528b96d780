/// One kind of record with a declared schema. The raw value is written to disk: never renumber.
package enum Dataset: UInt8, Sendable, Hashable, CaseIterable, Codable {
  case sessions = 1
  case queries = 2
  case audit = 3
  case workflows = 4
  case logs = 5

  package var name: String {
    switch self {
    case .sessions: "sessions"
    case .queries: "queries"
    case .audit: "audit"
    case .workflows: "workflows"
    case .logs: "logs"
    }
  }

  package init?(name: String) {
    guard let found = Dataset.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  package var schema: DatasetSchema { DatasetSchema.schemas[Int(rawValue) - 1] }
}

/// The physical and logical type of a column. The raw value is written to disk: never renumber.
package enum ColumnType: UInt8, Sendable, Hashable, Codable {
  /// Signed 64-bit integers.
  case int64 = 1
  /// IEEE 754 double precision.
  case float64 = 2
  /// One bit a row, least significant first.
  case bool = 3
  /// UTF-8 text, NUL excluded by the decoders.
  case utf8 = 4
  /// 16 bytes a row: a UUID in network order.
  case uuid = 5
  /// UTF-8 text that is one JSON object.
  case json = 6
  /// Nanoseconds since 1970-01-01T00:00:00Z as int64; years 1677 to 2262.
  case timestamp = 7

  /// Bytes a row for fixed-width types; nil for text and bit-packed bool.
  package var fixedWidth: Int? {
    switch self {
    case .int64, .float64, .timestamp: 8
    case .uuid: 16
    case .bool, .utf8, .json: nil
    }
  }

  package var isText: Bool { self == .utf8 || self == .json }
}

/// A column of a dataset's schema.
package struct Field: Sendable, Hashable {
  package let name: String
  package let type: ColumnType
  /// Whether a record may lack the value.
  package let isNullable: Bool

  package init(_ name: String, _ type: ColumnType, isNullable: Bool) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
  }
}

/// The declared columns of a dataset and how its blocks are laid out.
///
/// The first four columns of every dataset are ``commonFields``; the journal stores the columns
/// from `timestamp` on in this order, so columns are only ever appended.
package struct DatasetSchema: Sendable {
  package let dataset: Dataset
  package let fields: [Field]
  /// Columns that order a block before `position`, which always comes last.
  package let sortKey: [String]
  /// The text column the words-and-templates index is built for; nil: only nested text is indexed.
  package let primaryText: String?
  /// Columns whose blocks carry a Parquet Bloom filter.
  package let bloomColumns: [String]
  /// Low-cardinality columns whose blocks keep counts by minute.
  package let summaryColumns: [String]
  /// The object that takes top-level keys a record has beyond the declared ones; nil: they are an error.
  package let overflowColumn: String?

  /// `position`, `id`, `timestamp`, `ingested_at`: filled by the server but for `timestamp`.
  package static let commonFields = [
    Field("position", .int64, isNullable: false), Field("id", .uuid, isNullable: false),
    Field("timestamp", .timestamp, isNullable: false),
    Field("ingested_at", .timestamp, isNullable: false),
  ]

  package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
  package func field(_ name: String) -> Field? { fields.first { $0.name == name } }

  /// The fields a client sends: all but `position`, `id`, `ingested_at`.
  package var declaredFields: [Field] {
    [fields[2]] + fields.dropFirst(DatasetSchema.commonFields.count)
  }

  private init(
    _ dataset: Dataset, sortKey: [String], columns: [Field], primaryText: String? = nil,
    bloomColumns: [String] = [], summaryColumns: [String] = [], overflowColumn: String? = nil
  ) {
    self.dataset = dataset
    self.fields = DatasetSchema.commonFields + columns
    self.sortKey = sortKey
    self.primaryText = primaryText
    self.bloomColumns = bloomColumns
    self.summaryColumns = summaryColumns
    self.overflowColumn = overflowColumn
  }

  fileprivate static let schemas: [DatasetSchema] = [
    DatasetSchema(
      .sessions, sortKey: ["container", "session"],
      columns: [
        Field("container", .utf8, isNullable: false), Field("session", .utf8, isNullable: false),
        Field("level", .utf8, isNullable: true), Field("message", .utf8, isNullable: true),
      ], primaryText: "message", summaryColumns: ["level"]),
    DatasetSchema(
      .queries, sortKey: ["timestamp"],
      columns: [
        Field("user_id", .utf8, isNullable: false), Field("query", .utf8, isNullable: false),
        Field("status", .utf8, isNullable: true), Field("hash", .utf8, isNullable: true),
      ], primaryText: "query", bloomColumns: ["user_id"], summaryColumns: ["status"]),
    DatasetSchema(
      .audit, sortKey: ["timestamp"],
      columns: [
        Field("user_id", .utf8, isNullable: false), Field("action", .utf8, isNullable: false),
        Field("resource_type", .utf8, isNullable: true), Field("resource_id", .utf8, isNullable: true),
        Field("ip_address", .utf8, isNullable: true), Field("user_agent", .utf8, isNullable: true),
        Field("severity", .utf8, isNullable: true), Field("before", .json, isNullable: true),
        Field("after", .json, isNullable: true), Field("metadata", .json, isNullable: true),
      ], bloomColumns: ["user_id", "resource_id"],
      summaryColumns: ["severity", "action", "resource_type"], overflowColumn: "metadata"),
    DatasetSchema(
      .workflows, sortKey: ["timestamp"],
      columns: [
        Field("environment", .utf8, isNullable: true), Field("workflow_version", .utf8, isNullable: true),
        Field("ticket_id", .utf8, isNullable: true), Field("category", .utf8, isNullable: true),
        Field("resolution_status", .utf8, isNullable: true), Field("status", .utf8, isNullable: true),
        Field("execution_time_seconds", .float64, isNullable: true),
        Field("metrics", .json, isNullable: true), Field("payload", .json, isNullable: true),
      ], bloomColumns: ["ticket_id"], summaryColumns: ["status", "resolution_status", "category"],
      overflowColumn: "payload"),
    DatasetSchema(
      .logs, sortKey: ["timestamp"],
      columns: [
        Field("level", .utf8, isNullable: true), Field("message", .utf8, isNullable: false),
        Field("service", .utf8, isNullable: true), Field("env", .utf8, isNullable: true),
        Field("trace_id", .utf8, isNullable: true), Field("span_id", .utf8, isNullable: true),
        Field("labels", .json, isNullable: true), Field("metadata", .json, isNullable: true),
      ], primaryText: "message", bloomColumns: ["trace_id"], summaryColumns: ["level", "service"],
      overflowColumn: "metadata"),
  ]
}
