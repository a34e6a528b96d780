import Records

/// One entry, masked: its time and its texts in the order of ``names``.
struct IngestRow {
  /// The declared columns of the dataset `logs` behind the time.
  static let names = Dataset.logs.schema.declaredFields.dropFirst().map(\.name)

  var time: Int64 = 0
  var texts = [String?](repeating: nil, count: IngestRow.names.count)
}
