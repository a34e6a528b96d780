import Records

/// What of a record becomes labels, line and structured metadata. Columns are named as in the dataset's
/// schema.
package struct LokiMapping: Sendable, Hashable {
  /// Text columns whose values are labels of the stream, under the column's name. Null and empty ones are
  /// left out.
  package var labelColumns: [String] = []
  /// An object column whose members are labels too and win over ``labelColumns``; nil: none.
  package var labelObject: String?
  /// Labels of every stream; names as Loki wants them. A record's own label of that name wins.
  package var staticLabels: [String: String] = [:]
  /// Columns that make the line, a JSON object with these members in this order; null cells are `null`.
  package var lineColumns: [String] = []
  /// Text columns sent as structured metadata of the entry (Loki 3, or 2.9 with it switched on). Null and
  /// empty ones are left out.
  package var metadataColumns: [String] = []

  /// No labels, no metadata.
  package init() {}

  /// Service, env, level and the record's labels; message, metadata, trace and span in the line.
  package static let logs = {
    var mapping = LokiMapping()
    mapping.labelColumns = ["service", "env", "level"]
    mapping.labelObject = "labels"
    mapping.lineColumns = ["message", "metadata", "trace_id", "span_id"]
    return mapping
  }()

  /// The label `dataset`, the columns block summaries count by as labels, all other columns in the line.
  package static func standard(for dataset: Dataset) -> LokiMapping {
    if dataset == .logs { return .logs }
    var mapping = LokiMapping()
    let schema = dataset.schema
    mapping.staticLabels = ["dataset": dataset.name]
    mapping.labelColumns = schema.summaryColumns.filter { schema.field($0)?.type == .utf8 }
    mapping.lineColumns = schema.fields.dropFirst(DatasetSchema.commonFields.count).map(\.name)
      .filter { !mapping.labelColumns.contains($0) }
    return mapping
  }

  /// What is wrong with the mapping for `dataset`, or nil.
  package func fault(for dataset: Dataset) -> String? {
    let schema = dataset.schema
    for name in labelColumns + metadataColumns where schema.field(name)?.type != .utf8 {
      return "`\(name)` is no text column of \(dataset.name)"
    }
    if let labelObject, schema.field(labelObject)?.type != .json {
      return "`\(labelObject)` is no object column of \(dataset.name)"
    }
    for name in lineColumns where schema.field(name) == nil {
      return "`\(name)` is no column of \(dataset.name)"
    }
    for name in staticLabels.keys where LabelSet.cleanName(name) != name {
      return "`\(name)` is no name of a label"
    }
    return lineColumns.isEmpty ? "a line needs a column" : nil
  }

  /// Every column a scan must give, common ones first.
  var columns: [String] {
    var names = ["position", "id", "timestamp", "ingested_at"]
    for name in labelColumns + (labelObject.map { [$0] } ?? []) + lineColumns + metadataColumns
    where !names.contains(name) {
      names.append(name)
    }
    return names
  }
}
