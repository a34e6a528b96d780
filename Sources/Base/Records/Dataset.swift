/// One kind of record with a declared schema.
///
/// Whoever owns a kind of record declares it as a constant; a ``Registry`` lists those that a server knows.
/// Copying one costs one reference.
package struct Dataset: Sendable, Hashable {
  package let schema: DatasetSchema

  package init(_ schema: DatasetSchema) { self.schema = schema }

  /// What stands for it on the disk: never given to another dataset.
  package var code: UInt8 { schema.code }
  /// Its name in paths, queries, files and metrics.
  package var name: String { schema.name }

  package static func == (left: Dataset, right: Dataset) -> Bool { left.code == right.code }

  package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// The declared columns of a dataset and how its blocks are laid out.
///
/// The first four columns of every dataset are ``commonFields``; the journal stores the columns
/// from `timestamp` on in this order, so columns are only ever appended.
package final class DatasetSchema: Sendable {
  /// As ``Dataset/code``.
  package let code: UInt8
  /// As ``Dataset/name``.
  package let name: String
  package let fields: [Field]
  /// The fields a client sends: all but `position`, `id`, `ingested_at`.
  package let declaredFields: [Field]
  /// Columns that order a block before `position`, which always comes last.
  package let sortKey: [String]
  /// Whether rows are ordered by their times first.
  package var isSortedByTime: Bool { sortKey.first?.hasBytes(of: "timestamp") == true }
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

  package func index(of name: String) -> Int? { fields.firstIndex { $0.name.hasBytes(of: name) } }
  package func field(_ name: String) -> Field? { fields.first { $0.name.hasBytes(of: name) } }

  /// - Parameters:
  ///   - code: From 1; written to disk: never renumber.
  ///   - columns: Those behind the common ones, in the order the journal keeps for ever.
  ///   - layout: How blocks are laid out.
  package init(_ code: UInt8, _ name: String, columns: [Field], layout: Layout) {
    invariant(code > 0, "codes of datasets begin with 1")
    self.code = code
    self.name = name
    fields = DatasetSchema.commonFields + columns
    declaredFields = [DatasetSchema.commonFields[2]] + columns
    sortKey = layout.sortKey
    primaryText = layout.primaryText
    bloomColumns = layout.bloomColumns
    summaryColumns = layout.summaryColumns
    overflowColumn = layout.overflowColumn
  }

  /// What a dataset's blocks are made for.
  package struct Layout: Sendable {
    package var sortKey: [String]
    package var primaryText: String?
    package var bloomColumns: [String]
    package var summaryColumns: [String]
    package var overflowColumn: String?

    package init(
      sortKey: [String] = ["timestamp"], primaryText: String? = nil, bloomColumns: [String] = [],
      summaryColumns: [String] = [], overflowColumn: String? = nil
    ) {
      self.sortKey = sortKey
      self.primaryText = primaryText
      self.bloomColumns = bloomColumns
      self.summaryColumns = summaryColumns
      self.overflowColumn = overflowColumn
    }
  }
}
